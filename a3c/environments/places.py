"""What the smallest games share: places in a row, how one is observed, choices that are fixed for ever, a drawing."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from a3c.environments.step import Spec

Observed = Literal["index", "vector", "nothing"]

PICTURE = 640  # pixels of a drawing's longer side at most, as long as a cell keeps one of them
LARGEST_CELL = 32  # pixels

_WAY, _WALL, _GOAL, _AGENT = (250, 250, 250), (74, 64, 58), (154, 208, 154), (200, 60, 50)
COLORS = np.array([_WALL, _WAY, _GOAL], dtype=np.uint8)
WALL, WAY, GOAL = range(3)


def fixed_choice(of: str, number: int, choices: int) -> int:
    """One of so many choices, the same in every run: a digest's first byte, so that no rule is shorter than a list.

    Args:
      of: tells games apart.
      number: which of the game's choices, such as a place.
      choices: how many there are, a power of two up to 256, so that each is as likely.
    """
    return hashlib.sha256(f"{of} {number}".encode()).digest()[0] % choices


class Observations:
    """The observation of each of some places.

    `index` is the place's number, int64 `()`; `vector` is 1 there and 0 elsewhere, float32 `[places]`; `nothing` is
    float32 `[1]`, always 1.
    """

    def __init__(self, observed: Observed, places: int) -> None:
        """Of that many places."""
        every: dict[Observed, np.ndarray] = {
            "index": np.arange(places),
            "vector": np.eye(places, dtype=np.float32),
            "nothing": np.ones([places, 1], dtype=np.float32),
        }
        self._of_place = every[observed]
        self._places = places if observed == "index" else None

    def __getitem__(self, place: int) -> np.ndarray:
        """The observation of one place, never written again."""
        return np.asarray(self._of_place[place])

    def spec(self, actions: int, *, continuous: bool = False) -> Spec:
        """What a network has to fit, with so many actions or, if continuous, numbers in one."""
        shape, dtype = self._of_place.shape[1:], str(self._of_place.dtype)
        return Spec(shape, dtype, actions, states=self._places, continuous=continuous)


def draw(cells: np.ndarray, agent: tuple[int, int] | None) -> np.ndarray:
    """Cells from above, uint8 [H, W, 3], with the agent as a disk on one of them.

    Args:
      cells: integers [rows, columns], each `WALL`, `WAY` or `GOAL`.
      agent: its row and column, if it is anywhere.
    """
    side = max(1, min(LARGEST_CELL, PICTURE // max(cells.shape)))
    picture: np.ndarray = COLORS[cells].repeat(side, axis=0).repeat(side, axis=1)
    if side > 2:
        picture[::side], picture[:, ::side] = _WALL, _WALL
    if agent is None:
        return picture
    row, column = (side * place for place in agent)
    y, x = (axis - (side - 1) / 2 for axis in np.ogrid[:side, :side])
    picture[row : row + side, column : column + side][x * x + y * y <= max(1.0, (side / 3) ** 2)] = _AGENT
    return picture
