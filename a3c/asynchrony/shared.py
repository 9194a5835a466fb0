"""Everything the processes of a run share, allocated once before any of them starts.

Fresh memory is filled with NaN or -1, so that a value nobody wrote is noticed. Turns and their numbers go through a
ring that the supervisor drains into files; a push waits while the ring is full, so no turn is ever lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from a3c.learning.gradients import Diagnostics
from a3c.records.schedule_file import TURN
from a3c.settings import Settings

RING_TURNS = 1 << 15

VERSION, FRAMES, TURNS, DRAINED, SNAPSHOTS, STOP, FINISHED = range(7)

NUMBERS = ("seconds", *Diagnostics._fields)


@dataclass(frozen=True)
class SharedMemory:
    """Tensors in shared memory, and the one lock.

    Attributes:
      parameters: float32 [P].
      mean_square: float32 [P], RMSProp's statistics.
      counters: int64 [7], see the constants of this module; written only under the lock or by their one owner.
      turns: uint8 [RING_TURNS, 8], records of dtype `TURN`.
      numbers: float64 [RING_TURNS, len(NUMBERS)], one row a turn.
      gradients: float32 [N, P], one slot a worker in the synchronous schedule, else empty.
      gradient_numbers: float64 [N, 6], steps and diagnostics that go with each of them.
      snapshots: float32 [points, P], the parameters at the evaluation points.
      snapshot_places: int64 [points, 2], frames and version of each.
      snapshot_seconds: float64 [points].
      start_time: float64 [1], monotonic clock when the workers were let go.
    """

    parameters: Tensor
    mean_square: Tensor
    counters: Tensor
    turns: Tensor
    numbers: Tensor
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
    memory = SharedMemory(
        parameters=_shared([size], torch.float32),
        mean_square=_shared([size], torch.float32),
        counters=_shared([7], torch.int64),
        turns=_shared([RING_TURNS, TURN.itemsize], torch.uint8),
        numbers=_shared([RING_TURNS, len(NUMBERS)], torch.float64),
        gradients=_shared([slots, size], torch.float32),
        gradient_numbers=_shared([slots, 1 + len(Diagnostics._fields)], torch.float64),
        snapshots=_shared([points, size], torch.float32),
        snapshot_places=_shared([points, 2], torch.int64),
        snapshot_seconds=_shared([points], torch.float64),
        start_time=_shared([1], torch.float64),
    )
    memory.parameters.copy_(initial)
    memory.mean_square.zero_()
    memory.counters.zero_()
    return memory


def _shared(shape: list[int], dtype: torch.dtype) -> Tensor:
    poison = float("nan") if dtype.is_floating_point else 255 if dtype == torch.uint8 else -1
    shared: Tensor = torch.full(shape, poison, dtype=dtype).share_memory_()  # type: ignore[no-untyped-call]
    return shared
