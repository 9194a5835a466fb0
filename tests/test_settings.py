"""Settings: equal after a round trip, named by what they compute, and refused with everything that is wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from a3c import settings as module
from a3c.problems import InvalidInput
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings
from a3c.validation import Frozen

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
FILES = ("paper", "atari_laptop", "cartpole", "cliff_world")
MODELS = [m for m in vars(module).values() if isinstance(m, type) and issubclass(m, Frozen) and m is not Frozen]

# Another valid value for every setting of CartPole: a change of any of them is another run.
OTHERS: dict[str, Any] = {
    "repeat": 1, "workers": 5,
    "schedule": "locked", "executor": "batched",
    "device": "cuda", "envs_per_worker": 2, "budget_frames": 200_001,
    "environment.reward_scale": 0.2, "network.hidden": [64, 64], "network.activation": "relu", "network.lstm_cells": 32,
    "network.separate": True, "network.initialization": "orthogonal", "algorithm.entropy_weight": 0.02,
    "algorithm.value_weight": 0.25, "algorithm.gae_lambda": 0.95, "learning.rollout_steps": 21,
    "learning.gamma": 0.98, "learning.gradient_norm_limit": None, "learning.annealing_frames": 500_000_000,
    "optimizer.learning_rate": 1.0e-3, "optimizer.annealing": "constant", "optimizer.decay": 0.9,
    "optimizer.epsilon": 0.1, "evaluation.points": 11, "evaluation.episodes": 21, "evaluation.policy": "sampled",
    "records.intervals": 101, "records.sample_interval_turns": None, "pull_interval_rollouts": 2,
    "order": {"kind": "round_robin"}, "optimizer.kind": "rmsprop", "correction.kind": "scaled_rate",
}  # fmt: skip

CORRECTIONS: dict[str, dict[str, Any]] = {
    "delay compensation": {"kind": "delay_compensation", "strength": 1.0},
    "delay compensation, weaker": {"kind": "delay_compensation", "strength": 0.5},
    "v-trace": {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0},
    "v-trace, longer": {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 2.0},
}

EXPLORATION: dict[str, Any] = {"final_epsilons": [0.1, 0.5], "probabilities": [0.5, 0.5], "annealing_frames": 1_000,
                               "evaluation_epsilon": 0.05}  # fmt: skip
VALUING: dict[str, Any] = {"kind": "n_step_q", "target_interval_frames": 100, "exploration": EXPLORATION}
ALGORITHMS: dict[str, dict[str, Any]] = {
    "n-step Q": VALUING,
    "one-step Q": VALUING | {"kind": "one_step_q"},
    "Sarsa": VALUING | {"kind": "one_step_sarsa"},
    "another target": VALUING | {"target_interval_frames": 101},
    "other epsilons": VALUING | {"exploration": EXPLORATION | {"final_epsilons": [0.1, 0.4]}},
    "other probabilities": VALUING | {"exploration": EXPLORATION | {"probabilities": [0.25, 0.75]}},
    "longer exploration": VALUING | {"exploration": EXPLORATION | {"annealing_frames": 2_000}},
    "another evaluation": VALUING | {"exploration": EXPLORATION | {"evaluation_epsilon": 0.0}},
}


def plain(name: str = "cartpole", **changes: Any) -> dict[str, Any]:
    """A shipped settings file with values changed by key path, `learning__gamma=...` or `**{"learning.gamma": ...}`."""
    raw = copy.deepcopy(load_settings(name, EXPERIMENTS))
    for path, value in changes.items():
        *above, key = path.replace("__", ".").split(".")
        place = raw
        for part in above:
            place = place[part]
        place[key] = value
    return raw


def problems(raw: Any) -> dict[str, str]:
    """What is wrong, by key path."""
    with pytest.raises(InvalidInput) as caught:
        resolve(raw)
    return {problem.where: problem.what for problem in caught.value.problems}


def leaves(raw: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in raw.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def walk(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return {k: walk(v, change) for k, v in change(value).items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", FILES)
def test_settings_are_equal_after_a_round_trip_through_json(name: str) -> None:
    settings = resolve(plain(name))
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json(settings.to_json()).id == settings.id
    assert resolve(json.loads(settings.to_json())) == settings
    assert "\n" not in settings.to_json()


def test_settings_of_a_custom_environment_are_equal_after_a_round_trip() -> None:
    environment = {"kind": "custom", "reward_scale": 1, "options": {"size": 5, "deep": {"x": [1, 2.5, None, "é"]}}}
    settings = resolve(plain(game="my.games:make", environment=environment))
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("name", FILES)
def test_the_order_of_keys_changes_nothing(name: str) -> None:
    backwards = walk(plain(name), lambda mapping: dict(reversed(mapping.items())))
    assert list(backwards) != list(plain(name))
    assert resolve(backwards).id == resolve(plain(name)).id
    assert resolve(backwards).to_json() == resolve(plain(name)).to_json()


def test_the_order_of_a_custom_environments_options_changes_nothing() -> None:
    forth = {"kind": "custom", "reward_scale": 1.0, "options": {"a": 1, "b": {"c": 2, "d": 3}}}
    back = walk(forth, lambda mapping: dict(reversed(mapping.items())))
    ids = {resolve(plain(game="my.games:make", environment=environment)).id for environment in (forth, back)}
    assert len(ids) == 1


def test_an_integer_where_a_float_is_meant_is_the_same_run() -> None:
    assert resolve(plain(learning__gamma=1)).to_json() == resolve(plain(learning__gamma=1.0)).to_json()


def test_game_and_seed_are_not_in_the_id_since_they_have_folders_of_their_own() -> None:
    ids = {resolve(plain(seed=seed, game=game)).id for seed in (0, 7) for game in ("CartPole-v1", "Acrobot-v1")}
    assert len(ids) == 1


def test_every_other_setting_is_in_the_id() -> None:
    kinds = {"environment.kind", "network.kind", "algorithm.kind"}
    assert set(OTHERS) == set(leaves(plain())) - {"game", "seed"} - kinds
    lockstep = {"schedule": "synchronous"}
    with_it = {"executor": lockstep, "device": lockstep | {"executor": "batched"}, "order": {"schedule": "drawn"}}
    ids = {path: resolve(plain(**{path: value}, **with_it.get(path, {}))).id for path, value in OTHERS.items()}
    ids["executor, processes"] = resolve(plain(**lockstep)).id
    ids["order, another"] = resolve(plain(schedule="drawn", order={"kind": "constant_lag", "lag": 3})).id
    for kind, correction in CORRECTIONS.items():
        ids[kind] = resolve(plain(correction=correction)).id
    for kind, algorithm in ALGORITHMS.items():
        ids[kind] = resolve(plain(algorithm=algorithm)).id
    ids["annealing, by worker"] = resolve(plain(optimizer__annealing="linear_per_worker")).id
    ids["none"] = resolve(plain()).id
    assert len(set(ids.values())) == len(ids)


def test_the_id_begins_with_what_a_reader_looks_for() -> None:
    assert resolve(plain(workers=16)).id.startswith("hogwild-w16-")
    assert resolve(plain(schedule="synchronous", executor="batched")).id.startswith("synchronous-batched-w4-")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_setting_has_a_hidden_default(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.is_required()] == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_setting_is_an_error_that_names_it(name: str) -> None:
    for path in leaves(plain(name)):
        raw = plain(name)
        *above, key = path.split(".")
        place = raw
        for part in above:
            place = place[part]
        del place[key]
        named = path.removesuffix(".kind")  # without it nothing below can be told
        assert "missing" in problems(raw)[named]


def test_every_problem_is_said_at_once_with_its_place_value_and_what_is_allowed() -> None:
    found = problems(
        plain(workers=2000, schedule="asynchronous", learning__gamma=2.0, network__hidden=[64, "32"], optimizer__lr=0.1,
              optimizer__learning_rate="7e-4", evaluation__policy=None, records__intervals=0, colour="blue",
              game="CartPole")
    )  # fmt: skip
    expected = {
        "workers": ("2000", "1024"),
        "schedule": ("'asynchronous'", "'hogwild', 'locked', 'synchronous' or 'drawn'"),
        "learning.gamma": ("2.0", "less than or equal to 1"),
        "network.hidden[1]": ("'32'", "integer"),
        "optimizer.lr": ("'lr'", "learning_rate"),
        "optimizer.learning_rate": ("'7e-4'", "number"),
        "evaluation.policy": ("None", "'sampled' or 'greedy'"),
        "records.intervals": ("0", "greater than or equal to 1"),
        "colour": ("'colour'", "budget_frames"),
        "game": ("'CartPole'", "did you mean 'CartPole-v1'"),
    }
    assert set(expected) <= set(found)
    for path, words in expected.items():
        assert all(word in found[path] for word in words), found[path]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"x"', "{}"])
def test_json_that_is_no_settings_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Settings.from_json(text)


def test_settings_cannot_be_changed() -> None:
    settings = resolve(plain())
    with pytest.raises(ValidationError):
        settings.workers = 3
    with pytest.raises(ValidationError):
        settings.learning.gamma = 0.5


@pytest.mark.parametrize(
    ("changes", "processes", "envs"),
    [
        ({"workers": 4}, 4, 1),
        ({"workers": 4, "envs_per_worker": 3}, 4, 3),
        ({"workers": 4, "schedule": "synchronous"}, 4, 1),
        ({"workers": 4, "envs_per_worker": 3, "schedule": "synchronous", "executor": "batched"}, 1, 12),
    ],
)
def test_processes_share_out_the_environments(changes: dict[str, Any], processes: int, envs: int) -> None:
    settings = resolve(plain(**changes))
    assert (settings.processes, settings.envs_per_turn) == (processes, envs)


def test_a_decision_is_as_many_frames_as_the_environment_repeats_actions() -> None:
    assert resolve(plain("paper")).action_repeat == 4
    assert resolve(plain("cartpole")).action_repeat == 1
    assert resolve(plain("cliff_world")).action_repeat == 1
