"""Distributions over actions, read off a network's output columns: softmax if discrete, Gaussian if continuous."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_VARIANCE = 1e-6  # softplus rounds to 0 far below 0, where a density would be infinite


class Policy(Protocol):
    """What the policy columns of a network's output say."""

    @property
    def columns(self) -> int:
        """How many of them there are, C."""

    def judge(self, output: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Log π(a|o) in nats and the entropy H(π(·|o)) in nats, float32 [...] each, of output [..., C] and actions."""

    def divergence(self, then: Tensor, now: Tensor) -> Tensor:
        """KL(π_then ‖ π_now) for each observation, nats: float64 [...] of two outputs float [..., C]."""


class Categorical(NamedTuple):
    """π(a|o) = softmax over one column an action."""

    actions: int

    @property
    def columns(self) -> int:
        """One an action."""
        return self.actions

    def judge(self, output: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Log π of the actions int64 [...], and H = −Σₐ π log π."""
        log_policy = output.log_softmax(-1)
        chosen = log_policy.gather(-1, action.unsqueeze(-1)).squeeze(-1)
        return chosen, -(log_policy.exp() * log_policy).sum(-1)

    def divergence(self, then: Tensor, now: Tensor) -> Tensor:
        """Σₐ π_then (log π_then − log π_now)."""
        before, after = (logits.detach().double().log_softmax(-1) for logits in (then, now))
        return (before.exp() * (before - after)).sum(-1)


class Gaussian(NamedTuple):
    """N(μ, σ²I): D columns of means and one whose softplus is the one variance (Mnih et al., 2016, supplement 9)."""

    dimensions: int

    @property
    def columns(self) -> int:
        """The means and the variance."""
        return self.dimensions + 1

    def moments(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """μ, float [..., D], and σ², float [...]."""
        return output[..., :-1], F.softplus(output[..., -1]) + LEAST_VARIANCE

    def judge(self, output: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Log N(a; μ, σ²I) of the actions float32 [..., D], and the differential entropy D/2 (log 2πσ² + 1)."""
        mean, variance = self.moments(output)
        log_volume = self.dimensions * (math.log(2 * math.pi) + variance.log())
        log_density = -0.5 * ((action - mean).square().sum(-1) / variance + log_volume)
        return log_density, 0.5 * (log_volume + self.dimensions)

    def divergence(self, then: Tensor, now: Tensor) -> Tensor:
        """½ (D σ²_then/σ²_now + ‖μ_then − μ_now‖²/σ²_now − D + D log(σ²_now/σ²_then))."""
        (mean, variance), (mean_now, variance_now) = (self.moments(x.detach().double()) for x in (then, now))
        moved = (mean - mean_now).square().sum(-1) / variance_now
        ratio = variance / variance_now
        return 0.5 * (moved + self.dimensions * (ratio - 1 - torch.log(ratio)))
