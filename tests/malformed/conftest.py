"""Copies of the shipped files, to be given a mistake."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from a3c.__main__ import main

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the folder `experiments`."""
    return Path(shutil.copytree(EXPERIMENTS, tmp_path / "experiments"))


@pytest.fixture
def edit(copied: Path) -> Callable[[str, str, str], None]:
    """`edit(file, old, new)`: the first `old` in a copied file becomes `new`."""

    def edit(name: str, old: str, new: str) -> None:
        text = (copied / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r} any more"
        (copied / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


@pytest.fixture
def command(copied: Path) -> list[str]:
    """Planning one study at one scale; its others, which use the other settings files, are checked with it."""
    folders = ["--experiments", str(copied), "--results", str(copied.parent / "results")]
    return ["plan", "staleness", "--scale", "smoke", *folders]


@pytest.fixture
def refused(copied: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], None]:
    """`refused(words)`: the command ends with code 2, says all these words, has no traceback and writes nothing."""

    def files() -> dict[str, bytes]:
        return {str(p.relative_to(copied.parent)): p.read_bytes() for p in copied.parent.rglob("*") if p.is_file()}

    def refused(words: Sequence[str], line: Sequence[str] = command) -> None:
        before = files()
        assert main(line) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("a3c plan: ")
        assert "Traceback" not in told.err
        assert [word for word in words if word not in told.err] == [], told.err
        assert files() == before

    return refused
