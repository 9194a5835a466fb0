"""Settings to make environments from, and random players of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from a3c.environments.games import kind_of
from a3c.environments.step import Environment, Spec
from a3c.settings import Settings, resolve

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "atari": {
        "protocol": "paper",
        "action_repeat": 4,
        "stacked_frames": 4,
        "frame_limit_frames": 108_000,
        "clip_rewards": True,
    },
    "control": {"reward_scale": 1.0},
    "pixels": {"action_repeat": 4, "stacked_frames": 3, "color": False, "continuous": True, "reward_scale": 1.0},
    "minatar": {
        "sticky_action_probability": 0.1,
        "difficulty_ramping": True,
        "minimal_actions": True,
        "frame_limit_frames": 10_000,
        "reward_scale": 1.0,
    },
    "cliff_world": {"step_limit_steps": 200, "reward_scale": 1.0},
    "custom": {"reward_scale": 1.0, "options": {}},
}
LAYERS: dict[str, Any] = {"lstm_cells": None, "separate": False, "initialization": "torch"}
MLP: dict[str, Any] = {"kind": "mlp", "hidden": [64], "activation": "tanh", **LAYERS}
NETWORKS: dict[str, dict[str, Any]] = {
    "atari": {"kind": "conv2013", **LAYERS},
    "control": MLP,
    "pixels": {"kind": "conv2013", **LAYERS},
    "minatar": {"kind": "conv_minatar", **LAYERS},
    "cliff_world": {"kind": "table"},
    "custom": MLP,
}


def settings(game: str, seed: int = 0, workers: int = 1, **environment: Any) -> Settings:
    kind = str(kind_of(game))
    return resolve(
        {
            "game": game,
            "seed": seed,
            "repeat": 0,
            "workers": workers,
            "schedule": "locked",
            "executor": "processes",
            "device": "cpu",
            "order": None,
            "pull_interval_rollouts": 1,
            "envs_per_worker": 1,
            "budget_frames": 1000,
            "environment": {"kind": kind} | ENVIRONMENTS[kind] | environment,
            "network": NETWORKS[kind],
            "algorithm": {"kind": "actor_critic", "value_weight": 0.5, "entropy_weight": 0.01, "gae_lambda": 1.0},
            "learning": {"rollout_steps": 5, "gamma": 0.99, "gradient_norm_limit": None, "annealing_frames": None},
            "optimizer": {
                "kind": "shared_rmsprop",
                "learning_rate": 7e-4,
                "annealing": "linear",
                "decay": 0.99,
                "epsilon": 0.1,
            },
            "correction": {"kind": "none"},
            "evaluation": {"points": 1, "episodes": 1, "policy": "sampled"},
            "records": {"intervals": 1, "sample_interval_turns": None},
        }
    )


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """`settings_for(game, seed=0, workers=1, **fields of the environment)`."""
    return settings


def draws(spec: Spec, steps: int, seed: int) -> Iterator[Any]:
    generator = np.random.default_rng(seed)
    for _ in range(steps):
        if spec.continuous:
            yield generator.uniform(-3.5, 3.5, size=spec.actions).astype(np.float32)
        else:
            yield int(generator.integers(spec.actions))


@pytest.fixture
def random_actions() -> Callable[..., Iterator[Any]]:
    """`random_actions(spec, steps, seed)`: drawn evenly, continuous ones from beyond the bounds of every task."""
    return draws


@pytest.fixture
def play() -> Callable[..., list[Any]]:
    """`play(environment, steps, seed)`: everything that a random player sees in so many steps, resets included."""

    def play(environment: Environment, steps: int, seed: int) -> list[Any]:
        seen: list[Any] = []
        for action in draws(environment.spec, steps, seed):
            step = environment.step(action)
            seen.append((step.observation.tobytes(), *step[1:]))
            if step.last:
                seen.append(environment.reset().tobytes())
        return seen

    return play
