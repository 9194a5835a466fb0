"""Pictures for people, which training never asks for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from a3c.environments import make
from a3c.environments.games import CONTROL_GAMES
from a3c.problems import InvalidInput
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]


@pytest.mark.parametrize("game", CONTROL_GAMES)
def test_a_control_task_is_drawn_as_it_is_now(game: str, settings_for: SettingsFor) -> None:
    environment = make(settings_for(game), 0)
    environment.reset()
    before = environment.render()
    assert (before.dtype, before.ndim, before.shape[-1]) == (np.uint8, 3, 3)
    np.testing.assert_array_equal(environment.render(), before)
    for _ in range(8):
        environment.step(np.ones(1, np.float32) if environment.spec.continuous else 1)
    after = environment.render()
    assert (after != before).any()
    restored = make(settings_for(game), 1)
    restored.restore(environment.save())
    np.testing.assert_array_equal(restored.render(), after)


def test_nothing_is_loaded_to_draw_with_before_anything_is_drawn(settings_for: SettingsFor) -> None:
    program = (
        "import sys; from a3c.environments import make; from a3c.settings import Settings; "
        "environment = make(Settings.from_json(sys.argv[1])); environment.reset(); environment.step(1); "
        "print('pygame' in sys.modules)"
    )
    command = [sys.executable, "-c", program, settings_for("CartPole-v1").to_json()]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_drawing_without_pygame_says_what_to_install(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make(settings_for("CartPole-v1"))
    environment.reset()
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(InvalidInput, match=r"CartPole-v1 needs the module pygame: pip install 'a3c\[pixels\]'"):
        environment.render()


def test_an_atari_game_is_drawn_in_color_at_the_emulators_size(settings_for: SettingsFor) -> None:
    environment = make(settings_for("Breakout"))
    environment.reset()
    environment.step(0)
    picture = environment.render()
    assert (picture.shape, picture.dtype) == ((210, 160, 3), np.uint8)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5
    kept = picture.copy()
    for _ in range(5):
        environment.step(3)
    np.testing.assert_array_equal(picture, kept)
    assert (environment.render() != kept).any()


@pytest.mark.parametrize("game", ["CartPole-v1", "Pendulum-v1", "Walker2d-v5", "PendulumPixels", "CarRacing", "Pong"])
def test_every_action_or_number_in_one_has_a_name(game: str, settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for(game))
    names = environment.action_names
    assert len(set(names)) == len(names) == environment.spec.actions
    assert all(names)


def test_drawing_changes_nothing(settings_for: SettingsFor, play: Callable[..., list[Any]]) -> None:
    for game in ("Pong", "Pendulum-v1", "CarRacing", "CliffWorld"):
        drawn, undrawn = make(settings_for(game)), make(settings_for(game))
        drawn.reset()
        undrawn.reset()
        drawn.render()
        assert play(drawn, 20, seed=0) == play(undrawn, 20, seed=0)


def test_a_gymnasium_environment_draws_itself_if_it_was_made_to(settings_for: SettingsFor) -> None:
    options = {"id": "Pendulum-v1", "render_mode": "rgb_array"}
    environment = make(settings_for("gymnasium:make", options=options))
    environment.reset()
    assert environment.render().shape == (500, 500, 3)


@pytest.mark.parametrize("mode", [None, "human", "ansi"])
def test_a_gymnasium_environment_that_cannot_draw_itself_says_how_it_could(
    mode: str | None, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Any = make(settings_for("gymnasium:make", options={"id": "CliffWalking-v1"}))
    monkeypatch.setattr(gymnasium.Wrapper, "render_mode", mode)
    with pytest.raises(InvalidInput, match=f"render_mode {mode!r} and cannot be drawn; its factory has to pass"):
        environment.render()
