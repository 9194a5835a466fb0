"""Worker processes that are let through one at a time, in a recorded order.

The order of pulls and pushes follows from the turns: at every version, first the pulls that read it, then the push
that makes the next one. Each worker waits at its own gate, and whoever has passed opens the gate of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.synchronize import Lock, Semaphore
from time import perf_counter

import numpy as np

from a3c.asynchrony.comparing import Recorded
from a3c.asynchrony.correcting import Correction
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed, PushSeconds
from a3c.asynchrony.recorded_order import RecordedOrder
from a3c.asynchrony.shared import FRAMES, SharedMemory
from a3c.asynchrony.store import LockedStore
from a3c.records.schedule_file import Header
from a3c.settings import Settings


def passages(header: Header, turns: np.ndarray) -> list[int]:
    """Who passes the turnstile, in order: a worker for each of its pulls and pushes.

    Raises:
      ImpossibleTurn: if the recorded turns cannot have been made.
    """
    order = RecordedOrder(header, turns)
    made = [order.next(version) for version in range(len(turns))]
    pulls: dict[int, list[int]] = {}
    held: dict[int, int] = {}
    for turn in made:
        assert turn is not None
        if held.get(turn.worker) != turn.read:
            held[turn.worker] = turn.read
            pulls.setdefault(turn.read, []).append(turn.worker)
    passing: list[int] = []
    for version, turn in enumerate(made):
        assert turn is not None
        passing += pulls.get(version, [])
        passing.append(turn.worker)
    return passing


class TurnstileStore(LockedStore):
    """A locked store whose lock is taken in a recorded order."""

    def __init__(
        self,
        memory: SharedMemory,
        lock: Lock,
        settings: Settings,
        correction: Correction,
        *,
        worker: int,
        recorded: Recorded,
        gates: Sequence[Semaphore],
    ) -> None:
        """Knows the whole order.

        Args:
          memory: shared.
          lock: the one lock, which nobody ever waits for here.
          settings: of the run.
          correction: of stale gradients.
          worker: whose store this is.
          recorded: the schedule.
          gates: one semaphore a worker, all closed but the first passer's.
        """
        super().__init__(memory, lock, settings, correction)
        self._gates = gates
        self._worker = worker
        self._passing = passages(recorded.header, recorded.turns)
        turns = recorded.turns
        staleness = turns["staleness"].astype(np.int64)
        mine = np.flatnonzero(turns["worker"] == worker)
        self._reads = [int(i - staleness[i]) for i in mine]
        self._places = [place for place, who in enumerate(self._passing) if who == worker]
        self._held: int | None = None
        self._frames_after_push = 0
        self._done = 0

    def pull(self, into: LocalCopy) -> Pulled | None:
        """Waits for its place in the order, unless the next turn reads what is held already."""
        if self._done >= len(self._reads):
            return None
        if self._reads[self._done] == self._held:
            return Pulled(self._held, self._frames_after_push)
        self._enter()
        pulled = self._copy_parameters(into)
        self._held = pulled.version
        self._leave()
        return pulled

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        """Waits for its place in the order, applies and records."""
        self._clip(push.gradient, push.diagnostics.gradient_norm)
        self._await_room()
        asked = perf_counter()
        self._enter()
        waited = perf_counter() - asked
        onto, seconds = self._push_now(push)
        self._frames_after_push = int(self._counters[FRAMES])
        self._leave()
        self._done += 1
        began = perf_counter()
        pulled = self.pull(into)
        return Pushed(pulled, onto, PushSeconds(waited, seconds, perf_counter() - began))

    def _enter(self) -> None:
        self._gates[self._worker].acquire()

    def _leave(self) -> None:
        here = self._places.pop(0)
        if here + 1 < len(self._passing):
            self._gates[self._passing[here + 1]].release()
