"""Imports point one way, names say the domain, and files can be read in a sitting."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import a3c

PACKAGE = Path(a3c.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# What each room may import of the package, whatever the place of the import; every room may import itself.
LEAVES = ("problems", "settings", "seeding")
MAY_IMPORT = {
    "learning": (),
    "environments": LEAVES,
    "records": (*LEAVES, "environments.games", "machine", "fingerprint"),
    "asynchrony": (*LEAVES, "learning", "environments", "records"),
    "analysis": (
        *LEAVES,
        *("conflicts", "plan", "study_file", "peers", "validation", "yaml_files", "records"),
        *("environments.games", "environments.cliff_world"),
    ),
    "settings": ("problems", "conflicts", "validation"),
    "validation.py": ("problems",),
    "conflicts.py": ("problems", "environments.games"),
    "plan.py": (
        *("problems", "settings", "conflicts", "environments.games"),
        *("study_file", "settings_files", "yaml_files", "places", "peers"),
    ),
    "settings_files.py": ("problems", "settings", "yaml_files", "places"),
    "study_file.py": ("problems", "settings", "validation", "yaml_files", "places", "peers", "environments.games"),
    "peers.py": ("problems", "settings", "fingerprint"),
    "yaml_files.py": ("problems",),
    "places.py": ("yaml_files",),
    "problems.py": (),
    "seeding.py": (),
    "fingerprint.py": (),
    "machine.py": (),
    "__main__.py": (
        *("commands", "completion", "lifeline", "problems", "records.storage"),
        *("analysis.method", "asynchrony.watchdog"),  # words and a number, without what they are used for
    ),
    "completion.py": ("environments.games", "settings"),
}

WITHOUT_TORCH = (
    *(
        "analysis",
        "environments",
        "records",
        "settings",
        "plan.py",
        "study_file.py",
        "settings_files.py",
        "workflow.py",
    ),
    *("commands.py", "problems.py", "yaml_files.py", "seeding.py", "fingerprint.py", "machine.py", "progress.py"),
    *("study_commands.py", "peers.py", "__main__.py", "doctor.py", "preflight.py", "run_states.py"),
    *("completion.py", "finished.py", "lifeline.py", "missing.py"),
)

MOST_LINES, MOST_FUNCTION_LINES = 300, 45


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Full names of all that a module imports, at its top, inside functions and for types alone."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(module: str) -> set[str]:
    """What it imports of this package, without `a3c.`; the package itself is not counted."""
    return {name.removeprefix("a3c.") for name in imports(module) if name.startswith("a3c.")} - {"__version__"}


def room(module: str) -> str:
    return module.split("/")[0]


def names_a_part_of(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in MAY_IMPORT])
def test_imports_point_one_way(module: str) -> None:
    allowed = [*MAY_IMPORT[room(module)], room(module)]
    # `from a3c import machine` names a module, `from a3c.machine import cores` what is in it.
    wrong = {name for name in own_imports(module) if not any(names_a_part_of(name, part) for part in allowed)}
    assert wrong == set()


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) == "learning"])
def test_learning_imports_only_torch(module: str) -> None:
    foreign = {name.split(".")[0] for name in imports(module)} - set(sys.stdlib_module_names) - {"a3c"}
    assert foreign <= {"torch"}


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in WITHOUT_TORCH])
def test_torch_stays_where_it_is_needed(module: str) -> None:
    assert "torch" not in {name.split(".")[0] for name in imports(module)}


def test_one_module_names_mlflow() -> None:
    found = {module for module in MODULES if any(names_a_part_of(name, "mlflow") for name in imports(module))}
    assert found == {"records/tracking.py"}


def test_mlflow_pandas_and_plotting_load_when_they_are_needed_outside_analysis() -> None:
    heavy = {"mlflow", "pandas", "matplotlib", "seaborn"}
    for module in MODULES:
        if room(module) != "analysis":
            top = [node for node in tree(module).body if isinstance(node, ast.Import | ast.ImportFrom)]
            names = {a.name for n in top if isinstance(n, ast.Import) for a in n.names}
            names |= {str(n.module) for n in top if isinstance(n, ast.ImportFrom)}
            assert not heavy & {name.split(".")[0] for name in names}, module


def test_nothing_imports_the_command_line() -> None:
    assert [m for m in MODULES if any(names_a_part_of(name, "__main__") for name in own_imports(m))] == []


def test_names_say_the_domain() -> None:
    words = {part for module in MODULES for part in module.removesuffix(".py").split("/")}
    assert not words & {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "tools"}


@pytest.mark.parametrize(
    "module",
    MODULES,
)
def test_files_and_functions_can_be_read_in_a_sitting(module: str) -> None:
    """A ceiling, not an aim: most files have a hundred lines, most functions a dozen."""
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < MOST_FUNCTION_LINES, node.name


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(tree(module)) or not tree(module).body
