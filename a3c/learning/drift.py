"""How far the present parameters have moved from those that a worker acted with, in policy and in gradient.

Staleness counts updates; this is what they did. All is computed in float64, so that rounding stays far below any drift
that float32 parameters can show.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from a3c.learning.policies import Policy


class PolicyShift(NamedTuple):
    """What became of a policy on the observations of a rollout.

    Attributes:
      kl: mean over the observations of KL(π_then ‖ π_now), nats, at least 0.
      ratio_max: the largest π_now(aₜ|oₜ) / π_then(aₜ|oₜ) of the actions taken; of densities, if continuous.
      ratio_min: the smallest one.
    """

    kl: float
    ratio_max: float
    ratio_min: float


class GradientShift(NamedTuple):
    """A stale gradient beside the fresh one of the same rollout.

    Attributes:
      cosine: of the angle between them, from −1 to 1; NaN if one of them is all zeros and has no direction.
      norm_ratio: ‖stale‖ / ‖fresh‖; NaN if the fresh one is all zeros.
    """

    cosine: float
    norm_ratio: float


def policy_shift(policy: Policy, then: Tensor, now: Tensor, action: Tensor) -> PolicyShift:
    """The drift of a policy: its divergence in the mean, and the actions taken whose probability changed most.

    Equal outputs give exactly (0, 1, 1). The divergence may round to some −1e-16 where it vanishes, and is then 0. If
    an output is not a number, neither is the result.

    Args:
      policy: how to read the outputs.
      then: float32 [N, C], the policy's columns by the parameters that acted.
      now: float32 [N, C], by the present ones, for the same observations.
      action: the N actions taken; at least one.

    Raises:
      ValueError: if the shapes do not fit.
    """
    if then.shape != now.shape or len(then) != len(action):
        shapes = [list(x.shape) for x in (then, now, action)]
        raise ValueError(f"then, now and action do not fit: {shapes}")
    divergence = policy.divergence(then, now).mean().clamp(min=0.0)
    log_then, log_now = (policy.judge(x.detach().double(), action)[0] for x in (then, now))
    ratio = (log_now - log_then).exp()
    return PolicyShift(float(divergence), float(ratio.max()), float(ratio.min()))


def gradient_shift(stale: Tensor, fresh: Tensor) -> GradientShift:
    """Direction and length of a gradient taken with older parameters, against the one for the present ones.

        cos = ⟨stale, fresh⟩ / (‖stale‖ ‖fresh‖)

    Args:
      stale: float32 [P], taken with the parameters that were pulled.
      fresh: float32 [P], taken with the present ones, from the same rollout.

    Raises:
      ValueError: if the shapes differ.
    """
    if stale.shape != fresh.shape:
        raise ValueError(f"gradients of different shapes: stale {list(stale.shape)}, fresh {list(fresh.shape)}")
    s, f = stale.detach().double(), fresh.detach().double()
    product, stale_square, fresh_square = (float(x.dot(y)) for x, y in ((s, f), (s, s), (f, f)))
    # One root of the product of squares: of equal gradients it is the square itself, and the cosine 1 to the last bit.
    lengths = math.sqrt(stale_square * fresh_square)
    cosine = max(min(product / lengths, 1.0), -1.0) if lengths > 0.0 else math.nan
    norm_ratio = math.sqrt(stale_square / fresh_square) if fresh_square > 0.0 else math.nan
    return GradientShift(cosine, norm_ratio)
