"""What the literature offers against staleness: a smaller step, a corrected gradient, reweighted targets.

"Then" is the version a worker pulled and acted with; "now" is the version its gradient is meant for. At staleness 0 the
two are one, and every correction leaves training as it is, to the last bit.
"""

from __future__ import annotations

import torch
from torch import Tensor


def scaled_by_staleness(learning_rate: float, staleness: int) -> float:
    """The learning rate divided by the staleness (Zhang, Gupta, Lian and Liu, 2015, arXiv:1511.05950).

        η / τ for τ > 0,    η for τ = 0

    A single update by another worker, τ = 1, leaves the rate as it is.

    Args:
      learning_rate: η.
      staleness: τ, updates by others between pull and push.
    """
    return learning_rate / max(1, staleness)


def delay_compensated(gradient: Tensor, parameters: Tensor, pulled: Tensor, *, strength: float) -> Tensor:
    """The gradient carried from the pulled parameters to the present ones (Zheng et al., 2017, arXiv:1609.08326).

        g + λ g ⊙ g ⊙ (θ_now − θ_pulled)

    A first-order Taylor expansion with λ g ⊙ g for the diagonal of the Hessian. The sign is that of descent: g is the
    gradient of the loss that θ ← θ − η g lowers. For the negative log-likelihood of one sample, g ⊙ g is that diagonal
    in the mean over the model, with λ = 1. A policy gradient weighted by advantages and summed over a rollout has no
    such guarantee, and scaling the loss by s scales g ⊙ g by s² but the Hessian by s: λ has to be tuned with the loss.

    Args:
      gradient: g, float32 [P], taken at `pulled`.
      parameters: θ_now, float32 [P].
      pulled: θ_pulled, float32 [P].
      strength: λ; 0 leaves the gradient as it is. The paper's DC-ASGD-c: one constant for all parameters.

    Returns:
      float32 [P], a new tensor; no input is changed.

    Raises:
      ValueError: if the shapes differ.
    """
    if not gradient.shape == parameters.shape == pulled.shape:
        raise _misfit(gradient=gradient, parameters=parameters, pulled=pulled)
    return gradient + strength * gradient.square() * (parameters - pulled)


def truncated_ratios(log_policy_now: Tensor, log_policy_then: Tensor, limit: float) -> Tensor:
    """How much likelier the actions taken have become, cut off above; importance weights, held constant.

        min(limit, π_now(aₜ|oₜ) / π_then(aₜ|oₜ))

    ρₜ and cₜ of Espeholt et al. (2018, arXiv:1802.01561, section 4.1), who call the limits ρ̄ and c̄.

    Args:
      log_policy_now: float32 [T] or [T, B], log π_now(aₜ|oₜ) of the actions taken, nats.
      log_policy_then: same shape, log π_then(aₜ|oₜ), the policy that took them.
      limit: the largest ratio returned; `math.inf` truncates nothing.

    Returns:
      float32, the shape given. No gradient flows through it.

    Raises:
      ValueError: if the shapes differ.
    """
    if log_policy_now.shape != log_policy_then.shape:
        raise _misfit(log_policy_now=log_policy_now, log_policy_then=log_policy_then)
    return (log_policy_now - log_policy_then).detach().exp().clamp(max=limit)


@torch.no_grad()
def vtrace_targets(
    reward: Tensor,
    discount: Tensor,
    value: Tensor,
    bootstrap_value: Tensor,
    ratio: Tensor,
    *,
    rho_limit: float,
    c_limit: float,
) -> tuple[Tensor, Tensor]:
    """V-trace: what a rollout of an older policy says of the present one (Espeholt et al., 2018, arXiv:1802.01561).

        vₛ = V(oₛ) + Σₜ₌ₛ (Πᵢ₌ₛᵗ⁻¹ dᵢ cᵢ) ρₜ (rₜ + dₜ V(oₜ₊₁) − V(oₜ))        their equation 1, with dₜ for γ
        Aₛ = ρₛ (rₛ + dₛ vₛ₊₁ − V(oₛ))                                        their policy gradient

    where ρₜ = min(ρ̄, ratioₜ), cₜ = min(c̄, ratioₜ) and v_T = V(o_T) = bootstrap_value. Where the policies are one and
    neither limit is below 1, v is `n_step_returns` and A is v − V, to the last bit.

    Args:
      reward: float32 [T] or [T, B], the reward that followed action t.
      discount: same shape, dₜ: γ, or 0 where a life or the game ended at t.
      value: same shape, V(oₜ) by the present parameters.
      bootstrap_value: float32 [] or [B], V of the observation after the last action.
      ratio: same shape as `reward`, π_now(aₜ|oₜ) / π_then(aₜ|oₜ), truncated here (or at no less than both limits).
      rho_limit: ρ̄, which decides whose value v tends to: the present policy's for ∞, the older one's near 0.
      c_limit: c̄, which decides how fast; the paper assumes c̄ <= ρ̄.

    Returns:
      The targets v of the value and the advantages A of the policy gradient A ∇ log π_now(aₜ|oₜ), which hold ρ
      already; float32, the shape of `reward`. No gradient flows through them.

    Raises:
      ValueError: if the shapes do not fit.
    """
    shapes_differ = not reward.shape == discount.shape == value.shape == ratio.shape
    if shapes_differ or reward.dim() == 0 or reward.shape[1:] != bootstrap_value.shape:
        raise _misfit(reward=reward, discount=discount, value=value, bootstrap_value=bootstrap_value, ratio=ratio)
    rho, c = ratio.clamp(max=rho_limit), ratio.clamp(max=c_limit)
    values = torch.cat([value, bootstrap_value.unsqueeze(0)])
    targets = values.clone()  # [T + 1] or [T + 1, B]: the last one is v_T
    for t in range(len(reward) - 1, -1, -1):
        # vₜ = Vₜ + ρₜ (rₜ + dₜ Vₜ₊₁ − Vₜ) + dₜ cₜ (vₜ₊₁ − Vₜ₊₁), gathered to be rₜ + dₜ vₜ₊₁ unrounded at ρ = c = 1.
        following = c[t] * targets[t + 1] + (rho[t] - c[t]) * values[t + 1]
        targets[t] = (1 - rho[t]) * value[t] + rho[t] * reward[t] + discount[t] * following
    return targets[:-1], rho * (reward + discount * targets[1:] - value)


def _misfit(**tensors: Tensor) -> ValueError:
    """The error for shapes that broadcasting would turn into plausible nonsense."""
    shapes = ", ".join(f"{name} {list(x.shape)}" for name, x in tensors.items())
    return ValueError(f"shapes do not fit: {shapes}")
