"""How a run stands still for a checkpoint: each worker stops between two turns, saves itself, and waits.

Between two turns nothing is half done: parameters are whole, every turn is recorded, and a worker is what it holds (the
parameters that it pulled, its games, its random streams). So a run that goes on from there cannot tell that it stood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from a3c.asynchrony.entry import wait_to_go_on
from a3c.asynchrony.shared import AGREED, PAUSE, SharedMemory
from a3c.records.checkpoints import Checkpoint, State, save_state

SAVED = "saved"


@dataclass(frozen=True)
class CheckpointPlaces:
    """Where workers save themselves, and where from they go on.

    Attributes:
      unfinished: the folder of the checkpoint that is being written.
      source: the checkpoint to go on from, if any.
    """

    unfinished: Path
    source: Checkpoint | None


class Pause:
    """One worker process's part in checkpoints; without places there are none."""

    def __init__(
        self, places: CheckpointPlaces | None, memory: SharedMemory, pipe: Connection, worker: int, *, agreed: bool
    ) -> None:
        """Has served every pause so far.

        Args:
          places: of checkpoints.
          memory: shared; the supervisor asks by counting up.
          pipe: to the supervisor, who gets (SAVED, None) and answers when all have.
          worker: number of the process.
          agreed: go by what worker 0 made known with the last version, so that synchronous workers stop at one version.
        """
        self._places, self._pipe, self._worker = places, pipe, worker
        self._counters = memory.counters.numpy()
        self._slot = AGREED if agreed else PAUSE
        self._served = 0

    def restored(self) -> State | None:
        """The state to go on from, if there is one."""
        if self._places is None or self._places.source is None:
            return None
        return self._places.source.load(self._name)

    def keep(self, state: Callable[[], State]) -> None:
        """If a checkpoint is asked for, saves the state and waits until all have."""
        if self._places is None or self._counters[self._slot] == self._served:
            return
        self._served = int(self._counters[self._slot])
        save_state(self._places.unfinished / f"{self._name}.npz", state())
        self._pipe.send((SAVED, None))
        wait_to_go_on(self._pipe)

    @property
    def _name(self) -> str:
        return f"worker-{self._worker}"
