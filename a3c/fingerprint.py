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


def training_modules() -> list[Path]:
    """The files that the fingerprint covers, sorted."""
    package = Path(__file__).parent
    files = [package / name for name in TRAINING_CODE]
    return sorted(p for file in files for p in ([file] if file.is_file() else file.rglob("*.py")))


@cache
def fingerprint() -> str:
    """Twelve hexadecimal digits that name the training code."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in training_modules():
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
