"""A grid with one hidden way through it, and nothing but its end that pays: what exploration is up against.

    S - +
        |
        + - G

The way from start S to goal G goes right or down from cell to cell, as was fixed for ever. Any other of the four moves
leads back to the start, and the episode goes on; the goal pays 1 and ends it. An agent that moves at random makes
`decisions` right moves in a row once in 4 ** decisions tries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from a3c.environments.places import GOAL, WALL, WAY, Observations, draw, fixed_choice
from a3c.environments.step import Spec, Step
from a3c.settings import SparseGridSettings

ACTIONS = ("up", "right", "down", "left")
RIGHT, DOWN = 1, 2


def right_move(decisions: int) -> int:
    """The move that leads on after so many right ones, an index into `ACTIONS`."""
    return (RIGHT, DOWN)[fixed_choice("sparse grid", decisions, 2)]


def cell(decisions: int) -> tuple[int, int]:
    """Row and column, counted from the start at the top left, after so many right moves."""
    downs = sum(right_move(n) == DOWN for n in range(decisions))
    return downs, decisions - downs


class SparseGrid:
    """The grid as an environment; a state is how many right moves led to it, since off the way nobody ever stands."""

    def __init__(self, settings: SparseGridSettings) -> None:
        """Makes a grid that must be reset before its first step."""
        self._decisions, self._limit_steps = settings.decisions, settings.step_limit_steps
        self._observations = Observations(settings.observed, settings.decisions + 1)
        self.spec: Spec = self._observations.spec(len(ACTIONS))
        self._right = 0
        self._elapsed_steps = 0

    def reset(self) -> np.ndarray:
        """Puts the agent on the start."""
        self._right = 0
        self._elapsed_steps = 0
        return self._observations[0]

    def step(self, action: int) -> Step:
        """Moves once; reaching the goal with the last step allowed counts as reaching it."""
        self._right = self._right + 1 if action == right_move(self._right) else 0
        self._elapsed_steps += 1
        reached = self._right == self._decisions
        last = reached or self._elapsed_steps >= self._limit_steps
        score = 1.0 if reached else 0.0
        return Step(self._observations[self._right], score, 1.0 - score, last, score)

    def save(self) -> dict[str, Any]:
        """Right moves in a row, and elapsed steps."""
        return {"right": self._right, "elapsed_steps": self._elapsed_steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._right = int(state["right"])
        self._elapsed_steps = int(state["elapsed_steps"])

    def render(self) -> np.ndarray:
        """The way and the goal at its end from above, uint8 [H, W, 3]."""
        way = [cell(n) for n in range(self._decisions + 1)]
        cells = np.full(np.array(way[-1]) + 1, WALL)
        cells[tuple(np.array(way).T)] = WAY
        cells[way[-1]] = GOAL
        return draw(cells, way[self._right])

    def close(self) -> None:
        """Nothing to free."""
