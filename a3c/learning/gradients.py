"""From a rollout to its gradient, as a value.

The one place that differentiates. `rollout_gradient` returns a flat tensor and leaves no `.grad` behind, so nothing
can be accumulated or aliased by accident: since torch 2.0 the hand-over copied from code base to code base, which
aliases the `.grad` of two networks, applies running sums or the first gradient for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from a3c.learning.flat import FlatNetwork
from a3c.learning.losses import actor_critic_terms, objective
from a3c.learning.returns import n_step_returns


@dataclass(frozen=True)
class Rollout:
    """What one worker saw between a pull and a push: T steps of B environments.

    Attributes:
      observation: [T, B, *shape], what was acted on.
      action: int64 [T, B].
      reward: float32 [T, B], what is learnt from. Where a frame limit ended an episode inside the rollout, γ times the
        value of its final observation is added, which is what bootstrapping there means.
      discount: float32 [T, B], γ, or 0 where nothing later counts.
      bootstrap_value: float32 [B], the value of the observation after the last step.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    discount: Tensor
    bootstrap_value: Tensor

    @property
    def steps(self) -> int:
        """Decisions in it, T x B."""
        return self.action.numel()


class Diagnostics(NamedTuple):
    """One turn's numbers, as floats: losses per step, mean value, global gradient norm before clipping."""

    policy_loss: float
    value_loss: float
    entropy: float
    value: float
    gradient_norm: float


class NonFiniteError(ArithmeticError):
    """A loss or gradient is NaN or infinite; it must not reach the shared parameters."""


def rollout_gradient(
    network: FlatNetwork, rollout: Rollout, *, value_weight: float, entropy_weight: float
) -> tuple[Tensor, Diagnostics]:
    """The gradient of the objective on one rollout, summed over its T steps and averaged over its B environments.

    Args:
      network: its parameters are those the rollout was acted with.
      rollout: see `Rollout`.
      value_weight: c_v, times the squared error (0.5 in the paper's own code, by e-mail).
      entropy_weight: β.

    Returns:
      float32 [P], laid out as the network's vector, and the turn's numbers.

    Raises:
      NonFiniteError: if the gradient is not finite.
    """
    returns = n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)
    logits, value = network(rollout.observation.flatten(0, 1))
    terms = actor_critic_terms(logits, value, rollout.action.flatten(), returns.flatten())
    loss = objective(terms, value_weight=value_weight, entropy_weight=entropy_weight) / rollout.action.shape[1]
    gradient = network.flatten(torch.autograd.grad(loss, network.tensors))
    norm = float(torch.linalg.vector_norm(gradient))
    policy_loss, value_loss, entropy = (float(term.detach()) / rollout.steps for term in terms)
    diagnostics = Diagnostics(policy_loss, value_loss, entropy, float(value.detach().mean()), norm)
    if not all(map(_is_finite, diagnostics)):
        raise NonFiniteError(f"the gradient is not finite: {diagnostics}")
    return gradient, diagnostics


def clip_(gradient: Tensor, norm: float, limit: float | None) -> None:
    """Scales a gradient down to a global norm, in place: g ← g · min(1, limit / ‖g‖).

    Args:
      gradient: float32 [P].
      norm: its norm ‖g‖.
      limit: the greatest norm that passes unchanged; None for no limit.
    """
    if limit is not None and norm > limit:
        gradient.mul_(limit / norm)


def _is_finite(x: float) -> bool:
    return x - x == 0.0
