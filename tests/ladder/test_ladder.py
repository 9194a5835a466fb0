"""Every algorithm under every schedule, from one step an episode to Atari: the lowest rung that breaks says what broke.

    bandit           acting, the gradient, applying it
    corridor         carrying a reward back over time
    classic control  values, frame limits
    Atari            pixels

Each rung has two halves: a few updates that have to run clean, and, up to the corridor, learning that has to end with
the right actions. CartPole is learned in `tests/asynchrony/test_learning.py`; Atari takes longer than tests may.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from a3c.asynchrony.agents import make_learner
from a3c.environments.step import Spec
from a3c.problems import InvalidInput
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge

VALUES = ("one_step_q", "one_step_sarsa", "n_step_q")
SCHEDULES = ("hogwild", "locked", "synchronous", "drawn")
# What differs from the rung's file: a table's numbers move one at a time and may move farther.
NETWORKS: dict[str, dict[str, Any]] = {
    "table": {"network": {"kind": "table"}, "optimizer": {"learning_rate": 0.02}},
    "feed-forward": {"network": {"lstm_cells": None}},
    "recurrent": {"network": {"lstm_cells": 16}, "optimizer": {"learning_rate": 0.01}},
}
SEEDS = range(200, 203)
CONTINUOUS = {"table": 0.02, "feed-forward": 5e-3, "recurrent": 5e-3}  # learning rates
EXPLORATION = {"final_epsilons": [0.1], "probabilities": [1.0], "evaluation_epsilon": 0.0}


@cache
def below(rung: str, experiments: Path) -> dict[str, Any]:
    return load_settings(rung, experiments)


class Combination(NamedTuple):
    algorithm: str
    schedule: str
    actions: str
    network: str

    def __str__(self) -> str:
        return " ".join(self)

    def raw(self, rung: str, experiments: Path, **changes: Any) -> dict[str, Any]:
        """The rung's settings file, changed to this combination; not yet validated."""
        raw = below(rung, experiments)
        environment: dict[str, Any] = {}
        if rung in ("bandit", "corridor"):
            observed = "index" if self.network == "table" else "vector"
            environment = {"observed": observed, "continuous": self.actions == "continuous"}
        layer: dict[str, Any] = {"schedule": self.schedule, "environment": environment}
        if self.schedule == "drawn":
            layer["order"] = {"kind": "constant_lag", "lag": 1}
        if self.algorithm in VALUES:
            exploration = EXPLORATION | {"annealing_frames": raw["budget_frames"] // 2}
            layer["algorithm"] = {"kind": self.algorithm, "target_interval_frames": 200, "exploration": exploration}
        elif self.actions == "continuous":
            # As in the paper's supplement 9: a normal distribution's entropy has no upper bound.
            layer |= {"algorithm": {"entropy_weight": 1e-4}, "optimizer": {"learning_rate": CONTINUOUS[self.network]}}
        return merge(raw, NETWORKS[self.network], layer, changes)


ALL = [Combination(*parts) for parts in itertools.product(
    ("actor_critic", *VALUES), SCHEDULES, ("discrete", "continuous"), NETWORKS
)]  # fmt: skip


def refusals(combination: Combination) -> dict[str, str]:
    """What has to be said against a combination, by key path."""
    found = {}
    if combination.algorithm in VALUES and combination.actions == "continuous":
        found["algorithm.kind"] = "continuous"
    if combination.algorithm in VALUES and combination.network == "recurrent":
        found["network.lstm_cells"] = "no LSTM"
    return found


LEGAL = [combination for combination in ALL if not refusals(combination)]

HERE = {"bandit": ("locked",), "corridor": ("hogwild", "locked", "synchronous")}  # what runs in the test's process
ABOVE = {"cartpole": "discrete", "pendulum": "continuous", "atari_laptop": "discrete"}
CASES_ABOVE = [
    (rung, combination)
    for rung, actions in ABOVE.items()
    for combination in LEGAL
    if combination.actions == actions and combination.schedule == "locked" and combination.network != "table"
]


@pytest.mark.parametrize("combination", [c for c in ALL if c not in LEGAL], ids=str)
def test_what_cannot_be_run_is_refused_with_the_reason(combination: Combination, experiments: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(combination.raw("corridor", experiments))
    found = {problem.where: problem.what for problem in caught.value.problems}
    expected = refusals(combination)
    assert found.keys() == expected.keys()
    assert all(reason in found[where] for where, reason in expected.items())


@pytest.mark.parametrize("algorithm", VALUES)
def test_values_of_continuous_actions_are_refused_wherever_they_come_from(algorithm: str, experiments: Path) -> None:
    with pytest.raises(InvalidInput, match=r"algorithm\.kind.*continuous"):
        resolve(Combination(algorithm, "locked", "continuous", "feed-forward").raw("pendulum", experiments))
    of_cartpole = resolve(Combination(algorithm, "locked", "discrete", "feed-forward").raw("cartpole", experiments))
    with pytest.raises(InvalidInput, match=r"algorithm\.kind.*continuous"):
        make_learner(of_cartpole, Spec((4,), "float32", 1, continuous=True))  # as a custom environment may have


@pytest.mark.parametrize(
    ("rung", "combination"),
    [(rung, c) for rung, schedules in HERE.items() for c in LEGAL if c.schedule in schedules],
    ids=str,
)
def test_a_few_updates_run_clean(
    combination: Combination, rung: str, experiments: Path, run_clean: Callable[[Settings], None]
) -> None:
    paying = {"environment": {"length": 1}} if rung == "corridor" else {}  # else nothing would be learned so soon
    run_clean(resolve(combination.raw(rung, experiments, workers=1, budget_frames=100, **paying)))


@pytest.mark.parametrize(
    ("rung", "combination"),
    [
        ("bandit", Combination("actor_critic", "drawn", "continuous", "recurrent")),
        ("corridor", Combination("n_step_q", "drawn", "discrete", "table")),
    ],
    ids=str,
)
def test_a_few_drawn_turns_run_clean(
    combination: Combination, rung: str, experiments: Path, final_score: Callable[[Settings], float]
) -> None:
    assert 0.0 <= final_score(resolve(combination.raw(rung, experiments, budget_frames=60))) <= 1.0


@pytest.mark.parametrize(("rung", "combination"), CASES_ABOVE, ids=str)
def test_a_few_updates_run_clean_on_the_rungs_above(
    combination: Combination, rung: str, experiments: Path, run_clean: Callable[[Settings], None]
) -> None:
    run_clean(resolve(combination.raw(rung, experiments, workers=1, budget_frames=80)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rung", "combination"),
    # With LSTM, real numbers through a corridor were learned on some seeds only, and are not asked for.
    [("bandit", c) for c in LEGAL]
    + [("corridor", c) for c in LEGAL if (c.actions, c.network) != ("continuous", "recurrent")],
    ids=str,
)
def test_the_right_actions_are_learned(
    combination: Combination, rung: str, experiments: Path, final_score: Callable[[Settings], float]
) -> None:
    """Within three seeds: a live run is another one each time, and not every one gets through a corridor."""
    solved = 0.9 if rung == "bandit" and combination.actions == "continuous" else 1.0
    assert any(final_score(resolve(combination.raw(rung, experiments, seed=seed))) >= solved for seed in SEEDS)
