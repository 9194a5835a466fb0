"""A corridor that only the right action at every place leads through, for all that can go wrong in learning to.

    place    0 -> 1 -> 2 -> ... -> length
    score      0    0            1

Which action is right at a place is fixed for ever and follows no rule, so that neither one action over and over nor
counting modulo something leads through. A wrong one ends the episode with nothing. It does not lead back to the
start: there, an agent that sees nothing and remembers nothing would only have to try until luck helps, and with a
wrong action that ends the game it can do no better than the product of its chances at all places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from a3c.environments.places import GOAL, WALL, WAY, Observations, draw, fixed_choice
from a3c.environments.step import Spec, Step
from a3c.settings import CorridorSettings

ACTIONS = 4
DISTANCE = 0.5  # at most, between a continuous action and the right number
DRAWN_COLUMNS = 20


def right_action(place: int) -> int:
    """The discrete action that leads on from a place."""
    return fixed_choice("corridor place", place, ACTIONS)


def right_number(place: int) -> float:
    """The number that a continuous action must be near: −1.5, −0.5, 0.5 or 1.5, so that no two overlap."""
    return right_action(place) - (ACTIONS - 1) / 2


class Corridor:
    """A corridor as an environment; the place after the last one, where nothing is done, is a state too."""

    def __init__(self, settings: CorridorSettings) -> None:
        """Makes a corridor that must be reset before its first step."""
        self._length, self._continuous = settings.length, settings.continuous
        self._observations = Observations(settings.observed, settings.length + 1)
        actions = 1 if settings.continuous else ACTIONS
        self.spec: Spec = self._observations.spec(actions, continuous=settings.continuous)
        self._place = 0

    def reset(self) -> np.ndarray:
        """Puts the agent at the start."""
        self._place = 0
        return self._observations[0]

    def step(self, action: Any) -> Step:
        """Leads on, or ends the episode; an action is an int, or float32 [1]."""
        if self._continuous:
            right = abs(float(action[0]) - right_number(self._place)) <= DISTANCE
        else:
            right = bool(action == right_action(self._place))
        self._place += 1 if right else 0
        score = 1.0 if self._place == self._length else 0.0
        over = bool(score) or not right
        return Step(self._observations[self._place], score, 0.0 if over else 1.0, over, score)

    def save(self) -> dict[str, Any]:
        """The place."""
        return {"place": self._place}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._place = int(state["place"])

    def render(self) -> np.ndarray:
        """The corridor from above, folded into lines like a text: uint8 [H, W, 3]."""
        columns = min(self._length + 1, DRAWN_COLUMNS)
        rows = -(-(self._length + 1) // columns)
        cells = np.full(rows * columns, WALL)
        cells[: self._length], cells[self._length] = WAY, GOAL
        return draw(cells.reshape(rows, columns), divmod(self._place, columns))

    def close(self) -> None:
        """Nothing to free."""
