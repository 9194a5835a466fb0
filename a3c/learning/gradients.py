"""From a rollout to its gradient, as a value.

The one place that differentiates. The functions here return a flat tensor and leave no `.grad` behind, so nothing can
be accumulated or aliased by accident: since torch 2.0 the hand-over copied from code base to code base, which aliases
the `.grad` of two networks, applies running sums or the first gradient for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from a3c.learning.corrections import truncated_ratios, vtrace_targets
from a3c.learning.flat import FlatNetwork
from a3c.learning.losses import Terms, actor_critic_terms, objective, of_actions
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
      final_observation: [B, *shape], the observation whose value that is; any finite one where the last discount is 0.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    discount: Tensor
    bootstrap_value: Tensor
    final_observation: Tensor

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
    gradient = _differentiate(network, rollout, terms, value_weight, entropy_weight)
    norm = float(torch.linalg.vector_norm(gradient))
    policy_loss, value_loss, entropy = (float(term.detach()) / rollout.steps for term in terms)
    diagnostics = Diagnostics(policy_loss, value_loss, entropy, float(value.detach().mean()), norm)
    if not all(map(_is_finite, diagnostics)):
        raise NonFiniteError(f"the gradient is not finite: {diagnostics}")
    return gradient, diagnostics


@torch.no_grad()
def action_log_probabilities(network: FlatNetwork, rollout: Rollout) -> Tensor:
    """How likely the actions taken are under the network, log π(aₜ|oₜ) in nats: float32 [T, B], without gradient.

    All T x B observations pass the network at once, as they do for the gradients: the same parameters give the same
    bits there and here, which they need not give for one observation at a time.
    """
    logits, _ = network(rollout.observation.flatten(0, 1))
    return of_actions(logits.log_softmax(-1), rollout.action.flatten()).view_as(rollout.reward)


def vtrace_gradient(
    network: FlatNetwork,
    rollout: Rollout,
    log_policy_then: Tensor,
    *,
    value_weight: float,
    entropy_weight: float,
    rho_limit: float,
    c_limit: float,
) -> Tensor:
    """The gradient for the present parameters from a rollout of older ones (V-trace; Espeholt et al., 2018).

        ∇ [−Σ Aₜ log π_now(aₜ|oₜ) + c_v Σ (vₜ − V_now(oₜ))² − β Σ H(π_now(·|oₜ))]

    summed over T, averaged over B, v and A being `vtrace_targets`. The final observation is valued anew; what a frame
    limit inside the rollout added to a reward is not. Where the parameters are one and no limit is below 1, this is
    `rollout_gradient` to the last bit.

    Args:
      network: it holds the present parameters.
      rollout: acted with older ones; its `bootstrap_value` is not used.
      log_policy_then: float32 [T, B], `action_log_probabilities` by the parameters it was acted with.
      value_weight: c_v.
      entropy_weight: β.
      rho_limit: ρ̄, as for `vtrace_targets`.
      c_limit: c̄, likewise.

    Returns:
      float32 [P], laid out as the network's vector.

    Raises:
      NonFiniteError: if the gradient is not finite.
      ValueError: if the shapes do not fit.
    """
    logits, value = network(rollout.observation.flatten(0, 1))
    _, bootstrap_value = network(rollout.final_observation)
    log_policy_now = of_actions(logits.log_softmax(-1), rollout.action.flatten()).view_as(rollout.reward)
    ratio = truncated_ratios(log_policy_now, log_policy_then, max(rho_limit, c_limit))
    seen = (rollout.reward, rollout.discount, value.view_as(rollout.reward), bootstrap_value, ratio)
    targets, advantage = vtrace_targets(*seen, rho_limit=rho_limit, c_limit=c_limit)
    terms = actor_critic_terms(logits, value, rollout.action.flatten(), targets.flatten(), advantage.flatten())
    gradient = _differentiate(network, rollout, terms, value_weight, entropy_weight)
    if not _is_finite(norm := float(torch.linalg.vector_norm(gradient))):
        raise NonFiniteError(f"the gradient taken anew is not finite: its norm is {norm}")
    return gradient


def _differentiate(
    network: FlatNetwork, rollout: Rollout, terms: Terms, value_weight: float, entropy_weight: float
) -> Tensor:
    """The gradient of the objective that the terms make, averaged over the environments; float32 [P]."""
    loss = objective(terms, value_weight=value_weight, entropy_weight=entropy_weight) / rollout.action.shape[1]
    return network.flatten(torch.autograd.grad(loss, network.tensors))


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
