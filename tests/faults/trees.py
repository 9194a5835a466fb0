"""A trainer that a test has started, and its processes: who they are, who of them lives, and how it ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path
from typing import Any

from sessions import Process, living, wait_for

from a3c.records import run_folder
from a3c.settings import Settings

HERE = Path(__file__).parent
STREAMS = ("stdin", "stdout", "stderr")


def _begin(*, with_terminal: bool) -> None:
    """In the new process: heeds signals, whatever has started the tests, and is controlled by its terminal."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if with_terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Trainer:
    """`a3c train` in a session of its own.

    Attributes:
      process: the supervisor.
      folder: of the run.
      mark: a file that is written when the fault that was ordered happens.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        strike: dict[str, Any] | None = None,
        *,
        checkpoint_seconds: float = 0.3,
        stall_seconds: float | None = None,
        terminal: int | None = None,
    ) -> None:
        """Starts it.

        Args:
          settings: of the run.
          folder: of the run.
          strike: see `striking`.
          checkpoint_seconds: between checkpoints.
          stall_seconds: the watchdog's.
          terminal: a file descriptor for its output, instead of a file.
        """
        self.folder, self.mark = folder, folder.with_name(f"{folder.name}.struck")
        self._log = folder.with_name(f"{folder.name}.log")
        self.mark.unlink(missing_ok=True)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
        if strike is not None:
            environment["STRIKE"] = json.dumps(
                {"signal": signal.SIGKILL, "passage": 1, **strike, "mark": str(self.mark)}
            )
        program = ["-m", "a3c"] if strike is None else [str(HERE / "striking.py")]
        command = [sys.executable, *program, "train", "--settings", settings.to_json(), "--no-track"]
        command += ["--into", str(folder), "--quiet", "--checkpoint-seconds", str(checkpoint_seconds)]
        if stall_seconds is not None:
            command += ["--stall-seconds", str(stall_seconds)]
        with self._log.open("w") as log:
            streams = {"stdout": log, "stderr": log} if terminal is None else dict.fromkeys(STREAMS, terminal)
            self.process = subprocess.Popen(
                command,
                start_new_session=True,
                env=environment,
                preexec_fn=partial(_begin, with_terminal=terminal is not None),
                **streams,  # type: ignore[call-overload]
            )
        self._servers: set[int] = set()

    @property
    def message(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def living(self) -> list[Process]:
        """Its processes that live."""
        found = living(self.process.pid)
        self._servers |= {p.pid for p in found if p.parent == self.process.pid}
        return found

    def children(self) -> list[int]:
        """Workers, the evaluator and whatever they have started; not the processes that start them or clean up."""
        return [p.pid for p in self.living() if p.pid != self.process.pid and p.pid not in self._servers]

    def wait_for_turns(self, seconds: float = 120) -> None:
        """Waits until it has made turns."""
        file = self.folder / run_folder.SCHEDULE
        before = file.stat().st_size if file.exists() else 0
        assert wait_for(lambda: file.exists() and file.stat().st_size > max(before, 64), seconds), self.message
        self.living()

    def wait_for_mark(self, seconds: float = 120) -> bool:
        """Whether the fault has happened before the end of the process."""
        wait_for(lambda: self.living() and (self.mark.exists() or self.process.poll() is not None), seconds)
        return self.mark.exists()

    def kill_all(self) -> None:
        """SIGKILL to everybody, at once."""
        for process in self.living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Leaves nothing behind."""
        self.kill_all()
        self.process.wait()
