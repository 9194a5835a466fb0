"""Mazes: that they can be walked, what scores, that chance is seeded, that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.environments import make, maze_wad
from a3c.environments.maze import ACTIONS, APPLE_SCORE, MAZES_A_FILE, PORTAL_SCORE, Maze
from a3c.environments.maze_engine import SHARED_MEMORY, Engine
from a3c.environments.maze_map import Plan, draw_plan
from a3c.problems import InvalidInput
from a3c.settings import MazeSettings, resolve
from a3c.settings_files import load_settings, merge

FORWARD, BACKWARD, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT = range(6)


def maze(seed: int = 0, **changes: Any) -> Maze:
    plain = {"side_cells": 3, "apples": 4, "episode_seconds": 60, "action_repeat": 4, "reward_scale": 1.0}
    settings = MazeSettings.model_validate({"kind": "maze"} | plain | changes)
    return Maze(settings, np.random.default_rng(seed))


def steps_of(seed: int, count: int) -> list[int]:
    """Actions of a player who mostly walks ahead."""
    chances = (0.5, 0.05, 0.1, 0.1, 0.15, 0.1)
    return [int(action) for action in np.random.default_rng(seed).choice(len(ACTIONS), size=count, p=chances)]


def engine_of(plan: Plan) -> Engine:
    return Engine(maze_wad.pack([plan]), "MAZE00", item_score=APPLE_SCORE, secret_score=PORTAL_SCORE)


def in_a_row(cells: int, **changes: Any) -> Plan:
    """One straight way to the east, begun at its west end."""
    way = np.zeros((2 * cells + 1, 2 * cells + 1), dtype=bool)
    way[1, 1:-1] = True
    textures = np.arange(way.size).reshape(way.shape) % len(maze_wad.COLORS)
    plain: dict[str, Any] = {"start": (0, 0), "portal": (0, cells - 1), "apples": (), "angle": 0}
    return Plan(way, textures, **(plain | changes))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A row of four cells: start, apple, apple, portal."""
    engine = engine_of(in_a_row(4, apples=((0, 1), (0, 2))))
    yield engine
    engine.close()


def hold(engine: Engine, action: str, times: int, frames: int = 1) -> list[float]:
    return [engine.act(ACTIONS[action], frames) for _ in range(times)]


@pytest.mark.parametrize("side", [2, 3, 7, 32])
def test_every_cell_can_be_reached_and_the_outside_is_closed(side: int) -> None:
    for seed in range(5):
        plan = draw_plan(side, 2, 8, np.random.default_rng(seed))
        assert not plan.open[[0, -1]].any()
        assert not plan.open[:, [0, -1]].any()
        reached, waiting = {(1, 1)}, [(1, 1)]
        while waiting:
            row, column = waiting.pop()
            for there in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
                if plan.open[there] and there not in reached:
                    reached.add(there)
                    waiting.append(there)
        assert len(reached) == plan.open.sum()
        assert plan.open[1::2, 1::2].all()


def test_mazes_have_loops() -> None:
    plan = draw_plan(7, 2, 8, np.random.default_rng(0))
    without_loops = 7 * 7 + (7 * 7 - 1)
    assert plan.open.sum() > without_loops


@pytest.mark.parametrize("apples", [0, 5, 7])
def test_apples_portal_and_start_have_a_cell_each(apples: int) -> None:
    for seed in range(5):
        plan = draw_plan(3, apples, 8, np.random.default_rng(seed))
        places = {plan.start, plan.portal, *plan.apples}
        assert len(places) == apples + 2
        assert all(0 <= row < 3 and 0 <= column < 3 for row, column in places)


def test_more_apples_than_cells_are_refused(experiments: Path) -> None:
    changes = {"environment": {"side_cells": 3, "apples": 8}}
    with pytest.raises(InvalidInput, match=r"environment\.apples: got 8; 3 x 3 cells have room for 7"):
        resolve(merge(load_settings("maze", experiments), changes))


def test_an_apple_scores_one_and_is_gone(engine: Engine) -> None:
    engine.begin("MAZE00", 1)
    assert sum(hold(engine, "forward", 16)) == 1.0
    back_and_forth = hold(engine, "backward", 8) + hold(engine, "forward", 8)
    assert sum(back_and_forth) == 0.0


def test_the_portal_scores_ten_puts_the_player_elsewhere_and_brings_the_apples_back(engine: Engine) -> None:
    engine.begin("MAZE00", 1)
    scores = hold(engine, "forward", 60)
    assert scores.index(10.0) > 20, "three cells away"
    way = scores[: scores.index(10.0)]
    assert sum(way) == 2.0, "both apples"
    # There are three other cells, all of them west of the portal: who walks on gets back to it, past what is between.
    after = scores[scores.index(10.0) + 1 :] + hold(engine, "forward", 200)
    assert after.count(10.0) >= 3
    rounds = [sum(part) for part in _between(after, 10.0)]
    assert set(rounds) <= {0.0, 1.0, 2.0}
    assert sum(rounds) > 0.0, "apples that were gone are there again"


def _between(scores: list[float], mark: float) -> Iterator[list[float]]:
    begin = 0
    for place, score in enumerate(scores):
        if score == mark:
            yield scores[begin:place]
            begin = place + 1


def test_landings_differ_and_come_from_the_seed(engine: Engine) -> None:
    def way_back(seed: int) -> list[int]:
        engine.begin("MAZE00", seed)
        return [frame for frame, score in enumerate(hold(engine, "forward", 200)) if score == 10.0]

    ways = [way_back(seed) for seed in (1, 1, 2, 3, 4)]
    assert ways[0] == ways[1]
    assert len({tuple(way) for way in ways}) > 1
    assert len(set(np.diff(ways[0]))) > 1, "not the same landing each time"


def test_four_turns_are_a_right_angle_and_turning_back_undoes_them(engine: Engine) -> None:
    engine.begin("MAZE00", 1)
    still = (0.0, 0.0, 0.0)
    engine.act(still, 2)
    ahead = engine.picture()
    hold(engine, "turn left", 4, frames=4)
    engine.act(still, 2)
    assert not np.array_equal(engine.picture(), ahead)
    hold(engine, "turn left", 12, frames=4)
    engine.act(still, 2)
    assert np.array_equal(engine.picture(), ahead), "360 degrees"
    hold(engine, "turn left", 3, frames=4)
    hold(engine, "turn right", 3, frames=4)
    engine.act(still, 2)
    assert np.array_equal(engine.picture(), ahead)


def test_sideways_and_back_lead_where_they_say() -> None:
    """From the middle of a row, looking north at its wall, the apple is to the right and nothing to the left."""
    engine = engine_of(in_a_row(4, start=(0, 1), apples=((0, 2),), angle=90))
    scores = {}
    for action in ("forward", "backward", "left", "right"):
        engine.begin("MAZE00", 1)
        scores[action] = sum(hold(engine, action, 14))
    engine.begin("MAZE00", 1)
    hold(engine, "turn right", 4, frames=4)
    scores["turn right, forward"] = sum(hold(engine, "forward", 14))
    engine.begin("MAZE00", 1)
    hold(engine, "turn left", 4, frames=4)
    scores["turn left, backward"] = sum(hold(engine, "backward", 14))
    engine.close()
    assert scores == {
        "forward": 0.0,
        "backward": 0.0,
        "left": 0.0,
        "right": 1.0,
        "turn right, forward": 1.0,
        "turn left, backward": 1.0,
    }


def test_apples_the_portal_and_all_walls_look_different() -> None:
    plan = in_a_row(3, apples=((0, 1),), portal=(0, 2))
    engine = engine_of(plan)
    engine.begin("MAZE00", 1)
    red, green, blue = np.moveaxis(engine.picture().astype(int), -1, 0)
    apple, portal = (red > 2 * green) & (red > 2 * blue), (green > 2 * red) & (green > 2 * blue)
    engine.close()
    assert apple.sum() > 100
    assert portal.sum() > 100, "behind the apple, and higher"
    assert np.argwhere(apple).mean(0)[0] > np.argwhere(portal).mean(0)[0]


def test_equal_generators_give_equal_pictures_and_others_do_not() -> None:
    here, there, elsewhere = maze(5), maze(5), maze(6)
    for episode in range(2):
        assert np.array_equal(here.reset(), there.reset())
        elsewhere.reset()
        for action in steps_of(episode, 60):
            one, two, other = (game.step(action) for game in (here, there, elsewhere))
            assert np.array_equal(one.observation, two.observation)
            assert one[1:] == two[1:]
        assert not np.array_equal(one.observation, other.observation)
    for game in (here, there, elsewhere):
        game.close()


def test_every_episode_has_a_maze_of_its_own_beyond_one_file() -> None:
    game = maze()
    seen = set()
    for _ in range(MAZES_A_FILE + 2):
        game.reset()
        seen.add(b"".join(game.step(TURN_LEFT).observation.tobytes() for _ in range(16)))  # all the way around
    game.close()
    assert len(seen) == MAZES_A_FILE + 2


def test_a_restored_maze_goes_on_exactly() -> None:
    here, there = maze(3, side_cells=2, apples=2), maze(4, side_cells=2, apples=2)
    for _ in range(3):
        here.reset()
        for action in steps_of(1, 150):
            here.step(action)
    there.reset()
    there.restore(here.save())
    assert np.array_equal(here.render(), there.render())
    scores = 0.0
    for action in steps_of(2, 150):
        one, two = here.step(action), there.step(action)
        assert np.array_equal(one.observation, two.observation)
        assert one[1:] == two[1:]
        scores += one.score
    assert scores >= 10, "through the portal at least once, so that the engine's own chance was asked, too"
    assert np.array_equal(here.reset(), there.reset())
    here.close()
    there.close()


def test_a_fresh_maze_can_be_saved_before_its_first_reset() -> None:
    here, there = maze(3), maze(4)
    there.restore(here.save())
    assert np.array_equal(here.reset(), there.reset())
    here.close()
    there.close()


def test_the_time_limit_ends_the_episode_and_keeps_the_discount() -> None:
    game = maze(episode_seconds=1, action_repeat=4)
    for _ in range(2):
        game.reset()
        steps = [game.step(FORWARD) for _ in range(9)]
        assert [step.last for step in steps] == [False] * 8 + [True], "35 frames, 4 at a time"
        assert {step.discount for step in steps} == {1.0}
    game.close()


def test_rewards_are_scaled_and_scores_are_not() -> None:
    game = maze(side_cells=2, apples=2, reward_scale=0.25)
    game.reset()
    scored = [step for step in map(game.step, steps_of(0, 200)) if step.score]
    game.close()
    assert scored
    assert all(step.reward == 0.25 * step.score for step in scored)


def test_observations_are_as_announced() -> None:
    game = maze()
    assert game.spec.observation_shape == (3, 84, 84)
    first = game.reset()
    step = game.step(FORWARD)
    for observation in (first, step.observation):
        assert (observation.shape, observation.dtype, observation.flags.c_contiguous) == ((3, 84, 84), np.uint8, True)
    kept = first.copy()
    for action in steps_of(0, 10):
        game.step(action)
    assert np.array_equal(first, kept), "an observation is never written again"
    assert game.render().shape == (120, 160, 3)
    game.close()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    game = maze()
    game.reset()
    game.step(FORWARD)
    engine = _engine_process(os.getpid())
    assert list(tmp_path.iterdir()) == []
    assert not [path for path in SHARED_MEMORY.iterdir() if path.name.endswith(_instance(engine))]
    game.close()
    assert list(tmp_path.iterdir()) == []
    _wait_for_end(engine)


def test_an_engine_that_dies_is_named() -> None:
    game = maze()
    game.reset()
    engine = _engine_process(os.getpid())
    os.kill(engine, signal.SIGKILL)
    _wait_for_end(engine)
    with pytest.raises(RuntimeError, match=r"the maze's engine, ViZDoom .*, ended"):
        game.step(FORWARD)
    game.close()


USER = """
import numpy as np, sys, time
from a3c.environments.maze import Maze
from a3c.settings import MazeSettings
settings = MazeSettings(kind="maze", side_cells=2, apples=1, episode_seconds=9, action_repeat=4, reward_scale=1.0)
game = Maze(settings, np.random.default_rng(0))
game.reset()
print("playing", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no signal for a parent's death")
def test_the_engine_dies_with_its_user() -> None:
    user = subprocess.Popen([sys.executable, "-c", USER], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "playing\n"
    engine = _engine_process(user.pid)
    user.kill()
    user.wait()
    _wait_for_end(engine)


def test_without_the_package_it_is_said_what_to_install(experiments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("a3c.environments.maze", "a3c.environments.maze_engine"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "vizdoom", None)
    with pytest.raises(InvalidInput, match=r"pip install 'a3c\[maze\]'"):
        make(resolve(load_settings("maze", experiments)), 0, 0)


def _engine_process(user: int) -> int:
    """The newest child of a process that is an engine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        if name.endswith("(vizdoom") and int(rest.split()[1]) == user and rest.split()[0] != "Z":
            found.append(int(path.parent.name))
    return max(found)


def _instance(engine: int) -> str:
    words = Path(f"/proc/{engine}/cmdline").read_bytes().decode().split("\0")
    return words[words.index("+viz_instance_id") + 1]


def _wait_for_end(process: int) -> None:
    status = Path(f"/proc/{process}/stat")
    for _ in range(100):
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} is still there")
