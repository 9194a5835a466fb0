"""A reward of 1 a step for ever is worth 1 / (1 - γ), through the whole loop of the workers.

Tables, so that the values to come to are exact; two workers in turn, each gradient one update old.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from a3c.settings import Settings

Make = Callable[..., Settings]
Execute = Callable[..., SimpleNamespace]

ACTOR_CRITIC = {"kind": "actor_critic", "value_weight": 0.5, "entropy_weight": 0.01, "gae_lambda": 1.0}
METHODS = ("one_step_q", "one_step_sarsa", "n_step_q")


@pytest.fixture
def learned(scripted_settings: Make, execute: Execute) -> Callable[..., torch.Tensor]:
    """`learned(game options, algorithm, gamma, ...)`: a table's rows after training, float32 [states, outputs]."""

    def train(
        options: dict[str, Any],
        algorithm: dict[str, Any],
        gamma: float,
        rate: float,
        rollout_steps: int | None = 5,
        **changes: Any,
    ) -> torch.Tensor:
        settings = scripted_settings(
            options=options,
            algorithm=algorithm,
            schedule="drawn",
            order={"kind": "round_robin"},
            workers=2,
            learning={"rollout_steps": rollout_steps, "gamma": gamma},
            optimizer={"kind": "momentum_sgd", "learning_rate": rate, "annealing": "constant", "momentum": 0.0},
            records={"sample_interval_turns": None},
            **changes,
        )
        found = execute(settings)
        found.networks.online.vector.copy_(found.memory.parameters)
        rows: torch.Tensor = found.networks.online.tensors[0].detach()
        return rows

    return train


def finite(gamma: float, length: int) -> list[float]:
    """The value of each step of an episode of rewards of 1: (1 - γᵏ) / (1 - γ) with k steps to go."""
    return [(1 - gamma ** (length - step)) / (1 - gamma) for step in range(length)]


@pytest.mark.parametrize("envs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"states": 1}, [10.0]),
        ({"states": 3, "length": 7, "ending": "limit"}, [10.0] * 3),
        ({"states": 4, "length": 4, "ending": "over"}, finite(0.9, 4)),
        ({"states": 4, "length": 4, "ending": "life"}, finite(0.9, 4)),
    ],
    ids=["endless", "frame limits", "game over", "life lost"],
)
def test_the_critic_comes_to_the_value_of_the_rewards_to_come(
    learned: Callable[..., torch.Tensor], options: dict[str, Any], values: list[float], envs: int
) -> None:
    """A frame limit in between does not lower it, for it bootstraps; a game over and a lost life do."""
    rows = learned(options, ACTOR_CRITIC, gamma=0.9, rate=0.2, envs_per_worker=envs, budget_frames=600 * envs)
    assert rows[:, -1].tolist() == pytest.approx(values, rel=1e-3)


@pytest.mark.parametrize("gae_lambda", [pytest.param(0.0, marks=pytest.mark.slow), 0.5])
def test_shorter_returns_come_to_the_same_value(learned: Callable[..., torch.Tensor], gae_lambda: float) -> None:
    algorithm = ACTOR_CRITIC | {"gae_lambda": gae_lambda}
    rows = learned({"states": 3, "length": 7, "ending": "limit"}, algorithm, gamma=0.5, rate=0.2, budget_frames=600)
    assert rows[:, -1].tolist() == pytest.approx([2.0] * 3, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        pytest.param({"states": 3, "length": 7, "ending": "limit"}, [2.0] * 3, id="frame limits"),
        pytest.param({"states": 3, "length": 3}, finite(0.5, 3), id="game over", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_action_values_come_to_it_through_their_target_network(
    learned: Callable[..., torch.Tensor],
    valuing: Callable[..., dict[str, Any]],
    method: str,
    options: dict[str, Any],
    values: list[float],
) -> None:
    """Both actions do the same, and half of those taken are drawn by chance."""
    rows = learned(options, valuing(method, 40), gamma=0.5, rate=0.2, budget_frames=900)
    assert rows.tolist() == [pytest.approx([value] * 2, rel=1e-2) for value in values]


@pytest.mark.parametrize("ending", ["over", "limit"])
def test_without_bootstrapping_an_episode_is_worth_what_was_paid_in_it(
    learned: Callable[..., torch.Tensor], ending: str
) -> None:
    """One update an episode: even a frame limit is then an end, and values are the finite sums."""
    options = {"states": 4, "length": 4, "ending": ending}
    rows = learned(options, ACTOR_CRITIC, 0.9, 0.2, rollout_steps=None, budget_frames=500)
    assert rows[:, -1].tolist() == pytest.approx(finite(0.9, 4), rel=1e-3)
