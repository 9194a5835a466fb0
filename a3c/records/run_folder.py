"""The files of one run, by name. `done.json` is written last: a folder without it is not finished."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

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
LOCK = "lock"

RESULTS = (
    MANIFEST, EPISODES, INTERVALS, EVALUATIONS, SAMPLES, HISTOGRAM, SCHEDULE, POLICY, MODEL, BEST, DONE, TRACKED,
)  # fmt: skip


class RunFolderBusy(RuntimeError):
    """Another trainer owns the run folder."""


def own(folder: Path) -> IO[str]:
    """Makes this process the folder's one owner for as long as the returned file is open.

    Raises:
      RunFolderBusy: naming the process that owns it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise RunFolderBusy(f"{folder} is being trained by process {owner}; stop it or wait for it") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def is_owned(folder: Path) -> bool:
    """Whether a process owns the folder now."""
    try:
        with (folder / LOCK).open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def clear(folder: Path) -> None:
    """Removes what an earlier, unfinished run left there."""
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)


def open_growing(path: Path, mode: str, keep_bytes: int | None) -> IO[Any]:
    """Opens a file to append to: a new one, or what remains of an old one if it is cut after `keep_bytes`.

    Raises:
      ValueError: if the old one is shorter.
    """
    newline, encoding = (None, None) if "b" in mode else ("", "utf-8")
    if keep_bytes is None:
        return open(path, mode, newline=newline, encoding=encoding)
    if path.stat().st_size < keep_bytes:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, fewer than the {keep_bytes} of its checkpoint")
    os.truncate(path, keep_bytes)
    return open(path, mode.replace("w", "a"), newline=newline, encoding=encoding)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a document so that a reader finds the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """The document that `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sync_directory(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
