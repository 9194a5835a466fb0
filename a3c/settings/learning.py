"""What a rollout teaches, by which rule it is applied, and what is done against staleness."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from a3c.settings.numbers import AboveZero, Decay, NonNegative, Unit
from a3c.validation import Frozen


class LearningSettings(Frozen):
    """The objective of one rollout (Mnih et al., 2016, Algorithm S3 and section 4)."""

    rollout_steps: Annotated[int, Field(ge=1, le=65535)]
    gamma: Unit
    entropy_weight: NonNegative
    value_weight: NonNegative
    gradient_norm_limit: AboveZero | None


class _Rate(Frozen):
    learning_rate: AboveZero
    annealing: Literal["linear", "constant"]


class SharedRMSProp(_Rate):
    """RMSProp with shared statistics and epsilon inside the root (Mnih et al., 2016, equations S2 and S3)."""

    kind: Literal["shared_rmsprop"]
    decay: Decay
    epsilon: AboveZero


class RMSProp(_Rate):
    """The same rule with statistics of each worker's own (Mnih et al., 2016, section 4)."""

    kind: Literal["rmsprop"]
    decay: Decay
    epsilon: AboveZero


class MomentumSGD(_Rate):
    """Gradient descent with a momentum of each worker's own (Mnih et al., 2016, section 4)."""

    kind: Literal["momentum_sgd"]
    momentum: Decay


class SharedAdam(_Rate):
    """Adam (Kingma and Ba, 2015) with everything shared: both moments, and the version as its step counter."""

    kind: Literal["shared_adam"]
    decay_mean: Decay
    decay_square: Decay
    epsilon: AboveZero


class NoCorrection(Frozen):
    """A gradient is applied as it is, however stale (Mnih et al., 2016)."""

    kind: Literal["none"]


class ScaledRate(Frozen):
    """The learning rate divided by the staleness (Zhang et al., 2015, arXiv:1511.05950)."""

    kind: Literal["scaled_rate"]


class DelayCompensation(Frozen):
    """The gradient carried to the present parameters (Zheng et al., 2017, arXiv:1609.08326); `strength` is their λ."""

    kind: Literal["delay_compensation"]
    strength: NonNegative


class VTrace(Frozen):
    """The gradient taken anew with the present parameters and truncated ratios (Espeholt et al., 2018)."""

    kind: Literal["vtrace"]
    rho_limit: AboveZero
    c_limit: AboveZero


Optimizer = Annotated[SharedRMSProp | RMSProp | MomentumSGD | SharedAdam, Field(discriminator="kind")]
Correction = Annotated[NoCorrection | ScaledRate | DelayCompensation | VTrace, Field(discriminator="kind")]
