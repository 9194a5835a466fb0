"""Settings to make environments from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from a3c.environments.games import kind_of
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
    "cliff_world": {"step_limit_steps": 200, "reward_scale": 1.0},
    "custom": {"reward_scale": 1.0, "options": {}},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "atari": {"kind": "conv2013"},
    "control": {"kind": "mlp", "hidden": [64]},
    "cliff_world": {"kind": "table"},
    "custom": {"kind": "mlp", "hidden": [64]},
}


def settings(game: str, seed: int = 0, workers: int = 1, **environment: Any) -> Settings:
    kind = str(kind_of(game))
    return resolve(
        {
            "game": game,
            "seed": seed,
            "workers": workers,
            "schedule": "locked",
            "executor": "processes",
            "order": None,
            "pull_interval_rollouts": 1,
            "envs_per_worker": 1,
            "budget_frames": 1000,
            "environment": {"kind": kind} | ENVIRONMENTS[kind] | environment,
            "network": NETWORKS[kind],
            "learning": {
                "rollout_steps": 5,
                "gamma": 0.99,
                "entropy_weight": 0.01,
                "value_weight": 0.5,
                "gradient_norm_limit": None,
            },
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
