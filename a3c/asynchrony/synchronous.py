"""All pull, all push, the average is applied: A2C as a schedule."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.synchronize import Lock, Semaphore
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch

from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed, PushSeconds
from a3c.asynchrony.shared import AGREED, FINISHED, FRAMES, PAUSE, RING_TURNS, TURNS, SharedMemory
from a3c.asynchrony.store import SharedStore
from a3c.records.schedule_file import check
from a3c.settings import Settings


class Rendezvous(NamedTuple):
    """Where workers wait for each other.

    A `multiprocessing.Barrier` would do the same, but shakes hands with each waiter twice.

    Attributes:
      arrived: released once by each worker but 0, who waits for all of them.
      released: one a worker; released by worker 0 when the average has been applied.
    """

    arrived: Semaphore
    released: Sequence[Semaphore]


class SynchronousStore(SharedStore):
    """Gradients of one version are averaged in worker order, by worker 0.

    Clipping applies to the average, so that N workers with one environment each compute what one learner with N
    environments computes.
    """

    def __init__(self, memory: SharedMemory, lock: Lock, settings: Settings, rendezvous: Rendezvous) -> None:
        super().__init__(memory, lock, settings)
        self._rendezvous = rendezvous
        self._numbers_in = memory.gradient_numbers.numpy()

    def pull(self, into: LocalCopy) -> Pulled | None:
        """Copies the parameters, which nobody writes now; all workers see the same end, for worker 0 decided it."""
        return None if self._counters[FINISHED] else self._copy_parameters(into)

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        """Hands the gradient in, waits until the average of everybody's has been applied, and pulls."""
        began, onto = perf_counter(), self._place()
        self.hand_in(push)
        handed_in = perf_counter()
        applying = self._meet(push)
        applied = perf_counter()
        pulled = self.pull(into)
        waiting = applied - handed_in - applying
        return Pushed(pulled, onto, PushSeconds(waiting, handed_in - began + applying, perf_counter() - applied))

    def hand_in(self, push: Push) -> None:
        """Lays a worker's gradient and numbers in its slot."""
        self._memory.gradients[push.worker].copy_(push.gradient)
        self._numbers_in[push.worker] = (push.rollout.steps, *push.diagnostics)

    def apply_average(self, version: int) -> None:
        """Applies the average of all slots, summed in worker order, and records their turns."""
        self._await_room()
        average = self._memory.gradients[0].clone()
        for gradient in self._memory.gradients[1:]:
            average.add_(gradient)
        average.div_(len(self._memory.gradients))
        self._clip(average, float(torch.linalg.vector_norm(average)))
        self._apply(0, version, average, self._rate(0))
        self._record_all()
        self._advance(version + 1)
        self._counters[FINISHED] = self._exhausted()
        self._counters[AGREED] = self._counters[PAUSE]  # what workers go by, so that all pause at this version

    def _meet(self, push: Push) -> float:
        """Waits for everybody; returns the seconds in which this worker applied the average."""
        arrived, released = self._rendezvous
        if push.worker:
            arrived.release()
            released[push.worker].acquire()
            return 0.0
        for _ in released[1:]:
            arrived.acquire()
        began = perf_counter()
        self.apply_average(push.read)
        seconds = perf_counter() - began
        for gate in released[1:]:
            gate.release()
        return seconds

    def _record_all(self) -> None:
        """One turn a worker, in worker order."""
        workers = np.arange(len(self._numbers_in))
        first = int(self._counters[TURNS])
        slots = (first + workers) % RING_TURNS
        steps, numbers = self._numbers_in[:, 0].astype(np.int64), self._numbers_in[:, 1:]
        self._records["worker"][slots] = workers
        self._records["steps"][slots] = steps
        self._records["staleness"][slots] = 0
        self._records["check"][slots] = [check(row) for row in numbers.tolist()]
        self._numbers[slots, 0] = time.monotonic() - self._start_time[0]
        self._numbers[slots, 1:] = numbers
        self._worker_frames += steps * self._settings.action_repeat
        self._counters[FRAMES] += int(steps.sum()) * self._settings.action_repeat
        self._counters[TURNS] = first + len(workers)
