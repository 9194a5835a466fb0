"""The living processes of a session, which a trainer that a test starts has for itself; and waiting for something."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A living process."""

    pid: int
    parent: int
    state: str
    command: str


def living(session: int) -> list[Process]:
    """The processes of a session, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(Process(int(entry.name), int(fields[1]), fields[0], command))
    return found


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition came to hold in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
