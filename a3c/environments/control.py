"""Gymnasium's environments behind our protocol: `Adapter` for any of them, `Control` for the classic control tasks."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from a3c.environments import naming_what_to_install
from a3c.environments.step import Spec, Step
from a3c.problems import InvalidInput, Problem

# What some tasks keep beside their state array: CartPole how long ago it fell, Pendulum the torque that it draws.
_KEPT = ("steps_beyond_terminated", "last_u")

# What Gymnasium's documentation calls the actions.
ACTION_NAMES = {
    "CartPole-v1": ("left", "right"),
    "Acrobot-v1": ("torque -1", "torque 0", "torque +1"),
    "MountainCar-v0": ("left", "none", "right"),
    "Pendulum-v1": ("torque",),
}


def fits(env: gymnasium.Env[Any, Any]) -> bool:
    """Whether `Adapter` can carry it: observations in a box or discrete, actions discrete or in a box of one axis."""
    actions, observations = env.action_space, env.observation_space
    of_vectors = isinstance(actions, Box) and len(actions.shape) == 1
    return (isinstance(actions, Discrete) or of_vectors) and isinstance(observations, Box | Discrete)


class Adapter:
    """Any `gymnasium.Env` that `fits`.

    A box of bytes stays `uint8`, any other box becomes `float32`; a discrete observation becomes a state's index, an
    int64 array of shape `()`. Actions in a box are clipped to its bounds. `terminated` is (discount 0, last),
    `truncated` alone is (discount 1, last).
    """

    def __init__(self, env: gymnasium.Env[Any, Any], reward_scale: float, seed: int) -> None:
        """Takes the environment over.

        Args:
          env: to be stepped and closed by this object only.
          reward_scale: `reward = reward_scale * score`.
          seed: given to the first `reset`; later episodes go on with the environment's own generator.
        """
        self._env = env
        self._reset = env.reset
        self._step = env.step
        self._reward_scale = reward_scale
        self._seed: int | None = seed
        observations, actions = env.observation_space, env.action_space
        assert isinstance(actions, Discrete | Box)
        assert isinstance(observations, Box | Discrete)
        self._bounds = (actions.low, actions.high) if isinstance(actions, Box) else None
        self._first_action = int(actions.start) if isinstance(actions, Discrete) else 0
        self._first_state = int(observations.start) if isinstance(observations, Discrete) else 0
        self.spec = _spec(observations, actions)
        self._dtype: np.dtype[Any] = np.dtype(self.spec.observation_dtype)

    def reset(self) -> np.ndarray:
        """Starts an episode; the first one seeds the environment."""
        observation, _ = self._reset(seed=self._seed)
        self._seed = None
        return self._own(observation)

    def step(self, action: Any) -> Step:
        """Takes one decision; an environment that ends and times out at once has ended."""
        taken = int(action) + self._first_action if self._bounds is None else np.clip(action, *self._bounds)
        observation, score, terminated, truncated, _ = self._step(taken)
        score = float(score)
        discount = 0.0 if terminated else 1.0
        return Step(self._own(observation), score * self._reward_scale, discount, bool(terminated or truncated), score)

    def _own(self, observation: Any) -> np.ndarray:
        """A copy, since an environment may write into the array that it returned."""
        if self._first_state:
            observation = observation - self._first_state
        return np.array(observation, dtype=self._dtype)

    def save(self) -> dict[str, Any]:
        """Gymnasium has no call for it.

        Raises:
          NotImplementedError: always.
        """
        name = type(self._env.unwrapped).__name__
        raise NotImplementedError(
            f"{name} cannot be saved: gymnasium.Env has no way to ask for its state. "
            "Give an environment of its own with save() and restore() to resume exactly."
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Gymnasium has no call for it.

        Raises:
          NotImplementedError: always.
        """
        raise NotImplementedError(f"{type(self._env.unwrapped).__name__} cannot be restored")

    def render(self) -> np.ndarray:
        """What the environment draws of itself, uint8 [H, W, 3].

        Raises:
          InvalidInput: if it was made without `render_mode="rgb_array"`, the only mode that returns pictures.
        """
        mode = self._env.render_mode
        if mode != "rgb_array":
            name = type(self._env.unwrapped).__name__
            what = (
                f"{name} was made with render_mode {mode!r} and cannot be drawn; its factory has to pass on 'rgb_array'"
            )
            raise InvalidInput([Problem("game", what)])
        picture: Any = self._env.render()
        return np.asarray(picture, dtype=np.uint8)

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()


def _spec(observations: Box | Discrete, actions: Box | Discrete) -> Spec:
    continuous = isinstance(actions, Box)
    count = actions.shape[0] if isinstance(actions, Box) else int(actions.n)
    if isinstance(observations, Discrete):
        return Spec((), "int64", count, states=int(observations.n), continuous=continuous)
    dtype = "uint8" if observations.dtype == np.uint8 else "float32"
    return Spec(tuple(observations.shape), dtype, count, continuous=continuous)


class Control(Adapter):
    """A classic control task without Gymnasium's wrappers: the time limit is counted here, and saved."""

    def __init__(self, game: str, reward_scale: float, seed: int) -> None:
        """Makes one of `games.CONTROL_GAMES`; arguments as in `Adapter`."""
        # With this mode a task draws when it is asked to, and spends nothing on it before.
        env = gymnasium.make(game, disable_env_checker=True, render_mode="rgb_array")
        assert env.spec is not None
        assert env.spec.max_episode_steps is not None
        self._game = game
        self.action_names: tuple[str, ...] = ACTION_NAMES.get(game, ())
        self._limit_steps = env.spec.max_episode_steps
        self._elapsed_steps = 0
        super().__init__(env.unwrapped, reward_scale, seed)
        # Typed loosely: the attributes below belong to the tasks, not to gymnasium.Env.
        self._task: Any = env.unwrapped

    def reset(self) -> np.ndarray:
        """Starts an episode; the first one seeds the environment."""
        self._elapsed_steps = 0
        return super().reset()

    def step(self, action: Any) -> Step:
        """Takes one decision; the last one that the task's time limit allows is `last`."""
        step = super().step(action)
        self._elapsed_steps += 1
        return step._replace(last=True) if self._elapsed_steps >= self._limit_steps else step

    def save(self) -> dict[str, Any]:
        """The task's state, the elapsed steps and the random generator's state."""
        return self._save_task() | {
            "elapsed_steps": self._elapsed_steps,
            "seed": self._seed,
            "generator": self._task.np_random.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._restore_task(state)
        self._elapsed_steps = int(state["elapsed_steps"])
        self._seed = state["seed"]
        self._task.np_random.bit_generator.state = state["generator"]

    def _save_task(self) -> dict[str, Any]:
        state = getattr(self._task, "state", None)
        kept = {name: getattr(self._task, name) for name in _KEPT if hasattr(self._task, name)}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in kept.items()}
        return {"state": None if state is None else np.array(state)} | plain

    def _restore_task(self, state: dict[str, Any]) -> None:
        self._task.state = None if state["state"] is None else state["state"].copy()
        for name in _KEPT:
            if name in state:
                setattr(self._task, name, state[name])

    def render(self) -> np.ndarray:
        """What Gymnasium draws, uint8 [H, W, 3], with pygame and without a window.

        Raises:
          InvalidInput: naming what to install, if there is no pygame.
        """
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        with naming_what_to_install(self._game):
            import pygame  # noqa: F401, since Gymnasium imports it too late to name it
        return super().render()
