"""Combinations of settings that cannot be run, each refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c import conflicts
from a3c.problems import InvalidInput
from a3c.records.schedule_file import MOST_STEPS, TURN
from a3c.settings import resolve
from a3c.settings_files import load_settings, merge

EXPERIMENTS = Path(__file__).parents[1] / "experiments"

LAYERS: dict[str, Any] = {"lstm_cells": None, "separate": False, "initialization": "torch"}
MLP: dict[str, Any] = {"kind": "mlp", "hidden": [64], "activation": "tanh", **LAYERS}
EXPLORATION: dict[str, Any] = {
    "final_epsilons": [0.1, 0.01, 0.5],
    "probabilities": [0.4, 0.3, 0.3],
    "annealing_frames": 4_000_000,
    "evaluation_epsilon": 0.05,
}
ACTION_VALUES = ("one_step_q", "one_step_sarsa", "n_step_q")


def valuing(kind: str = "n_step_q", **exploration: Any) -> dict[str, Any]:
    return {"kind": kind, "target_interval_frames": 40_000, "exploration": EXPLORATION | exploration}


def problems(name: str = "cartpole", **changes: Any) -> dict[str, str]:
    """What is wrong, by key path, with a shipped settings file after these changes."""
    with pytest.raises(InvalidInput) as caught:
        resolve(merge(load_settings(name, EXPERIMENTS), changes))
    return {problem.where: problem.what for problem in caught.value.problems}


@pytest.mark.parametrize("schedule", ["hogwild", "locked"])
def test_a_batched_learner_cannot_be_asynchronous(schedule: str) -> None:
    found = problems(schedule=schedule, executor="batched")
    assert list(found) == ["executor"]
    assert schedule in found["executor"]
    assert "synchronous" in found["executor"]


@pytest.mark.parametrize(
    ("name", "game", "needed"),
    [
        ("cartpole", "Pong", "atari"),
        ("cartpole", "CliffWorld", "cliff_world"),
        ("cartpole", "my.games:make", "custom"),
        ("paper", "CartPole-v1", "control"),
        ("cliff_world", "Breakout", "atari"),
    ],
)
def test_a_game_needs_its_kind_of_environment(name: str, game: str, needed: str) -> None:
    found = problems(name, game=game)
    assert list(found) == ["environment.kind"]
    assert needed in found["environment.kind"]


@pytest.mark.parametrize(
    ("name", "network", "allowed"),
    [
        ("cartpole", {"kind": "conv2013", **LAYERS}, "mlp"),
        ("cartpole", {"kind": "table"}, "mlp"),
        ("paper", MLP, "conv2013, conv2015"),
        ("cliff_world", MLP, "table"),
    ],
)
def test_a_network_has_to_fit_the_environment(name: str, network: dict[str, Any], allowed: str) -> None:
    found = problems(name, network=network)
    assert list(found) == ["network.kind"]
    assert found["network.kind"].endswith(allowed)


@pytest.mark.parametrize("kind", ["scaled_rate", "delay_compensation", "vtrace"])
def test_what_is_never_stale_needs_no_correction(kind: str) -> None:
    found = problems(schedule="synchronous", correction={"kind": kind})
    assert "never stale" in found["correction.kind"]
    assert kind in found["correction.kind"]


def test_a_drawn_schedule_needs_an_order_and_no_other_takes_one() -> None:
    assert "missing" in problems(schedule="drawn")["order"]
    for schedule in ("hogwild", "locked", "synchronous"):
        assert "allowed: null" in problems(schedule=schedule, order={"kind": "round_robin"})["order"]


def test_a_histogram_of_nothing_cannot_be_drawn_from() -> None:
    found = problems(schedule="drawn", order={"kind": "histogram", "counts": [0, 0]})
    assert list(found) == ["order.counts"]


def test_conflicts_are_said_together_with_wrong_values() -> None:
    found = problems(game="Pong", executor="batched", network={"kind": "table"}, workers=0)
    assert set(found) == {"environment.kind", "executor", "network.kind", "workers"}


@pytest.mark.parametrize(
    ("observed", "network", "fits"),
    [("index", MLP, "table"), ("vector", {"kind": "table"}, "mlp"), ("nothing", {"kind": "table"}, "mlp")],
)
def test_an_index_is_a_row_of_a_table_and_nothing_else_is(observed: str, network: dict[str, Any], fits: str) -> None:
    environment = {"kind": "corridor", "length": 5, "observed": observed, "continuous": False}
    found = problems(game="Corridor", environment=environment, network=network)
    assert list(found) == ["network.kind"]
    assert found["network.kind"].endswith(f"what is observed is {observed!r}: allowed: {fits}")


@pytest.mark.parametrize("kind", ACTION_VALUES)
def test_action_values_have_no_memory_no_policy_and_no_probabilities(kind: str) -> None:
    found = problems(
        algorithm=valuing(kind),
        network={"lstm_cells": 32, "separate": True},
        correction={"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0},
    )
    assert set(found) == {"network.lstm_cells", "network.separate", "correction.kind"}
    assert all(kind in what for what in found.values())
    assert found["network.lstm_cells"].endswith("allowed: null")
    assert found["network.separate"].endswith("allowed: false")
    assert found["correction.kind"].startswith("got 'vtrace'")
    scaled = merge(
        load_settings("cartpole", EXPERIMENTS), {"algorithm": valuing(kind), "correction": {"kind": "scaled_rate"}}
    )
    assert resolve(scaled).target_interval_frames == 40_000


@pytest.mark.parametrize("kind", ACTION_VALUES)
def test_continuous_actions_cannot_be_valued_one_after_the_other(kind: str) -> None:
    pendulum = problems(game="Pendulum-v1", algorithm=valuing(kind))
    bandit = problems(
        game="Bandit",
        environment={"kind": "bandit", "arms": 3, "observed": "vector", "continuous": True},
        algorithm=valuing(kind),
    )
    for found in (pendulum, bandit):
        assert list(found) == ["algorithm.kind"]
        assert f"got {kind!r}" in found["algorithm.kind"]
        assert found["algorithm.kind"].endswith("allowed: actor_critic")


@pytest.mark.parametrize(
    ("exploration", "words"),
    [
        ({"probabilities": [0.5, 0.5]}, "2 of them for 3 final epsilons"),
        ({"probabilities": [0.4, 0.3, 0.2]}, "add up to 0.9; needed: 1"),
        ({"final_epsilons": [0.1]}, "3 of them for 1 final epsilons"),
    ],
)
def test_each_final_epsilon_needs_its_probability_and_they_add_up_to_one(
    exploration: dict[str, Any], words: str
) -> None:
    found = problems(algorithm=valuing(**exploration))
    assert list(found) == ["algorithm.exploration.probabilities"]
    assert words in found["algorithm.exploration.probabilities"]


@pytest.mark.parametrize(
    "exploration", [{"probabilities": "all"}, {"final_epsilons": [None]}, {"probabilities": [2.0]}]
)
def test_exploration_of_a_wrong_type_is_left_to_its_own_message(exploration: dict[str, Any]) -> None:
    assert all(key.startswith("algorithm.exploration.") for key in problems(algorithm=valuing(**exploration)))


def test_a_synchronous_update_has_no_worker_whose_frames_could_anneal_its_rate() -> None:
    found = problems(schedule="synchronous", optimizer={"annealing": "linear_per_worker"})
    assert list(found) == ["optimizer.annealing"]
    assert found["optimizer.annealing"].endswith("allowed: linear, constant")


@pytest.mark.parametrize("changes", [{"envs_per_worker": 2}, {"schedule": "synchronous", "executor": "batched"}])
def test_whole_episodes_of_several_environments_do_not_end_together(changes: dict[str, Any]) -> None:
    found = problems(learning={"rollout_steps": None}, **changes)
    assert list(found) == ["learning.rollout_steps"]
    assert "one environment a worker" in found["learning.rollout_steps"]


def test_whole_episodes_of_atari_are_too_long() -> None:
    found = problems("paper", learning={"rollout_steps": None})
    assert list(found) == ["learning.rollout_steps"]
    assert "steps of Atari" in found["learning.rollout_steps"]


def test_a_maze_has_room_for_so_many_apples() -> None:
    environment = {"kind": "maze", "side_cells": 3, "apples": 8, "episode_seconds": 60, "action_repeat": 4,
                   "reward_scale": 1.0}  # fmt: skip
    found = problems("paper", game="Maze", environment=environment)
    assert list(found) == ["environment.apples"]
    assert "room for 7" in found["environment.apples"]


def test_what_is_not_refused_can_be_run() -> None:
    """The same combinations without what was wrong with them."""
    for changes in (
        {"algorithm": valuing("one_step_sarsa")},
        {"learning": {"rollout_steps": None}},
        {"network": {"lstm_cells": 32, "separate": True}},
        {"optimizer": {"annealing": "linear_per_worker"}},
        {"game": "Pendulum-v1", "network": {"initialization": "orthogonal"}},
    ):
        resolve(merge(load_settings("cartpole", EXPERIMENTS), changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"learning": {"rollout_steps": 1_000}, "envs_per_worker": 66},
        {"learning": {"rollout_steps": 64}, "schedule": "synchronous", "executor": "batched", "workers": 16,
         "envs_per_worker": 64},
    ],
)  # fmt: skip
def test_a_turn_has_no_more_steps_than_a_schedule_can_say(changes: dict[str, Any]) -> None:
    found = problems(**changes)
    assert list(found) == ["learning.rollout_steps"]
    assert "allowed: up to 65,535 steps a turn" in found["learning.rollout_steps"]
    changes["learning"]["rollout_steps"] -= 8
    resolve(merge(load_settings("cartpole", EXPERIMENTS), changes))
    assert conflicts.MOST_STEPS == MOST_STEPS == np.iinfo(TURN["steps"]).max


def test_returns_of_a_correction_are_not_mixed() -> None:
    vtrace = {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0}
    found = problems(correction=vtrace, algorithm={"gae_lambda": 0.95})
    assert list(found) == ["algorithm.gae_lambda"]
    resolve(merge(load_settings("cartpole", EXPERIMENTS), {"correction": vtrace, "algorithm": {"gae_lambda": 1.0}}))
