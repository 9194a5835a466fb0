"""What both peers from Stable-Baselines3 share: environments side by side in one process, our network, the clocks."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
from games import Game, GymnasiumGame
from recording import Recording
from shape import body
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor, nn

from a3c import seeding
from a3c.environments import make
from a3c.learning.optimizers import annealed
from a3c.settings import Settings


class Features(BaseFeaturesExtractor):
    """Our layers as a features extractor; output layers follow at once."""

    def __init__(self, observation_space: gymnasium.Space[Any], settings: Settings) -> None:
        layers = body(settings, make(settings, 0, 0).spec)
        super().__init__(observation_space, layers.width)
        self.layers = layers

    def forward(self, observation: Tensor) -> Tensor:
        """Features float32 [N, width]."""
        features: Tensor = self.layers(observation)
        return features


def environments(recording: Recording) -> DummyVecEnv:
    """As many as a batched learner of ours steps, on the same random streams."""

    def one(index: int) -> gymnasium.Env[Any, Any]:
        return GymnasiumGame(Game(recording, 0, index))

    return DummyVecEnv([partial(one, index) for index in range(recording.settings.envs_per_turn)])


def shared(settings: Settings) -> dict[str, Any]:
    """Arguments that both algorithms take."""
    rate, frames = settings.optimizer, settings.annealing_frames

    def learning_rate(remaining: float) -> float:
        return annealed(rate.learning_rate, rate.annealing, (1.0 - remaining) * settings.budget_frames, frames)

    return {
        "learning_rate": learning_rate,
        "gamma": settings.learning.gamma,
        "seed": seeding.integer(settings.seed, "policy", 0),
        "device": "cpu",
    }


def network_arguments(settings: Settings) -> dict[str, Any]:
    """Arguments of the policy: our layers, and nothing but output layers above them."""
    return {
        "net_arch": [],
        "features_extractor_class": Features,
        "features_extractor_kwargs": {"settings": settings},
        "normalize_images": False,  # our layers divide by 255 themselves
    }


def learn(model: BaseAlgorithm, optimizer: Any, network: nn.Module, recording: Recording) -> None:
    """Trains until the budget is used up."""
    settings = recording.settings
    optimizer.register_step_post_hook(recording.updated)
    recording.begin(network)
    model.learn(-(-settings.budget_frames // settings.action_repeat), callback=_Keeping(recording))


class _Keeping(BaseCallback):
    """Keeps parameters for evaluation between an update and the next rollout."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    def _on_rollout_start(self) -> None:
        self._recording.keep_if_due()

    def _on_step(self) -> bool:
        return True
