"""From settings to what learns and what acts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from a3c import seeding
from a3c.asynchrony import own_parts
from a3c.asynchrony.behaviors import Behavior, EpsilonGreedy, GaussianNoise, Softmax
from a3c.environments.step import Spec
from a3c.learning import networks
from a3c.learning.action_values import ActionValues
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.drift import PolicyShift
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import Diagnostics
from a3c.learning.mirrored import MirroredNetwork
from a3c.learning.networks import Architecture, Network
from a3c.learning.policies import Categorical, Gaussian
from a3c.learning.rollouts import Rollout
from a3c.problems import InvalidInput, Problem
from a3c.settings import ActionValueSettings, CustomLoss, CustomNetwork, Settings


class Learner(Protocol):
    """What an algorithm makes of a rollout; see `ActorCritic` and `ActionValues`."""

    @property
    def outputs(self) -> int:
        """Columns of the network's output, K."""

    @property
    def one_step(self) -> bool:
        """Whether every step is bootstrapped, so that a rollout needs `following_value`."""

    @property
    def values_next_action(self) -> bool:
        """Whether a bootstrap needs the action that is taken next."""

    def bootstrap(self, output: Tensor, action: Tensor | None = None) -> Tensor:
        """The value of observations, float32 [...], of output [..., K] and, if needed, actions int64 [...]."""

    def gradient(self, network: FlatNetwork, rollout: Rollout) -> tuple[Tensor, Diagnostics]:
        """Of one rollout, summed over its steps and averaged over its environments: float32 [P], and its numbers."""

    def valued_anew(self, network: FlatNetwork, rollout: Rollout) -> Rollout:
        """The rollout as it would be bootstrapped with these parameters."""

    def shift(self, then: Tensor, now: Tensor, action: Tensor) -> PolicyShift | None:
        """What became of the policy between two outputs [N, K]; None where nothing sensible can be said."""


def make_learner(settings: Settings, spec: Spec) -> Learner:
    """The algorithm that the settings name, for actions like these.

    Raises:
      InvalidInput: if it cannot choose such actions, which of a custom environment is known here and not before; or
        if a loss of the user's own is none.
    """
    chosen = settings.algorithm
    if isinstance(chosen, ActionValueSettings):
        if spec.continuous:
            what = f"got {chosen.kind!r}, but the actions of {settings.game} are continuous; allowed: actor_critic"
            raise InvalidInput([Problem("algorithm.kind", what)])
        return ActionValues(spec.actions, chosen.kind)
    policy = Gaussian(spec.actions) if spec.continuous else Categorical(spec.actions)
    if isinstance(chosen, CustomLoss):
        return own_parts.own_loss(chosen, policy)
    return ActorCritic(policy, chosen.value_weight, chosen.entropy_weight, chosen.gae_lambda)


def make_behavior(settings: Settings, spec: Spec, worker: int) -> Behavior:
    """How a worker acts while it trains; each of its environments draws a final epsilon of its own."""
    chosen = settings.algorithm
    if not isinstance(chosen, ActionValueSettings):
        return GaussianNoise() if spec.continuous else Softmax()
    exploration = chosen.exploration
    stream = seeding.generator(settings.seed, "exploration", worker)
    final = stream.choice(exploration.final_epsilons, size=settings.envs_per_turn, p=exploration.probabilities)
    return EpsilonGreedy(final, exploration.annealing_frames)


def make_evaluation_behavior(settings: Settings, spec: Spec) -> Behavior:
    """How frozen parameters act if actions are sampled: as in training, but with one small epsilon for all."""
    chosen = settings.algorithm
    if not isinstance(chosen, ActionValueSettings):
        return make_behavior(settings, spec, 0)
    return EpsilonGreedy(np.array([chosen.exploration.evaluation_epsilon]), 0)


def make_network(settings: Settings, spec: Spec, device: str = "cpu") -> FlatNetwork:
    """The run's network with its initial parameters: the same in every process, since the seed is the run's.

    Args:
      settings: of the run.
      spec: of its games.
      device: that it computes on.
    """
    network = _module(settings, spec)
    return FlatNetwork(network) if device == "cpu" else MirroredNetwork(network, device)


def _module(settings: Settings, spec: Spec) -> Network:
    chosen, outputs = settings.network, make_learner(settings, spec).outputs
    seed = seeding.integer(settings.seed, "initialization")
    if isinstance(chosen, CustomNetwork):
        return own_parts.own_network(chosen, spec, outputs, seed)
    allowed = networks.OBSERVATION_DTYPES[chosen.kind]
    try:
        if spec.observation_dtype not in allowed:
            what = f"needs observations of dtype {', '.join(allowed)}, the environment gives {spec.observation_dtype}"
            raise networks.MisfitError(f"network {chosen.kind} {what}")
        return networks.build(
            Architecture(**chosen.model_dump()),  # defaults stand for what a kind of network does not have
            observation_shape=spec.observation_shape,
            outputs=outputs,
            states=spec.states,
            seed=seed,
        )
    except networks.MisfitError as error:
        raise InvalidInput([Problem("network.kind", f"{error} ({settings.game})")]) from None
