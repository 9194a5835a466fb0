"""Settings files, those of `experiments/` and a user's own: each stands on another, `paper.yaml` at the bottom.

Never imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a3c.places import Place
from a3c.problems import InvalidInput, Problem, shown, unknown
from a3c.settings import same_keys
from a3c.yaml_files import parse_yaml, read_yaml

PROJECT = Path(__file__).parents[1] / "experiments"  # of the checkout that runs; an installed package has none


def load_settings(name: str, experiments: Path, project: Path = PROJECT) -> dict[str, Any]:
    """A settings file on top of its bases, as one plain mapping, not yet validated as a whole.

    Args:
      name: of the file, without its ending.
      experiments: the folder where it stands.
      project: where a base is looked for that does not stand beside the file that names it.

    Raises:
      InvalidInput: if a file is missing, is no mapping, or its bases run in a circle.
    """
    return merge(*(layer for _, layer in reversed(read_layers(name, experiments, project))))


def read_layers(name: str, experiments: Path, project: Path = PROJECT) -> list[tuple[Path, dict[str, Any]]]:
    """The same as the files and what each says, the uppermost first.

    Raises:
      InvalidInput: see `load_settings`.
    """
    layers: list[tuple[Path, dict[str, Any]]] = []
    path: Path | None = experiments / f"{name}.yaml"
    while path is not None:
        layer = dict(read_yaml(path))
        base = layer.pop("base", None)
        layers.append((path, layer))
        path = None if base is None else _base(path, base, [file for file, _ in layers], project)
    return layers


def _base(path: Path, base: Any, seen: list[Path], project: Path) -> Path:
    """The file that `path` names as its base: beside it, or else among the project's."""
    place = Place(path, "base")
    if not isinstance(base, str) or not base.isidentifier():
        raise InvalidInput([Problem(str(place), f"got {shown(base)}; it names a file, without folder and ending")])
    searched: dict[Path, Path] = {}  # of folders that are one, the first spelling
    for folder in (path.parent, project, PROJECT):
        searched.setdefault(folder.resolve(), folder)
    found = next((file for folder in searched.values() if (file := folder / f"{base}.yaml").exists()), None)
    if found is None:
        known = {file.stem for folder in searched.values() for file in folder.glob("*.yaml")}
        way_out = "`--experiments` names the folder of the project's files"
        what = f"{unknown(base, known, 'base')}. Searched: {', '.join(map(str, searched.values()))}; {way_out}"
        raise InvalidInput([Problem(str(place), what)])
    if found in seen:
        names = " -> ".join(file.stem for file in [*seen, found])
        raise InvalidInput([Problem(str(place), f"runs in a circle: {names}")])
    return found


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
