"""In which file and line a key of a YAML file stands, for messages; files are looked at again only where one is shown.

Settings lie on one another: a problem of theirs stands where the uppermost layer that says something of it says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a3c.yaml_files import key_lines


@dataclass(frozen=True)
class Place:
    """A key of a YAML file; as text `experiments/staleness.yaml:12: scales.laptop[0].workers`.

    The line is that of the deepest part of the key path that the file has; of a key that is missing, its mapping's.

    Attributes:
      file: the path.
      key: the key path.
    """

    file: Path
    key: str

    def __str__(self) -> str:
        return f"{self.line_name}: {self.key}"

    @property
    def line_name(self) -> str:
        """File and line as `experiments/staleness.yaml:12`; the file alone if it has nothing of the key path."""
        lines, key = key_lines(self.file), self.key
        while key and key not in lines:
            key = _above(key)
        return f"{self.file}:{lines[key]}" if key else str(self.file)

    def below(self, key: str) -> Place:
        """A key of the mapping that stands here."""
        return Place(self.file, f"{self.key}.{key}")


# Where the settings stand that lie on others, by key path; None for what stands in no file, as on the command line.
Layer = Mapping[str, Place | None]


def layer_of_file(file: Path, key: str = "") -> Layer:
    """The settings that a file has, below one of its keys if that is given."""
    begin = f"{key}." if key else ""
    return {path.removeprefix(begin): Place(file, path) for path in key_lines(file) if path.startswith(begin)}


def layer_of_values(settings: Mapping[str, Any]) -> Layer:
    """Settings that stand in no file."""
    return dict.fromkeys(_key_paths(settings))


def find_place(key: str, settings: Mapping[str, Any], layers: Iterable[Layer]) -> Place | None:
    """Where the settings stand that a problem is about.

    Args:
      key: key path in the settings, such as `learning.gamma`.
      settings: what all layers add up to; what is not in it stands nowhere, so its mapping counts.
      layers: the uppermost first.
    """
    there, ordered = set(_key_paths(settings)), list(layers)
    while key and key not in there:
        key = _above(key)
    while key:
        for layer in ordered:
            if key in layer:
                return layer[key]
        key = _above(key)
    return None


def _above(key: str) -> str:
    """`scales.laptop[0].workers` -> `scales.laptop[0]` -> `scales.laptop` -> `scales` -> nothing."""
    return key[: max(key.rfind("."), key.rfind("["), 0)]


def _key_paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        items = [(f"[{key}]" if isinstance(key, int) else f".{key}", inner) for key, inner in value.items()]
    else:
        items = [(f"[{index}]", inner) for index, inner in enumerate(value)] if isinstance(value, list | tuple) else []
    for part, inner in items:
        whole = f"{path}{part}".lstrip(".")
        yield whole
        yield from _key_paths(inner, whole)
