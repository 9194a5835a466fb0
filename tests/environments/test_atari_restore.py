"""A game that is saved and restored elsewhere goes on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from a3c.environments import make
from a3c.environments.atari import PROTOCOLS
from a3c.environments.games import atari_games
from a3c.environments.step import Environment
from a3c.settings import Settings


def play(environment: Environment, steps: int, seed: int) -> list[Any]:
    """Everything that a random player sees in so many steps, resets included."""
    seen: list[Any] = []
    for action in np.random.default_rng(seed).integers(environment.spec.actions, size=steps):
        step = environment.step(int(action))
        seen.append((step.observation.tobytes(), *step[1:]))
        if step.last:
            seen.append(environment.reset().tobytes())
    return seen


def assert_goes_on_elsewhere(settings: Settings, steps: int) -> None:
    """Saves after `steps`, restores into another environment in the midst of another game, and plays on in both."""
    here, there = make(settings, 0), make(settings, 1)
    here.reset()
    there.reset()
    play(here, steps, seed=1)
    play(there, 23, seed=2)
    there.restore(here.save())
    assert play(here, 100, seed=3) == play(there, 100, seed=3)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("game", "steps"), [("Breakout", 0), ("Breakout", 120), ("Pong", 60), ("Seaquest", 60)])
def test_a_restored_game_goes_on_exactly(
    game: str, steps: int, protocol: str, settings_for: Callable[..., Settings]
) -> None:
    assert_goes_on_elsewhere(settings_for(game, protocol=protocol), steps)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("game", atari_games())
def test_each_of_the_57_games_goes_on_exactly(game: str, protocol: str, settings_for: Callable[..., Settings]) -> None:
    assert_goes_on_elsewhere(settings_for(game, protocol=protocol), 90)


def test_the_action_that_is_being_held_goes_on_where_it_sticks(settings_for: Callable[..., Settings]) -> None:
    """The emulator's own state leaves it out: a quarter of the steps after a restored state would open with another."""
    settings = settings_for("Boxing", protocol="sticky")
    here, there = make(settings, 0), make(settings, 1)
    here.reset()
    there.reset()
    for seed in range(30):
        play(here, 3, seed)
        play(there, 3, seed=seed + 100)
        there.restore(here.save())
        assert play(here, 3, seed=99) == play(there, 3, seed=99)


def test_a_saved_state_is_not_touched_by_playing_on(settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for("Breakout", protocol="sticky"), 0)
    environment.reset()
    state = environment.save()
    first = play(environment, 30, seed=1)
    environment.restore(state)
    assert play(environment, 30, seed=1) == first
    environment.restore(state)
    assert play(environment, 30, seed=1) == first


def test_a_saved_state_holds_arrays_bytes_and_what_json_can_write(settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for("Pong"), 0)
    environment.reset()
    state = environment.save()
    assert isinstance(state.pop("emulator"), bytes)
    assert state.pop("stack").dtype == np.uint8
    assert json.loads(json.dumps(state)) == state
