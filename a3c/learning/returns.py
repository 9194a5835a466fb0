"""What the rewards of a rollout add up to."""

from __future__ import annotations

import torch
from torch import Tensor


def n_step_returns(reward: Tensor, discount: Tensor, bootstrap_value: Tensor) -> Tensor:
    """The discounted sum of the rewards to come, a value standing in for what lies beyond the rollout.

        Gₜ = rₜ + dₜ Gₜ₊₁,    G_T = bootstrap_value

    This is R in Algorithms S2 and S3 of Mnih et al. (2016): the oldest step of a rollout gets its longest return, the
    newest a one-step return.

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
        raise _misfit(reward=reward, discount=discount, bootstrap_value=bootstrap_value)
    returns = torch.empty_like(reward)
    following = bootstrap_value.detach()
    for t in range(len(reward) - 1, -1, -1):
        following = reward[t] + discount[t] * following
        returns[t] = following
    return returns.detach()


@torch.no_grad()
def lambda_returns(
    reward: Tensor, discount: Tensor, value: Tensor, bootstrap_value: Tensor, gae_lambda: float
) -> Tensor:
    """Returns between the one-step (λ = 0) and the n-step one (λ = 1).

        Gₜ = rₜ + dₜ ((1 − λ) V(oₜ₊₁) + λ Gₜ₊₁),    G_T = V(o_T) = bootstrap_value

    Gₜ − V(oₜ) is generalized advantage estimation, Σₗ (Πd λ)ˡ δₜ₊ₗ (Schulman et al., 2016, arXiv:1506.02438, equation
    16). For λ = 1 this is `n_step_returns`, to the last bit.

    Args:
      reward: float32 [T] or [T, B].
      discount: same shape, dₜ.
      value: same shape, V(oₜ).
      bootstrap_value: float32 [] or [B], V of the observation after the last action.
      gae_lambda: λ.

    Returns:
      float32, the shape of `reward`. No gradient flows through it.

    Raises:
      ValueError: if the shapes do not fit.
    """
    if gae_lambda == 1.0:
        return n_step_returns(reward, discount, bootstrap_value)
    if not reward.shape == discount.shape == value.shape or reward.shape[1:] != bootstrap_value.shape:
        raise _misfit(reward=reward, discount=discount, value=value, bootstrap_value=bootstrap_value)
    returns = torch.empty_like(reward)
    following_value = following = bootstrap_value
    for t in range(len(reward) - 1, -1, -1):
        following = reward[t] + discount[t] * ((1 - gae_lambda) * following_value + gae_lambda * following)
        following_value = value[t]
        returns[t] = following
    return returns


def one_step_returns(reward: Tensor, discount: Tensor, following_value: Tensor) -> Tensor:
    """The target of one-step methods, yₜ = rₜ + dₜ Q(oₜ₊₁, ·; θ⁻) (Mnih et al., 2016, Algorithm 1).

    Args:
      reward: float32 [T, B].
      discount: same shape, dₜ.
      following_value: same shape: the greatest action value after step t for Q-learning, that of the action taken
        next for Sarsa, by the target network.

    Returns:
      float32, the shape of `reward`. No gradient flows through it.

    Raises:
      ValueError: if the shapes do not fit.
    """
    if not reward.shape == discount.shape == following_value.shape:
        raise _misfit(reward=reward, discount=discount, following_value=following_value)
    return (reward + discount * following_value).detach()


def _misfit(**tensors: Tensor) -> ValueError:
    """The error for shapes that broadcasting would turn into plausible nonsense."""
    shapes = ", ".join(f"{name} {list(x.shape)}" for name, x in tensors.items())
    return ValueError(f"shapes do not fit: {shapes}")
