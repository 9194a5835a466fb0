"""The terms of what is descended: of the actor-critic objective and of action values (Mnih et al., 2016)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Terms(NamedTuple):
    """The actor-critic objective's terms, each summed over the samples given; float32 [].

    Attributes:
      policy: −Σ log π(aₜ|oₜ) Aₜ, with the advantage Aₜ held constant: Gₜ − V(oₜ), unless another is given.
      value: Σ (Gₜ − V(oₜ))².
      entropy: Σ H(π(·|oₜ)), nats.
    """

    policy: Tensor
    value: Tensor
    entropy: Tensor


def actor_critic_terms(
    log_policy: Tensor, entropy: Tensor, value: Tensor, returns: Tensor, advantage: Tensor | None = None
) -> Terms:
    """The three terms (Algorithm S3 and section 4).

    Args:
      log_policy: float32 [...], log π(a|o) of the actions taken, nats.
      entropy: float32 [...], H(π(·|o)), nats.
      value: float32 [...].
      returns: float32 [...], targets G of the value; no gradient flows into them.
      advantage: float32 [...], A, into which no gradient flows either; None for G − V.
    """
    error = returns.detach() - value
    weight = error if advantage is None else advantage
    return Terms(policy=-(log_policy * weight.detach()).sum(), value=error.square().sum(), entropy=entropy.sum())


def objective(terms: Terms, *, value_weight: float, entropy_weight: float) -> Tensor:
    """The loss to descend: policy + c_v · value − β · entropy.

    The entropy enters with a minus sign, since descending the loss must raise it.
    """
    return terms.policy + value_weight * terms.value - entropy_weight * terms.entropy


def action_value_loss(action_value: Tensor, action: Tensor, returns: Tensor) -> Tensor:
    """Σ (Gₜ − Q(oₜ, aₜ))², float32 [] (Algorithms 1 and S2).

    Args:
      action_value: float32 [..., A], Q(oₜ, ·).
      action: int64 [...], the actions taken.
      returns: float32 [...], targets G; no gradient flows into them.
    """
    return (returns.detach() - of_actions(action_value, action)).square().sum()


def of_actions(columns: Tensor, action: Tensor) -> Tensor:
    """The entries of the actions taken: a float [...], picked from [..., A] by int64 [...]."""
    return columns.gather(-1, action.unsqueeze(-1)).squeeze(-1)
