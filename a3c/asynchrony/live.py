"""Watches over the processes of a run and writes down what they do.

The first process that dies ends the run: a survivor could wait for ever at a lock that the dead one holds. So does one
that makes no progress (see `vigil`). Processes that are ended get a signal, a grace period, SIGKILL; a supervisor
that is killed takes them with it (see `entry`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

import numpy as np
from torch import Tensor

from a3c.asynchrony.checkpointing import Checkpointer, restore_shared, run_state
from a3c.asynchrony.children import Child
from a3c.asynchrony.comparing import DIFFERS, EXAMINED
from a3c.asynchrony.crew import Crew, Orders
from a3c.asynchrony.drain import Drain
from a3c.asynchrony.entry import FAILED, READY, UNSTORED
from a3c.asynchrony.evaluator import EVALUATED
from a3c.asynchrony.hogwild import lost_fraction
from a3c.asynchrony.outcomes import (
    Best,
    DiffersError,
    EndedEarlyError,
    ExaminedError,
    ProcessFailedError,
    Progress,
    Result,
    StoppedError,
)
from a3c.asynchrony.pausing import SAVED
from a3c.asynchrony.profiling import PROFILE
from a3c.asynchrony.shared import SNAPSHOTS, allocate
from a3c.asynchrony.stopping import Stop, leave_closed_terminal
from a3c.asynchrony.unfit import UNFIT
from a3c.asynchrony.vigil import Vigil
from a3c.asynchrony.watchdog import STALL_SECONDS
from a3c.asynchrony.worker import EPISODES, MEMORY, SAMPLED
from a3c.records.checkpoints import Checkpoint, State
from a3c.records.divergence import Log
from a3c.records.profiles import Profile, write_profiles
from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, SampleRow
from a3c.records.run_writer import RunWriter
from a3c.records.unfit_batch import write_unfit_batch
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
        orders: Orders,
        checkpointer: Checkpointer | None = None,
        source: Checkpoint | None = None,
        evaluate_after_training: bool = False,
        stall_seconds: float | None = STALL_SECONDS,
        profile: bool = False,
    ) -> None:
        """Allocates what the processes share; nothing is started yet.

        Args:
          settings: of the run.
          initial: float32 [P], the initial parameters.
          writer: of the run folder's files.
          orders: how turns are made, where chance does not decide.
          checkpointer: makes checkpoints; None for none.
          source: the checkpoint to go on from; the writer has cut the files to its lengths.
          evaluate_after_training: so that evaluation does not disturb a timing.
          stall_seconds: the shortest silence of a process that may end the run, see `watchdog`; None if none may.
          profile: whether workers measure where their time goes.
        """
        self._writer = writer
        self._memory = allocate(settings, initial)
        self._drain = Drain(self._memory, settings)
        self._crew = Crew(settings, self._memory, orders, profile=profile)
        self._checkpointer, self._source = checkpointer, source
        self._evaluated, self._best, self._seconds_before = 0, Best.none(len(initial)), 0.0
        self._trained, self._peak_memory_bytes = False, 0
        if source is not None:
            self._restore(source)
        self._troubles = Log(writer.folder)
        self._evaluate_after_training = evaluate_after_training
        self._stop, self._vigil = Stop(), Vigil(self._crew, stall_seconds)
        self._last_checkpoint: int | None = None  # the number of the one to be made before stopping
        self._stop_by = 0.0
        self._recent_score: float | None = None
        self._profiles: list[Profile] = []

    def run(self, progress: Callable[[Progress], None]) -> Result:
        """Trains until the budget is used up, then waits for the evaluation of the last parameters.

        Raises:
          ProcessFailedError: if a process dies or makes no progress.
          StoppedError: if SIGINT, SIGTERM or SIGHUP came.
        """
        began, crew = time.monotonic(), self._crew
        with self._stop.on_signals():
            try:
                unfinished = self._checkpointer.unfinished if self._checkpointer else None
                crew.start(unfinished, self._source, self._evaluated, train=not self._trained)
                self._pump_until(lambda: all(c.ready for c in crew.children), progress)
                self._memory.start_time[0] = time.monotonic() - self._seconds_before
                start_seconds = time.monotonic() - began
                crew.let_go(evaluate=not self._evaluate_after_training)
                self._pump_until(lambda: not any(c.alive for c in crew.workers), progress)
                self._write_intervals(self._drain.finish())
                if self._profiles:
                    write_profiles(self._writer.folder, sorted(self._profiles))
                self._trained = True
                crew.end_training()
                self._pump_until(lambda: not any(c.alive for c in crew.children), progress)
            except EndedEarlyError as error:
                error.remains = self._remains()
                raise
            finally:
                self._stop.begin_to_end()
                crew.end(in_haste=lambda: self._stop.at_once)
                leave_closed_terminal()
        return Result(
            self._memory.parameters.clone(),
            self._best,
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
        self._best, self._trained = Best.restored(state["best"]), bool(state["trained"])
        self._peak_memory_bytes = int(state["peak_memory_bytes"])
        self._evaluated, self._seconds_before = int(state["shared"]["evaluated"]), float(state["shared"]["seconds"])

    def _state(self) -> State:
        """All of the run that is not a worker's, while all workers wait or after they have ended."""
        self._pump_messages()
        state = run_state(self._memory, self._drain, self._evaluated, self._writer.lengths())
        after = {"trained": self._trained, "peak_memory_bytes": self._peak_memory_bytes}
        return state | {"best": self._best.saved()} | after

    def _pump_until(self, done: Callable[[], bool], progress: Callable[[Progress], None]) -> None:
        """Moves messages and turns into files until `done`, watching for death and signals."""
        while not done():
            children = self._crew.children
            open_pipes = [c.pipe for c in children if not c.pipe.closed]
            wait([*open_pipes, *(c.sentinel for c in children if c.alive)], timeout=POLL_SECONDS)
            self._pump()
            with suppress(OSError):  # where it is shown may be gone, which must not end the run
                progress(self._progress())
        self._pump()

    def _pump(self) -> None:
        self._pump_messages()
        if self._checkpointer is not None and self._checkpointer.tick(self._crew, self._memory, self._state):
            self._vigil.progressed(*self._crew.workers, regular=False)
        self._vigil.look(int(self._memory.counters[SNAPSHOTS]) - self._evaluated)
        if self._stop.stand_still:
            self._stop.stand_still = False
            self._crew.stand_still()
        if self._stop.signal_number is not None and self._may_stop():
            raise StoppedError(self._stop.signal_number)

    def _pump_messages(self) -> None:
        for child in self._crew.children:
            alive = child.alive
            self._read_messages(child)
            if not alive and child.pid is not None and child.exit_code != 0:
                if self._stop.signal_number is not None:  # one that was sent to everybody
                    raise StoppedError(self._stop.signal_number)
                raise ProcessFailedError(child.how_it_ended())
        turns, rows = self._drain.take()
        if len(turns):
            self._writer.turns(turns)
            self._vigil.progressed(*(self._crew.turn_maker(worker) for worker in np.unique(turns["worker"])))
        if rows:
            self._write_intervals(rows)
            self._recent_score = next(
                (r.score_mean for r in reversed(rows) if r.score_mean is not None), self._recent_score
            )

    def _write_intervals(self, rows: list[IntervalRow]) -> None:
        self._writer.intervals(rows)
        for sentence in self._troubles.look(rows):
            with suppress(OSError):  # as for progress
                print(f"\na3c: {sentence}", file=sys.stderr, flush=True)

    def _may_stop(self) -> bool:
        """Whether a run that was asked to stop has made its last checkpoint, or cannot, or has had its time."""
        if self._checkpointer is not None and self._crew.evaluating:
            self._checkpointer.after_training(self._state)
            return True
        if self._checkpointer is None or not self._crew.working:
            return True
        if self._last_checkpoint is None:
            self._last_checkpoint = self._checkpointer.written + 1
            self._stop_by = time.monotonic() + STOP_SECONDS
            self._checkpointer.ask_now()
            self._stop.announce("the run makes a checkpoint and stops")
        return self._checkpointer.written >= self._last_checkpoint or time.monotonic() > self._stop_by

    def _read_messages(self, child: Child) -> None:
        try:
            while not child.pipe.closed and child.pipe.poll():
                self._receive(child, *child.pipe.recv())
        except (EOFError, ConnectionResetError):
            child.pipe.close()

    def _receive(self, child: Child, what: str, content: Any) -> None:
        if what == READY:
            child.ready = True
            self._vigil.progressed(child, regular=False)
        elif what == EPISODES:
            rows: list[EpisodeRow] = content
            self._writer.episodes(rows)
            self._drain.add_episodes(rows)
        elif what == SAMPLED:
            sample: SampleRow = content
            self._writer.samples([sample])
        elif what == MEMORY:
            self._peak_memory_bytes = max(self._peak_memory_bytes, content)
        elif what == PROFILE:
            self._profiles.append(content)
        elif what == EVALUATED:
            self._receive_evaluation(content)
            self._vigil.progressed(child)
        elif what == SAVED:
            assert self._checkpointer is not None
            self._checkpointer.note_saved()
            self._vigil.progressed(child)
        elif what == DIFFERS:
            raise DiffersError(content)
        elif what == EXAMINED:
            raise ExaminedError(content)
        elif what == FAILED:
            raise ProcessFailedError(f"{child.name} raised an exception:\n{content}")
        elif what == UNSTORED:
            raise content
        elif what == UNFIT:
            path = write_unfit_batch(self._writer.folder, content)
            raise ProcessFailedError(f"{content.sentence()}; what the turn was made of is in {path}")

    def _receive_evaluation(self, rows: list[EvaluationRow]) -> None:
        self._writer.evaluations(rows)
        score = sum(row.score for row in rows) / len(rows)
        if score > self._best.score:
            self._best = Best(rows[0].point, score, self._memory.snapshots[self._evaluated].clone())
        self._evaluated += 1

    def _remains(self) -> str:
        """What the same command does next."""
        if self._checkpointer is None:
            return ""
        newest = self._checkpointer.newest or (self._source.folder if self._source else None)
        if newest is None:
            return "it has made no checkpoint, so the same command begins anew"
        return f"its last checkpoint is {newest}; the same command goes on from it"

    def _progress(self) -> Progress:
        return Progress(
            self._drain.frames,
            self._drain.seconds,
            self._drain.updates,
            self._recent_score,
            sum(c.alive for c in self._crew.workers),
            self._crew.evaluating,
        )
