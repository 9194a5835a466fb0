"""How far the present parameters have moved from those that a worker acted with, in policy and in gradient.

Staleness counts updates; this is what they did. All is computed in float64, so that rounding stays far below any drift
that float32 parameters can show.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from a3c.learning.losses import of_actions


class PolicyShift(NamedTuple):
    """What became of a policy on the observations of a rollout.

    Attributes:
      kl: mean over the observations of KL(π_then ‖ π_now), nats, at least 0.
      ratio_max: the largest π_now(aₜ|oₜ) / π_then(aₜ|oₜ) of the actions taken.
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


def policy_shift(logits_then: Tensor, logits_now: Tensor, action: Tensor) -> PolicyShift:
    """The drift of a policy: its divergence in the mean, and the actions taken whose probability changed most.

        KL = mean over t of Σₐ π_then(a|oₜ) (log π_then(a|oₜ) − log π_now(a|oₜ))

    Equal logits give exactly (0, 1, 1). The sum may round to some −1e-16 where it vanishes, and is then 0. If a logit
    is not a number, neither is the result.

    Args:
      logits_then: float32 [N, A], unnormalized, of the policy that acted.
      logits_now: float32 [N, A], of the present one, for the same observations.
      action: int64 [N], the actions taken; at least one.

    Raises:
      ValueError: if the shapes do not fit.
    """
    if logits_then.shape != logits_now.shape or logits_then.shape[:-1] != action.shape:
        shapes = [list(x.shape) for x in (logits_then, logits_now, action)]
        raise ValueError(f"logits_then, logits_now and action do not fit: {shapes}")
    then, now = (logits.detach().double().log_softmax(-1) for logits in (logits_then, logits_now))
    divergence = (then.exp() * (then - now)).sum(-1).mean().clamp(min=0.0)
    ratio = of_actions(now - then, action).exp()
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
