"""What workers and the store of parameters hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from a3c.learning.gradients import Diagnostics
from a3c.learning.rollouts import Rollout
from a3c.records.checkpoints import State


class Pulled(NamedTuple):
    """What a pull read: the version, and the global frame counter that goes with it."""

    version: int
    frames: int


@dataclass
class LocalCopy:
    """What a pull writes to.

    Attributes:
      vector: float32 [P], the parameters; written into.
      target: float32 [P], those of the target network when it was last refreshed before the pull, if there is one;
        replaced and never written into, so that copies may share it.
      refreshes: how often it had been refreshed; -1 before the first pull.
    """

    vector: Tensor
    target: Tensor | None = None
    refreshes: int = -1


def save_copy(copy: LocalCopy) -> State:
    """A copy as arrays and numbers."""
    target = None if copy.target is None else copy.target.numpy()
    return {"vector": copy.vector.numpy(), "target": target, "refreshes": copy.refreshes}


def restore_copy(copy: LocalCopy, state: State) -> None:
    """Makes the copy what was saved; its vector is written into."""
    copy.vector.copy_(torch.from_numpy(state["vector"]))
    copy.target = None if state["target"] is None else torch.from_numpy(state["target"])
    copy.refreshes = int(state["refreshes"])


class Push(NamedTuple):
    """What a worker hands over for one turn.

    Attributes:
      worker: who pushes.
      read: the version that the gradient was computed with.
      gradient: float32 [P], changed by clipping.
      rollout: what it was computed from.
      diagnostics: the turn's numbers.
      parameters: float32 [P], of the version read; the pull that follows may overwrite them.
      onto: float32 [P], into which the store copies the parameters it pushes onto, on turns that are sampled.
    """

    worker: int
    read: int
    gradient: Tensor
    rollout: Rollout
    diagnostics: Diagnostics
    parameters: Tensor
    onto: Tensor | None = None


class PushSeconds(NamedTuple):
    """Where a push spent its time: waiting for the lock (or for the others), applying and recording, pulling."""

    lock_wait: float
    push: float
    pull: float


class Pushed(NamedTuple):
    """What a push came to.

    Attributes:
      pulled: what the pull after it read; None if the run is over.
      onto: the version it was applied to, and the frames before it; None if it came after the budget and was dropped.
      seconds: where its time went.
      torn: whether the pull mixed versions; None where nobody looked.
    """

    pulled: Pulled | None
    onto: Pulled | None
    seconds: PushSeconds
    torn: bool | None = None

    @property
    def applied(self) -> bool:
        """Whether the gradient was applied."""
        return self.onto is not None


DROPPED = Pushed(None, None, PushSeconds(0.0, 0.0, 0.0))


class Store(Protocol):
    """What the worker's loop needs."""

    def pull(self, into: LocalCopy) -> Pulled | None:
        """Copies the parameters; None once the budget is used up or the run is stopped."""

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        """Applies one gradient, records the turn and pulls again."""

    def save(self) -> State:
        """What the store holds for this worker alone."""

    def restore(self, state: State) -> None:
        """Continues where `save` was called."""
