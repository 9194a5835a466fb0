"""Which code trained a model: a hash that changes with the meaning of the code and not with its words.

It covers the modules that can change a trained model, as syntax trees without docstrings: a comment, a docstring or a
blank line retrains nothing, a constant does.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# What merely records, plans, analyzes or shows cannot change a trained model.
TRAINING_CODE = ("settings", "seeding.py", "environments", "learning", "asynchrony")
ANALYSIS_CODE = ("analysis", "records/schedule_file.py", "records/staleness.py")
MEASURING_CODE = ("correlations.py", "measuring.py")


def modules(parts: tuple[str, ...] = TRAINING_CODE) -> list[Path]:
    """The files that a fingerprint covers, sorted."""
    package = Path(__file__).parent
    files = [package / name for name in parts]
    return sorted(p for file in files for p in ([file] if file.is_file() else file.rglob("*.py")))


@cache
def fingerprint(parts: tuple[str, ...] = TRAINING_CODE) -> str:
    """Twelve hexadecimal digits that name code: what trains, or what makes tables and figures of it."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in modules(parts):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(meaning(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:12]


def run_fingerprint(own_functions: Iterable[str]) -> str:
    """Twelve hexadecimal digits that name the code that trains a run: `fingerprint`, if nothing in it is the user's.

    Args:
      own_functions: `package.module:function` each. The file of each module counts, what it imports does not; a module
        that is not found counts as none, and training will say so.
    """
    names = [name.partition(":")[0] for name in own_functions]
    if not names:
        return fingerprint()
    digest = hashlib.sha256(fingerprint().encode())
    for name in names:
        digest.update(name.encode())
        if (path := _module_file(name)) is not None:
            digest.update(_own_meaning(path.read_bytes()))
    return digest.hexdigest()[:12]


def _own_meaning(source: bytes) -> bytes:
    """The meaning of a file that may have none: whoever imports it is told what is wrong with it, and where."""
    try:
        return meaning(source.decode()).encode()
    except (SyntaxError, ValueError):
        return source


def _module_file(name: str) -> Path | None:
    """A module's source, where an import would find it, but without one: to plan a run is not to run its code."""
    first, *rest = name.split(".")
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    spec = next((found for finder in finders if (found := finder.find_spec(first, None))), None)
    if spec is None:
        return None
    places = [Path(folder, *rest) for folder in spec.submodule_search_locations or ()]
    files = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    paths = files if rest else [Path(spec.origin or "")]
    return next((path for path in paths if path.suffix == ".py" and path.is_file()), None)


def meaning(source: str) -> str:
    """A module's syntax tree as text, without docstrings and positions."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree, annotate_fields=False)


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
