"""Runs that tests train and follow into MLflow: where they lie, who shows them, and waiting for something."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from a3c.settings import Settings


def folder_of(settings: Settings, results: Path) -> Path:
    return results / "runs" / settings.game / "x" / f"seed{settings.seed}"


def watchers(results: Path) -> list[int]:
    """Processes that show runs of a results folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if "track" in words and str(results) in words:
                found.append(int(entry.name))
    return found


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    """Until it holds; a test fails if it does not in time."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)
