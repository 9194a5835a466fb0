"""The supervisor's part in checkpoints: asks for a pause, adds what all share, lets everybody go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from a3c.asynchrony.crew import Crew
from a3c.asynchrony.drain import Drain
from a3c.asynchrony.shared import AGREED, DRAINED, PAUSE, SNAPSHOTS, TURNS, SharedMemory
from a3c.records.checkpoints import Checkpoints, State, save_state

SHARED = ("parameters", "statistics", "target", "worker_frames", "counters", "probe")
SNAPSHOT_PARTS = ("snapshots", "snapshot_places", "snapshot_seconds")


class Checkpointer:
    """Makes a checkpoint every so many seconds, and whenever it is asked to.

    Attributes:
      written: how many it has made.
      newest: the folder of the last of them.
    """

    def __init__(self, checkpoints: Checkpoints, facts: dict[str, Any], *, every_seconds: float) -> None:
        """The first one is due `every_seconds` from now.

        Args:
          checkpoints: of the run's folder.
          facts: what makes a checkpoint this run's.
          every_seconds: between two checkpoints.
        """
        self._checkpoints, self._facts = checkpoints, facts
        self._every = every_seconds
        self._due = time.monotonic() + every_seconds
        self._writing: Path | None = None
        self._saved = 0
        self.written = 0
        self.newest: Path | None = None

    @property
    def unfinished(self) -> Path:
        """The folder that workers save themselves into."""
        return self._checkpoints.unfinished

    def ask_now(self) -> None:
        """Makes a checkpoint due at once."""
        self._due = 0.0

    def note_saved(self) -> None:
        """A worker has saved itself."""
        self._saved += 1

    def tick(self, crew: Crew, memory: SharedMemory, state: Callable[[], State]) -> bool:
        """To be called often: asks for a checkpoint that is due, and completes one that all have saved for.

        Args:
          crew: once one of its workers has ended there is no checkpoint until training is over; then there are those
            of what is left to be evaluated.
          memory: shared; the workers look there whether they are asked.
          state: what is not a worker's, called while everybody waits.

        Returns:
          Whether workers that stood still go on now.
        """
        if self._writing is None:
            if time.monotonic() >= self._due and crew.evaluating:
                self.after_training(state)
            elif time.monotonic() >= self._due and crew.working:
                self._writing, self._saved = self._checkpoints.begin(), 0
                memory.counters[PAUSE] += 1
            return False
        complete = self._saved == len(crew.workers)
        if not complete and crew.working:
            return False
        if complete:
            self._commit(self._writing, state)
        crew.go_on()
        self._writing = None
        self._due = time.monotonic() + self._every
        return True

    def after_training(self, state: Callable[[], State]) -> None:
        """Makes a checkpoint at once; no worker is there any more that would have something to save.

        Args:
          state: of all that is not a worker's.
        """
        self._commit(self._checkpoints.begin(), state)
        self._due = time.monotonic() + self._every

    def _commit(self, folder: Path, state: Callable[[], State]) -> None:
        save_state(folder / "run.npz", state())
        self.newest = self._checkpoints.commit(folder, self._facts).folder
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
    """Puts it back; nobody has been asked to pause, and the ring of turns is empty."""
    for name in SHARED:
        getattr(memory, name).copy_(torch.from_numpy(state[name]))
    evaluated, made = int(state["evaluated"]), int(memory.counters[SNAPSHOTS])
    for name in SNAPSHOT_PARTS:
        getattr(memory, name)[evaluated:made] = torch.from_numpy(state[name])
    memory.counters[DRAINED] = memory.counters[TURNS]
    memory.counters[PAUSE] = memory.counters[AGREED] = 0


def run_state(memory: SharedMemory, drain: Drain, evaluated: int, lengths: dict[str, int]) -> State:
    """Everything of a run that is not a worker's: shared memory, interval sums, and how long its files are."""
    return {"shared": shared_state(memory, evaluated), "drain": drain.save(), "lengths": lengths}
