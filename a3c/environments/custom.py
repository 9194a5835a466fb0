"""A user's own environment, named `package.module:factory` in the settings and made by calling the factory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from a3c.environments.checked import Checked, staying
from a3c.environments.step import Environment, Spec
from a3c.problems import InvalidInput, Problem
from a3c.settings import CustomSettings
from a3c.settings.named_functions import bind

if TYPE_CHECKING:
    import gymnasium

METHODS = ("reset", "step", "save", "restore", "close")


def custom(game: str, settings: CustomSettings, seed: int, generator: np.random.Generator) -> Environment:
    """What `factory(**options)` returns, if it is an environment; what that returns is looked at, see `Checked`.

    A `gymnasium.Env` with discrete actions or vectors of real ones, and box or discrete observations, is adapted: its
    first `reset` gets `seed`, and its rewards are scaled by `reward_scale`. An object that follows
    `a3c.environments.step.Environment` makes its rewards itself, so `reward_scale` must be 1. A factory with an
    argument named `generator` receives it, and must draw all chance from it.

    Args:
      game: `package.module:factory`.
      settings: `options` are the factory's keyword arguments.
      seed: below 2**31.
      generator: on the same stream.

    Raises:
      InvalidInput: naming the module or factory that was not found, the options it does not take, or what it returned
        instead.
    """
    factory = bind(game, ("game", "environment.options"), settings.options, offered={"generator": generator})
    with staying(game):
        made = factory()
    if isinstance(getattr(made, "spec", None), Spec) and not _missing(made):
        if settings.reward_scale != 1.0:
            what = f"got {settings.reward_scale}; {game} makes its rewards itself: allowed: 1.0"
            raise InvalidInput([Problem("environment.reward_scale", what)])
        return Checked(game, cast(Environment, made))
    if _is_gymnasium(made):
        return _adapted(game, made, settings.reward_scale, seed)
    raise _problem(f"{game} returned {_described(made)}; {_wanted(made)}")


def _is_gymnasium(made: object) -> bool:
    # Own environments work without Gymnasium, and nothing is a gymnasium.Env where nobody has imported it.
    module = sys.modules.get("gymnasium")
    return module is not None and isinstance(made, module.Env)


def _adapted(game: str, env: gymnasium.Env[Any, Any], reward_scale: float, seed: int) -> Environment:
    from a3c.environments.control import fits
    from a3c.environments.foreign import Foreign

    if not fits(env):
        raise _problem(
            f"{game} returned a gymnasium.Env with observations {env.observation_space} and actions "
            f"{env.action_space}; observations in a Box or Discrete and actions in Discrete or a Box of one axis "
            "are needed"
        )
    return Checked(game, Foreign(game, env, reward_scale, seed))


def _missing(made: object) -> list[str]:
    return [method for method in METHODS if not callable(getattr(made, method, None))]


def _wanted(made: object) -> str:
    needed = "a gymnasium.Env or an object with a `spec` (a3c.environments.step.Spec) and " + ", ".join(METHODS)
    missing = _missing(made)
    if len(missing) == len(METHODS):
        return f"{needed} is needed"
    lacks = ", ".join(missing) or "a `spec` that is a Spec"
    return f"{needed} is needed: it lacks {lacks}"


def _described(made: object) -> str:
    return "None" if made is None else f"an object of type {type(made).__module__}.{type(made).__qualname__}"


def _problem(what: str) -> InvalidInput:
    return InvalidInput([Problem("game", what)])
