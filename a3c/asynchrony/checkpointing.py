"""The supervisor's part in checkpoints: asks for a pause, adds what all share, lets everybody go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from a3c.asynchrony.children import Child
from a3c.asynchrony.drain import Drain
from a3c.asynchrony.pausing import CheckpointPlaces
from a3c.asynchrony.shared import AGREED, DRAINED, PAUSE, SNAPSHOTS, STOP, TURNS, SharedMemory
from a3c.records.checkpoints import Checkpoint, Checkpoints, State

SHARED = ("parameters", "statistics", "target", "worker_frames", "counters", "probe")
SNAPSHOT_PARTS = ("snapshots", "snapshot_places", "snapshot_seconds")


class Checkpointer:
    """Makes a checkpoint every so many seconds, and whenever it is asked to."""

    def __init__(
        self, checkpoints: Checkpoints, facts: dict[str, Any], memory: SharedMemory, *, every_seconds: float
    ) -> None:
        """The first one is due `every_seconds` from now.

        Args:
          checkpoints: of the run's folder.
          facts: what makes a checkpoint this run's.
          memory: shared.
          every_seconds: between two checkpoints.
        """
        self._checkpoints, self._facts, self._memory = checkpoints, facts, memory
        self._counters = memory.counters.numpy()
        self._every = every_seconds
        self._due = time.monotonic() + every_seconds
        self._unfinished: Path | None = None
        self._saved = 0
        self.written = 0

    def places(self, gates: Sequence[Any], source: Checkpoint | None) -> CheckpointPlaces:
        """What the workers have to know."""
        return CheckpointPlaces(self._checkpoints.unfinished, source.folder if source else None, gates)

    def ask_now(self) -> None:
        """Makes a checkpoint due at once."""
        self._due = 0.0

    def note_saved(self) -> None:
        """A worker has saved itself."""
        self._saved += 1

    def tick(self, workers: Sequence[Child], gates: Sequence[Any], state: Callable[[], State]) -> None:
        """To be called often: asks for a checkpoint that is due, and completes one that all have saved for.

        Args:
          workers: all worker processes. If one has ended, its turns are over and there is no checkpoint any more.
          gates: that let them go on.
          state: what all share, called while everybody waits.
        """
        if self._unfinished is None:
            if time.monotonic() >= self._due and all(worker.alive for worker in workers):
                self._unfinished, self._saved = self._checkpoints.begin(), 0
                self._counters[PAUSE] += 1
            return
        complete = self._saved == len(workers)
        if not complete and all(worker.alive for worker in workers):
            return
        if complete:
            self._complete(state())
        for gate in gates[: self._saved] if complete else gates:
            gate.release()
        self._unfinished = None
        self._due = time.monotonic() + self._every

    def _complete(self, state: State) -> None:
        from a3c.records.checkpoints import save_state

        assert self._unfinished is not None
        save_state(self._unfinished / "run.npz", state)
        self._checkpoints.commit(self._unfinished, self._facts)
        self.written += 1


def shared_state(memory: SharedMemory, evaluated: int) -> State:
    """What all processes share, while nobody writes to it; of the snapshots those that are not evaluated yet."""
    made = int(memory.counters[SNAPSHOTS])
    state: State = {name: getattr(memory, name).numpy().copy() for name in SHARED}
    state["evaluated"] = evaluated
    for name in SNAPSHOT_PARTS:
        state[name] = getattr(memory, name).numpy()[evaluated:made].copy()
    state["seconds"] = time.monotonic() - float(memory.start_time)
    return state


def restore_shared(memory: SharedMemory, state: State) -> None:
    """Puts it back; nobody has been asked to pause or stop, and the ring of turns is empty."""
    for name in SHARED:
        getattr(memory, name).copy_(torch.from_numpy(state[name]))
    evaluated, made = int(state["evaluated"]), int(memory.counters[SNAPSHOTS])
    for name in SNAPSHOT_PARTS:
        getattr(memory, name)[evaluated:made] = torch.from_numpy(state[name])
    memory.counters[DRAINED] = memory.counters[TURNS]
    for flag in (PAUSE, AGREED, STOP):
        memory.counters[flag] = 0


def run_state(memory: SharedMemory, drain: Drain, evaluated: int, lengths: dict[str, int]) -> State:
    """Everything of a run that is not a worker's: shared memory, interval sums, and how long its files are."""
    return {"shared": shared_state(memory, evaluated), "drain": drain.save(), "lengths": lengths}
