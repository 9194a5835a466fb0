"""Random mazes in first person, after the task of Mnih et al. (2016), section 5.4, which they call Labyrinth.

Every episode has a maze of its own. An apple scores 1 and is gone; the portal scores 10, puts the player at a random
place and brings all apples back, so that finding the portal again is worth more than looking for the last apples.
After a minute the episode is cut off, as by a frame limit. Labyrinth itself was not published; the pictures here are
ViZDoom's (Kempka et al., 2016, arXiv:1605.02097), 35 frames a second.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from a3c.environments import maze_map, maze_wad
from a3c.environments.maze_engine import Engine
from a3c.environments.step import Spec, Step
from a3c.settings import MazeSettings

SIDE = 84
FRAMES_PER_SECOND = 35
APPLE_SCORE, PORTAL_SCORE = 1.0, 10.0
MAZES_A_FILE = 16  # a new file needs a new engine, 0.2 s

# Speed ahead, speed to the right, degrees to the right; in each frame.
ACTIONS = {
    "forward": (50.0, 0.0, 0.0),
    "backward": (-50.0, 0.0, 0.0),
    "left": (0.0, -50.0, 0.0),
    "right": (0.0, 50.0, 0.0),
    "turn left": (0.0, 0.0, -5.625),
    "turn right": (0.0, 0.0, 5.625),
}
_BUTTONS = tuple(ACTIONS.values())


class Maze:
    """Mazes as an environment; observations are uint8 `[3, 84, 84]`, red, green and blue."""

    spec = Spec(observation_shape=(3, SIDE, SIDE), observation_dtype="uint8", actions=len(ACTIONS))
    action_names = tuple(ACTIONS)

    def __init__(self, settings: MazeSettings, generator: np.random.Generator) -> None:
        """Nothing is started before the first reset.

        Args:
          settings: size and contents of the mazes, length of an episode, action repeat, reward scale.
          generator: draws the mazes, and seeds for the engine's own chance.
        """
        cv2.setNumThreads(1)  # workers are one thread each; OpenCV would start as many as there are cores
        self._settings, self._generator = settings, generator
        self._limit_frames = settings.episode_seconds * FRAMES_PER_SECOND
        self._engine: Engine | None = None
        self._drawn_from: dict[str, Any] = {}
        self._seeds: list[int] = []
        self._maze = -1
        self._actions: list[int] = []

    def reset(self) -> np.ndarray:
        """Puts the player into the next maze."""
        if self._maze + 1 == len(self._seeds):
            self._draw()
        self._begin(self._maze + 1)
        return self._observe()

    def step(self, action: int) -> Step:
        """Holds one of `ACTIONS` for `action_repeat` frames."""
        score = self._act(action)
        last = len(self._actions) * self._settings.action_repeat >= self._limit_frames
        return Step(self._observe(), score * self._settings.reward_scale, 1.0, last, score)

    def save(self) -> dict[str, Any]:
        """What the present mazes were drawn from, which of them this is, and all that was done in it."""
        drawn_from = self._drawn_from if self._engine else self._generator.bit_generator.state
        return {"generator": drawn_from, "maze": self._maze, "actions": list(self._actions)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called: draws the mazes again, and plays the episode again up to there."""
        self.close()
        self._generator.bit_generator.state = state["generator"]
        if state["maze"] >= 0:
            self._draw()
            self._begin(state["maze"])
            for action in state["actions"]:
                self._act(action)

    def render(self) -> np.ndarray:
        """What the player sees, uint8 [120, 160, 3]."""
        return self._running().picture()

    def close(self) -> None:
        """Ends the engine; a reset would start one with new mazes."""
        if self._engine is not None:
            self._engine.close()
        self._engine, self._seeds, self._maze, self._actions = None, [], -1, []

    def _draw(self) -> None:
        """Draws the next mazes, and starts an engine that has them."""
        self.close()
        settings, generator = self._settings, self._generator
        self._drawn_from = dict(generator.bit_generator.state)
        sizes = (settings.side_cells, settings.apples, len(maze_wad.COLORS))
        plans = [maze_map.draw_plan(*sizes, generator) for _ in range(MAZES_A_FILE)]
        self._seeds = generator.integers(2**31, size=MAZES_A_FILE).tolist()
        self._engine = Engine(
            maze_wad.pack(plans), maze_wad.maze_name(0), item_score=APPLE_SCORE, secret_score=PORTAL_SCORE
        )

    def _begin(self, maze: int) -> None:
        self._running().begin(maze_wad.maze_name(maze), self._seeds[maze])
        self._maze, self._actions = maze, []

    def _act(self, action: int) -> float:
        self._actions.append(int(action))
        return self._running().act(_BUTTONS[action], self._settings.action_repeat)

    def _observe(self) -> np.ndarray:
        picture = cv2.resize(self._running().picture(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(picture.transpose(2, 0, 1))

    def _running(self) -> Engine:
        assert self._engine is not None, "a maze must be reset before its first step"
        return self._engine
