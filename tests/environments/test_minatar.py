"""MinAtar behind our protocol: that it is MinAtar's own, what is drawn by chance, what is saved, what is seen."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c import seeding
from a3c.environments import make
from a3c.environments.games import MINATAR_GAMES
from a3c.environments.minatar import CELL
from a3c.environments.step import Spec
from a3c.problems import InvalidInput
from a3c.records.checkpoints import load_state, save_state
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("minatar") is None, reason="MinAtar is not here: pip install 'a3c[minatar]'"
)

SettingsFor = Callable[..., Settings]
Play = Callable[..., list[Any]]
RandomActions = Callable[..., Iterator[Any]]

CHANNELS = {
    "MinAtarAsterix": 4,
    "MinAtarBreakout": 4,
    "MinAtarFreeway": 7,
    "MinAtarSeaquest": 10,
    "MinAtarSpaceInvaders": 6,
}
MINIMAL = {
    "MinAtarAsterix": ("none", "left", "up", "right", "down"),
    "MinAtarBreakout": ("none", "left", "right"),
    "MinAtarFreeway": ("none", "up", "down"),
    "MinAtarSeaquest": ("none", "left", "up", "right", "down", "fire"),
    "MinAtarSpaceInvaders": ("none", "left", "right", "fire"),
}


@pytest.fixture(scope="module")
def oracle() -> Any:
    """MinAtar's own outermost object; without what it draws with, which takes long to import."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("matplotlib", "seaborn"):
            patch.setitem(sys.modules, name, None)
        return importlib.import_module("minatar").Environment


@pytest.mark.parametrize(
    ("game", "sticky", "ramping", "minimal"),
    [
        *((game, 0.1, True, True) for game in MINATAR_GAMES),
        ("MinAtarAsterix", 0.0, False, False),
        ("MinAtarSpaceInvaders", 0.5, False, False),
    ],
)
def test_every_step_is_that_of_minatar(
    game: str,
    sticky: float,
    ramping: bool,
    minimal: bool,
    oracle: Any,
    settings_for: SettingsFor,
    random_actions: RandomActions,
) -> None:
    changes = {"sticky_action_probability": sticky, "difficulty_ramping": ramping, "minimal_actions": minimal}
    ours = make(settings_for(game, seed=2, **changes), 5)
    theirs = oracle(MINATAR_GAMES[game], sticky_action_prob=sticky, difficulty_ramping=ramping)
    theirs.seed(seeding.integer(2, "environment", 5))
    meanings = theirs.minimal_action_set() if minimal else range(theirs.num_actions())
    theirs.reset()
    np.testing.assert_array_equal(ours.reset(), seen(theirs))
    ends = 0
    for action in random_actions(ours.spec, 2600 if game == "MinAtarFreeway" else 1000, seed=0):
        step = ours.step(action)
        score, over = theirs.act(meanings[action])
        np.testing.assert_array_equal(step.observation, seen(theirs))
        assert (step.score, step.discount, step.last) == (score, 0.0 if over else 1.0, over)
        if over:
            ends += 1
            theirs.reset()
            np.testing.assert_array_equal(ours.reset(), seen(theirs))
    assert ends > 0


def seen(theirs: Any) -> np.ndarray:
    return np.moveaxis(theirs.state(), -1, 0) * 255


@pytest.mark.parametrize("game", MINATAR_GAMES)
def test_a_game_has_its_channels_and_the_actions_that_do_something_in_it(game: str, settings_for: SettingsFor) -> None:
    every: Any = make(settings_for(game, minimal_actions=False))
    some: Any = make(settings_for(game))
    assert every.spec == Spec((CHANNELS[game], 10, 10), "uint8", 6)
    assert every.action_names == ("none", "left", "up", "right", "down", "fire")
    assert some.spec == Spec((CHANNELS[game], 10, 10), "uint8", len(MINIMAL[game]))
    assert some.action_names == MINIMAL[game]


@pytest.mark.parametrize("game", MINATAR_GAMES)
def test_equal_places_play_equally_and_others_do_not(game: str, settings_for: SettingsFor, play: Play) -> None:
    games = [make(settings_for(game), place) for place in (0, 0, 1)]
    for environment in games:
        environment.reset()
    here, there, elsewhere = (play(environment, 300, seed=1) for environment in games)
    assert here == there
    assert here != elsewhere


@pytest.mark.parametrize("game", MINATAR_GAMES)
def test_a_game_from_a_checkpoint_goes_on_exactly(
    game: str, settings_for: SettingsFor, play: Play, tmp_path: Path
) -> None:
    here, there = make(settings_for(game), 0), make(settings_for(game), 1)
    here.reset()
    there.reset()
    for number, steps in enumerate((7, 150, 40)):
        play(here, steps, seed=number)
        path = tmp_path / f"{number}.npz"
        save_state(path, here.save())
        saved = load_state(path)
        # Played from twice, since neither playing nor restoring may change what was saved.
        for _ in range(2):
            there.restore(saved)
            np.testing.assert_array_equal(there.render(), here.render())
            after = play(there, 300, seed=9)
        assert after == play(here, 300, seed=9)


def test_what_was_saved_stays_as_it_was_while_the_game_goes_on(settings_for: SettingsFor, play: Play) -> None:
    game = make(settings_for("MinAtarSeaquest"))
    game.reset()
    play(game, 200, seed=0)
    saved = game.save()
    then = play(game, 200, seed=1)
    game.restore(saved)
    assert play(game, 200, seed=1) == then


def test_a_fresh_game_can_be_saved_before_its_first_reset(settings_for: SettingsFor, play: Play) -> None:
    here, there = make(settings_for("MinAtarFreeway"), 0), make(settings_for("MinAtarFreeway"), 1)
    there.restore(here.save())
    np.testing.assert_array_equal(here.reset(), there.reset())
    assert play(here, 50, seed=0) == play(there, 50, seed=0)


def test_the_frame_limit_ends_the_episode_and_keeps_the_discount(settings_for: SettingsFor) -> None:
    game = make(settings_for("MinAtarFreeway", frame_limit_frames=5))
    for _ in range(2):
        game.reset()
        steps = [game.step(0) for _ in range(5)]
        assert [(step.discount, step.last) for step in steps] == [(1.0, False)] * 4 + [(1.0, True)]


def test_the_frame_limit_is_that_of_the_whole_episode_after_a_restore(settings_for: SettingsFor) -> None:
    here, there = (make(settings_for("MinAtarFreeway", frame_limit_frames=5), place) for place in (0, 1))
    here.reset()
    for _ in range(3):
        here.step(0)
    there.restore(here.save())
    assert [there.step(0).last for _ in range(2)] == [False, True]


def test_a_game_that_is_over_at_the_frame_limit_is_over(settings_for: SettingsFor) -> None:
    def ball(limit_frames: int) -> tuple[int, float, bool]:
        """Frames until a ball that nobody catches is out, from the same start."""
        game = make(settings_for("MinAtarBreakout", frame_limit_frames=limit_frames, sticky_action_probability=0.0))
        game.reset()
        for frame in range(1, limit_frames + 1):
            step = game.step(1)  # to the left, where the paddle stays
            if step.last:
                return frame, step.discount, step.last
        raise AssertionError("never out")

    frames, discount, last = ball(100)
    assert (frames < 100, discount, last) == (True, 0.0, True)
    assert ball(frames) == (frames, 0.0, True)


def test_rewards_are_scaled_and_scores_are_not(settings_for: SettingsFor, random_actions: RandomActions) -> None:
    game = make(settings_for("MinAtarSpaceInvaders", reward_scale=0.25))
    game.reset()
    scored = []
    for action in random_actions(game.spec, 300, seed=0):
        step = game.step(action)
        scored += [step] if step.score else []
        if step.last:
            game.reset()
    assert len(scored) > 5
    assert {(step.reward, step.score) for step in scored} == {(0.25, 1.0)}


def test_observations_are_black_and_white_and_never_written_again(
    settings_for: SettingsFor, random_actions: RandomActions
) -> None:
    game = make(settings_for("MinAtarBreakout"))
    first = game.reset()
    kept = first.copy()
    for action in random_actions(game.spec, 8, seed=0):
        observation = game.step(action).observation
        assert (observation.shape, observation.dtype, observation.flags.c_contiguous) == ((4, 10, 10), np.uint8, True)
        assert set(np.unique(observation)) == {0, 255}
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("game", MINATAR_GAMES)
def test_a_drawing_shows_every_cell_and_changes_nothing(game: str, settings_for: SettingsFor, play: Play) -> None:
    drawn, undrawn = make(settings_for(game)), make(settings_for(game))
    things = drawn.reset()
    undrawn.reset()
    picture = drawn.render()
    assert (picture.shape, picture.dtype) == ((10 * CELL, 10 * CELL, 3), np.uint8)
    cells = picture[CELL // 2 :: CELL, CELL // 2 :: CELL]
    np.testing.assert_array_equal(picture, cells.repeat(CELL, axis=0).repeat(CELL, axis=1))
    empty, player = ~things.any(axis=0), things[0] > 0
    assert len(np.unique(cells[empty], axis=0)) == 1
    assert not (cells[~empty] == cells[empty][0]).all(axis=-1).any()
    assert (cells[player] == cells[player][0]).all()
    assert ((cells == cells[player][0]).all(axis=-1) == player).all(), "nothing else has the player's color"
    assert play(drawn, 50, seed=0) == play(undrawn, 50, seed=0)


def test_a_ball_is_drawn_above_its_trail(settings_for: SettingsFor) -> None:
    game = make(settings_for("MinAtarBreakout"))

    def colors_of_ball_and_trail(things: np.ndarray) -> list[list[int]]:
        cells = game.render()[::CELL, ::CELL]
        return [cells[things[channel] > 0][0].tolist() for channel in (1, 2)]

    ball, trail = colors_of_ball_and_trail(game.reset())
    assert ball == trail, "one cell"
    moved, left = colors_of_ball_and_trail(game.step(0).observation)
    assert moved == ball
    assert left != ball


def test_making_a_game_imports_nothing_that_draws(settings_for: SettingsFor) -> None:
    program = (
        "import sys; from a3c.environments import make; from a3c.settings import Settings; "
        "environment = make(Settings.from_json(sys.argv[1])); environment.reset(); environment.step(1); "
        "print([name for name in ('minatar', 'matplotlib', 'seaborn', 'pandas', 'torch') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, settings_for("MinAtarBreakout").to_json()]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_without_the_package_it_is_said_what_to_install(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "minatar", None)
    with pytest.raises(InvalidInput, match=r"MinAtarBreakout needs the module minatar: pip install 'a3c\[minatar\]'"):
        make(settings_for("MinAtarBreakout"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": {"sticky_action_probability": 1.0}}, r"environment\.sticky_action_probability: got 1\.0"),
        ({"game": "Breakout"}, r"environment\.kind: got 'minatar', but the game 'Breakout' needs 'atari'"),
        ({"network": {"kind": "conv2013"}}, r"network\.kind: got 'conv2013'; a minatar environment takes conv_minatar"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], message: str, experiments: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        resolve(merge(load_settings("minatar", experiments), changes))
