"""One step, one pay."""

from __future__ import annotations

import numpy as np
import pytest

from a3c.environments.bandit import BEST_NUMBER, Bandit
from a3c.environments.step import Spec, Step
from a3c.settings import BanditSettings


def bandit(**changes: object) -> Bandit:
    plain = {"kind": "bandit", "arms": 5, "observed": "vector", "continuous": False}
    return Bandit(BanditSettings.model_validate(plain | changes))


def pulled(game: Bandit, action: object) -> Step:
    game.reset()
    return game.step(action)


@pytest.mark.parametrize("arms", [2, 3, 5, 1000])
def test_one_arm_pays_and_it_is_not_the_first(arms: int) -> None:
    scores = [pulled(bandit(arms=arms), arm).score for arm in range(arms)]
    assert sum(scores) == 1.0
    assert scores[0] == 0.0


def test_a_number_pays_the_more_the_nearer_it_is() -> None:
    game = bandit(continuous=True)
    distances = [0.0, 0.25, -0.25, 0.9, 1.0, -7.0]
    scores = [pulled(game, np.array([BEST_NUMBER + d], dtype=np.float32)).score for d in distances]
    assert scores == pytest.approx([1.0, 0.75, 0.75, 0.1, 0.0, 0.0])


def test_every_action_ends_the_episode_for_good() -> None:
    for arm in range(5):
        step = pulled(bandit(), arm)
        assert (step.discount, step.last) == (0.0, True)
        assert step.reward == step.score


@pytest.mark.parametrize(
    ("observed", "continuous", "spec"),
    [
        ("index", False, Spec((), "int64", 5, states=1)),
        ("vector", False, Spec((1,), "float32", 5)),
        ("index", True, Spec((), "int64", 1, states=1, continuous=True)),
        ("vector", True, Spec((1,), "float32", 1, continuous=True)),
    ],
)
def test_observations_are_as_announced(observed: str, continuous: bool, spec: Spec) -> None:
    game = bandit(observed=observed, continuous=continuous)
    assert game.spec == spec
    for observation in (game.reset(), game.step(np.zeros(1, dtype=np.float32) if continuous else 0).observation):
        assert (observation.shape, str(observation.dtype)) == (spec.observation_shape, spec.observation_dtype)
        assert observation == (0 if observed == "index" else 1)


@pytest.mark.parametrize("continuous", [False, True])
def test_the_drawing_shows_what_was_taken(continuous: bool) -> None:
    game = bandit(continuous=continuous)
    game.reset()
    before = game.render()
    game.step(np.array([9.0]) if continuous else 4)
    after = game.render()
    assert before.shape == after.shape
    assert before.dtype == after.dtype == np.uint8
    changed = np.argwhere((before != after).any(-1))
    assert len(changed)
    assert changed[:, 1].min() > 0.75 * before.shape[1], "the last one of the row"


def test_a_restored_bandit_goes_on_exactly() -> None:
    here, there = bandit(), bandit()
    pulled(here, 3)
    there.restore(here.save())
    assert np.array_equal(here.render(), there.render())
    assert here.step(1) == there.step(1)
