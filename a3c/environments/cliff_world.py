"""The cliff of Sutton and Barto (2018), Example 6.6: a grid small enough that every number of it can be drawn.

    . . . . . . . . . . . .
    . . . . . . . . . . . .
    . . . . . . . . . . . .
    S # # # # # # # # # # G

Start S is bottom left, goal G bottom right, and the ten cells between them are the cliff. A step costs 1; a step into
the cliff costs 100 and leads back to the start, and the episode goes on; the goal ends it. Nothing is drawn by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from a3c.environments.step import Spec, Step

ROWS = 4
COLUMNS = 12
ACTIONS = ("up", "right", "down", "left")
START = (ROWS - 1) * COLUMNS
GOAL = ROWS * COLUMNS - 1

_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))

CELL = 32  # pixels, in a drawing
_GRID, _GROUND, _CLIFF = (208, 208, 208), (250, 250, 250), (74, 64, 58)
_START, _GOAL, _AGENT = (189, 214, 240), (154, 208, 154), (200, 60, 50)


def outcome(state: int, action: int) -> tuple[int, float, bool]:
    """What `action` leads to: the next state, the score of the step, and whether it reached the goal.

    Args:
      state: `row * COLUMNS + column`, rows counted from the top.
      action: index into `ACTIONS`; a move off the grid stays in place.
    """
    row, column = divmod(state, COLUMNS)
    down, right = _MOVES[action]
    row = min(max(row + down, 0), ROWS - 1)
    column = min(max(column + right, 0), COLUMNS - 1)
    state = row * COLUMNS + column
    if START < state < GOAL:
        return START, -100.0, False
    return state, -1.0, state == GOAL


# Looked up once a step.
_OUTCOMES = [[outcome(state, action) for action in range(len(ACTIONS))] for state in range(ROWS * COLUMNS)]


class CliffWorld:
    """The cliff world as an environment; an observation is the state's index, an int64 array of shape `()`."""

    spec = Spec(observation_shape=(), observation_dtype="int64", actions=len(ACTIONS), states=ROWS * COLUMNS)
    action_names = ACTIONS

    def __init__(self, step_limit_steps: int, reward_scale: float) -> None:
        """Makes a world that must be reset before its first step.

        Args:
          step_limit_steps: steps after which an episode is cut off (`last` with discount 1).
          reward_scale: `reward = reward_scale * score`.
        """
        self._limit_steps = step_limit_steps
        self._reward_scale = reward_scale
        self._state = START
        self._elapsed_steps = 0

    def reset(self) -> np.ndarray:
        """Puts the agent on the start."""
        self._state = START
        self._elapsed_steps = 0
        return np.array(START, dtype=np.int64)

    def step(self, action: int) -> Step:
        """Moves once; reaching the goal with the last step allowed counts as reaching it."""
        self._state, score, reached = _OUTCOMES[self._state][action]
        self._elapsed_steps += 1
        observation = np.array(self._state, dtype=np.int64)
        last = reached or self._elapsed_steps >= self._limit_steps
        return Step(observation, score * self._reward_scale, 0.0 if reached else 1.0, last, score)

    def save(self) -> dict[str, Any]:
        """State and elapsed steps."""
        return {"state": self._state, "elapsed_steps": self._elapsed_steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._state = int(state["state"])
        self._elapsed_steps = int(state["elapsed_steps"])

    def render(self) -> np.ndarray:
        """The grid from above with the agent as a disk on it, uint8 [ROWS * CELL, COLUMNS * CELL, 3]."""
        colors = np.array([_GROUND] * START + [_START] + [_CLIFF] * (COLUMNS - 2) + [_GOAL], dtype=np.uint8)
        picture = colors.reshape(ROWS, COLUMNS, 3).repeat(CELL, axis=0).repeat(CELL, axis=1)
        picture[::CELL], picture[:, ::CELL] = _GRID, _GRID
        row, column = divmod(self._state, COLUMNS)
        y, x = (axis - CELL // 2 for axis in np.ogrid[:CELL, :CELL])
        cell = picture[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        cell[x * x + y * y <= (CELL // 3) ** 2] = _AGENT
        return picture

    def close(self) -> None:
        """Nothing to free."""
