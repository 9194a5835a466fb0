"""The terms of the actor-critic objective (Mnih et al., 2016, section 4 and Algorithm S3)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Terms(NamedTuple):
    """The objective's terms, each summed over the samples given; float32 [].

    Attributes:
      policy: −Σ log π(aₜ|oₜ) Aₜ, with the advantage Aₜ held constant: Gₜ − V(oₜ), unless another is given.
      value: Σ (Gₜ − V(oₜ))².
      entropy: Σ H(π(·|oₜ)), nats.
    """

    policy: Tensor
    value: Tensor
    entropy: Tensor


def actor_critic_terms(
    logits: Tensor, value: Tensor, action: Tensor, returns: Tensor, advantage: Tensor | None = None
) -> Terms:
    """The three terms for N samples.

    Args:
      logits: float32 [N, A], unnormalized.
      value: float32 [N].
      action: int64 [N].
      returns: float32 [N], targets G of the value; no gradient flows into them.
      advantage: float32 [N], A, into which no gradient flows either; None for G − V.
    """
    log_policy = logits.log_softmax(-1)
    chosen = of_actions(log_policy, action)
    error = returns.detach() - value
    weight = error if advantage is None else advantage
    return Terms(
        policy=-(chosen * weight.detach()).sum(),
        value=error.square().sum(),
        entropy=-(log_policy.exp() * log_policy).sum(),
    )


def of_actions(log_policy: Tensor, action: Tensor) -> Tensor:
    """The entries of the actions taken, log π(aₜ|oₜ): a float [N], picked from [N, A] by int64 [N]."""
    return log_policy.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def objective(terms: Terms, *, value_weight: float, entropy_weight: float) -> Tensor:
    """The loss to descend: policy + c_v · value − β · entropy.

    The entropy enters with a minus sign, since descending the loss must raise it.
    """
    return terms.policy + value_weight * terms.value - entropy_weight * terms.entropy
