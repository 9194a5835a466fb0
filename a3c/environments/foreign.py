"""A user's environment of Gymnasium: what it returns is looked at before it is converted, which would hide mistakes."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from a3c.environments.checked import EnvironmentFaultError, described, finite
from a3c.environments.control import Adapter

Outcome = tuple[Any, float, bool | np.bool_, bool | np.bool_, dict[str, Any]]


class Foreign(Adapter):
    """An adapter that believes nothing: observations may have another precision than their space, and that is all."""

    def __init__(self, game: str, env: gymnasium.Env[Any, Any], reward_scale: float, seed: int) -> None:
        """Takes the environment over; arguments as in `Adapter`, with the game's name for messages."""
        super().__init__(env, reward_scale, seed)
        space = env.observation_space
        assert isinstance(space, Box | Discrete)

        def reset(*, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
            return checked_reset(game, env.reset(seed=seed), space)

        def step(action: Any) -> Outcome:
            return checked_step(game, env.step(action), space)

        self._reset: Any = reset
        self._step: Any = step

    def _own(self, observation: Any) -> np.ndarray:
        with np.errstate(over="ignore"):  # the infinity that comes of it is named right after
            return super()._own(observation)


def checked_reset(game: str, answer: Any, space: Box | Discrete) -> tuple[Any, dict[str, Any]]:
    """What `gymnasium.Env.reset` returned, if it is an observation of the space, and a dictionary.

    Raises:
      EnvironmentFaultError: saying what it is instead.
    """
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise EnvironmentFaultError(f"{game}: reset() returned {described(answer)}; (observation, info) is needed")
    _check_observation(f"{game}: reset()", answer[0], space)
    return answer


def checked_step(game: str, answer: Any, space: Box | Discrete) -> Outcome:
    """What `gymnasium.Env.step` returned, if it is what Gymnasium documents.

    Raises:
      EnvironmentFaultError: saying what it is instead.
    """
    needed = "(observation, reward, terminated, truncated, info) is needed"
    if not isinstance(answer, tuple) or len(answer) != 5:
        raise EnvironmentFaultError(f"{game}: step() returned {described(answer)}; {needed}")
    observation, reward, terminated, truncated, info = answer
    _check_observation(f"{game}: step()", observation, space)
    for name, flag in (("terminated", terminated), ("truncated", truncated)):
        if not isinstance(flag, bool | np.bool_):
            raise EnvironmentFaultError(f"{game}: step() returned {described(flag)} as {name}; it is True or False")
    return observation, finite(f"{game}: step()", "reward", reward), terminated, truncated, info


def _check_observation(call: str, value: Any, space: Box | Discrete) -> None:
    if isinstance(space, Discrete):
        if not isinstance(value, int | np.integer) and getattr(value, "shape", None) != ():
            raise EnvironmentFaultError(f"{call} returned {described(value)} as observation; {space} needs an integer")
        return
    if not isinstance(value, np.ndarray | np.generic):
        raise EnvironmentFaultError(f"{call} returned {described(value)} as observation; an array of {space} is needed")
    if value.shape != space.shape or not np.can_cast(value.dtype, space.dtype, "same_kind"):
        found = f"an observation {value.dtype} {list(value.shape)}"
        raise EnvironmentFaultError(f"{call} returned {found}; its space is {space.dtype} {list(space.shape)}")
