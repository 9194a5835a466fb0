"""One Snakemake at a time in a results folder, and no job of it that outlives it.

Snakemake's own lock is a file that stays when its owner is killed, and its jobs go on without it. Here the lock is one
that the kernel takes back, however the owner ends, and every job watches it: a job whose Snakemake has died, or has
been asked to stop, is sent SIGTERM by itself, so a trainer makes its last checkpoint and ends.
"""

from __future__ import annotations

import fcntl
import os
import select
import shlex
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from a3c.records import run_folder

LOCK = "snakemake.lock"  # in the results folder; the number of the process that holds it, nothing once it is to stop
TAKE_SECONDS = 2.0  # a job that looks whether the lock is held holds it for a moment
POLL_SECONDS = 0.5
ENDING_SECONDS = 60.0  # a trainer takes 10 for its last checkpoint and 5 for its workers, longer on a busy machine
STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class WorkflowBusy(RuntimeError):
    """Another Snakemake works in the results folder."""


class Lifeline:
    """Held by Snakemake for as long as its jobs may go on.

    Attributes:
      path: of the lock.
      stopping: whether the jobs have been told to stop.
    """

    def __init__(self, results: Path) -> None:
        """Takes the lock.

        Args:
          results: folder of everything that is made.

        Raises:
          WorkflowBusy: naming the process that holds it.
        """
        results.mkdir(parents=True, exist_ok=True)
        self.path = results / LOCK
        self.stopping = False
        self._file = self.path.open("a+", encoding="utf-8")
        until = time.monotonic() + TAKE_SECONDS
        while not _locked(self._file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > until:
                self._file.close()
                raise WorkflowBusy(_busy(results, self.path.read_text(encoding="utf-8").strip()))
            time.sleep(POLL_SECONDS / 10)
        self._write(f"{os.getpid()}\n")

    @property
    def option(self) -> str:
        """What tells a command of ours to end with this process."""
        return shlex.join(["--stop-with", str(self.path), str(os.getpid())])

    def let_go(self) -> None:
        """Tells every job to stop; the lock is held until this process ends."""
        self.stopping = True
        self._write("")

    def let_go_on_signals(self) -> None:
        """Ends Snakemake at the first SIGINT or SIGTERM in the way it has for SIGTERM, its jobs told to stop.

        So no job is left behind, the ends of all of them are noted, and nothing is taken for incomplete that is not.
        At the second SIGINT Snakemake does what it does at the first by itself. To be called by the main thread, after
        Snakemake has set its handler of SIGTERM.
        """
        gracefully = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: FrameType | None) -> None:
            if not self.stopping:
                self.let_go()
                print("a3c: stopping; what trains makes a checkpoint first", file=sys.stderr, flush=True)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if callable(gracefully):  # in a thread, since it waits for a lock that this thread may hold
                threading.Thread(target=gracefully, args=(number, frame)).start()

        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell does for what runs in the background
                signal.signal(number, stop)

    def _write(self, text: str) -> None:
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()


def _busy(results: Path, holder: str) -> str:
    if not holder:
        return f"another Snakemake in {results} is about to stop; give the same command again when it has"
    return f"another Snakemake, process {holder}, works in {results}; wait for it or stop it with: kill {holder}"


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def may_go_on(path: Path, holder: int) -> bool:
    """Whether a process holds the lock and has not told its jobs to stop.

    Args:
      path: of the lock.
      holder: the number of the process; if another one holds the lock, this one has died.
    """
    try:
        with path.open(encoding="utf-8") as file:
            held = not _locked(file.fileno(), fcntl.LOCK_SH)
            return held and file.read().strip() == str(holder)
    except FileNotFoundError:
        return False


def follow(path: Path, holder: int) -> None:
    """Sends this process SIGTERM when the holder of the lock dies or tells its jobs to stop.

    Not if a signal that ends it came before: Ctrl-C reaches a trainer and its Snakemake at once, and a second signal
    would keep it from making its checkpoint. To be called by the main thread.

    Args:
      path: of the lock.
      holder: the number of the process that holds it.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_follow, args=(path, holder, told), daemon=True).start()


def _follow(path: Path, holder: int, told: int) -> None:
    while may_go_on(path, holder):
        if _was_told(told):
            return
    if not _was_told(told):  # a moment later, since a Ctrl-C that both were sent may still be on its way
        os.kill(os.getpid(), signal.SIGTERM)


def _was_told(told: int) -> bool:
    """Whether a signal that ends this process comes within `POLL_SECONDS`, or has come since the last call."""
    readable, _, _ = select.select([told], [], [], POLL_SECONDS)
    return bool(readable) and bool(set(os.read(told, 100)) & set(STOPPING))


def wait_for_an_ending_trainer(folder: Path) -> None:
    """Waits, at most `ENDING_SECONDS`, for the trainer that a Snakemake left in a run folder when it was killed.

    Args:
      folder: of the run.
    """
    until = time.monotonic() + ENDING_SECONDS
    if run_folder.is_owned(folder):
        print(f"a3c: {folder} has a trainer that is about to end; waiting for it", file=sys.stderr, flush=True)
    while run_folder.is_owned(folder) and time.monotonic() < until:
        time.sleep(POLL_SECONDS / 5)
