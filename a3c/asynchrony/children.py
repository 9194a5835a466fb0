"""The supervisor's view of one child process: what it says, how it ended, and where it was then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from a3c.asynchrony.watchdog import Activity

GRACE_SECONDS, POLL_SECONDS = 5.0, 0.01
STACK_SECONDS = 2.0
STACK_SIGNAL = signal.SIGUSR1  # asks a child for its Python stack
# Ends a child. Not SIGTERM, which a batch system sends to all processes, who must go on to the run's last checkpoint.
END_SIGNAL = signal.SIGUSR2
STACK_LINES, STACK_BYTES = 8, 1 << 16
LOST = 255  # what multiprocessing makes of a process whose exit code nobody can tell
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
HINTS = {signal.SIGKILL: "; possibly out of memory", signal.SIGBUS: "; possibly out of shared memory (/dev/shm)"}
GO, END = "go", "end"


@dataclass
class Child:
    """One process, the pipe to and from it, and the pipe that its Python stack comes through.

    Attributes:
      name: `worker 3` or `evaluator`.
      pipe: its messages; takes `GO` and `END`.
      stack: raw text, when it crashes or is asked with `STACK_SIGNAL`.
      process: leads a process group of its own, so that whatever it starts ends with it; None until it is made.
      ready: whether it has said so.
    """

    name: str
    pipe: Connection
    stack: Connection
    process: ForkServerProcess | None = None
    ready: bool = False

    @property
    def pid(self) -> int | None:
        """Its number, once it has been started."""
        return None if self.process is None else self.process.pid

    @property
    def sentinel(self) -> int:
        """Becomes readable when it ends."""
        assert self.process is not None
        return self.process.sentinel

    @property
    def exit_code(self) -> int | None:
        """0, a number from `sys.exit`, minus a signal's number, or None as long as it lives."""
        return None if self.process is None else self.process.exitcode

    @property
    def alive(self) -> bool:
        """Whether the process has been started and has not ended yet."""
        return self.process is not None and self.process.pid is not None and self.process.is_alive()

    def tell(self, word: str) -> None:
        """Sends it a word; one that has died does not hear it."""
        with suppress(OSError):
            self.pipe.send(word)

    def interrupt(self, number: int) -> None:
        """Sends a signal to its process, if that is there."""
        if self.pid is not None and self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def interrupt_all(self, number: int) -> None:
        """Sends a signal to its process and to all that this has started, whether or not it has ended itself."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def how_it_ended(self) -> str:
        """Its name, its exit code or signal in words, and where it was if it crashed."""
        code = self.exit_code
        if code == LOST:
            return f"{self.name} was lost: the process that starts all others has ended"
        if code is None or code >= 0:
            return f"{self.name} ended with exit code {code}"
        number = signal.Signals(-code)
        stack = self.last_stack() if number in CRASHES else []
        return f"{self.name} was killed by {number.name}{HINTS.get(number, '')}{place(stack)}"

    def last_stack(self, seconds: float = 0.0) -> list[str]:
        """Lines of the Python stack that the process has written, innermost first; waits for it."""
        text = ""
        while self.stack.poll(seconds) and (part := os.read(self.stack.fileno(), STACK_BYTES)):
            text, seconds = text + part.decode(errors="replace"), 0.1
        return [line.strip() for line in text.splitlines() if line.startswith("  File ")]


def place(stack: Sequence[str]) -> str:
    """The innermost lines of a Python stack, as the end of a message."""
    return "".join(f"\n    {line}" for line in ["at", *stack[:STACK_LINES]]) if stack else ""


def end(children: Sequence[Child], in_haste: Callable[[], bool]) -> None:
    """A word and a signal, a grace period, KILL; neither these processes nor any that they have started are left.

    Args:
      children: to be ended, if they have not ended yet.
      in_haste: whether there is no time for the grace period.
    """
    for child in children:
        if child.alive:
            child.tell(END)
            child.interrupt(END_SIGNAL)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(child.alive for child in children) and time.monotonic() < deadline and not in_haste():
        time.sleep(POLL_SECONDS)
    for child in children:
        if child.process is not None and child.pid is not None:
            child.interrupt_all(signal.SIGKILL)
            child.process.kill()  # one that has not come to leading a group yet
            child.process.join()
        child.pipe.close()
        child.stack.close()


def state_letter(pid: int) -> str:
    """`R` running, `S` sleeping, `T` stopped, ... as in /proc; `?` where there is none."""
    return _stat(pid)[0]


def activity(pid: int) -> Activity:
    """What a process has done so far."""
    fields = _stat(pid)
    cpu = None if len(fields) < 13 else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Activity(cpu, runnable=fields[0] in "RD")


def _stat(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return ["?"]
