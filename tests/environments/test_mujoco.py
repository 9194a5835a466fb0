"""Gymnasium's MuJoCo tasks behind our protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from a3c import seeding
from a3c.environments import make
from a3c.environments.games import MUJOCO_GAMES
from a3c.environments.step import Spec
from a3c.problems import InvalidInput
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]
Play = Callable[..., list[Any]]
RandomActions = Callable[..., Iterator[Any]]


@pytest.mark.parametrize("game", ["InvertedPendulum-v5", "Hopper-v5", "Reacher-v5"])
def test_every_step_is_that_of_gymnasium(game: str, settings_for: SettingsFor, random_actions: RandomActions) -> None:
    ours, oracle = make(settings_for(game, seed=2), 5), gymnasium.make(game)
    bounds: Any = oracle.action_space
    observation, _ = oracle.reset(seed=seeding.integer(2, "environment", 5))
    np.testing.assert_array_equal(ours.reset(), observation.astype(np.float32))
    ends = 0
    for action in random_actions(ours.spec, 120, seed=0):
        step = ours.step(action)
        observation, reward, terminated, truncated, _ = oracle.step(np.clip(action, bounds.low, bounds.high))
        np.testing.assert_array_equal(step.observation, observation.astype(np.float32))
        assert (step.score, step.discount, step.last) == (reward, float(not terminated), terminated or truncated)
        if step.last:
            ends += 1
            np.testing.assert_array_equal(ours.reset(), oracle.reset()[0].astype(np.float32))
    assert ends >= 2


def test_making_a_task_warns_of_nothing(settings_for: SettingsFor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(settings_for("HalfCheetah-v5"))


def test_the_spec_says_what_a_network_has_to_fit(settings_for: SettingsFor) -> None:
    assert make(settings_for("InvertedPendulum-v5")).spec == Spec((4,), "float32", 1, continuous=True)
    assert make(settings_for("HalfCheetah-v5")).spec == Spec((17,), "float32", 6, continuous=True)


def test_the_time_limit_is_that_of_the_registry_and_keeps_the_discount(settings_for: SettingsFor) -> None:
    environment = make(settings_for("Reacher-v5"))
    environment.reset()
    steps = [environment.step(np.zeros(2, np.float32)) for _ in range(50)]
    assert [step.last for step in steps] == [False] * 49 + [True]
    assert {step.discount for step in steps} == {1.0}


# Ant and Humanoid measure their speed from what the step before left behind, which is no part of the physics; the
# contacts of Walker2d are solved from where the solver stopped the last time.
@pytest.mark.parametrize("game", ["InvertedPendulum-v5", "Ant-v5", "Humanoid-v5", "Walker2d-v5"])
def test_a_restored_task_goes_on_exactly(game: str, settings_for: SettingsFor, play: Play) -> None:
    assert_goes_on_elsewhere(settings_for(game), play, steps=130)


@pytest.mark.slow
@pytest.mark.parametrize("game", MUJOCO_GAMES)
def test_each_task_goes_on_exactly_from_wherever_it_was_saved(game: str, settings_for: SettingsFor, play: Play) -> None:
    for steps in (0, 1, 130):
        assert_goes_on_elsewhere(settings_for(game), play, steps)


def assert_goes_on_elsewhere(settings: Settings, play: Play, steps: int) -> None:
    """Saves after `steps`, restores into another task in the midst of another episode, and plays 200 steps in both."""
    here, there = make(settings, 0), make(settings, 1)
    here.reset()
    there.reset()
    play(here, steps, seed=1)
    play(there, 31, seed=2)
    state = here.save()
    there.restore(state)
    after = play(here, 200, seed=3)
    assert play(there, 200, seed=3) == after
    there.restore(state)
    assert play(there, 200, seed=3) == after


def test_a_saved_task_holds_arrays_and_what_json_can_write(settings_for: SettingsFor) -> None:
    environment = make(settings_for("Hopper-v5"))
    environment.reset()
    state = environment.save()
    assert {state.pop(name).dtype for name in ("physics", "xpos", "xipos")} == {np.dtype(np.float64)}
    assert json.loads(json.dumps(state)) == state


def test_a_simulation_that_becomes_unstable_is_a_warning_and_leaves_no_file(
    settings_for: SettingsFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment: Any = make(settings_for("Hopper-v5"))
    environment.reset()
    environment._task.data.qvel[:] = 1e12
    with pytest.warns(RuntimeWarning, match="The simulation is unstable"):
        environment.step(np.zeros(3, np.float32))
    assert list(tmp_path.iterdir()) == []


DRAW = """
import sys
from a3c.environments import make
from a3c.problems import InvalidInput
from a3c.settings import Settings

environment = make(Settings.from_json(sys.argv[1]))
environment.reset()
try:
    picture = environment.render()
except InvalidInput as error:
    print(error)
else:
    print(picture.shape, picture.dtype, picture.std() > 10)
environment.close()
"""


def test_a_task_is_drawn_without_a_display_or_says_what_drawing_needs(settings_for: SettingsFor) -> None:
    """In a process of its own, since OpenGL is chosen once a process."""
    without = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MUJOCO_GL")}
    command = [sys.executable, "-c", DRAW, settings_for("InvertedPendulum-v5").to_json()]
    found = subprocess.run(command, env=without, capture_output=True, text=True, check=True).stdout
    assert found == "(480, 480, 3) uint8 True\n" or "install EGL" in found


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one way to draw")
@pytest.mark.parametrize(("display", "chosen"), [(None, "egl"), (":0", None)])
def test_without_a_display_egl_draws_unless_another_is_named(
    display: str | None, chosen: str | None, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Any = make(settings_for("InvertedPendulum-v5"))
    monkeypatch.setattr(environment._task, "render", lambda: np.zeros((480, 480, 3), dtype=np.uint8))
    for name, value in (("DISPLAY", display), ("MUJOCO_GL", None)):
        monkeypatch.setenv(name, value or "")
        if value is None:
            monkeypatch.delenv(name)
    environment.render()
    assert os.environ.get("MUJOCO_GL") == chosen
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    environment.render()
    assert os.environ["MUJOCO_GL"] == "osmesa"


def test_a_task_that_cannot_be_drawn_says_why_and_what_helps(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Any = make(settings_for("InvertedPendulum-v5"))
    environment.reset()

    def render() -> None:
        raise RuntimeError("no OpenGL\n   context")

    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    monkeypatch.setattr(environment._task, "render", render)
    with pytest.raises(InvalidInput) as caught:
        environment.render()
    (problem,) = caught.value.problems
    assert problem.what.startswith("InvertedPendulum-v5 cannot be drawn, since OpenGL fails with MUJOCO_GL=osmesa")
    assert "no OpenGL context; install EGL (libegl1" in problem.what
