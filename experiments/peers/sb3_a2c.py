"""A2C of Stable-Baselines3 on one of our environments: `python experiments/peers/sb3_a2c.py --help`."""

from __future__ import annotations

import sys
from typing import cast

import torch
from recording import Recording
from running import main
from sb3 import environments, learn, network_arguments, shared
from stable_baselines3 import A2C
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from a3c.settings import ActorCriticSettings, Settings, SharedRMSProp

ADAPTED = (
    "environments side by side in one process and one thread (DummyVecEnv), as in our batched A2C",
    "the network's layers are ours, output layers its own",
    "its RMSProp has epsilon outside the root, and its loss is a mean over steps where ours is a sum: it is given the "
    "root of our epsilon and our gradient's norm limit, both divided by the rollout's steps, so that they bind as ours",
    "a lost life ends an episode for the learner and the game goes on",
)


class Output(nn.Module):
    """Logits and value of a policy, float32 [B, K]."""

    def __init__(self, policy: ActorCriticPolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observation: Tensor) -> Tensor:
        """The columns that our evaluation acts by."""
        features = cast(Tensor, self.policy.extract_features(observation))
        return torch.cat([self.policy.action_net(features), self.policy.value_net(features)], -1)


def train(settings: Settings, recording: Recording) -> None:
    """Trains with the settings' rollout, discount, rates, weights and limit, and A2C's defaults for the rest."""
    algorithm, optimizer, learning = settings.algorithm, settings.optimizer, settings.learning
    assert isinstance(algorithm, ActorCriticSettings)
    assert isinstance(optimizer, SharedRMSProp)
    assert learning.rollout_steps is not None
    steps, limit = learning.rollout_steps, learning.gradient_norm_limit
    model = A2C(
        ActorCriticPolicy,
        environments(recording),
        n_steps=steps,
        gae_lambda=algorithm.gae_lambda,
        ent_coef=algorithm.entropy_weight,
        vf_coef=algorithm.value_weight,
        max_grad_norm=float("inf") if limit is None else limit / steps,
        policy_kwargs={
            **network_arguments(settings),
            "ortho_init": getattr(settings.network, "initialization", None) == "orthogonal",
            "optimizer_class": torch.optim.RMSprop,  # as A2C itself; its arguments leave out the decay
            "optimizer_kwargs": {"alpha": optimizer.decay, "eps": optimizer.epsilon**0.5 / steps},
        },
        **shared(settings),
    )
    learn(model, model.policy.optimizer, Output(model.policy), recording)


if __name__ == "__main__":
    sys.exit(main("sb3_a2c", train, ADAPTED))
