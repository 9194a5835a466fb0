"""What a rollout teaches, by which rule it is applied, and what is done against staleness."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from a3c.settings.named_functions import Options
from a3c.settings.numbers import AboveZero, Decay, NonNegative, Positive, Unit
from a3c.validation import Frozen


class LearningSettings(Frozen):
    """What every algorithm has: how long a rollout is, how the future counts, how large a gradient may be.

    Without `rollout_steps` (null) there is one update an episode, without bootstrapping (Mnih et al., 2016,
    supplement 9). Learning rates are annealed over `annealing_frames`, or over the budget (null): the beginning of a
    longer run is trained by giving the longer run's.
    """

    rollout_steps: Annotated[int, Field(ge=1, le=65535)] | None
    gamma: Unit
    gradient_norm_limit: AboveZero | None
    annealing_frames: Positive | None


class ActorCriticSettings(Frozen):
    """Advantage actor-critic: A3C, and A2C if synchronous (Mnih et al., 2016, Algorithm S3 and section 4).

    `gae_lambda` below 1 mixes in shorter returns (Schulman et al., 2016); 1 is the paper's n-step return.
    """

    kind: Literal["actor_critic"]
    value_weight: NonNegative
    entropy_weight: NonNegative
    gae_lambda: Unit


class CustomLoss(Frozen):
    """A policy and a state value with a user's own loss, `package.module:function`.

    It is called with log π(a|o), the entropy, the value and the rollout, and `options` as keyword arguments, and
    returns what is descended. docs/own_parts.md has an example.
    """

    kind: Literal["custom"]
    loss: str
    options: Options


class ExplorationSettings(Frozen):
    """Epsilon-greedy acting, annealed linearly from 1 over `annealing_frames` of the global counter.

    Each actor-learner draws its own final epsilon, `final_epsilons[i]` with probability `probabilities[i]`; evaluation
    with sampled actions uses `evaluation_epsilon`.
    """

    final_epsilons: Annotated[tuple[Unit, ...], Field(min_length=1, strict=False)]
    probabilities: Annotated[tuple[Unit, ...], Field(min_length=1, strict=False)]
    annealing_frames: Positive
    evaluation_epsilon: Unit


class ActionValueSettings(Frozen):
    """What all algorithms that learn action values have: a target network, and exploration."""

    target_interval_frames: Positive
    exploration: ExplorationSettings


class OneStepQ(ActionValueSettings):
    """Asynchronous one-step Q-learning (Mnih et al., 2016, Algorithm 1)."""

    kind: Literal["one_step_q"]


class OneStepSarsa(ActionValueSettings):
    """Asynchronous one-step Sarsa (Mnih et al., 2016, section 4)."""

    kind: Literal["one_step_sarsa"]


class NStepQ(ActionValueSettings):
    """Asynchronous n-step Q-learning (Mnih et al., 2016, Algorithm S2)."""

    kind: Literal["n_step_q"]


class _Rate(Frozen):
    """`linear` anneals to 0 at the budget, by the global frame counter; `linear_per_worker` by each worker's own."""

    learning_rate: AboveZero
    annealing: Literal["linear", "linear_per_worker", "constant"]


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


Algorithm = Annotated[ActorCriticSettings | OneStepQ | OneStepSarsa | NStepQ | CustomLoss, Field(discriminator="kind")]
Optimizer = Annotated[SharedRMSProp | RMSProp | MomentumSGD | SharedAdam, Field(discriminator="kind")]
Correction = Annotated[NoCorrection | ScaledRate | DelayCompensation | VTrace, Field(discriminator="kind")]
