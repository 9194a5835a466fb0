"""The terms of the actor-critic objective (Mnih et al., 2016, section 4 and Algorithm S3)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Terms(NamedTuple):
    """The objective's terms, each summed over the samples given; float32 [].

    Attributes:
      policy: −Σ log π(aₜ|oₜ) Aₜ, with the advantage Aₜ = Gₜ − V(oₜ) held constant.
      value: Σ (Gₜ − V(oₜ))².
      entropy: Σ H(π(·|oₜ)), nats.
    """

    policy: Tensor
    value: Tensor
    entropy: Tensor


def actor_critic_terms(logits: Tensor, value: Tensor, action: Tensor, returns: Tensor) -> Terms:
    """The three terms for N samples.

    Args:
      logits: float32 [N, A], unnormalized.
      value: float32 [N].
      action: int64 [N].
      returns: float32 [N], targets; no gradient flows into them.
    """
    log_policy = logits.log_softmax(-1)
    chosen = log_policy.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    error = returns.detach() - value
    return Terms(
        policy=-(chosen * error.detach()).sum(),
        value=error.square().sum(),
        entropy=-(log_policy.exp() * log_policy).sum(),
    )


def objective(terms: Terms, *, value_weight: float, entropy_weight: float) -> Tensor:
    """The loss to descend: policy + c_v · value − β · entropy.

    The entropy enters with a minus sign, since descending the loss must raise it.
    """
    return terms.policy + value_weight * terms.value - entropy_weight * terms.entropy
