"""What a shell offers when a command line is completed: `argcomplete` knows the commands, this the settings.

Imports are inside: every start of the program loads this, and only a shell that asks for completions needs more.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]


def answer(parser: argparse.ArgumentParser) -> None:
    """Writes what is offered and ends the process, if a shell has started it for that, which it says by a variable."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)


def offered_files(prefix: str, **parsed: object) -> list[str]:
    """Settings files whose path begins so, and folders that lead to more of them."""
    from argcomplete.completers import FilesCompleter

    del parsed
    return list(FilesCompleter(("yaml",))(prefix))


def offered_settings(prefix: str, **parsed: object) -> list[str]:
    """`key.path=` of every setting, or `key.path=value` of what a setting may be, once its key is there."""
    del parsed
    key, equals, _ = prefix.partition("=")
    values = _values()
    return [f"{key}={value}" for value in values.get(key, ())] if equals else [f"{name}=" for name in values]


def _values() -> dict[str, list[str]]:
    """Every key, with its values where they can be listed."""
    from a3c.environments.games import known_games
    from a3c.settings import Settings

    schema = Settings.model_json_schema()
    found: dict[str, list[str]] = {}
    for key, value in _fields(schema, schema, ""):
        found.setdefault(key, []).extend(text for text in _listed(value) if text not in found[key])
    return found | {"game": known_games()}


def _fields(schema: Fields, model: Fields, prefix: str) -> Iterator[tuple[str, Fields]]:
    """The fields of a model and of the models in it, by their whole keys; of models that may be missing, too."""
    for name, field in model["properties"].items():
        key = f"{prefix}{name}"
        inner = [schema["$defs"][reference] for reference in _references(field)]
        models = [found for found in inner if "properties" in found]
        for found in models:
            yield from _fields(schema, found, f"{key}.")
        if not models or "null" in _listed(field):
            yield key, field


def _references(field: Fields) -> Iterator[str]:
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2]
    for option in (*field.get("oneOf", ()), *field.get("anyOf", ())):
        yield from _references(option)


def _listed(field: Fields) -> Iterator[str]:
    for option in field.get("anyOf", [field]):
        if option.get("type") == "boolean":
            yield from ("true", "false")
        elif option.get("type") == "null":
            yield "null"
        else:
            yield from option.get("enum", [option["const"]] if "const" in option else [])
