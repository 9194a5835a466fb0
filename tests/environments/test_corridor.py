"""One way through, and none that needs no knowledge of the place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from a3c.environments.corridor import ACTIONS, DISTANCE, Corridor, right_action, right_number
from a3c.environments.step import Spec, Step
from a3c.settings import CorridorSettings


def corridor(**changes: object) -> Corridor:
    plain = {"kind": "corridor", "length": 4, "observed": "index", "continuous": False}
    return Corridor(CorridorSettings.model_validate(plain | changes))


def walk(game: Corridor, actions: Iterable[Any]) -> list[Step]:
    """The steps of one episode, up to its end or the last action."""
    game.reset()
    steps: list[Step] = []
    for action in actions:
        if not steps or not steps[-1].last:
            steps.append(game.step(action))
    return steps


def test_one_way_in_all_leads_to_the_end() -> None:
    game = corridor(length=4)
    scores = [sum(step.score for step in walk(game, way)) for way in itertools.product(range(ACTIONS), repeat=4)]
    assert sorted(scores) == [0.0] * (ACTIONS**4 - 1) + [1.0]


def test_a_wrong_action_ends_the_episode_with_nothing() -> None:
    first, second = walk(corridor(), [right_action(0), (right_action(1) + 1) % ACTIONS])
    assert (first.score, first.discount, first.last) == (0.0, 1.0, False)
    assert (second.score, second.discount, second.last) == (0.0, 0.0, True)


def test_the_end_pays_one() -> None:
    *before, end = walk(corridor(), map(right_action, range(4)))
    assert [(step.score, step.discount, step.last) for step in before] == [(0.0, 1.0, False)] * 3
    assert (end.score, end.reward, end.discount, end.last) == (1.0, 1.0, 0.0, True)
    assert end.observation == 4


@pytest.mark.parametrize("length", range(2, 21))
def test_no_action_over_and_over_and_no_counting_modulo_leads_through(length: int) -> None:
    way = [right_action(place) for place in range(length)]
    for period in range(1, length):
        if period == 1 or period < length / 2:
            assert way != (way[:period] * length)[:length], period


def test_all_actions_are_right_somewhere_about_as_often() -> None:
    often = np.bincount([right_action(place) for place in range(1000)], minlength=ACTIONS)
    assert often.min() > 200
    assert often.max() < 300


def test_a_number_has_to_be_near_the_right_one_and_is_near_no_other() -> None:
    game = corridor(length=1, continuous=True)
    near, far = DISTANCE - 0.01, DISTANCE + 0.01
    for off, score in ((0.0, 1.0), (near, 1.0), (-near, 1.0), (far, 0.0), (-far, 0.0)):
        (step,) = walk(game, [np.array([right_number(0) + off], dtype=np.float32)])
        assert (step.score, step.last) == (score, True)
    numbers = sorted({right_number(place) for place in range(50)})
    assert np.diff(numbers).tolist() == [2 * DISTANCE] * (ACTIONS - 1)


@pytest.mark.parametrize(
    ("observed", "spec"),
    [
        ("index", Spec((), "int64", ACTIONS, states=5)),
        ("vector", Spec((5,), "float32", ACTIONS)),
        ("nothing", Spec((1,), "float32", ACTIONS)),
    ],
)
def test_observations_are_as_announced(observed: str, spec: Spec) -> None:
    game = corridor(observed=observed)
    assert game.spec == spec
    seen = [game.reset(), *(step.observation for step in walk(game, map(right_action, range(4))))]
    assert {(o.shape, str(o.dtype)) for o in seen} == {(spec.observation_shape, spec.observation_dtype)}
    expected = {"index": np.arange(5), "vector": np.eye(5), "nothing": np.ones([5, 1])}[observed]
    assert np.array_equal(np.stack(seen), expected)


def test_a_continuous_corridor_takes_one_number() -> None:
    assert corridor(observed="vector", continuous=True).spec == Spec((5,), "float32", 1, continuous=True)


@pytest.mark.parametrize(("length", "lines"), [(4, 1), (19, 1), (20, 2), (1000, 51)])
def test_the_drawing_is_folded_into_lines_and_shows_the_place(length: int, lines: int) -> None:
    game = corridor(length=length)
    game.reset()
    before = game.render()
    game.step(right_action(0))
    after = game.render()
    assert before.dtype == np.uint8
    assert before.shape[0] * min(length + 1, 20) == before.shape[1] * lines
    assert (before != after).any()


def test_a_restored_corridor_goes_on_exactly() -> None:
    here, there = corridor(), corridor()
    walk(here, map(right_action, range(2)))
    there.reset()
    there.restore(here.save())
    rest = [right_action(2), right_action(3)]
    assert [here.step(action) for action in rest] == [there.step(action) for action in rest]
    assert here.save() == there.save()
