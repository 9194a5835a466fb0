"""Gymnasium's CarRacing: a new track every episode, and three numbers to drive with: steering, gas, brake.

Track, physics and rewards are Gymnasium's. The picture is drawn here (see `drawing`) and shows what Gymnasium's shows,
its numbers along the lower edge apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import Box2D
import numpy as np
import pygame  # noqa: F401, which Gymnasium needs: imported here so that its absence is named
from gymnasium.envs.box2d import car_dynamics, car_racing
from gymnasium.utils import seeding

from a3c.environments.drawing import Canvas

_FIELD, _GRASS = (102, 204, 102), (102, 230, 102)
_HULL, _WHEEL = (204, 0, 0), (0, 0, 0)


def _shape(*polygons: Sequence[tuple[float, float]]) -> list[np.ndarray]:
    """Polygons of Gymnasium's car in units of its world, float [V, 2] each, centered on the body."""
    return [np.array(polygon) * car_dynamics.SIZE for polygon in polygons]


_HULL_POLYGONS = _shape(
    car_dynamics.HULL_POLY1, car_dynamics.HULL_POLY2, car_dynamics.HULL_POLY3, car_dynamics.HULL_POLY4
)
_W, _R = car_dynamics.WHEEL_W, car_dynamics.WHEEL_R
_WHEEL_POLYGONS = _shape([(-_W, _R), (_W, _R), (_W, -_R), (-_W, -_R)])


def _patches() -> np.ndarray:
    """Squares of lighter grass, every other cell of the field each way, float [N, 4, 2]."""
    corners = np.array([(1, 0), (0, 0), (0, 1), (1, 1)])
    cells = np.stack(np.meshgrid(np.arange(-20, 20, 2), np.arange(-20, 20, 2)), axis=-1).reshape(-1, 1, 2)
    return np.asarray(car_racing.GRASS_DIM * (cells + corners))


_PATCHES = _patches()
_LONGEST = math.sqrt(2) * car_racing.GRASS_DIM  # of all diagonals
_EDGE = car_racing.PLAYFIELD * np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)])


class _Undrawn(car_racing.CarRacing):
    """Without the picture that Gymnasium draws in every frame."""

    def _render(self, mode: str) -> None:
        del mode


class Racing:
    """A car on a track, as a `pixels.Scene`.

    Box2D has no way to ask for its state, so what is saved is how it came about: the generator before the episode, and
    the actions since. `restore` drives them again, 0.06 ms each. Every episode has a Box2D world of its own, so that
    nothing depends on what an older one left behind in it.
    """

    size = (500, 400)
    action_names: tuple[str, ...] = ("steering", "gas", "brake")
    # Gymnasium's own.
    choices = np.array([[0, 0, 0], [0.6, 0, 0], [-0.6, 0, 0], [0, 0.2, 0], [0, 0, 0.8]], dtype=np.float32)
    choice_names: tuple[str, ...] = ("nothing", "right", "left", "gas", "brake")

    def __init__(self, seed: int) -> None:
        self._generator, _ = seeding.np_random(seed)
        self._before = self._generator.bit_generator.state
        self._actions: list[np.ndarray] | None = None
        self._task: Any = _Undrawn()
        self._task.np_random = self._generator
        actions: Any = self._task.action_space
        self.low, self.high = actions.low, actions.high

    def reset(self) -> None:
        """Lays out a track and puts the car on its start."""
        self._before = self._generator.bit_generator.state
        self._actions = []
        self._task._destroy()
        self._task.world = Box2D.b2World((0, 0))  # the old one goes, and with it all that it holds
        self._task.reset()
        self._road = np.array([vertices for vertices, _ in self._task.road_poly])

    def step(self, action: np.ndarray) -> tuple[float, bool]:
        """See `pixels.Scene`; it ends with the lap, or where the car leaves the field."""
        assert self._actions is not None
        self._actions.append(action)
        _, score, ended, _, _ = self._task.step(action)
        return float(score), bool(ended)

    def draw(self, width: int, height: int) -> np.ndarray:
        """See `pixels.Scene`: the car drives upwards, a quarter of the picture above its lower edge."""
        hull, wheels = self._task.car.hull, self._task.car.wheels
        seconds = self._task.t
        zoom = 0.1 * car_racing.SCALE * max(1 - seconds, 0) + car_racing.ZOOM * car_racing.SCALE * min(seconds, 1)
        scale = zoom * np.array([width / car_racing.WINDOW_W, -height / car_racing.WINDOW_H])
        turn, middle, car = _rotation(-hull.angle), np.array(hull.position), np.array([width / 2, height * 3 / 4])

        def seen(vertices: np.ndarray) -> np.ndarray:
            return np.asarray((vertices - middle) @ turn * scale + car)

        canvas = Canvas(width, height, 0)
        canvas.polygon(seen(_EDGE), _FIELD)
        sight = math.hypot(car_racing.WINDOW_W / 2, car_racing.WINDOW_H * 3 / 4) / zoom
        canvas.polygons(seen(_PATCHES[_near(_PATCHES, middle, sight)]), _GRASS)
        near = np.flatnonzero(_near(self._road, middle, sight))
        for i, polygon in zip(near.tolist(), seen(self._road[near]), strict=True):
            canvas.polygon(polygon, self._task.road_poly[i][1])  # which changes where the car drives over it
        for body, polygons, color in [
            *((wheel, _WHEEL_POLYGONS, _WHEEL) for wheel in wheels),
            (hull, _HULL_POLYGONS, _HULL),
        ]:
            own = _rotation(body.angle)
            for polygon in polygons:
                canvas.polygon(seen(polygon @ own + np.array(body.position)), color)
        return canvas.picture()

    def save(self) -> dict[str, Any]:
        """The generator before this episode, and its actions so far, float32 [T, 3]; None before the first episode."""
        actions = None if self._actions is None else np.array(self._actions, dtype=np.float32).reshape(-1, 3)
        return {"before": self._before, "actions": actions}

    def restore(self, state: dict[str, Any]) -> None:
        """See `pixels.Scene`."""
        self._before = self._generator.bit_generator.state = state["before"]
        self._actions = None
        if state["actions"] is not None:
            self.reset()
            for action in state["actions"]:
                self.step(action)


def _rotation(angle: float) -> np.ndarray:
    """Turns row vectors counterclockwise: float [2, 2]."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([[cosine, sine], [-sine, cosine]])


def _near(polygons: np.ndarray, middle: np.ndarray, sight: float) -> np.ndarray:
    """Which of the polygons, float [N, V, 2], may reach into a circle: bool [N]."""
    away = polygons[:, 0] - middle
    return np.asarray(np.einsum("nx,nx->n", away, away) <= (sight + _LONGEST) ** 2)
