"""The cliff of Sutton and Barto (2018), Example 6.6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from a3c.environments import make
from a3c.environments.cliff_world import ACTIONS, CELL, COLUMNS, GOAL, ROWS, START, outcome
from a3c.environments.step import Spec, Step
from a3c.settings import Settings

UP, RIGHT, DOWN, LEFT = range(4)


def walk(environment: Any, actions: list[int]) -> list[Step]:
    environment.reset()
    return [environment.step(action) for action in actions]


def test_every_move_from_every_cell_is_that_of_gymnasiums_cliff_walking() -> None:
    table: Any = gymnasium.make("CliffWalking-v1").unwrapped
    for state in range(ROWS * COLUMNS):
        if START < state <= GOAL:
            continue  # an agent is never there
        for action in range(len(ACTIONS)):
            ((_, expected, score, ended),) = table.P[state][action]
            assert outcome(state, action) == (expected, score, ended)


def test_the_names_of_the_actions_say_where_they_lead() -> None:
    middle = 1 * COLUMNS + 5
    moves = {"up": -COLUMNS, "right": 1, "down": COLUMNS, "left": -1}
    assert {name: outcome(middle, action)[0] - middle for action, name in enumerate(ACTIONS)} == moves


def test_the_shortest_way_along_the_cliff_scores_minus_thirteen(settings_for: Callable[..., Settings]) -> None:
    steps = walk(make(settings_for("CliffWorld")), [UP] + [RIGHT] * 11 + [DOWN])
    assert sum(step.score for step in steps) == -13.0
    assert [(step.discount, step.last) for step in steps] == [(1.0, False)] * 12 + [(0.0, True)]
    assert steps[-1].observation == GOAL


def test_the_cliff_costs_a_hundred_and_leads_back_to_the_start_in_the_same_episode(
    settings_for: Callable[..., Settings],
) -> None:
    up, right, down = walk(make(settings_for("CliffWorld", reward_scale=0.01)), [UP, RIGHT, DOWN])
    assert up.observation == START - COLUMNS
    assert right.observation == START - COLUMNS + 1
    assert down.observation == START
    assert (down.score, down.reward) == (-100.0, -1.0)
    assert (down.discount, down.last) == (1.0, False)


def test_the_step_limit_ends_the_episode_and_keeps_the_discount(settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for("CliffWorld", step_limit_steps=5))
    for _ in range(2):
        steps = walk(environment, [LEFT] * 5)
        assert [(step.discount, step.last) for step in steps] == [(1.0, False)] * 4 + [(1.0, True)]


def test_reaching_the_goal_with_the_last_step_allowed_counts_as_reaching_it(
    settings_for: Callable[..., Settings],
) -> None:
    steps = walk(make(settings_for("CliffWorld", step_limit_steps=13)), [UP] + [RIGHT] * 11 + [DOWN])
    assert (steps[-1].discount, steps[-1].last) == (0.0, True)


def test_observations_are_indices_of_48_states(settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for("CliffWorld"))
    assert environment.spec == Spec((), "int64", 4, states=48)
    for observation in (environment.reset(), environment.step(UP).observation):
        assert isinstance(observation, np.ndarray)
        assert observation.shape == ()
        assert observation.dtype == np.int64


def test_a_restored_world_goes_on_exactly(settings_for: Callable[..., Settings]) -> None:
    here, there = (make(settings_for("CliffWorld", step_limit_steps=9)) for _ in range(2))
    walk(here, [UP, RIGHT, RIGHT])
    walk(there, [UP])
    there.restore(here.save())
    rest = [RIGHT, UP, RIGHT, LEFT, DOWN, RIGHT]
    assert [here.step(action) for action in rest] == [there.step(action) for action in rest]
    assert here.save() == there.save()


def test_a_drawing_shows_the_grid_and_where_the_agent_is(settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for("CliffWorld"))
    environment.reset()
    before = environment.render()
    assert before.shape == (ROWS * CELL, COLUMNS * CELL, 3)
    assert before.dtype == np.uint8
    environment.step(UP)
    changed = (before != environment.render()).any(-1)
    assert changed.sum() > 2 * CELL**2 / 4  # a disk that is gone, and one that is there
    rows, columns = (set((where // CELL).tolist()) for where in np.nonzero(changed))
    assert (rows, columns) == ({ROWS - 2, ROWS - 1}, {0})
    colors = before[CELL // 8 :: CELL, CELL // 8 :: CELL]
    assert [len(np.unique(row, axis=0)) for row in colors] == [1, 1, 1, 3]
