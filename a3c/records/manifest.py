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
    """The manifest of one run folder, rewritten whole whenever something becomes known.

    Of a run that went on from a checkpoint, `started_at` is when its last start began. `wall_seconds` is of all starts
    together: `earlier_seconds`, which it had trained up to the checkpoint, and those of the last start until its end.
    """

    def __init__(
        self, folder: Path, settings: Settings, *, timing: bool, cpu_capability: str, earlier_seconds: float = 0.0
    ) -> None:
        """Writes what is known when a run starts.

        Args:
          folder: of the run.
          settings: what it is.
          timing: whether its seconds will be compared with others'.
          cpu_capability: the vector instructions that torch chose.
          earlier_seconds: of training in earlier starts, up to the checkpoint that this one goes on from.
        """
        self._path = folder / run_folder.MANIFEST
        self._started = time.monotonic()
        cores = machine.cores()
        self.content: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "outcome": RUNNING,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "started_at_ms": time.time_ns() // 1_000_000,
            "earlier_seconds": earlier_seconds,
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
        """Writes how the run ended, its `wall_seconds`, and whatever else is known by then."""
        seconds = self.content["earlier_seconds"] + time.monotonic() - self._started
        self.content.update(outcome=outcome, wall_seconds=seconds, **facts)
        self.write()

    def add(self, **facts: Any) -> None:
        """Writes further facts while the run goes on."""
        self.content.update(facts)
        self.write()

    def write(self) -> None:
        """Writes the document atomically."""
        run_folder.write_json(self._path, self.content)
