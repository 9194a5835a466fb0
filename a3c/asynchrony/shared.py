"""Everything the processes of a run share, allocated once before any of them starts.

Fresh memory is filled with NaN or -1, so that a value nobody wrote is noticed. Turns and their numbers go through a
ring that the supervisor drains into files; a push waits while the ring is full, so no turn is ever lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from a3c.asynchrony.rules import is_shared, statistics_names
from a3c.learning.gradients import Diagnostics
from a3c.records.schedule_file import TURN
from a3c.settings import Settings

RING_TURNS = 1 << 15

VERSION, FRAMES, TURNS, DRAINED, SNAPSHOTS, FINISHED, REFRESHES, PAUSE, AGREED = range(9)

NUMBERS = ("seconds", *Diagnostics._fields)

CHUNK_FLOATS = 1 << 16  # at least, but for a smaller network: what hogwild's writes are stamped by
MOST_CHUNKS = 8
PROBE_INTEGERS = 4096


@dataclass(frozen=True)
class SharedMemory:
    """Tensors in shared memory, and the one lock.

    Attributes:
      parameters: float32 [P].
      statistics: float32 [1 or N, S, P], the optimizer's S vectors: shared, or a worker's own.
      target: float32 [P], the target network's parameters; empty for an algorithm without one.
      worker_frames: int64 [N], frames in each worker's turns.
      counters: int64 [9], see the constants of this module; written only under the lock or by their one owner.
      turns: uint8 [RING_TURNS, 8], records of dtype `TURN`.
      numbers: float64 [RING_TURNS, len(NUMBERS)], one row a turn.
      probe: int32 [PROBE_INTEGERS], to each of which every push adds one, without a lock under hogwild: what is missing
        in the end was lost, as updates of parameters are.
      stamps: int64 [2, chunks, N], how often each worker has begun and ended to write each chunk of the parameters;
        empty but for hogwild.
      gradients: float32 [N, P], one slot a worker in the synchronous schedule, else empty.
      gradient_numbers: float64 [N, 6], steps and diagnostics that go with each of them.
      snapshots: float32 [points, P], the parameters at the evaluation points.
      snapshot_places: int64 [points, 2], frames and version of each.
      snapshot_seconds: float64 [points].
      start_time: float64 [1], monotonic clock when the workers were let go.
    """

    parameters: Tensor
    statistics: Tensor
    target: Tensor
    worker_frames: Tensor
    counters: Tensor
    turns: Tensor
    numbers: Tensor
    probe: Tensor
    stamps: Tensor
    gradients: Tensor
    gradient_numbers: Tensor
    snapshots: Tensor
    snapshot_places: Tensor
    snapshot_seconds: Tensor
    start_time: Tensor

    @property
    def turn_records(self) -> np.ndarray:
        """The ring of turns as a structured array of dtype `TURN`."""
        return self.turns.numpy().view(TURN)[:, 0]


def allocate(settings: Settings, initial: Tensor) -> SharedMemory:
    """Shared memory for one run, holding the initial parameters and zero statistics.

    Args:
      settings: of the run.
      initial: float32 [P].
    """
    size, points = len(initial), settings.evaluation.points
    slots = settings.turn_workers if settings.schedule == "synchronous" else 0
    writers = settings.turn_workers if settings.schedule == "hogwild" else 0
    owners = 1 if slots or is_shared(settings.optimizer) else settings.turn_workers
    vectors = len(statistics_names(settings.optimizer))
    memory = SharedMemory(
        parameters=_shared([size], torch.float32),
        statistics=_shared([owners, vectors, size], torch.float32),
        target=_shared([0 if settings.target_interval_frames is None else size], torch.float32),
        worker_frames=_shared([settings.turn_workers], torch.int64),
        counters=_shared([9], torch.int64),
        turns=_shared([RING_TURNS, TURN.itemsize], torch.uint8),
        numbers=_shared([RING_TURNS, len(NUMBERS)], torch.float64),
        probe=_shared([PROBE_INTEGERS], torch.int32),
        stamps=_shared([2, chunks_of(size), writers], torch.int64),
        gradients=_shared([slots, size], torch.float32),
        gradient_numbers=_shared([slots, 1 + len(Diagnostics._fields)], torch.float64),
        snapshots=_shared([points, size], torch.float32),
        snapshot_places=_shared([points, 2], torch.int64),
        snapshot_seconds=_shared([points], torch.float64),
        start_time=_shared([1], torch.float64),
    )
    memory.parameters.copy_(initial)
    memory.target.copy_(initial[: len(memory.target)])
    for zeros in (memory.statistics, memory.worker_frames, memory.counters, memory.probe, memory.stamps):
        zeros.zero_()
    return memory


def chunks_of(size: int) -> int:
    """How many chunks the parameters are stamped by."""
    return min(MOST_CHUNKS, max(1, size // CHUNK_FLOATS))


def _shared(shape: list[int], dtype: torch.dtype) -> Tensor:
    poison = float("nan") if dtype.is_floating_point else 255 if dtype == torch.uint8 else -1
    shared: Tensor = torch.full(shape, poison, dtype=dtype).share_memory_()  # type: ignore[no-untyped-call]
    return shared
