"""YAML by the safe loader, with two additions: a key given twice is an error, and every error names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from a3c.problems import InvalidInput, Problem


class _Loader(yaml.SafeLoader):
    """The safe loader, refusing a mapping that gives one key twice (YAML itself keeps the last silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Builds a mapping after checking its keys."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                problem = f"the key {key!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
      InvalidInput: if the file is missing, is not YAML, gives a key twice or holds no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a safe loader, see above
    except OSError as error:
        raise InvalidInput([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise InvalidInput([Problem(str(path), " ".join(str(error).split()))]) from None
    if not isinstance(content, dict):
        raise InvalidInput([Problem(str(path), f"a mapping of keys to values is needed, got {content!r}"[:300])])
    return content
