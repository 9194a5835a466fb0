"""Gymnasium's tasks seen as pixels: an action is repeated, and the pictures after the last few actions are stacked.

    frames        1   2   3   4   5   6   7   8   ...      with an action repeat of 4
    pictures      first           a               b
    observation   [first, first]  [first, a]      [a, b]   two stacked, oldest first

A task that ends is (discount 0, last). Its time limit, counted in frames, is (discount 1, last).
"""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import gymnasium
import numpy as np
from gymnasium.envs.classic_control.pendulum import PendulumEnv

from a3c.environments.drawing import Canvas
from a3c.environments.games import PIXEL_GAMES
from a3c.environments.step import Spec, Step
from a3c.settings import PixelSettings

SIDE = 84


class Scene(Protocol):
    """A task that can be drawn at any size.

    Attributes:
      low: least action, float32 [D].
      high: greatest action, float32 [D].
      choices: the discrete actions, float32 [A, D], each an action within bounds.
      size: width and height in pixels of a picture for people.
      action_names: what the numbers of an action do.
      choice_names: what the discrete actions do.
    """

    low: np.ndarray
    high: np.ndarray
    choices: np.ndarray
    size: tuple[int, int]
    action_names: tuple[str, ...]
    choice_names: tuple[str, ...]

    def reset(self) -> None:
        """Starts an episode."""

    def step(self, action: np.ndarray) -> tuple[float, bool]:
        """Plays one frame with an action, float32 [D], within bounds: its score, and whether the task ended."""

    def draw(self, width: int, height: int) -> np.ndarray:
        """The present picture, uint8 [height, width, 3]."""

    def save(self) -> dict[str, Any]:
        """As `Environment.save`."""

    def restore(self, state: dict[str, Any]) -> None:
        """As `Environment.restore`."""


class Pixels:
    """A scene as an environment; observations are uint8 `[channels, 84, 84]`, three channels a picture if in color."""

    def __init__(self, game: str, settings: PixelSettings, seed: int) -> None:
        """Makes a task that must be reset before its first step.

        Args:
          game: one of `games.PIXEL_GAMES`.
          settings: action repeat, stack, color, reward scale, and whether actions are continuous.
          seed: of the task's generator.
        """
        cv2.setNumThreads(1)  # workers are one thread each
        self._settings = settings
        limit_frames = gymnasium.spec(PIXEL_GAMES[game]).max_episode_steps
        assert limit_frames is not None
        self._limit_frames = limit_frames
        self._scene = _scene(game, seed)
        self._channels = 3 if settings.color else 1
        self._stack = np.zeros((settings.stacked_frames * self._channels, SIDE, SIDE), dtype=np.uint8)
        self._elapsed_frames = 0
        scene, continuous = self._scene, settings.continuous
        self.action_names = scene.action_names if continuous else scene.choice_names
        self.spec = Spec(self._stack.shape, "uint8", len(self.action_names), continuous=continuous)

    def reset(self) -> np.ndarray:
        """Starts an episode; its stack is all first picture."""
        self._scene.reset()
        self._elapsed_frames = 0
        self._stack = np.tile(self._picture(), (self._settings.stacked_frames, 1, 1))
        return self._stack

    def step(self, action: np.ndarray | int) -> Step:
        """Repeats one action, clipped to the task's bounds, as often as the settings say or until the episode ends.

        Args:
          action: float32 [D], or the index of one of the scene's choices.
        """
        scene = self._scene
        taken = np.clip(action, scene.low, scene.high) if self.spec.continuous else scene.choices[action]
        score, ended, last = 0.0, False, False
        for _ in range(self._settings.action_repeat):
            frame_score, ended = scene.step(taken)
            score += frame_score
            self._elapsed_frames += 1
            last = ended or self._elapsed_frames >= self._limit_frames
            if last:
                break
        self._stack = np.concatenate([self._stack[self._channels :], self._picture()])
        return Step(self._stack, score * self._settings.reward_scale, 0.0 if ended else 1.0, last, score)

    def _picture(self) -> np.ndarray:
        """The scene as it is now, uint8 [channels, 84, 84]."""
        picture = self._scene.draw(SIDE, SIDE)
        if self._settings.color:
            return picture.transpose(2, 0, 1)
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[None]

    def save(self) -> dict[str, Any]:
        """The scene's state, the stack and the elapsed frames."""
        return {"scene": self._scene.save(), "stack": self._stack.copy(), "elapsed_frames": self._elapsed_frames}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._scene.restore(state["scene"])
        self._stack = state["stack"].copy()
        self._elapsed_frames = int(state["elapsed_frames"])

    def render(self) -> np.ndarray:
        """The scene as the agent sees it, but larger and in color."""
        return self._scene.draw(*self._scene.size)

    def close(self) -> None:
        """Nothing to do: the task goes with the object."""


def _scene(game: str, seed: int) -> Scene:
    if game == "PendulumPixels":
        return Pendulum(seed)
    from a3c.environments.racing import Racing

    return Racing(seed)


class Pendulum:
    """Gymnasium's Pendulum, drawn as Gymnasium draws it but for the arrow that shows the torque."""

    size = (500, 500)
    action_names: tuple[str, ...] = ("torque",)
    choices = np.array([[-2.0], [0.0], [2.0]], dtype=np.float32)
    choice_names: tuple[str, ...] = ("clockwise", "nothing", "counterclockwise")

    _COLOR = (204, 77, 77)
    _HALF_VIEW = 2.2  # from the axle to the picture's edges; the rod is 1 long
    _HALF_WIDTH = 0.1

    def __init__(self, seed: int) -> None:
        self._task: Any = PendulumEnv()
        self._seed: int | None = seed
        actions: Any = self._task.action_space
        self.low, self.high = actions.low, actions.high

    def reset(self) -> None:
        """Starts an episode; the first one seeds the task."""
        self._task.reset(seed=self._seed)
        self._seed = None

    def step(self, action: np.ndarray) -> tuple[float, bool]:
        """See `Scene`; it never ends."""
        score = self._task.step(action)[1]
        return float(score), False

    def draw(self, width: int, height: int) -> np.ndarray:
        """See `Scene`; angle 0 is up, and grows counterclockwise."""
        canvas = Canvas(width, height, 255)
        scale = np.array([width, -height]) / (2 * self._HALF_VIEW)
        axle = np.array([width, height]) / 2
        angle = self._task.state[0]
        along, across = np.array([-np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
        side = self._HALF_WIDTH * across
        rod = np.array([side, along + side, along - side, -side])
        canvas.polygon(axle + rod * scale, self._COLOR)
        for end in (np.zeros(2), along):
            canvas.disk(axle + end * scale, self._HALF_WIDTH * scale[0], self._COLOR)
        canvas.disk(axle, 0.05 * scale[0], (0, 0, 0))
        return canvas.picture()

    def save(self) -> dict[str, Any]:
        """The task's state array, its generator and, before the first episode, its seed."""
        state = getattr(self._task, "state", None)
        return {
            "state": None if state is None else np.array(state),
            "seed": self._seed,
            "generator": self._task.np_random.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `Scene`."""
        self._task.state = None if state["state"] is None else state["state"].copy()
        self._seed = state["seed"]
        self._task.np_random.bit_generator.state = state["generator"]
