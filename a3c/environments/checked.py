"""A user's own environment with every answer looked at, so that a mistake in it is named where it is made."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from a3c.environments.step import Environment, Spec, Step


class EnvironmentFaultError(RuntimeError):
    """A user's environment did not do what its protocol or its spaces say."""


class Checked:
    """An environment whose observations and steps are what its `Spec` promises, or an error says what they are.

    Attributes:
      spec: the environment's.
    """

    def __init__(self, game: str, environment: Environment) -> None:
        """Looks at everything that the environment returns.

        Args:
          game: `package.module:factory`, for messages.
          environment: to be used by this object only.
        """
        self.spec: Spec = environment.spec
        self._game, self._environment = game, environment
        self._dtype = np.dtype(self.spec.observation_dtype)
        self._actions: tuple[str, ...] = tuple(getattr(environment, "action_names", ()))

    @property
    def action_names(self) -> tuple[str, ...]:
        """What the environment calls its actions, if it says."""
        return self._actions

    def reset(self) -> np.ndarray:
        """The first observation of an episode.

        Raises:
          EnvironmentFaultError: if it is none.
        """
        with staying(f"{self._game}: reset()"):
            observation = self._environment.reset()
        return self._observation("reset", observation)

    def step(self, action: Any) -> Step:
        """One decision's outcome.

        Raises:
          EnvironmentFaultError: naming the field that is wrong.
        """
        call = f"{self._game}: step()"
        with staying(call):
            step = self._environment.step(action)
        if not isinstance(step, Step):
            raise self._fault("step", f"{described(step)}; a Step is needed")
        if finite(call, "discount", step.discount) not in (0.0, 1.0):
            raise self._fault("step", f"the discount {step.discount!r}; it is 0.0 or 1.0")
        if not isinstance(step.last, bool | np.bool_):
            raise self._fault("step", f"{described(step.last)} for `last`; it is True or False")
        reward, score = finite(call, "reward", step.reward), finite(call, "score", step.score)
        observation = self._observation("step", step.observation)
        return Step(observation, reward, float(step.discount), bool(step.last), score)

    def save(self) -> dict[str, Any]:
        """The environment's own."""
        return self._environment.save()

    def restore(self, state: dict[str, Any]) -> None:
        """The environment's own."""
        self._environment.restore(state)

    def render(self) -> np.ndarray:
        """The environment's own."""
        return self._environment.render()

    def close(self) -> None:
        """The environment's own."""
        self._environment.close()

    def _observation(self, call: str, value: Any) -> np.ndarray:
        """The observation, if it has the promised shape and dtype and only finite numbers."""
        if not isinstance(value, np.ndarray | np.generic):
            raise self._fault(call, f"{described(value)} as observation; {self._promised()} is needed")
        if value.shape != self.spec.observation_shape or value.dtype != self._dtype:
            found = f"an observation {value.dtype} {list(value.shape)}"
            raise self._fault(call, f"{found}; its spec promises {self._promised()}")
        if self._dtype.kind == "f" and not np.isfinite(value).all():
            place = np.argwhere(~np.isfinite(value))[0]
            found = f"an observation with {np.asarray(value)[tuple(place)]} at {place.tolist()}"
            raise self._fault(call, f"{found}; finite numbers are needed")
        if self.spec.states is not None and not 0 <= int(value) < self.spec.states:
            raise self._fault(call, f"the state {int(value)}; its spec promises 0 to {self.spec.states - 1}")
        return np.asarray(value)

    def _promised(self) -> str:
        return f"{self.spec.observation_dtype} {list(self.spec.observation_shape)}"

    def _fault(self, call: str, what: str) -> EnvironmentFaultError:
        return EnvironmentFaultError(f"{self._game}: {call}() returned {what}")


@contextmanager
def staying(call: str) -> Iterator[None]:
    """Lets nobody leave the program from within an environment: it would look like a run that has ended well.

    Raises:
      EnvironmentFaultError: if that was tried; what the supervisor's signal raises passes.
    """
    try:
        yield
    except SystemExit as error:
        if error.code == 128 + signal.SIGTERM:
            raise
        raise EnvironmentFaultError(f"{call} ends the program by SystemExit({error.code!r})") from error


def finite(call: str, what: str, value: Any) -> float:
    """A float of what may be a NumPy scalar, but is no array, text or NaN.

    Raises:
      EnvironmentFaultError: if it is.
    """
    try:
        if isinstance(value, float | int | np.floating | np.integer | np.bool_) and math.isfinite(value):
            return float(value)
    except OverflowError:
        raise EnvironmentFaultError(f"{call} returned an integer beyond every float as {what}") from None
    found = repr(float(value)) if isinstance(value, float | np.floating) else described(value)
    raise EnvironmentFaultError(f"{call} returned {found} as {what}; a finite number is needed")


def described(value: object) -> str:
    """What came in place of an answer, without its content."""
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return "None" if value is None else f"an object of type {type(value).__name__}"
