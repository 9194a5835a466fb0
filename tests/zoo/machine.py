"""A machine in the emulator's place, of which is known frame by frame what it shows and pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ale_py
import numpy as np

from a3c.environments import make
from a3c.environments.step import Step
from a3c.settings import Settings

HEIGHT, WIDTH = 210, 160
FRAMES_OF_A_LIFE = 40
MOST_FRAMES = 10_000  # of one game, after which whoever plays it is stuck


class Machine:
    """An emulator with `lives` lives of 40 frames each, which pays 5 a frame; a bright column is its only sprite."""

    def __init__(
        self, *, lives: int = 3, column: int = 80, shown_every: int = 1, starts_by_itself: bool = True
    ) -> None:
        self._all_lives, self._column, self._shown_every = lives, column, shown_every
        self._starts_by_itself = starts_by_itself
        self.acted: list[Any] = []
        self.reset_game()

    def reset_game(self) -> None:
        self._frame, self._played, self._started = 0, 0, self._starts_by_itself

    def act(self, action: Any) -> int:
        self.acted.append(action)
        self._started |= action == ale_py.Action.FIRE
        self._frame += 1
        assert self._frame <= MOST_FRAMES, "nobody ended the game"
        self._played += self._started
        return 5 if self._started else 0

    def lives(self) -> int:
        return max(0, self._all_lives - self._played // FRAMES_OF_A_LIFE)

    def game_over(self, *, with_truncation: bool) -> bool:
        return self._played >= max(1, self._all_lives) * FRAMES_OF_A_LIFE

    def getEpisodeFrameNumber(self) -> int:
        return self._frame

    def getScreenDims(self) -> tuple[int, int]:
        return HEIGHT, WIDTH

    def getScreenGrayscale(self, out: np.ndarray) -> None:
        out.fill(0)
        if self._frame % self._shown_every == 0:
            out[:, self._column] = 200

    def getMinimalActionSet(self) -> list[Any]:
        return [ale_py.Action.NOOP, ale_py.Action.FIRE]

    def getLegalActionSet(self) -> list[Any]:
        return [ale_py.Action.NOOP, *[ale_py.Action.FIRE] * 17]


Insert = Callable[[Machine], Machine]


def steps_of(settings: Settings, steps: int, action: int = 0) -> Iterator[Step]:
    """One game, or so many steps of it, with one action."""
    environment = make(settings, 0, 0)
    environment.reset()
    for _ in range(steps):
        step = environment.step(action)
        yield step
        if step.last:
            return
