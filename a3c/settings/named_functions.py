"""A user's own function, named `package.module:function` in the settings, and the keyword arguments it is given.

It is code that runs with its user's rights, so settings that somebody else wrote should be read before they are run.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, cast

from pydantic import AfterValidator, JsonValue
from pydantic_core import PydanticCustomError

from a3c.problems import InvalidInput, Problem


def _finite(options: dict[str, Any]) -> dict[str, Any]:
    """Settings are told apart by their JSON, and JSON has no infinity."""
    try:
        json.dumps(options, allow_nan=False)
    except ValueError:
        raise PydanticCustomError("finite", "numbers in it should be finite") from None
    return options


Options = Annotated[dict[str, JsonValue], AfterValidator(_finite)]


def bind(
    name: str, keys: tuple[str, str], options: dict[str, Any], *given: Any, offered: Mapping[str, Any] | None = None
) -> partial[Any]:
    """The function or class that a setting names, with its options; it takes what it will be given.

    Args:
      name: `package.module:function`.
      keys: of the settings that hold the name and the options, for messages.
      options: keyword arguments.
      given: what it will be called with, by position.
      offered: further keyword arguments, for a function that has arguments of these names.

    Raises:
      InvalidInput: if there is no such module or function, or it does not take these arguments.
    """
    function = _find(name, keys[0])
    try:
        signature = inspect.signature(function)
    except ValueError as error:
        what = f"{name} does not say which arguments it takes; a function or class in Python is needed"
        raise InvalidInput([Problem(keys[0], what)]) from error
    asked = {key: value for key, value in (offered or {}).items() if key in signature.parameters}
    try:
        signature.bind(*given, **(options | asked))
    except TypeError as error:
        raise InvalidInput([Problem(keys[1], f"{name}{signature} does not take {options}: {error}")]) from None
    return partial(function, **(options | asked))


def _find(name: str, key: str) -> Callable[..., Any]:
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # A module that the user's module imports and that is not there is another problem, with a traceback of its own.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        what = f"no module {error.name!r} for {name}; is its folder on PYTHONPATH?"
        raise InvalidInput([Problem(key, what)]) from error
    except SystemExit as error:
        what = f"module {module_name!r} ends the program when it is imported"
        raise InvalidInput([Problem(key, what)]) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise InvalidInput([Problem(key, f"module {module_name!r} has no function or class {function_name!r}")])
    return cast(Callable[..., Any], function)
