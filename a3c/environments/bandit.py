"""A bandit: one step an episode, so that nothing has to be learned but which action is best."""

from __future__ import annotations

from typing import Any

import numpy as np

from a3c.environments.places import GOAL, WAY, Observations, draw
from a3c.environments.step import Spec, Step
from a3c.settings import BanditSettings

BEST_NUMBER = 0.5  # the continuous action that pays 1
MARKS = 21  # that a drawing shows of the continuous actions that pay anything


class Bandit:
    """One state, and an action that ends the episode.

    Of discrete actions the middle one pays 1 and the others 0; it is not the first, which an untrained greedy agent
    takes. A continuous action a pays max(0, 1 − |a − 0.5|).
    """

    def __init__(self, settings: BanditSettings) -> None:
        """Makes a bandit that must be reset before its first step."""
        self._continuous = settings.continuous
        self._shown = MARKS if settings.continuous else settings.arms
        self._observations = Observations(settings.observed, 1)
        actions = 1 if settings.continuous else settings.arms
        self.spec: Spec = self._observations.spec(actions, continuous=settings.continuous)
        self._taken: int | None = None

    def reset(self) -> np.ndarray:
        """The one observation there is."""
        self._taken = None
        return self._observations[0]

    def step(self, action: Any) -> Step:
        """Pays for an arm, an int, or for a number, float32 [1]; the episode is over."""
        best = self._shown // 2
        if self._continuous:
            distance = float(action[0]) - BEST_NUMBER
            score = max(0.0, 1.0 - abs(distance))
            self._taken = round(best + best * min(max(distance, -1.0), 1.0))
        else:
            score = float(action == best)
            self._taken = int(action)
        return Step(self._observations[0], score, 0.0, True, score)

    def save(self) -> dict[str, Any]:
        """What was taken last, for the drawing; nothing else changes."""
        return {"taken": self._taken}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._taken = state["taken"]

    def render(self) -> np.ndarray:
        """The actions in a row, the best one green, with a disk on the one that was taken: uint8 [H, W, 3]."""
        cells = np.full([1, self._shown], WAY)
        cells[0, self._shown // 2] = GOAL
        return draw(cells, None if self._taken is None else (0, self._taken))

    def close(self) -> None:
        """Nothing to free."""
