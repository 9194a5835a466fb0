"""The supervisor's view of one child process."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

GRACE_SECONDS = 5.0


@dataclass
class Child:
    """One process and its pipe."""

    name: str
    process: ForkServerProcess
    pipe: Connection
    ready: bool = False

    @property
    def alive(self) -> bool:
        """Whether the process has not ended yet."""
        return bool(self.process.is_alive())


def end(children: Sequence[Child]) -> None:
    """TERM, a grace period, KILL: none is left when this returns."""
    for child in children:
        if child.alive:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        if child.alive:
            child.process.kill()
            child.process.join()
        child.pipe.close()


def how_it_ended(exitcode: int | None) -> str:
    """An exit code in words."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = "; possibly out of memory" if name == "SIGKILL" else ""
        return f"was killed by {name}{hint}"
    return f"ended with exit code {exitcode}"
