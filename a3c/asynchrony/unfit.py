"""A turn that must not be applied because a number of it is not finite: who met it, and what it was made of."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from a3c.asynchrony.acting import Actor
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed, Store
from a3c.learning.gradients import NonFiniteError
from a3c.learning.rollouts import Rollout
from a3c.records.unfit_batch import UnfitBatch, first_not_finite

UNFIT = "unfit"


class UnfitTurnError(NonFiniteError):
    """A turn met a number that is not finite.

    Attributes:
      batch: what it was made of.
    """

    def __init__(self, batch: UnfitBatch) -> None:
        super().__init__(batch.sentence())
        self.batch = batch


def unfit_turn(
    error: NonFiniteError, worker: int, pulled: Pulled, actor: Actor, parameters: Tensor, rollout: Rollout | None
) -> UnfitTurnError:
    """What is raised in place of an error that knows neither worker nor turn.

    Args:
      error: the one that was raised.
      worker: whose turn it is.
      pulled: the version of the parameters, and the global frame counter at the pull.
      actor: the worker's.
      parameters: float32 [P], of that version.
      rollout: None if the error came before it was complete: then the present observations are at fault, if any are.
    """
    seen = _of_rollout(rollout) if rollout is not None else _of_now(actor)
    arrays = {"parameters": parameters.numpy().copy(), **seen}
    what = first_not_finite(arrays) or str(error)
    return UnfitTurnError(UnfitBatch(worker, pulled.version, pulled.frames, what, arrays))


def push_fit(store: Store, push: Push, pulled: Pulled, actor: Actor, into: LocalCopy) -> Pushed:
    """A push whose correction may meet what is not finite, before anything is applied.

    Raises:
      UnfitTurnError: if it does.
    """
    try:
        return store.push(push, into=into)
    except NonFiniteError as error:
        raise unfit_turn(error, push.worker, pulled, actor, push.parameters, push.rollout) from None


def _of_rollout(rollout: Rollout) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in vars(rollout).items() if value is not None}


def _of_now(actor: Actor) -> dict[str, np.ndarray]:
    saved = actor.save()
    return {"observation": np.array(saved["now"]), "state": np.array(saved["state"])}
