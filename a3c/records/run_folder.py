"""The files of one run, by name. `done.json` is written last: a folder without it is not finished."""

from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from a3c.records.storage import append, make_folder, storing, write_text

SETTINGS = "settings.json"
MANIFEST = "manifest.json"
EPISODES = "episodes.csv"
INTERVALS = "intervals.csv"
EVALUATIONS = "evaluations.csv"
SAMPLES = "samples.csv"
HISTOGRAM = "histogram.json"
SCHEDULE = "schedule.bin"
POLICY = "policy.csv"
MODEL = "model.pt"
BEST = "best.pt"
DONE = "done.json"
TRACKED = "tracked.json"
NOT_FINITE = "not_finite.npz"
WARNINGS = "warnings.csv"
PROFILE = "profile.csv"
TRACE = "trace.json"
LOCK = "lock"
LOOK_SECONDS = 1.0

RESULTS = (
    MANIFEST, EPISODES, INTERVALS, EVALUATIONS, SAMPLES, HISTOGRAM, SCHEDULE, POLICY, MODEL, BEST, DONE, TRACKED,
    NOT_FINITE, WARNINGS, PROFILE, TRACE,
)  # fmt: skip


class RunFolderBusy(RuntimeError):
    """Another trainer owns the run folder."""


class Owner(NamedTuple):
    """The trainer that owns a run folder.

    Attributes:
      pid: its process.
      since: when it began, in UTC, as ISO 8601; empty if it does not say.
    """

    pid: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid}" + (f" since {self.since}" if self.since else "")


def own(folder: Path) -> IO[bytes]:
    """Makes this process the folder's one owner for as long as the returned file is open.

    The system lets go of the lock when its process ends, however it ends: what a dead owner wrote is no obstacle.

    Raises:
      RunFolderBusy: naming the process that owns it.
      StorageError: if the folder cannot be made or written to.
    """
    make_folder(folder)
    with storing(folder / LOCK):
        lock = (folder / LOCK).open("a+b", buffering=0)
        if not _locked(lock):
            by = _owner_in(lock)
            lock.close()
            raise RunFolderBusy(f"{folder} is being trained by {by}; stop it or wait for it")
        lock.truncate(0)
    append(lock, f"{os.getpid()} {datetime.now(UTC).isoformat(timespec='seconds')}\n".encode())
    return lock


def _locked(lock: IO[bytes]) -> bool:
    """Takes the lock; whoever only looks whether it is held, see `owner`, holds it for a moment."""
    until = time.monotonic() + LOOK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_SECONDS / 20)
        else:
            return True


def owner(folder: Path) -> Owner | None:
    """Who owns the folder now; None if nobody does."""
    try:
        with (folder / LOCK).open("rb", buffering=0) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _owner_in(lock)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None


def _owner_in(lock: IO[bytes]) -> Owner:
    """What a lock file says about its owner."""
    lock.seek(0)
    pid, _, since = lock.read(100).decode(errors="replace").strip().partition(" ")
    return Owner(pid or "unknown", since)


def is_owned(folder: Path) -> bool:
    """Whether a process owns the folder now."""
    return owner(folder) is not None


def clear(folder: Path) -> None:
    """Removes what an earlier, unfinished run left there."""
    for name in RESULTS:
        with storing(folder / name):
            (folder / name).unlink(missing_ok=True)


def open_growing(path: Path, keep_bytes: int | None = None) -> FileIO:
    """Opens a file to append to: a new one, or what remains of an old one if it is cut after `keep_bytes`.

    Raises:
      StorageError: if it cannot be opened.
      ValueError: if the old one is shorter.
    """
    with storing(path):
        if keep_bytes is None:
            return path.open("wb", buffering=0)
        if path.stat().st_size < keep_bytes:
            raise ValueError(f"{path} has {path.stat().st_size} bytes, fewer than the {keep_bytes} of its checkpoint")
        os.truncate(path, keep_bytes)
        return path.open("ab", buffering=0)


def synced_length(file: FileIO) -> int:
    """Bytes in a growing file, which are on the disk by then.

    Raises:
      StorageError: if they cannot be brought there.
    """
    with storing(Path(os.fsdecode(file.name))):
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def find_finished(name: str, beside: Path) -> Path | None:
    """A finished run that is named by its folder below `runs/`; it lies below one of the folders that hold another.

    Args:
      name: such as `Pong/locked-w4-0123456789/seed0`.
      beside: the other run's folder, which `--into` may have put anywhere.
    """
    return next((p / name for p in beside.resolve().parents if (p / name / DONE).exists()), None)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a document so that a reader finds the old one or the new one, never a part.

    Raises:
      StorageError: if it cannot be written; the old one is still there then.
    """
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The document that `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
