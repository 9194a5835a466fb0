"""Gymnasium's classic control tasks behind our protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from a3c import seeding
from a3c.environments import make
from a3c.environments.games import CONTROL_GAMES
from a3c.environments.step import Environment, Spec
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]


def play(environment: Environment, steps: int, seed: int) -> list[Any]:
    """Everything that a random player sees in so many steps, resets included."""
    seen: list[Any] = []
    for action in np.random.default_rng(seed).integers(environment.spec.actions, size=steps):
        step = environment.step(int(action))
        seen.append((step.observation.tolist(), *step[1:]))
        if step.last:
            seen.append(environment.reset().tolist())
    return seen


@pytest.mark.parametrize("game", CONTROL_GAMES)
def test_every_step_is_that_of_gymnasium(game: str, settings_for: SettingsFor) -> None:
    ours, oracle = make(settings_for(game, seed=2), 5), gymnasium.make(game)
    observation, _ = oracle.reset(seed=seeding.integer(2, "environment", 5))
    np.testing.assert_array_equal(ours.reset(), observation)
    ends = 0
    for action in np.random.default_rng(0).integers(ours.spec.actions, size=1200):
        step = ours.step(int(action))
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
def test_a_restored_task_goes_on_exactly(game: str, steps: int, settings_for: SettingsFor) -> None:
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


def test_a_saved_task_holds_arrays_and_what_json_can_write(settings_for: SettingsFor) -> None:
    environment = make(settings_for("MountainCar-v0"))
    environment.reset()
    environment.step(0)
    state = environment.save()
    assert state.pop("state").dtype == np.float64
    assert json.loads(json.dumps(state)) == state


def test_workers_start_differently_and_worker_zero_alike_whatever_their_number(settings_for: SettingsFor) -> None:
    alone = make(settings_for("CartPole-v1", workers=1), 0).reset()
    among_many = [make(settings_for("CartPole-v1", workers=16), worker).reset() for worker in range(16)]
    np.testing.assert_array_equal(alone, among_many[0])
    assert len({tuple(observation) for observation in among_many}) == 16
    evaluation = make(settings_for("CartPole-v1"), 0, use="evaluation").reset()
    assert not np.array_equal(alone, evaluation)
