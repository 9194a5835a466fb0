"""From the optimizer's settings to its step on flat vectors."""

from __future__ import annotations

from torch import Tensor

from a3c.learning.optimizers import adam_, momentum_sgd_, rmsprop_
from a3c.settings import MomentumSGD, Optimizer, RMSProp, SharedAdam, SharedRMSProp


def statistics_names(optimizer: Optimizer) -> tuple[str, ...]:
    """What the rule's vectors of statistics are called, in their order."""
    match optimizer:
        case MomentumSGD():
            return ("momentum",)
        case SharedAdam():
            return ("mean", "mean_square")
        case RMSProp() | SharedRMSProp():
            return ("mean_square",)


def is_shared(optimizer: Optimizer) -> bool:
    """Whether all workers share one set of statistics."""
    return isinstance(optimizer, SharedRMSProp | SharedAdam)


def apply_(
    optimizer: Optimizer, parameters: Tensor, statistics: Tensor, gradient: Tensor, *, learning_rate: float, step: int
) -> None:
    """One step, in place.

    Args:
      optimizer: which rule, and its constants.
      parameters: float32 [P], changed.
      statistics: float32 [S, P], changed; one row for each of `statistics_names`.
      gradient: float32 [P].
      learning_rate: at this step.
      step: counted from 1; the shared version, so that Adam's step counter is shared as its moments are.
    """
    match optimizer:
        case MomentumSGD(momentum=momentum):
            momentum_sgd_(parameters, statistics[0], gradient, learning_rate=learning_rate, momentum=momentum)
        case SharedAdam(decay_mean=decay_mean, decay_square=decay_square, epsilon=epsilon):
            adam_(
                parameters,
                statistics[0],
                statistics[1],
                gradient,
                learning_rate=learning_rate,
                decay_mean=decay_mean,
                decay_square=decay_square,
                epsilon=epsilon,
                step=step,
            )
        case RMSProp(decay=decay, epsilon=epsilon) | SharedRMSProp(decay=decay, epsilon=epsilon):
            rmsprop_(parameters, statistics[0], gradient, learning_rate=learning_rate, decay=decay, epsilon=epsilon)
