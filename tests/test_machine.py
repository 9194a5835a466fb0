"""Facts about the code: the commit that made a run, also where there is no Git."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from a3c import machine

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def without_git(*arguments: Any) -> str:
    raise subprocess.CalledProcessError(128, "git")


@pytest.mark.parametrize(
    ("told", "commit"),
    [(COMMIT, COMMIT), (COMMIT[:7], COMMIT[:7]), ("", "unknown"), ("main", "unknown"), (f"{COMMIT}\n", "unknown"),
     (COMMIT.upper(), "unknown"), ("$(reboot)", "unknown"), (COMMIT[:6], "unknown"), (f"{COMMIT}0", "unknown")],
)  # fmt: skip
def test_without_git_the_commit_is_what_the_image_was_told(
    told: str, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_git", without_git)
    monkeypatch.setenv("A3C_COMMIT", told)
    assert machine.commit() == {"commit": commit, "dirty": None}
    monkeypatch.delenv("A3C_COMMIT")
    assert machine.commit() == {"commit": "unknown", "dirty": None}


def test_git_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    def git(where: Any, *arguments: Sequence[str]) -> str:
        return "f" * 40 if "rev-parse" in arguments else ""

    monkeypatch.setattr(machine, "_git", git)
    monkeypatch.setenv("A3C_COMMIT", COMMIT)
    assert machine.commit() == {"commit": "f" * 40, "dirty": False}
