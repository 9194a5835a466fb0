"""Parameters without a lock, and the two probes that say what that does: lost updates and torn reads."""

from __future__ import annotations

from multiprocessing.synchronize import Lock
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from a3c.asynchrony.correcting import Correction
from a3c.asynchrony.exchange import DROPPED, LocalCopy, Pulled, Push, Pushed, PushSeconds
from a3c.asynchrony.rules import apply_
from a3c.asynchrony.shared import SharedMemory, chunks_of
from a3c.asynchrony.store import SharedStore
from a3c.learning.flat import ALIGNMENT_FLOATS
from a3c.settings import Settings


def lost_fraction(probe: np.ndarray, updates: int) -> float:
    """The share of writes that are missing from a probe whose every entry each update added one to.

    Args:
      probe: int32 [K].
      updates: how many there were.
    """
    return float(1.0 - probe.sum(dtype=np.int64) / (len(probe) * updates)) if updates else 0.0


class HogwildStore(SharedStore):
    """No lock on the parameters (Mnih et al., 2016, section 4; Niu et al., 2011): only counters and records are locked.

    Reads may mix versions and concurrent writes may be lost, so such a run can be measured but not replayed. Writes
    go chunk by chunk, each worker counting the writes that it has begun and ended in each. A read is torn if a write
    was under way in a chunk while it was copied, or if the chunks had not all seen the same writes.
    """

    def __init__(
        self, memory: SharedMemory, lock: Lock, settings: Settings, correction: Correction | None = None
    ) -> None:
        super().__init__(memory, lock, settings, correction)
        whole = -(-len(memory.parameters) // chunks_of(len(memory.parameters)))
        self._chunk = -(-whole // ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS
        self._chunks = torch.split(memory.parameters, self._chunk)
        self._begun, self._ended = memory.stamps.numpy()

    def pull(self, into: LocalCopy) -> Pulled | None:
        """Copies the parameters while others may be writing them."""
        return None if self._exhausted() else self._copy_parameters(into)

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        """Applies the gradient without a lock, takes the next version number under the lock, and pulls.

        Correction and Adam's step counter go by the version before, while others may be making the same one.
        """
        self._clip(push.gradient, push.diagnostics.gradient_norm)
        self._await_room()
        if self._exhausted():
            return DROPPED
        if push.onto is not None:
            push.onto.copy_(self._memory.parameters)
        began = perf_counter()
        before = self._place().version
        self._apply(push.worker, before, *self._corrected(push, before))
        asked = perf_counter()
        with self._lock:
            entered = perf_counter()
            onto = self._place()
            self._record(push.worker, push.rollout.steps, onto.version - push.read, push.diagnostics)
            self._advance(onto.version + 1)
        left = perf_counter()
        pulled, torn = self._pull_after(push, into)
        seconds = PushSeconds(entered - asked, asked - began + left - entered, perf_counter() - left)
        return Pushed(pulled, onto, seconds, torn)

    def _apply(self, worker: int, version: int, gradient: Tensor, rate: float) -> None:
        statistics_chunks = torch.split(self._statistics(worker), self._chunk, dim=-1)
        parts = zip(self._chunks, statistics_chunks, torch.split(gradient, self._chunk), strict=True)
        for chunk, (parameters, statistics, part) in enumerate(parts):
            self._begun[chunk, worker] += 1
            apply_(self._settings.optimizer, parameters, statistics, part, learning_rate=rate, step=version + 1)
            self._ended[chunk, worker] += 1
        self._memory.probe.add_(1)

    def _pull_after(self, push: Push, into: LocalCopy) -> tuple[Pulled | None, bool | None]:
        """The pull after a push; on a sampled turn it is watched."""
        if push.onto is None:
            return self._pull_if_due(push, into), None
        if self._exhausted():
            return None, None
        if not self._pull_is_due():
            return Pulled(push.read, self._place().frames), None
        return self._place(), self._copy_watching(into)

    def _copy_watching(self, into: LocalCopy) -> bool:
        """Copies chunk by chunk; returns whether the copy is torn."""
        self._copy_target(into)
        torn, first = False, self._ended[0].copy()
        for chunk, (source, target) in enumerate(zip(self._chunks, torch.split(into.vector, self._chunk), strict=True)):
            ended = self._ended[chunk].copy()
            target.copy_(source)
            torn |= not (np.array_equal(ended, self._begun[chunk]) and np.array_equal(ended, first))
        return torn
