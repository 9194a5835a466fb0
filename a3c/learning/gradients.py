"""From a loss to its gradient, as a value.

The one place that differentiates. The functions here return a flat tensor and leave no `.grad` behind, so nothing can
be accumulated or aliased by accident: since torch 2.0 the hand-over copied from code base to code base, which aliases
the `.grad` of two networks, applies running sums or the first gradient for ever.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from a3c.learning.flat import FlatNetwork


class Diagnostics(NamedTuple):
    """One turn's numbers, as floats; NaN where an algorithm has no such thing.

    Attributes:
      policy_loss: per step.
      value_loss: per step, of state values or action values.
      entropy: per step, nats.
      value: mean value of the observations acted on; of the greedy action, where actions are valued.
      gradient_norm: global, before clipping.
    """

    policy_loss: float
    value_loss: float
    entropy: float
    value: float
    gradient_norm: float


class NonFiniteError(ArithmeticError):
    """A loss or gradient is NaN or infinite; it must not reach the shared parameters."""


def flat_gradient(network: FlatNetwork, loss: Tensor) -> tuple[Tensor, float]:
    """The gradient of a loss, float32 [P] laid out as the network's vector, and its norm.

    Raises:
      NonFiniteError: if the loss or the gradient is not finite; a square can overflow where its derivative does not.
    """
    gradient = network.flatten(torch.autograd.grad(loss, network.tensors))
    norm, value = float(torch.linalg.vector_norm(gradient)), float(loss.detach())
    if not math.isfinite(norm) or not math.isfinite(value):
        wrong = "gradient is" if math.isfinite(value) else "loss is" if math.isfinite(norm) else "loss and gradient are"
        raise NonFiniteError(f"the {wrong} not finite: loss {value}, norm of the gradient {norm}")
    return gradient, norm


def clip_(gradient: Tensor, norm: float, limit: float | None) -> None:
    """Scales a gradient down to a global norm, in place: g ← g · min(1, limit / ‖g‖).

    Args:
      gradient: float32 [P].
      norm: its norm ‖g‖.
      limit: the greatest norm that passes unchanged; None for no limit.
    """
    if limit is not None and norm > limit:
        gradient.mul_(limit / norm)
