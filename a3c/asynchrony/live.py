"""Starts the processes of a run, watches over them and writes down what they do.

The first worker that dies ends the run: a survivor could wait for ever at a lock that the dead one holds. Workers
that are stopped get SIGTERM, a grace period, SIGKILL; a supervisor that is killed takes them with it (see
`enter_process`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from types import FrameType
from typing import Any

from torch import Tensor

from a3c.asynchrony.drain import Drain
from a3c.asynchrony.evaluator import EVALUATED, EvaluationAssignment, run_evaluator
from a3c.asynchrony.shared import STOP, allocate
from a3c.asynchrony.start import process_context
from a3c.asynchrony.worker import EPISODES, FAILED, READY, Assignment, run_worker
from a3c.records.rows import EpisodeRow, EvaluationRow
from a3c.records.run_writer import RunWriter
from a3c.settings import Settings

POLL_SECONDS = 0.05
GRACE_SECONDS = 5.0


class ProcessFailedError(RuntimeError):
    """A process of the run ended abnormally; the message names it, its exit code or signal, and its traceback."""


class StoppedError(RuntimeError):
    """The run was asked to stop by a signal.

    Attributes:
      signal_number: which.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number = signal_number


@dataclass(frozen=True)
class Progress:
    """Where a run is, for a progress bar: frames, seconds of training, updates, recent mean score, workers alive."""

    frames: int
    seconds: float
    updates: int
    score: float | None
    workers_alive: int
    evaluating: bool


@dataclass(frozen=True)
class Result:
    """What training left in memory.

    Attributes:
      parameters: float32 [P], final.
      mean_square: float32 [P], the optimizer's final statistics.
      frames: global frames.
      updates: versions applied.
      train_seconds: from letting the workers go to the last turn.
      start_seconds: from the call to letting the workers go.
    """

    parameters: Tensor
    mean_square: Tensor
    frames: int
    updates: int
    train_seconds: float
    start_seconds: float


@dataclass
class _Child:
    """One process and its pipe."""

    name: str
    process: ForkServerProcess
    pipe: Connection
    ready: bool = False

    @property
    def alive(self) -> bool:
        return bool(self.process.is_alive())


class Supervisor:
    """One run's processes, from their start to their end."""

    def __init__(
        self, settings: Settings, initial: Tensor, writer: RunWriter, *, evaluate_after_training: bool = False
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._context = process_context()
        self._memory = allocate(settings, initial)
        self._drain = Drain(self._memory, settings)
        self._go, self._begin, self._ended = (self._context.Event() for _ in range(3))
        # Kept here: a semaphore's name goes away with its last reference in this process.
        self._lock, self._barrier = self._context.Lock(), self._context.Barrier(settings.processes)
        self._evaluate_after_training = evaluate_after_training
        self._workers: list[_Child] = []
        self._evaluator: _Child | None = None
        self._stopped_by: int | None = None
        self._recent_score: float | None = None

    def run(self, progress: Callable[[Progress], None]) -> Result:
        """Trains until the budget is used up, then waits for the evaluation of the last parameters.

        Raises:
          ProcessFailedError: if a process dies.
          StoppedError: if SIGINT or SIGTERM came.
        """
        began = time.monotonic()
        with self._stop_on_signals():
            try:
                self._start()
                self._pump_until(lambda: all(c.ready for c in self._children()), progress)
                self._memory.start_time[0] = time.monotonic()
                start_seconds = time.monotonic() - began
                self._go.set()
                if not self._evaluate_after_training:
                    self._begin.set()
                self._pump_until(lambda: not any(c.alive for c in self._workers), progress)
                self._writer.intervals(self._drain.finish())
                self._ended.set()
                self._begin.set()
                self._pump_until(lambda: not any(c.alive for c in self._children()), progress)
            finally:
                self._end_processes()
        return Result(
            self._memory.parameters.clone(),
            self._memory.mean_square.clone(),
            self._drain.frames,
            self._drain.updates,
            self._drain.seconds,
            start_seconds,
        )

    def _children(self) -> list[_Child]:
        return [*self._workers, *([self._evaluator] if self._evaluator else [])]

    def _start(self) -> None:
        for worker in range(self._settings.processes):
            here, there = self._context.Pipe(duplex=False)
            assignment = Assignment(worker, self._settings, self._memory, self._lock, self._barrier, self._go, there)
            self._workers.append(self._spawn(f"worker {worker}", run_worker, assignment, here, there))
        here, there = self._context.Pipe(duplex=False)
        evaluation = EvaluationAssignment(self._settings, self._memory, self._begin, self._ended, there)
        self._evaluator = self._spawn("evaluator", run_evaluator, evaluation, here, there)

    def _spawn(
        self, name: str, target: Callable[[Any], None], assignment: Any, here: Connection, there: Connection
    ) -> _Child:
        process = self._context.Process(target=target, args=(assignment,), name=name, daemon=True)
        process.start()
        there.close()
        return _Child(name, process, here)

    def _pump_until(self, done: Callable[[], bool], progress: Callable[[Progress], None]) -> None:
        """Moves messages and turns into files until `done`, watching for death and signals."""
        while not done():
            children = self._children()
            open_pipes = [c.pipe for c in children if not c.pipe.closed]
            wait([*open_pipes, *(c.process.sentinel for c in children if c.alive)], timeout=POLL_SECONDS)
            self._pump()
            progress(self._progress())
        self._pump()

    def _pump(self) -> None:
        for child in self._children():
            alive = child.alive
            self._read_messages(child)
            if not alive and child.process.exitcode != 0:
                raise ProcessFailedError(f"{child.name} {_how_it_ended(child.process.exitcode)}")
        turns, rows = self._drain.take()
        if len(turns):
            self._writer.turns(turns)
        if rows:
            self._writer.intervals(rows)
            self._recent_score = next(
                (r.score_mean for r in reversed(rows) if r.score_mean is not None), self._recent_score
            )
        if self._stopped_by is not None:
            raise StoppedError(self._stopped_by)

    def _read_messages(self, child: _Child) -> None:
        try:
            while not child.pipe.closed and child.pipe.poll():
                self._receive(child, *child.pipe.recv())
        except (EOFError, ConnectionResetError):
            child.pipe.close()

    def _receive(self, child: _Child, what: str, content: Any) -> None:
        if what == READY:
            child.ready = True
        elif what == EPISODES:
            rows: list[EpisodeRow] = content
            self._writer.episodes(rows)
            self._drain.add_episodes(rows)
        elif what == EVALUATED:
            evaluated: list[EvaluationRow] = content
            self._writer.evaluations(evaluated)
        elif what == FAILED:
            raise ProcessFailedError(f"{child.name} raised an exception:\n{content}")

    def _progress(self) -> Progress:
        alive = sum(c.alive for c in self._workers)
        return Progress(
            self._drain.frames,
            self._drain.seconds,
            self._drain.updates,
            self._recent_score,
            alive,
            self._ended.is_set(),
        )

    @contextmanager
    def _stop_on_signals(self) -> Iterator[None]:
        """Notes SIGINT and SIGTERM instead of dying of them; outside the main thread Python allows no handlers."""

        def note(number: int, frame: FrameType | None) -> None:
            self._stopped_by = number
            self._memory.counters[STOP] = 1

        try:
            before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end_processes(self) -> None:
        """TERM, a grace period, KILL: none is left when this returns."""
        children = self._children()
        for child in children:
            if child.alive:
                child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in children:
            child.process.join(max(0.0, deadline - time.monotonic()))
            if child.alive:
                child.process.kill()
                child.process.join()
            child.pipe.close()


def _how_it_ended(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = "; possibly out of memory" if name == "SIGKILL" else ""
        return f"was killed by {name}{hint}"
    return f"ended with exit code {exitcode}"
