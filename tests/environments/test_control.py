"""Gymnasium's classic control tasks behind our protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

from a3c import seeding
from a3c.environments import make
from a3c.environments.games import CONTROL_GAMES
from a3c.environments.step import Spec
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]
Play = Callable[..., list[Any]]
RandomActions = Callable[..., Iterator[Any]]


@pytest.mark.parametrize("game", CONTROL_GAMES)
def test_every_step_is_that_of_gymnasium(game: str, settings_for: SettingsFor, random_actions: RandomActions) -> None:
    ours, oracle = make(settings_for(game, seed=2), 5), gymnasium.make(game)
    observation, _ = oracle.reset(seed=seeding.integer(2, "environment", 5))
    np.testing.assert_array_equal(ours.reset(), observation)
    ends = 0
    for action in random_actions(ours.spec, 1200, seed=0):
        step = ours.step(action)
        observation, reward, terminated, truncated, _ = oracle.step(action)
        np.testing.assert_array_equal(step.observation, observation)
        assert (step.score, step.discount, step.last) == (reward, float(not terminated), terminated or truncated)
        assert step.observation.dtype == np.float32
        if step.last:
            ends += 1
            np.testing.assert_array_equal(ours.reset(), oracle.reset()[0])
    assert ends >= 2


def test_the_spec_says_what_a_network_has_to_fit(settings_for: SettingsFor) -> None:
    assert make(settings_for("CartPole-v1")).spec == Spec((4,), "float32", 2)
    assert make(settings_for("Acrobot-v1")).spec == Spec((6,), "float32", 3)
    assert make(settings_for("MountainCar-v0")).spec == Spec((2,), "float32", 3)
    assert make(settings_for("Pendulum-v1")).spec == Spec((3,), "float32", 1, continuous=True)


def test_rewards_are_scaled_to_learn_from_and_scores_are_not(settings_for: SettingsFor) -> None:
    environment = make(settings_for("CartPole-v1", reward_scale=0.25))
    environment.reset()
    step = environment.step(0)
    assert (step.reward, step.score) == (0.25, 1.0)


def test_a_fallen_pole_ends_the_return(settings_for: SettingsFor) -> None:
    environment = make(settings_for("CartPole-v1"))
    environment.reset()
    steps = [environment.step(0)]
    while not steps[-1].last:
        steps.append(environment.step(0))
    assert {(step.discount, step.last) for step in steps[:-1]} == {(1.0, False)}
    assert steps[-1].discount == 0.0


def test_the_time_limit_ends_the_episode_and_keeps_the_discount(settings_for: SettingsFor) -> None:
    environment = make(settings_for("CartPole-v1"))
    for _ in range(2):
        observation = environment.reset()
        for elapsed in range(1, 501):
            # Pushing towards where the pole falls keeps it up.
            step = environment.step(int(observation[2] + observation[3] > 0))
            observation = step.observation
            assert (step.discount, step.last) == (1.0, elapsed == 500)


@pytest.mark.parametrize("game", CONTROL_GAMES)
@pytest.mark.parametrize("steps", [0, 30, 333])
def test_a_restored_task_goes_on_exactly(game: str, steps: int, settings_for: SettingsFor, play: Play) -> None:
    here, there = make(settings_for(game), 0), make(settings_for(game), 1)
    here.reset()
    there.reset()
    play(here, steps, seed=1)
    play(there, 57, seed=2)
    there.restore(here.save())
    assert play(here, 700, seed=3) == play(there, 700, seed=3)


def test_a_task_restored_after_a_fall_still_pays_for_its_next_fall(settings_for: SettingsFor) -> None:
    """CartPole counts what happens after a fall, and pays nothing then."""
    environment = make(settings_for("CartPole-v1"))
    environment.reset()
    state = environment.save()

    def falls() -> float:
        step = environment.step(0)
        while not step.last:
            step = environment.step(0)
        return step.score

    assert falls() == 1.0
    environment.restore(state)
    assert falls() == 1.0


def test_a_task_that_was_saved_before_its_first_reset_is_seeded_by_it(settings_for: SettingsFor) -> None:
    here, there = make(settings_for("MountainCar-v0"), 0), make(settings_for("MountainCar-v0"), 1)
    there.restore(here.save())
    np.testing.assert_array_equal(here.reset(), there.reset())


@pytest.mark.parametrize("game", CONTROL_GAMES)
def test_a_saved_task_holds_arrays_and_what_json_can_write(
    game: str, settings_for: SettingsFor, random_actions: RandomActions
) -> None:
    environment = make(settings_for(game))
    environment.reset()
    environment.step(next(random_actions(environment.spec, 1, seed=0)))
    state = environment.save()
    assert state.pop("state").dtype in (np.float64, np.float32)
    assert json.loads(json.dumps(state)) == state


def test_actions_are_clipped_to_the_bounds_of_the_task(settings_for: SettingsFor) -> None:
    strong, strongest = (make(settings_for("Pendulum-v1")) for _ in range(2))
    np.testing.assert_array_equal(strong.reset(), strongest.reset())
    for torque in (-2.0, 2.0):
        beyond = strong.step(np.array([50 * torque], dtype=np.float32))
        np.testing.assert_array_equal(beyond.observation, strongest.step(np.array([torque], np.float32)).observation)


def test_a_pendulum_swings_two_hundred_steps_and_never_ends(settings_for: SettingsFor) -> None:
    environment = make(settings_for("Pendulum-v1"))
    for _ in range(2):
        environment.reset()
        steps = [environment.step(np.zeros(1, np.float32)) for _ in range(200)]
        assert [step.last for step in steps] == [False] * 199 + [True]
        assert {step.discount for step in steps} == {1.0}


def test_workers_start_differently_and_worker_zero_alike_whatever_their_number(settings_for: SettingsFor) -> None:
    alone = make(settings_for("CartPole-v1", workers=1), 0).reset()
    among_many = [make(settings_for("CartPole-v1", workers=16), worker).reset() for worker in range(16)]
    np.testing.assert_array_equal(alone, among_many[0])
    assert len({tuple(observation) for observation in among_many}) == 16
    evaluation = make(settings_for("CartPole-v1"), 0, use="evaluation").reset()
    assert not np.array_equal(alone, evaluation)
