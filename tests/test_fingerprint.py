"""The fingerprint follows what the code means, not how it is written."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

import a3c
from a3c.fingerprint import ANALYSIS_CODE, MEASURING_CODE, TRAINING_CODE, fingerprint, meaning, modules

PACKAGE = Path(a3c.__file__).parent

SOURCE = '''"""Module."""

import math

LIMIT = 40.0


class Learner:
    """Class."""

    rate = 0.1

    def step(self, x):
        """Function."""
        return x[1:] * math.sqrt(LIMIT)

    def nothing(self):
        """Only words."""
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that a test may edit."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "a3c", ignore=shutil.ignore_patterns("__pycache__")))


def fingerprint_of(package: Path) -> str:
    """What the copy says of itself."""
    spec = importlib.util.spec_from_file_location("copied_fingerprint", package / "fingerprint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.fingerprint())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 40.0", "LIMIT = 40.0  # the paper says only that it was tuned"),
        ("LIMIT = 40.0", "# a line of its own\nLIMIT = 40.0"),
        ("LIMIT = 40.0", "\n\nLIMIT  =  (40.0)"),
        ('"""Module."""', '"""Another description of the module."""'),
        ('"""Module."""\n', ""),
        ('    """Class."""\n', ""),
        ('"""Function."""', "'''Function,\n        in two lines.'''"),
        ('        """Only words."""', "        pass"),
        ("x[1:] * math", "x[1:] \\\n            * math"),
    ],
)
def test_comments_docstrings_and_layout_mean_nothing(old: str, new: str) -> None:
    assert old in SOURCE
    assert meaning(SOURCE.replace(old, new)) == meaning(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("40.0", "40.5"),
        ("40.0", "40"),
        ("x[1:]", "x[:1]"),
        (" * ", " / "),
        ("math.sqrt", "math.exp"),
        ("LIMIT)", "-LIMIT)"),
        ("def step", "def pace"),
        ("rate = 0.1", "rate = 0.1\n    other = 2"),
        ('        """Function."""\n', '        x = """Function."""\n'),
    ],
)
def test_a_constant_an_operator_or_a_name_means_something(old: str, new: str) -> None:
    assert old in SOURCE
    assert meaning(SOURCE.replace(old, new)) != meaning(SOURCE)


def test_the_fingerprint_of_a_copy_is_that_of_the_package(package: Path) -> None:
    assert fingerprint_of(package) == fingerprint()
    assert len(fingerprint()) == 12
    assert int(fingerprint(), 16) >= 0


def test_words_in_the_training_code_change_no_fingerprint(package: Path) -> None:
    for path in (package / "seeding.py", package / "learning" / "optimizers.py", package / "asynchrony" / "store.py"):
        source = path.read_text()
        path.write_text('"""Other words."""\n# and a comment\n' + source.split('"""', 2)[2] + "\n\n# the end\n")
    assert fingerprint_of(package) == fingerprint()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("learning/optimizers.py", "1.0 - decay", "1.5 - decay"),
        ("learning/networks.py", "(16, 8, 4)", "(16, 7, 4)"),
        ("seeding.py", '"initialization", "environment"', '"environment", "initialization"'),
        ("environments/cliff_world.py", "-100", "-99"),
    ],
)
def test_a_constant_in_the_training_code_changes_it(package: Path, name: str, old: str, new: str) -> None:
    source = (package / name).read_text()
    assert old in source
    (package / name).write_text(source.replace(old, new))
    assert fingerprint_of(package) != fingerprint()


def test_a_new_and_a_renamed_module_change_it(package: Path) -> None:
    (package / "learning" / "returns.py").rename(package / "learning" / "sums.py")
    renamed = fingerprint_of(package)
    (package / "learning" / "more.py").write_text("X = 1\n")
    assert len({fingerprint(), renamed, fingerprint_of(package)}) == 3


@pytest.mark.parametrize("name", ["plan.py", "records/tracking.py", "analysis/style.py", "__main__.py"])
def test_code_that_cannot_change_a_model_retrains_nothing(package: Path, name: str) -> None:
    (package / name).write_text((package / name).read_text() + "\nSOMETHING = 1\n")
    assert fingerprint_of(package) == fingerprint()


def test_it_covers_everything_that_computes() -> None:
    covered = {path.relative_to(PACKAGE).as_posix() for path in modules()}
    assert {"seeding.py", "learning/gradients.py", "asynchrony/worker.py", "environments/atari.py"} <= covered
    assert not any(name.startswith(("records/", "analysis/")) for name in covered)


def test_whatever_makes_tables_and_measurements_has_a_fingerprint() -> None:
    """The records that analysis computes with, too: quantiles of staleness, and turns as a schedule holds them."""
    for parts in (ANALYSIS_CODE, MEASURING_CODE):
        assert all(path.is_file() for path in modules(parts))
        assert len(modules(parts)) >= len(parts)
    assert {path.name for path in modules(ANALYSIS_CODE)} >= {"tables.py", "staleness.py", "schedule_file.py"}
    assert len({fingerprint(parts) for parts in (TRAINING_CODE, ANALYSIS_CODE, MEASURING_CODE)}) == 3
