"""The shared parameters, as a worker sees them: `pull` a version, `push` a gradient and pull again.

What differs between the schedules is here and only here. A push is followed by a pull at once, as in the paper's
loop; where a schedule locks, both happen under one lock, so that no other worker's push can fall between them. A
worker's intervals from pull to push then tile the run, and with N workers the mean staleness is N - 1 exactly, but
for the run's ends.
"""

from __future__ import annotations

import time
from multiprocessing.synchronize import Barrier, Lock
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from a3c.asynchrony.shared import DRAINED, FINISHED, FRAMES, RING_TURNS, SNAPSHOTS, STOP, TURNS, VERSION, SharedMemory
from a3c.learning.gradients import Diagnostics, clip_
from a3c.learning.optimizers import annealed, rmsprop_
from a3c.records.schedule_file import MOST_STALENESS, check
from a3c.settings import Settings

RING_WAIT_SECONDS = 0.001


class Pulled(NamedTuple):
    """What a pull read: the version, and the global frame counter that goes with it."""

    version: int
    frames: int


class Push(NamedTuple):
    """What a worker hands over for one turn.

    Attributes:
      worker: who pushes.
      read: the version that the gradient was computed with.
      gradient: float32 [P], changed by clipping.
      steps: decisions in the rollout.
      diagnostics: the turn's numbers.
    """

    worker: int
    read: int
    gradient: Tensor
    steps: int
    diagnostics: Diagnostics


class Pushed(NamedTuple):
    """What a push came to.

    Attributes:
      applied: whether the gradient was applied; one that comes after the budget is not.
      pulled: what the pull after it read; None if the run is over.
    """

    applied: bool
    pulled: Pulled | None


class Store(Protocol):
    """What the worker's loop needs."""

    def pull(self, into: Tensor) -> Pulled | None:
        """Copies the parameters to float32 [P]; None once the budget is used up or the run is stopped."""

    def push(self, push: Push, into: Tensor) -> Pushed:
        """Applies one gradient, records the turn and pulls again."""


class _SharedStore:
    """What all schedules do alike: the optimizer step, the budget, the record of turns, the snapshots."""

    def __init__(self, memory: SharedMemory, lock: Lock, settings: Settings) -> None:
        self._memory = memory
        self._lock = lock
        self._settings = settings
        self._counters = memory.counters.numpy()
        self._records = memory.turn_records
        self._numbers = memory.numbers.numpy()
        self._start_time = memory.start_time.numpy()
        self._targets = evaluation_targets(settings)
        self._rollouts_since_pull = 0

    def _exhausted(self) -> bool:
        counters = self._counters
        return bool(counters[STOP]) or int(counters[FRAMES]) >= self._settings.budget_frames

    def _copy_parameters(self, into: Tensor) -> Pulled:
        """Versions and frames first: were they read after a torn copy, staleness would look too small."""
        pulled = Pulled(int(self._counters[VERSION]), int(self._counters[FRAMES]))
        into.copy_(self._memory.parameters)
        return pulled

    def _pull_if_due(self, push: Push, into: Tensor) -> Pulled | None:
        """What follows a push: a pull after every `pull_interval_rollouts` of them, else the parameters are kept."""
        if self._exhausted():
            return None
        self._rollouts_since_pull += 1
        if self._rollouts_since_pull < self._settings.pull_interval_rollouts:
            return Pulled(push.read, int(self._counters[FRAMES]))
        self._rollouts_since_pull = 0
        return self._copy_parameters(into)

    def _clip(self, gradient: Tensor, norm: float) -> None:
        clip_(gradient, norm, self._settings.learning.gradient_norm_limit)

    def _apply(self, gradient: Tensor) -> None:
        optimizer = self._settings.optimizer
        frames = int(self._counters[FRAMES])
        rate = annealed(optimizer.learning_rate, optimizer.annealing, frames, self._settings.budget_frames)
        rmsprop_(
            self._memory.parameters,
            self._memory.mean_square,
            gradient,
            learning_rate=rate,
            decay=optimizer.decay,
            epsilon=optimizer.epsilon,
        )

    def _await_room(self) -> None:
        """Waits while the ring is full: all processes may pass at once, so one slot for each is kept free."""
        room = RING_TURNS - self._settings.turn_workers
        while int(self._counters[TURNS] - self._counters[DRAINED]) >= room:
            time.sleep(RING_WAIT_SECONDS)

    def _record(self, push: Push, version: int) -> None:
        """Writes one turn to the ring and advances the frame counter; the caller holds the lock or is alone."""
        turn = int(self._counters[TURNS])
        slot = turn % RING_TURNS
        seconds = time.monotonic() - self._start_time[0]
        staleness = min(version - push.read, MOST_STALENESS)
        self._records[slot] = (push.worker, push.steps, staleness, check(push.diagnostics))
        self._numbers[slot] = (seconds, *push.diagnostics)
        self._counters[FRAMES] += push.steps * self._settings.action_repeat
        self._counters[TURNS] = turn + 1

    def _advance(self, version: int) -> None:
        """Makes the new version known and keeps the parameters that cross an evaluation point."""
        self._counters[VERSION] = version
        point = int(self._counters[SNAPSHOTS])
        while point < len(self._targets) and int(self._counters[FRAMES]) >= self._targets[point]:
            self._memory.snapshots[point].copy_(self._memory.parameters)
            self._memory.snapshot_places[point] = torch.tensor([int(self._counters[FRAMES]), version])
            self._memory.snapshot_seconds[point] = time.monotonic() - self._start_time[0]
            point += 1
            self._counters[SNAPSHOTS] = point


class LockedStore(_SharedStore):
    """A push with the pull after it is atomic, so the run is a function of settings, seeds and the order of turns."""

    def pull(self, into: Tensor) -> Pulled | None:
        """Copies the parameters under the lock."""
        with self._lock:
            return None if self._exhausted() else self._copy_parameters(into)

    def push(self, push: Push, into: Tensor) -> Pushed:
        """Clips the gradient; then, under the lock, applies it, records the turn and pulls.

        A gradient that comes after the budget is dropped, so that the run ends with the version that used it up.
        """
        self._clip(push.gradient, push.diagnostics.gradient_norm)
        self._await_room()
        with self._lock:
            if self._exhausted():
                return Pushed(False, None)
            version = int(self._counters[VERSION])
            self._apply(push.gradient)
            self._record(push, version)
            self._advance(version + 1)
            return Pushed(True, self._pull_if_due(push, into))


class HogwildStore(_SharedStore):
    """No lock on the parameters (Mnih et al., 2016, section 4; Niu et al., 2011): only counters and records are locked.

    Reads may mix versions and concurrent writes may be lost, so such a run can be measured but not replayed.
    """

    def pull(self, into: Tensor) -> Pulled | None:
        """Copies the parameters while others may be writing them."""
        return None if self._exhausted() else self._copy_parameters(into)

    def push(self, push: Push, into: Tensor) -> Pushed:
        """Applies the gradient without a lock, takes the next version number under the lock, and pulls."""
        self._clip(push.gradient, push.diagnostics.gradient_norm)
        self._await_room()
        if self._exhausted():
            return Pushed(False, None)
        self._apply(push.gradient)
        with self._lock:
            version = int(self._counters[VERSION])
            self._record(push, version)
            self._advance(version + 1)
        return Pushed(True, self._pull_if_due(push, into))


class SynchronousStore(_SharedStore):
    """All pull the same version, all push, the gradients are averaged in worker order: A2C.

    Worker 0 does the averaging, between two barriers. Clipping applies to the average, so that N workers with one
    environment each compute what one learner with N environments computes.
    """

    def __init__(self, memory: SharedMemory, lock: Lock, settings: Settings, barrier: Barrier) -> None:
        super().__init__(memory, lock, settings)
        self._barrier = barrier
        self._numbers_in = memory.gradient_numbers.numpy()

    def pull(self, into: Tensor) -> Pulled | None:
        """Copies the parameters, which nobody writes now; all workers see the same end, for worker 0 decided it."""
        return None if self._counters[FINISHED] else self._copy_parameters(into)

    def push(self, push: Push, into: Tensor) -> Pushed:
        """Hands the gradient in, waits until the average of everybody's has been applied, and pulls."""
        self.hand_in(push)
        self._barrier.wait()
        if push.worker == 0:
            self.apply_average(push.read)
        self._barrier.wait()
        return Pushed(True, self.pull(into))

    def hand_in(self, push: Push) -> None:
        """Lays a worker's gradient and numbers in its slot."""
        self._memory.gradients[push.worker].copy_(push.gradient)
        self._numbers_in[push.worker] = (push.steps, *push.diagnostics)

    def apply_average(self, read: int) -> None:
        """Applies the average of all slots, summed in worker order, and records their turns."""
        self._await_room()
        average = self._memory.gradients[0].clone()
        for gradient in self._memory.gradients[1:]:
            average.add_(gradient)
        average.div_(len(self._memory.gradients))
        self._clip(average, float(torch.linalg.vector_norm(average)))
        self._apply(average)
        for worker, (steps, *numbers) in enumerate(self._numbers_in):
            self._record(Push(worker, read, average, int(steps), Diagnostics(*numbers)), read)
        self._advance(read + 1)
        self._counters[FINISHED] = self._exhausted()


def make_store(memory: SharedMemory, lock: Lock, barrier: Barrier, settings: Settings) -> Store:
    """The store of the run's schedule."""
    if settings.schedule == "synchronous":
        return SynchronousStore(memory, lock, settings, barrier)
    return (HogwildStore if settings.schedule == "hogwild" else LockedStore)(memory, lock, settings)


def evaluation_targets(settings: Settings) -> list[int]:
    """The frames at which parameters are kept for evaluation: evenly over the budget, the last at its end."""
    points, budget = settings.evaluation.points, settings.budget_frames
    return [budget * (i + 1) // points for i in range(points)]
