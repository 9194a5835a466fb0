"""Which code trained a model: a hash that changes with the meaning of the code and not with its words.

It covers the modules that can change a trained model, as syntax trees without docstrings: a comment, a docstring or a
blank line retrains nothing, a constant does.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

# What merely records, plans, analyzes or shows cannot change a trained model.
TRAINING_CODE = ("settings", "seeding.py", "environments", "learning", "asynchrony")
ANALYSIS_CODE = ("analysis",)


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
