"""The shared parameters, as a worker sees them: `pull` a version, `push` a gradient and pull again.

What differs between the schedules is here and in `synchronous`, and nowhere else. A push is followed by a pull at
once, as in the paper's loop; where a schedule locks, both happen under one lock, so that no other worker's push can
fall between them. A worker's intervals from pull to push then tile the run, and with N workers the mean staleness is
N - 1 exactly, but for the run's ends.
"""

from __future__ import annotations

import time
from multiprocessing.synchronize import Lock
from time import perf_counter

from torch import Tensor

from a3c.asynchrony.correcting import Correction, Uncorrected
from a3c.asynchrony.exchange import DROPPED, LocalCopy, Pulled, Push, Pushed, PushSeconds
from a3c.asynchrony.rules import apply_
from a3c.asynchrony.shared import (
    DRAINED,
    FRAMES,
    REFRESHES,
    RING_TURNS,
    SNAPSHOTS,
    TURNS,
    VERSION,
    SharedMemory,
)
from a3c.learning.gradients import Diagnostics, clip_
from a3c.learning.optimizers import annealed
from a3c.records.checkpoints import State
from a3c.records.schedule_file import MOST_STALENESS, check
from a3c.settings import Settings

RING_WAIT_SECONDS = 0.001


class SharedStore:
    """What all schedules do alike: the optimizer step, the budget, the record of turns, the snapshots."""

    def __init__(
        self, memory: SharedMemory, lock: Lock, settings: Settings, correction: Correction | None = None
    ) -> None:
        """Holds on to what all processes share.

        Args:
          memory: of the run.
          lock: the one lock.
          settings: of the run.
          correction: of stale gradients; None for none.
        """
        self._memory = memory
        self._lock = lock
        self._settings = settings
        self._correction = correction or Uncorrected()
        self._counters = memory.counters.numpy()
        self._records = memory.turn_records
        self._numbers = memory.numbers.numpy()
        self._start_time = memory.start_time.numpy()
        self._worker_frames = memory.worker_frames.numpy()
        self._targets = evaluation_targets(settings)
        self._target_interval = settings.target_interval_frames
        self._annealing_frames = settings.annealing_frames
        self._rollouts_since_pull = 0

    def save(self) -> State:
        """What this worker's store holds beside what all share."""
        return {"rollouts_since_pull": self._rollouts_since_pull}

    def restore(self, state: State) -> None:
        """Continues where `save` was called."""
        self._rollouts_since_pull = int(state["rollouts_since_pull"])

    def _place(self) -> Pulled:
        return Pulled(int(self._counters[VERSION]), int(self._counters[FRAMES]))

    def _exhausted(self) -> bool:
        return int(self._counters[FRAMES]) >= self._settings.budget_frames

    def _copy_parameters(self, into: LocalCopy) -> Pulled:
        """Versions and frames first: were they read after a torn copy, staleness would look too small."""
        pulled = self._place()
        into.vector.copy_(self._memory.parameters)
        self._copy_target(into)
        return pulled

    def _copy_target(self, into: LocalCopy) -> None:
        """A new copy of the target network's parameters, if they have changed since the last one."""
        refreshes = int(self._counters[REFRESHES])
        if len(self._memory.target) and refreshes != into.refreshes:
            into.target, into.refreshes = self._memory.target.clone(), refreshes

    def _pull_is_due(self) -> bool:
        """A pull follows every `pull_interval_rollouts`-th push; else the parameters are kept."""
        self._rollouts_since_pull = (self._rollouts_since_pull + 1) % self._settings.pull_interval_rollouts
        return self._rollouts_since_pull == 0

    def _pull_if_due(self, push: Push, into: LocalCopy) -> Pulled | None:
        if self._exhausted():
            return None
        return self._copy_parameters(into) if self._pull_is_due() else Pulled(push.read, int(self._counters[FRAMES]))

    def _clip(self, gradient: Tensor, norm: float) -> None:
        clip_(gradient, norm, self._settings.learning.gradient_norm_limit)

    def _corrected(self, push: Push, version: int) -> tuple[Tensor, float]:
        """The gradient to apply to this version, and the learning rate to apply it with."""
        staleness = version - push.read
        if not staleness:
            return push.gradient, self._rate(push.worker)
        gradient = self._correction.gradient(push, self._memory.parameters)
        return gradient, self._correction.rate(self._rate(push.worker), staleness)

    def _rate(self, worker: int) -> float:
        """The learning rate at the present place of the frame counter: the global one, or the worker's own."""
        optimizer, whole = self._settings.optimizer, self._annealing_frames
        if optimizer.annealing == "linear_per_worker":
            frames, share = int(self._worker_frames[worker]), whole / self._settings.turn_workers
            return annealed(optimizer.learning_rate, optimizer.annealing, frames, share)
        return annealed(optimizer.learning_rate, optimizer.annealing, int(self._counters[FRAMES]), whole)

    def _statistics(self, worker: int) -> Tensor:
        """float32 [S, P], the worker's own or everybody's."""
        statistics = self._memory.statistics
        return statistics[worker if len(statistics) > 1 else 0]

    def _apply(self, worker: int, version: int, gradient: Tensor, rate: float) -> None:
        """One step of the optimizer from this version."""
        parameters, statistics = self._memory.parameters, self._statistics(worker)
        apply_(self._settings.optimizer, parameters, statistics, gradient, learning_rate=rate, step=version + 1)
        self._memory.probe.add_(1)

    def _await_room(self) -> None:
        """Waits while the ring is full: all processes may pass at once, so one slot for each is kept free."""
        room = RING_TURNS - self._settings.turn_workers
        while int(self._counters[TURNS] - self._counters[DRAINED]) >= room:
            time.sleep(RING_WAIT_SECONDS)

    def _record(self, worker: int, steps: int, staleness: int, diagnostics: Diagnostics) -> None:
        """Writes one turn to the ring and advances the frame counter; the caller holds the lock or is alone."""
        turn = int(self._counters[TURNS])
        slot = turn % RING_TURNS
        seconds = time.monotonic() - self._start_time[0]
        self._records[slot] = (worker, steps, min(staleness, MOST_STALENESS), check(diagnostics))
        self._numbers[slot] = (seconds, *diagnostics)
        self._counters[FRAMES] += steps * self._settings.action_repeat
        self._worker_frames[worker] += steps * self._settings.action_repeat
        self._counters[TURNS] = turn + 1

    def _advance(self, version: int) -> None:
        """Makes the new version known, refreshes the target network and keeps what crosses an evaluation point."""
        self._counters[VERSION] = version
        self._refresh_target()
        point = int(self._counters[SNAPSHOTS])
        while point < len(self._targets) and int(self._counters[FRAMES]) >= self._targets[point]:
            self._memory.snapshots[point].copy_(self._memory.parameters)
            self._memory.snapshot_places.numpy()[point] = (int(self._counters[FRAMES]), version)
            self._memory.snapshot_seconds[point] = time.monotonic() - self._start_time[0]
            point += 1
            self._counters[SNAPSHOTS] = point

    def _refresh_target(self) -> None:
        """Every `target_interval_frames` of the global counter (Mnih et al., 2016, Algorithm 1)."""
        if self._target_interval is None:
            return
        if (due := int(self._counters[FRAMES]) // self._target_interval) > self._counters[REFRESHES]:
            self._memory.target.copy_(self._memory.parameters)
            self._counters[REFRESHES] = due


class LockedStore(SharedStore):
    """A push with the pull after it is atomic, so the run is a function of settings, seeds and the order of turns."""

    def pull(self, into: LocalCopy) -> Pulled | None:
        """Copies the parameters under the lock."""
        with self._lock:
            return None if self._exhausted() else self._copy_parameters(into)

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        """Clips the gradient; then, under the lock, applies it, records the turn and pulls.

        A gradient that comes after the budget is dropped, so that the run ends with the version that used it up.
        """
        self._clip(push.gradient, push.diagnostics.gradient_norm)
        self._await_room()
        asked = perf_counter()
        with self._lock:
            lock_wait = perf_counter() - asked
            if self._exhausted():
                return DROPPED
            onto, seconds = self._push_now(push)
            began = perf_counter()
            pulled = self._pull_if_due(push, into)
            return Pushed(pulled, onto, PushSeconds(lock_wait, seconds, perf_counter() - began))

    def _push_now(self, push: Push) -> tuple[Pulled, float]:
        """Applies and records; returns what it was applied to, and the seconds that took."""
        onto = self._place()
        if push.onto is not None:
            push.onto.copy_(self._memory.parameters)
        began = perf_counter()
        self._apply(push.worker, onto.version, *self._corrected(push, onto.version))
        self._record(push.worker, push.rollout.steps, onto.version - push.read, push.diagnostics)
        self._advance(onto.version + 1)
        return onto, perf_counter() - began


def evaluation_targets(settings: Settings) -> list[int]:
    """The frames at which parameters are kept for evaluation: evenly over the budget, the last at its end."""
    points, budget = settings.evaluation.points, settings.budget_frames
    return [budget * (i + 1) // points for i in range(points)]
