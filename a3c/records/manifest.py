"""What a run was: made by which code, where, when, and how it ended."""

from __future__ import annotations

import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from a3c import machine
from a3c.fingerprint import run_fingerprint
from a3c.records import run_folder
from a3c.settings import Settings

FORMAT_VERSION = 1

RUNNING, FINISHED, FAILED, KILLED = "running", "finished", "failed", "killed"


class Manifest:
    """The manifest of one run folder, rewritten whole whenever something becomes known."""

    def __init__(self, folder: Path, settings: Settings, *, timing: bool, cpu_capability: str) -> None:
        self._path = folder / run_folder.MANIFEST
        self._started = time.monotonic()
        cores = machine.cores()
        self.content: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "outcome": RUNNING,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "started_at_ms": time.time_ns() // 1_000_000,
            "command": shlex.join(["a3c", "train", "--settings", settings.to_json(), "--into", str(folder)]),
            **machine.commit(),
            "fingerprint": run_fingerprint(settings.own_functions),
            "versions": machine.versions(),
            "cpu": machine.cpu(),
            "cpu_capability": cpu_capability,
            "cores": cores,
            "threads_per_worker": 1,
            "oversubscribed": settings.processes > cores,
            "timing": timing,
        }
        self.write()

    def end(self, outcome: str, **facts: Any) -> None:
        """Writes how the run ended, and whatever else is known by then."""
        self.content.update(outcome=outcome, wall_seconds=time.monotonic() - self._started, **facts)
        self.write()

    def add(self, **facts: Any) -> None:
        """Writes further facts while the run goes on."""
        self.content.update(facts)
        self.write()

    def write(self) -> None:
        """Writes the document atomically."""
        run_folder.write_json(self._path, self.content)
