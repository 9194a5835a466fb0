"""The games of MinAtar (Young and Tian, 2019, arXiv:1903.03176): five of Atari's on 10 x 10 cells, one frame a step.

A channel a kind of thing says where such things are, some of them where they came from. There are no lives: a game that
is over is (discount 0, last); so is Freeway's end after 2,500 frames, as MinAtar has it. Our own frame limit is
(discount 1, last).

MinAtar itself plays. Only its outermost object, which sticks to actions, is here again: to import that takes matplotlib
and seaborn, 170 MB and 1.6 s in every process (MinAtar 1.0.15), where a game's own file needs NumPy alone.
"""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from a3c.environments.games import MINATAR_GAMES
from a3c.environments.step import Spec, Step
from a3c.settings import MinAtarSettings

ACTION_NAMES = {"n": "none", "l": "left", "u": "up", "r": "right", "d": "down", "f": "fire"}
CELL = 32  # pixels of a drawing

# What every game object has from its beginning to its end; all its other attributes are its state.
_CONSTANT = ("channels", "action_map", "ramping", "random")

# A channel each; the first channel is always the player's.
_BACKGROUND = (24, 24, 28)
_COLORS = np.array(
    [
        (240, 240, 240),
        (86, 180, 233),
        (110, 110, 120),
        (230, 159, 0),
        (213, 94, 0),
        (0, 158, 115),
        (204, 121, 167),
        (0, 114, 178),
        (240, 228, 66),
        (150, 220, 130),
    ],
    dtype=np.uint8,
)


class MinAtar:
    """A game of MinAtar; observations are uint8 `[channels, 10, 10]`, 255 where a thing is and 0 elsewhere.

    They are 255 and not 1 because the convolutional networks divide by it.
    """

    def __init__(self, game: str, settings: MinAtarSettings, seed: int) -> None:
        """Makes a game that must be reset before its first step.

        Args:
          game: one of `games.MINATAR_GAMES`.
          settings: stickiness, difficulty, actions, frame limit and reward scale.
          seed: of the one stream that everything is drawn from, whether actions stick included.

        Raises:
          ModuleNotFoundError: without MinAtar.
        """
        self._settings = settings
        self._random = np.random.RandomState(seed)  # MinAtar's own kind of stream
        self._game = _make(MINATAR_GAMES[game], settings.difficulty_ramping)
        self._game.random = self._random
        letters = self._game.action_map
        minimal = self._game.minimal_action_set()
        self._actions: list[int] = minimal if settings.minimal_actions else list(range(len(letters)))
        self.action_names = tuple(ACTION_NAMES[letters[action]] for action in self._actions)
        rows, columns, channels = self._game.state_shape()
        self.spec = Spec((channels, rows, columns), "uint8", len(self._actions))
        self._last_action = 0
        self._elapsed_frames = 0

    def reset(self) -> np.ndarray:
        """Starts an episode; as in MinAtar, its first action may still be the last one of the episode before."""
        self._game.reset()
        self._elapsed_frames = 0
        return self._observe()

    def step(self, action: int) -> Step:
        """Plays one frame with this action or, with the probability that the settings say, with the last one again."""
        taken = self._actions[action]
        if self._random.rand() < self._settings.sticky_action_probability:
            taken = self._last_action
        self._last_action = taken
        score, over = self._game.act(taken)
        self._elapsed_frames += 1
        last = over or self._elapsed_frames >= self._settings.frame_limit_frames
        score = float(score)
        return Step(self._observe(), score * self._settings.reward_scale, 0.0 if over else 1.0, last, score)

    def _observe(self) -> np.ndarray:
        """The cells, copied, with the channels first."""
        return np.ascontiguousarray(self._game.state().transpose(2, 0, 1)) * np.uint8(255)

    def save(self) -> dict[str, Any]:
        """All that changes in the game's object, the random stream, the last action and the elapsed frames."""
        changing = {name: value for name, value in vars(self._game).items() if name not in _CONSTANT}
        return {
            "game": copy.deepcopy(changing),
            "random": self._random.get_state(legacy=False),
            "last_action": self._last_action,
            "elapsed_frames": self._elapsed_frames,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        vars(self._game).update(copy.deepcopy(state["game"]))
        self._random.set_state(state["random"])
        self._last_action = int(state["last_action"])
        self._elapsed_frames = int(state["elapsed_frames"])

    def render(self) -> np.ndarray:
        """The cells, a color each channel, the first channel on top: uint8 [320, 320, 3]."""
        things = self._game.state()
        colors = np.vstack([_COLORS[: things.shape[2]], np.array([_BACKGROUND], dtype=np.uint8)])
        top = np.where(things.any(axis=2), things.argmax(axis=2), things.shape[2])
        picture: np.ndarray = colors[top].repeat(CELL, axis=0).repeat(CELL, axis=1)
        return picture

    def close(self) -> None:
        """Nothing to free."""


def _make(name: str, ramping: bool) -> Any:
    """A game's object, from its own file and not by way of the package, whose `__init__` imports what draws.

    Raises:
      ModuleNotFoundError: without MinAtar.
    """
    package = importlib.util.find_spec("minatar")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("no module named minatar", name="minatar")
    file = Path(package.origin).parent / "environments" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"minatar_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Env(ramping=ramping)
