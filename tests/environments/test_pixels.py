"""Gymnasium's Pendulum and CarRacing seen as pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import gymnasium
import numpy as np
import pytest

from a3c import seeding
from a3c.environments import make
from a3c.environments.games import PIXEL_GAMES
from a3c.environments.step import Environment, Spec
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]
Play = Callable[..., list[Any]]
RandomActions = Callable[..., Iterator[Any]]


def gymnasiums(game: str, seed: int) -> Any:
    oracle = gymnasium.make(PIXEL_GAMES[game], render_mode="rgb_array", disable_env_checker=True)
    oracle.reset(seed=seeding.integer(seed, "environment", 0))
    return oracle


def test_the_spec_says_what_a_network_has_to_fit(settings_for: SettingsFor) -> None:
    assert make(settings_for("PendulumPixels")).spec == Spec((3, 84, 84), "uint8", 1, continuous=True)
    color = settings_for("CarRacing", color=True, stacked_frames=2)
    assert make(color).spec == Spec((6, 84, 84), "uint8", 3, continuous=True)


@pytest.mark.parametrize("game", PIXEL_GAMES)
def test_every_score_is_the_sum_of_gymnasiums_rewards_over_the_action_repeat(
    game: str, settings_for: SettingsFor, random_actions: RandomActions
) -> None:
    environment = make(settings_for(game, action_repeat=3, reward_scale=0.5), 0)
    environment.reset()
    oracle = gymnasiums(game, seed=0)
    if game == "CarRacing":
        oracle.unwrapped._render = lambda mode: None  # its pictures take most of its time, and are not looked at
    bounds = oracle.action_space
    for action in random_actions(environment.spec, 30, seed=1):
        step = environment.step(action)
        clipped = np.clip(action, bounds.low, bounds.high)
        assert step.score == sum(float(oracle.step(clipped)[1]) for _ in range(3))
        assert step.reward == 0.5 * step.score


def test_the_choices_of_a_race_are_gymnasiums(settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for("CarRacing", action_repeat=1, continuous=False), 0)
    assert environment.spec.actions == 5
    assert not environment.spec.continuous
    environment.reset()
    oracle: Any = gymnasium.make("CarRacing-v3", continuous=False).unwrapped
    oracle._render = lambda mode: None
    oracle.reset(seed=seeding.integer(0, "environment", 0))
    for action in [3] * 40 + [1] * 9 + [2] * 9 + [0] * 5 + [4] * 9:
        assert environment.step(action).score == pytest.approx(oracle.step(action)[1], abs=1e-5)
        ours, theirs = environment._scene._task.car.hull, oracle.car.hull
        np.testing.assert_allclose([*ours.position, ours.angle], [*theirs.position, theirs.angle], rtol=1e-5)


def test_the_choices_of_a_pendulum_are_torques(settings_for: SettingsFor) -> None:
    chosen, free = (make(settings_for("PendulumPixels", continuous=continuous), 0) for continuous in (False, True))
    chosen.reset(), free.reset()
    for choice, torque in ((0, -2.0), (1, 0.0), (2, 2.0)):
        assert chosen.step(choice).score == free.step(np.array([torque], np.float32)).score


def test_a_pendulum_looks_as_gymnasium_draws_it_but_for_the_arrow(settings_for: SettingsFor) -> None:
    environment, oracle = make(settings_for("PendulumPixels", action_repeat=1), 0), gymnasiums("PendulumPixels", seed=0)
    environment.reset()
    for _ in range(8):
        torque = np.array([2.0], dtype=np.float32)
        ours = environment.step(torque).observation[-1]
        oracle.step(torque)
        oracle.unwrapped.last_u = None
        theirs = cv2.cvtColor(oracle.render(), cv2.COLOR_RGB2GRAY)
        theirs = cv2.resize(theirs, (84, 84), interpolation=cv2.INTER_AREA)
        assert_alike(ours[..., None], theirs[..., None], most_levels=0.5)


def test_a_race_looks_as_gymnasium_draws_it_but_for_the_numbers_below(settings_for: SettingsFor) -> None:
    environment = make(settings_for("CarRacing", action_repeat=1, stacked_frames=1, color=True), 0)
    oracle = gymnasiums("CarRacing", seed=0)
    environment.reset()
    drawn, unseen = oracle.unwrapped._render, lambda mode: None
    for frame in range(61):
        looked_at = frame in (5, 40, 60)
        oracle.unwrapped._render = drawn if looked_at else unseen
        action = np.array([0.3 * np.sin(frame / 9), 0.4, 0.0], dtype=np.float32)
        ours, theirs = environment.step(action).observation, oracle.step(action)[0]
        if looked_at:
            above = slice(0, 72)  # the numbers take the lowest eighth
            theirs = cv2.resize(theirs, (84, 84), interpolation=cv2.INTER_AREA)
            assert_alike(ours.transpose(1, 2, 0)[above], theirs[above], most_levels=4.0)
            if frame > 5:  # in the first second the view comes down from high above, where a car is not to be seen
                assert np.abs(middle_of_red(ours.transpose(1, 2, 0)) - middle_of_red(theirs)).max() < 1.0


def middle_of_red(picture: np.ndarray) -> np.ndarray:
    """Row and column of the car on grass or road, in pixels, from where it should be on."""
    red, green, _ = np.moveaxis(picture[54:72, 33:51].astype(float), -1, 0)
    return np.argwhere(red > green + 25).mean(0)


def assert_alike(ours: np.ndarray, theirs: np.ndarray, most_levels: float) -> None:
    """Only edges differ, and by less than a pixel, so that means of 0 to 255 differ by little; and there are edges."""
    difference = np.abs(ours.astype(float) - theirs)
    assert difference.mean() < most_levels
    assert (difference.max(-1) > 60).mean() < 0.02
    assert theirs.std() > 8


def test_the_stack_holds_the_newest_picture_last_and_opens_with_copies_of_the_first(settings_for: SettingsFor) -> None:
    for color, channels in ((False, 1), (True, 3)):
        environment = make(settings_for("PendulumPixels", color=color))
        before = environment.reset()
        np.testing.assert_array_equal(before, np.tile(before[:channels], (3, 1, 1)))
        for _ in range(5):
            after = environment.step(np.ones(1, np.float32)).observation
            np.testing.assert_array_equal(after[:-channels], before[channels:])
            assert (after[-channels:] != before[-channels:]).any()
            before = after


@pytest.mark.parametrize(
    ("game", "least", "most"), [("PendulumPixels", [-2], [2]), ("CarRacing", [-1, 0, 0], [1, 1, 1])]
)
def test_actions_are_clipped_to_the_bounds_of_the_task(
    game: str, least: list[float], most: list[float], settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Any = make(settings_for(game, action_repeat=1))
    environment.reset()
    taken: list[list[float]] = []
    monkeypatch.setattr(environment._scene, "step", lambda action: (float(taken.append(action.tolist()) or 0), False))
    for strength in (-9.0, 9.0):
        environment.step(np.full(len(least), strength, dtype=np.float32))
    assert taken == [least, most]


def test_an_observation_is_never_written_again(settings_for: SettingsFor) -> None:
    environment = make(settings_for("PendulumPixels"))
    kept = [environment.reset()]
    copies = [kept[0].copy()]
    for _ in range(10):
        kept.append(environment.step(np.ones(1, np.float32)).observation)
        copies.append(kept[-1].copy())
    environment.reset()
    np.testing.assert_array_equal(kept, copies)


@pytest.mark.parametrize(("action_repeat", "steps"), [(4, 50), (7, 29)])
def test_the_time_limit_counts_frames_and_keeps_the_discount(
    action_repeat: int, steps: int, settings_for: SettingsFor
) -> None:
    """A pendulum swings for 200 frames; the last of 29 steps has 4 of its 7."""
    environment = make(settings_for("PendulumPixels", action_repeat=action_repeat))
    for _ in range(2):
        environment.reset()
        seen = [environment.step(np.zeros(1, np.float32)) for _ in range(steps)]
        assert [(step.discount, step.last) for step in seen] == [(1.0, False)] * (steps - 1) + [(1.0, True)]


def test_a_race_takes_a_thousand_frames_unless_the_car_leaves_the_field(settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for("CarRacing", action_repeat=16))
    environment.reset()
    standing = [environment.step(np.zeros(3, np.float32)) for _ in range(63)]
    assert [(step.discount, step.last) for step in standing] == [(1.0, False)] * 62 + [(1.0, True)]
    # The car starts on a tile or two; every frame costs 0.1.
    assert [round(step.score, 6) for step in standing[1:]] == [-1.6] * 61 + [-0.8]
    environment.reset()
    environment._scene._task.car.hull.position = (340.0, 0.0)  # the field ends at 333
    step = environment.step(np.zeros(3, np.float32))
    assert (step.discount, step.last) == (0.0, True)
    assert step.score == -100.0  # of one frame: nothing is repeated past the end


@pytest.mark.parametrize("game", PIXEL_GAMES)
@pytest.mark.parametrize("steps", [0, 70])
def test_a_restored_task_goes_on_exactly(game: str, steps: int, settings_for: SettingsFor, play: Play) -> None:
    here, there = make(settings_for(game), 0), make(settings_for(game), 1)
    here.reset()
    there.reset()
    play(here, 9, seed=0)
    here.reset()
    play(here, steps, seed=1)
    play(there, 23, seed=2)
    state = here.save()
    there.restore(state)
    after = play(here, 60, seed=3)
    assert play(there, 60, seed=3) == after
    there.restore(state)
    assert play(there, 60, seed=3) == after


@pytest.mark.slow
def test_a_restored_race_goes_on_exactly_over_the_ends_of_episodes(settings_for: SettingsFor, play: Play) -> None:
    here, there = make(settings_for("CarRacing"), 0), make(settings_for("CarRacing"), 1)
    here.reset()
    for part in range(4):
        play(here, 170, seed=part)
        there.restore(here.save())
        assert play(there, 300, seed=99) == play(here, 300, seed=99)


@pytest.mark.parametrize("game", PIXEL_GAMES)
def test_a_task_that_was_saved_before_its_first_reset_goes_on_with_the_same_episodes(
    game: str, settings_for: SettingsFor
) -> None:
    here, there = make(settings_for(game), 0), make(settings_for(game), 1)
    there.reset()
    there.restore(here.save())
    for _ in range(2):
        np.testing.assert_array_equal(here.reset(), there.reset())


@pytest.mark.parametrize("game", PIXEL_GAMES)
def test_a_saved_task_holds_arrays_and_what_json_can_write(game: str, settings_for: SettingsFor) -> None:
    environment = make(settings_for(game))
    environment.reset()
    environment.step(np.zeros(environment.spec.actions, np.float32))
    state = environment.save()
    assert state.pop("stack").dtype == np.uint8
    arrays = [name for name, value in state["scene"].items() if isinstance(value, np.ndarray)]
    assert len(arrays) == 1
    del state["scene"][arrays[0]]
    assert json.loads(json.dumps(state)) == state


def test_every_race_is_on_another_track_and_leaves_nothing_of_the_last(settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for("CarRacing"))
    first, world = environment.reset(), environment._scene._task.world
    assert (environment.reset() != first).any()
    task = environment._scene._task
    assert task.world is not world
    assert task.world.bodyCount == len(task.road) + 5  # a hull and four wheels
    assert world.bodyCount == 0


@pytest.mark.parametrize(("game", "shape"), [("PendulumPixels", (500, 500, 3)), ("CarRacing", (400, 500, 3))])
def test_people_see_what_the_agent_sees_but_larger(
    game: str, shape: tuple[int, int, int], settings_for: SettingsFor
) -> None:
    environment: Environment = make(settings_for(game))
    environment.reset()
    for _ in range(15):
        observation = environment.step(np.ones(environment.spec.actions, np.float32)).observation
    picture = environment.render()
    assert (picture.shape, picture.dtype) == (shape, np.uint8)
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (84, 84), interpolation=cv2.INTER_AREA)
    assert_alike(observation[-1][..., None], small[..., None], most_levels=4.0)
