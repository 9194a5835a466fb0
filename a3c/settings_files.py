"""Settings files of `experiments/`: each stands on another, `paper.yaml` at the bottom. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a3c.problems import InvalidInput, Problem, shown
from a3c.settings import same_keys
from a3c.yaml_files import parse_yaml, read_yaml


def load_settings(name: str, experiments: Path) -> dict[str, Any]:
    """A settings file on top of its bases, as one plain mapping, not yet validated as a whole.

    Raises:
      InvalidInput: if a file is missing, is no mapping, or its bases run in a circle.
    """
    layers: list[dict[str, Any]] = []
    seen: list[str] = []
    while True:
        path = experiments / f"{name}.yaml"
        if name in seen:
            raise InvalidInput([Problem(f"{path}: base", f"runs in a circle: {' -> '.join([*seen, name])}")])
        seen.append(name)
        layer = dict(read_yaml(path))
        base = layer.pop("base", None)
        layers.append(layer)
        if base is None:
            return merge(*reversed(layers))
        if not isinstance(base, str) or not base.isidentifier():
            raise InvalidInput([Problem(f"{path}: base", f"got {shown(base)}; it names a file of {experiments}")])
        name = base


def assignment(text: str) -> dict[str, Any]:
    """`learning.gamma=0.9` -> {"learning": {"gamma": 0.9}}; the value is read as YAML.

    Raises:
      InvalidInput: if it has another form, or the value is no YAML.
    """
    key, equals, value = text.partition("=")
    parts = key.split(".")
    if not equals or not all(part.isidentifier() for part in parts):
        form = "settings are given as key.path=value, such as optimizer.learning_rate=1.0e-3"
        raise InvalidInput([Problem(shown(text), form)])
    content = parse_yaml(value, key)
    for part in reversed(parts):
        content = {part: content}
    return dict(content)


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers on earlier ones, key by key.

    A mapping of another `kind` replaces the whole mapping below it, unless both kinds have the same keys, as `conv2013`
    and `conv2015` have: then what is not said anew stays.
    """
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            result[key] = value
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                kinds = below.get("kind"), value.get("kind", below.get("kind"))
                result[key] = merge(below, value) if same_keys(*kinds) else value
    return result
