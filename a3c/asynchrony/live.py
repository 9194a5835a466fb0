"""Starts the processes of a run, watches over them and writes down what they do.

The first worker that dies ends the run: a survivor could wait for ever at a lock that the dead one holds. Workers
that are stopped get SIGTERM, a grace period, SIGKILL; a supervisor that is killed takes them with it (see
`enter_process`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Semaphore
from types import FrameType
from typing import Any

from torch import Tensor

from a3c.asynchrony.checkpointing import Checkpointer, restore_shared, run_state
from a3c.asynchrony.children import Child, end, how_it_ended
from a3c.asynchrony.comparing import DIFFERS, EXAMINED, Recorded
from a3c.asynchrony.drain import Drain
from a3c.asynchrony.evaluator import EVALUATED, EvaluationAssignment, run_evaluator
from a3c.asynchrony.hogwild import lost_fraction
from a3c.asynchrony.outcomes import (
    DiffersError,
    ExaminedError,
    ProcessFailedError,
    Progress,
    Result,
    StoppedError,
)
from a3c.asynchrony.pausing import SAVED
from a3c.asynchrony.serial import run_serial
from a3c.asynchrony.shared import SNAPSHOTS, SharedMemory, allocate
from a3c.asynchrony.start import process_context
from a3c.asynchrony.synchronous import Rendezvous
from a3c.asynchrony.turnstile import passages
from a3c.asynchrony.worker import EPISODES, FAILED, MEMORY, READY, SAMPLED, Assignment, run_worker
from a3c.records.checkpoints import Checkpoint, State
from a3c.records.rows import EpisodeRow, EvaluationRow, SampleRow
from a3c.records.run_writer import RunWriter
from a3c.settings import Settings

POLL_SECONDS = 0.05
STOP_SECONDS = 10.0  # for a checkpoint, once the run is asked to stop; a batch system kills after 30 or so


class Supervisor:
    """One run's processes, from their start to their end."""

    def __init__(
        self,
        settings: Settings,
        initial: Tensor,
        writer: RunWriter,
        *,
        checkpointer: Callable[[SharedMemory], Checkpointer] | None = None,
        source: Checkpoint | None = None,
        evaluate_after_training: bool = False,
        histogram: Sequence[int] | None = None,
        recorded: Recorded | None = None,
        worker_processes: bool = False,
    ) -> None:
        """Allocates what the processes share; nothing is started yet.

        Args:
          settings: of the run.
          initial: float32 [P], the initial parameters.
          writer: of the run folder's files.
          checkpointer: makes what makes checkpoints; None for none.
          source: the checkpoint to go on from; the writer has cut the files to its lengths.
          evaluate_after_training: so that evaluation does not disturb a timing.
          histogram: turns by staleness in another run, for an order drawn from it.
          recorded: a run to execute again instead.
          worker_processes: execute it with worker processes behind a turnstile, not in one process.
        """
        self._settings = settings
        self._writer = writer
        self._context = process_context()
        self._memory = allocate(settings, initial)
        self._drain = Drain(self._memory, settings)
        self._go, self._begin, self._ended = (self._context.Event() for _ in range(3))
        self._histogram, self._recorded = histogram, recorded
        self._serial = settings.schedule == "drawn" or (recorded is not None and not worker_processes)
        self._processes = 1 if self._serial else settings.processes
        self._gates = self._make_gates()
        # Kept here: a semaphore's name goes away with its last reference in this process.
        self._lock = self._context.Lock()
        waiting = self._processes if settings.schedule == "synchronous" else 1
        gates = [self._context.Semaphore(0) for _ in range(waiting)]
        self._rendezvous = Rendezvous(self._context.Semaphore(0), gates)
        self._checkpointer = checkpointer(self._memory) if checkpointer else None
        self._resume_gates = [self._context.Semaphore(0) for _ in range(self._processes)]
        self._source, self._evaluated, self._seconds_before = source, 0, 0.0
        if source is not None:
            self._restore(source)
        self._evaluate_after_training = evaluate_after_training
        self._workers: list[Child] = []
        self._evaluator: Child | None = None
        self._stopped_by: int | None = None
        self._last_checkpoint: int | None = None  # the number of the one to be made before stopping
        self._stop_by = 0.0
        self._recent_score: float | None = None
        self._peak_memory_bytes = 0

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
                self._memory.start_time[0] = time.monotonic() - self._seconds_before
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
                end(self._children())
        return Result(
            self._memory.parameters.clone(),
            self._memory.snapshots[: int(self._memory.counters[SNAPSHOTS])],
            self._memory.statistics.clone(),
            self._drain.frames,
            self._drain.updates,
            self._drain.seconds,
            start_seconds,
            lost_fraction(self._memory.probe.numpy(), self._drain.updates),
            self._peak_memory_bytes,
        )

    def _restore(self, source: Checkpoint) -> None:
        state = source.load("run")
        restore_shared(self._memory, state["shared"])
        self._drain.restore(state["drain"])
        self._evaluated, self._seconds_before = int(state["shared"]["evaluated"]), float(state["shared"]["seconds"])

    def _state(self) -> State:
        """All of the run that is not a worker's, while all workers wait."""
        self._pump_messages()
        return run_state(self._memory, self._drain, self._evaluated, self._writer.lengths())

    def _children(self) -> list[Child]:
        return [*self._workers, *([self._evaluator] if self._evaluator else [])]

    def _start(self) -> None:
        for worker in range(self._processes):
            here, there = self._context.Pipe(duplex=False)
            shared = (self._settings, self._memory, self._lock, self._rendezvous, self._go)
            places = self._checkpointer.places(self._resume_gates, self._source) if self._checkpointer else None
            assignment = Assignment(worker, *shared, there, places, self._histogram, self._recorded, self._gates)
            target = run_serial if self._serial else run_worker
            self._workers.append(self._spawn(f"worker {worker}", target, assignment, here, there))
        here, there = self._context.Pipe(duplex=False)
        evaluation = EvaluationAssignment(
            self._settings, self._memory, self._evaluated, self._begin, self._ended, there
        )
        self._evaluator = self._spawn("evaluator", run_evaluator, evaluation, here, there)

    def _make_gates(self) -> list[Semaphore]:
        """A turnstile's gates, all closed but the first; none where no order is imposed on processes."""
        recorded = self._recorded
        if recorded is None or self._serial or self._settings.schedule == "synchronous":
            return []
        first = passages(recorded.header, recorded.turns)[0]
        return [self._context.Semaphore(int(worker == first)) for worker in range(self._processes)]

    def _spawn(
        self, name: str, target: Callable[[Any], None], assignment: Any, here: Connection, there: Connection
    ) -> Child:
        process = self._context.Process(target=target, args=(assignment,), name=name, daemon=True)
        process.start()
        there.close()
        return Child(name, process, here)

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
        self._pump_messages()
        if self._checkpointer is not None and self._go.is_set():
            self._checkpointer.tick(self._workers, self._resume_gates, self._state)
        if self._stopped_by is not None and self._may_stop():
            raise StoppedError(self._stopped_by)

    def _pump_messages(self) -> None:
        for child in self._children():
            alive = child.alive
            self._read_messages(child)
            if not alive and child.process.exitcode != 0:
                raise ProcessFailedError(f"{child.name} {how_it_ended(child.process.exitcode)}")
        turns, rows = self._drain.take()
        if len(turns):
            self._writer.turns(turns)
        if rows:
            self._writer.intervals(rows)
            self._recent_score = next(
                (r.score_mean for r in reversed(rows) if r.score_mean is not None), self._recent_score
            )

    def _may_stop(self) -> bool:
        """Whether a run that was asked to stop has made its last checkpoint, or cannot, or has had its time."""
        checkpointer = self._checkpointer
        if checkpointer is None or not self._go.is_set() or not all(worker.alive for worker in self._workers):
            return True
        if self._last_checkpoint is None:
            self._last_checkpoint = checkpointer.written + 1
            self._stop_by = time.monotonic() + STOP_SECONDS
            checkpointer.ask_now()
        return checkpointer.written >= self._last_checkpoint or time.monotonic() > self._stop_by

    def _read_messages(self, child: Child) -> None:
        try:
            while not child.pipe.closed and child.pipe.poll():
                self._receive(child, *child.pipe.recv())
        except (EOFError, ConnectionResetError):
            child.pipe.close()

    def _receive(self, child: Child, what: str, content: Any) -> None:
        if what == READY:
            child.ready = True
        elif what == EPISODES:
            rows: list[EpisodeRow] = content
            self._writer.episodes(rows)
            self._drain.add_episodes(rows)
        elif what == SAMPLED:
            sample: SampleRow = content
            self._writer.samples([sample])
        elif what == MEMORY:
            self._peak_memory_bytes = max(self._peak_memory_bytes, content)
        elif what == EVALUATED:
            evaluated: list[EvaluationRow] = content
            self._writer.evaluations(evaluated)
            self._evaluated += 1
        elif what == SAVED:
            assert self._checkpointer is not None
            self._checkpointer.note_saved()
        elif what == DIFFERS:
            raise DiffersError(content)
        elif what == EXAMINED:
            raise ExaminedError(content)
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
        """Notes SIGINT and SIGTERM instead of dying of them; outside the main thread Python allows no handlers.

        The second one ends the run without a checkpoint.
        """

        def note(number: int, frame: FrameType | None) -> None:
            if self._stopped_by is not None:
                raise StoppedError(number)
            self._stopped_by = number

        try:
            before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
