"""YAML by the safe loader, with more that is an error: a key given twice, and a document larger than it looks.

Every error names file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from a3c.problems import InvalidInput, Problem, shown

MOST_BYTES = 1 << 20
MOST_NODES = 100_000  # with every alias written out
MOST_LEVELS = 50
TOO_MUCH = f"with its aliases written out it has more than {MOST_NODES:,} values"
TOO_DEEP = f"nested deeper than {MOST_LEVELS} levels"


class _Measure(NamedTuple):
    nodes: int
    levels: int


class _Loader(yaml.SafeLoader):
    """The safe loader, which constructs nothing before the whole document has been judged."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._levels = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Composes one node, if it does not stand too deep; what is below it is not even looked at then."""
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise ComposerError(None, None, TOO_DEEP, self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._levels -= 1
        return node

    def get_measured_node(self) -> yaml.Node | None:
        """The document's node, None for an empty one; refused if it comes to too much."""
        node: yaml.Node | None = self.get_single_node()
        if node is not None:
            self._measure(node, {}, set())
        return node

    def construct_document(self, node: yaml.Node) -> Any:
        """Builds a document after measuring what it comes to."""
        self._measure(node, {}, set())
        return super().construct_document(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Builds one value; what Python says of a date or a number that is none becomes an error of YAML."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"{shown(node.value)} cannot be read as {node.tag.rpartition(':')[2]}: {error}"
            raise ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Builds a mapping after checking its keys: YAML itself keeps the last of equal ones silently."""
        if not isinstance(node, yaml.MappingNode):  # by a tag such as !!set
            raise ConstructorError(None, None, f"{shown(node.value)} is no mapping", node.start_mark)
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise ConstructorError(None, None, f"{shown(key)} cannot be a key: unhashable", key_node.start_mark)
            if key in seen:
                raise ConstructorError(None, None, f"the key {shown(key)} is given twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def _measure(self, node: yaml.Node, known: dict[int, _Measure], above: set[int]) -> _Measure:
        """What a node comes to with every alias written out; each is looked at once."""
        if id(node) in above:
            raise ComposerError(None, None, "an anchor contains itself again", node.start_mark)
        if id(node) not in known:
            inner = [] if isinstance(node, yaml.ScalarNode) else node.value
            parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
            below = [self._measure(part, known, above | {id(node)}) for part in parts]
            found = _Measure(1 + sum(b.nodes for b in below), 1 + max((b.levels for b in below), default=0))
            if found.nodes > MOST_NODES:
                raise ComposerError(None, None, TOO_MUCH, node.start_mark)
            if found.levels > MOST_LEVELS:
                raise ComposerError(None, None, TOO_DEEP, node.start_mark)
            known[id(node)] = found
        return known[id(node)]


# YAML 1.1, which the library reads, takes 7e-4 and 1.0e6 for text; YAML 1.2 and everybody else take them for numbers.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def parse_yaml(text: str, where: str) -> Any:
    """The content of one YAML document.

    Args:
      text: of the document.
      where: it stands, for messages.

    Raises:
      InvalidInput: if it is no YAML, gives a key twice, contains itself or comes to too much.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  a safe loader, see above
    except yaml.YAMLError as error:
        words = " ".join(str(error).split())
        raise InvalidInput([Problem(where, words if len(words) <= 1000 else f"{words[:1000]}...")]) from None


@lru_cache(maxsize=256)
def _parsed(text: str, where: str) -> Any:
    """As `parse_yaml`; every study stands on a few files that are read again and again."""
    return parse_yaml(text, where)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
      InvalidInput: if the file is missing or too large, is not YAML, gives a key twice or holds no mapping.
    """
    content = deepcopy(_parsed(_read_text(path), str(path)))
    if not isinstance(content, dict):
        raise InvalidInput([Problem(str(path), f"a mapping of keys to values is needed, got {shown(content)}")])
    return content


def key_lines(path: Path) -> dict[str, int]:
    """The line of every key and item of a YAML file, by key path such as `scales.laptop[0].workers`; 1 is the first.

    Empty if the file cannot be read, for which `read_yaml` has the words. What a merge key brings has no line.
    """
    try:
        return _key_lines(_read_text(path))
    except InvalidInput:
        return {}


@lru_cache(maxsize=16)
def _key_lines(text: str) -> dict[str, int]:
    try:
        node = _Loader(text).get_measured_node()
    except yaml.YAMLError:
        return {}
    return dict(_lines_below(node, "")) if node is not None else {}


def _lines_below(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            number = key.tag.endswith(":int")  # which no key should be; messages write it as an item
            whole = f"{path}[{key.value}]" if number else f"{path}.{key.value}".lstrip(".")
            yield whole, key.start_mark.line + 1
            yield from _lines_below(value, whole)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield f"{path}[{index}]", item.start_mark.line + 1
            yield from _lines_below(item, f"{path}[{index}]")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    if len(data) > MOST_BYTES:
        raise InvalidInput([Problem(str(path), f"has more than {MOST_BYTES:,} bytes, which no settings need")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput([Problem(str(path), f"line {line} is not utf-8: {error.reason}")]) from None
