"""Keeps MLflow up to date with the run folders, live or afterwards."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from a3c.records import run_folder
from a3c.records.manifest import KILLED, RUNNING
from a3c.records.tracking import Mirror

POLL_SECONDS = 2.0


class View:
    """Brings MLflow up to date with run folders; one process at a time does so."""

    def __init__(self, uri: str, results: Path, tags_of: Callable[[Path], dict[str, str]]) -> None:
        """Remembers where.

        Args:
          uri: of the store.
          results: the results folder, for the place of artifacts.
          tags_of: further tags of a run folder, such as the studies that ask for it.
        """
        self._uri = uri
        self._results = results
        self._tags_of = tags_of
        self._mirrors: dict[tuple[Path, int], Mirror] = {}
        self._complete: set[tuple[Path, int]] = set()

    def update(self, folders: Iterable[Path]) -> list[str]:
        """Sends what is new, closes what has ended, and returns what went wrong, one sentence a run."""
        wrong = []
        with self._alone():
            for folder in folders:
                try:
                    self._update(folder)
                except Exception as error:  # a store can fail in as many ways as there are stores
                    wrong.append(f"{folder} is not shown in MLflow: {type(error).__name__}: {error}")
        return wrong

    def _update(self, folder: Path) -> None:
        manifest = run_folder.read_json(folder / run_folder.MANIFEST)
        start = (folder, int(manifest["started_at_ms"]))
        if start in self._complete or self._is_complete(*start):
            self._complete.add(start)
            return
        if start not in self._mirrors:
            self._mirrors[start] = Mirror(folder, self._results, self._uri, self._tags_of(folder))
        mirror = self._mirrors[start]
        outcome = _outcome(folder)
        if outcome == RUNNING:
            mirror.send()
            return
        mirror.finish(outcome)
        del self._mirrors[start]
        self._complete.add(start)

    def _is_complete(self, folder: Path, started_at_ms: int) -> bool:
        path = folder / run_folder.TRACKED
        tracked = run_folder.read_json(path) if path.exists() else {}
        return tracked == {**tracked, "uri": self._uri, "started_at_ms": started_at_ms, "complete": True}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes that both found a run missing would both create it."""
        place = self._results / "mlflow"
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _outcome(folder: Path) -> str:
    """The manifest's outcome; a run that says it is running, but that nobody owns, was killed."""
    owned = run_folder.is_owned(folder)
    outcome = str(run_folder.read_json(folder / run_folder.MANIFEST)["outcome"])
    return KILLED if outcome == RUNNING and not owned else outcome


def watch(view: View, find: Callable[[], list[Path]], pid: int) -> list[str]:
    """Keeps the view up to date while a process lives, and once more after its end; returns what went wrong then."""
    while _alive(pid):
        for sentence in view.update(find()):
            print(sentence, file=sys.stderr, flush=True)
        time.sleep(POLL_SECONDS)
    return view.update(find())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
