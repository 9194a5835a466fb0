"""Combinations of settings that cannot be run, each refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from a3c.plan import load_settings, merge
from a3c.problems import InvalidInput
from a3c.settings import resolve

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


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
        ("cartpole", {"kind": "conv2013"}, "mlp"),
        ("cartpole", {"kind": "table"}, "mlp"),
        ("paper", {"kind": "mlp", "hidden": [64]}, "conv2013"),
        ("cliff_world", {"kind": "mlp", "hidden": [64]}, "table"),
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
