"""What the rewards of a rollout add up to."""

from __future__ import annotations

import torch
from torch import Tensor


def n_step_returns(reward: Tensor, discount: Tensor, bootstrap_value: Tensor) -> Tensor:
    """The discounted sum of the rewards to come, a value standing in for what lies beyond the rollout.

        Gₜ = rₜ + dₜ Gₜ₊₁,    G_T = bootstrap_value

    This is R in Algorithm S3 of Mnih et al. (2016): the oldest step of a rollout gets its longest return, the newest a
    one-step return.

    Args:
      reward: float32 [T] or [T, B], the reward that followed action t.
      discount: same shape, dₜ: γ, or 0 where a life or the game ended at t.
      bootstrap_value: float32 [] or [B], the value of the observation after the last action.

    Returns:
      float32, the shape of `reward`. No gradient flows through it.

    Raises:
      ValueError: if the shapes do not fit.
    """
    if reward.shape != discount.shape or reward.shape[1:] != bootstrap_value.shape:
        shapes = [list(x.shape) for x in (reward, discount, bootstrap_value)]
        raise ValueError(f"reward, discount and bootstrap_value do not fit: {shapes}")
    returns = torch.empty_like(reward)
    following = bootstrap_value.detach()
    for t in range(len(reward) - 1, -1, -1):
        following = reward[t] + discount[t] * following
        returns[t] = following
    return returns.detach()
