"""Keeps MLflow up to date with the run folders, live or afterwards."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.records import run_folder
from a3c.records.manifest import KILLED, RUNNING
from a3c.records.points import FILES
from a3c.records.tracking import RESULTS_ID, Mirror, connect, open_store, prepare
from a3c.records.tracking_experiment import experiment_of
from a3c.records.tracking_store import StoreUnusable, check, created_at_ms, own_turn, results_id, sentence
from a3c.settings import Settings

if TYPE_CHECKING:
    from a3c.records.tracking import MlflowClient

POLL_SECONDS, MOST_POLL_SECONDS = 2.0, 30.0
PATIENCE_SECONDS = 30.0  # after the last run's end, and before anybody is told: locks and servers come and go
TURN_SECONDS, PAUSE_SECONDS = 5.0, 0.2
SHOWS = 2  # is increased when runs show more than they did: those shown before are looked at once again

Signature = tuple[tuple[int, int, int], ...]


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
        self._forget(None)

    def _forget(self, store: int | None) -> None:
        """Everything known of a store, for another one."""
        self._store = store
        self._experiments: dict[str, tuple[str, int]] = {}
        self._mirrors: dict[tuple[Path, int], Mirror] = {}
        self._shown: dict[Path, tuple[str, Signature]] = {}

    def update(self, folders: Iterable[Path]) -> list[str]:
        """Shows what is new, closes what has ended, and returns what went wrong: one sentence a run, or the store's."""
        store = created_at_ms(self._uri)
        if self._store != store:
            self._forget(store)
        changed = [folder for folder in folders if self._is_news(folder)]
        try:
            return self._show(changed) if changed else []
        except StoreUnusable as error:
            return [f"not shown in MLflow: {error}"]
        except Exception as error:  # a store can fail in as many ways as there are stores
            return [f"not shown in MLflow: {sentence(self._uri, error)}"]

    def _show(self, folders: list[Path]) -> list[str]:
        """Shows runs, in turns of some seconds, between which others have theirs."""
        prepare()  # takes seconds, as reading studies for their tags does, so not in a turn
        waiting, wrong = [(folder, self._tags_of(folder)) for folder in reversed(folders)], []
        while waiting:
            with own_turn(self._uri, self._results):
                open_store(self._uri)
                client, place = connect(self._uri), {RESULTS_ID: results_id(self._results)}
                self._store = created_at_ms(self._uri)
                until = time.monotonic() + TURN_SECONDS
                while waiting and time.monotonic() < until:
                    folder, tags = waiting.pop()
                    wrong += self._try_to_show(folder, tags | place, client)
            if waiting:
                time.sleep(PAUSE_SECONDS)
        return wrong

    def _try_to_show(self, folder: Path, tags: dict[str, str], client: MlflowClient) -> list[str]:
        """Shows a run; returns what went wrong."""
        try:
            self._show_run(folder, tags, client)
        except Exception as error:
            self._drop(folder)
            self._experiments.clear()  # a server may have got a new database
            if not (folder / run_folder.MANIFEST).exists():  # it begins anew, or was removed
                return []
            check(self._uri)  # what ails the store ails all runs, and is said once
            client.search_experiments(max_results=1)  # it raises if it is the server that fails
            return [f"{folder} is not shown in MLflow: {sentence(self._uri, error)}"]
        return []

    def _is_news(self, folder: Path) -> bool:
        """Whether there may be something to show: a file has changed, or a run's end left none changed."""
        shown = self._shown.get(folder)
        if shown is None or shown[1] != _signature(folder):
            return True
        return shown[0] == RUNNING and not run_folder.is_owned(folder)

    def _drop(self, folder: Path) -> None:
        """Whatever of a run got to the store: the next time, the store is asked."""
        self._mirrors = {start: mirror for start, mirror in self._mirrors.items() if start[0] != folder}

    def _show_run(self, folder: Path, tags: dict[str, str], client: MlflowClient) -> None:
        signature, outcome = _signature(folder), _outcome(folder)
        started = int(run_folder.read_json(folder / run_folder.MANIFEST)["started_at_ms"])
        experiment, created = self._experiment(folder, client)
        tracked = {"uri": self._uri, "started_at_ms": started, "experiment_created_at_ms": created, "outcome": outcome}
        tracked["shows"] = SHOWS
        if outcome == RUNNING or not _says(folder / run_folder.TRACKED, tracked):
            start = (folder, started)
            if start not in self._mirrors:
                self._drop(folder)
                self._mirrors[start] = Mirror(folder, experiment, client, tags)
            run_id = self._mirrors[start].show(outcome)
            if outcome != RUNNING:
                del self._mirrors[start]
                with contextlib.suppress(OSError):  # only saves looking at it again
                    run_folder.write_json(folder / run_folder.TRACKED, tracked | {"run_id": run_id})
        self._shown[folder] = outcome, signature

    def _experiment(self, folder: Path, client: MlflowClient) -> tuple[str, int]:
        game = Settings.from_json((folder / run_folder.SETTINGS).read_text()).game
        if game not in self._experiments:
            self._experiments[game] = experiment_of(client, game, self._results, self._uri)
        return self._experiments[game]


def _says(path: Path, facts: dict[str, object]) -> bool:
    """Whether a document is there and says all of this."""
    try:
        content = run_folder.read_json(path)
    except (OSError, ValueError):
        return False
    return content | facts == content


def _signature(folder: Path) -> Signature:
    """What changes when one of the files does that are shown while they grow."""
    signature = []
    for name in (run_folder.MANIFEST, *FILES):
        with contextlib.suppress(FileNotFoundError):
            found = (folder / name).stat()
            signature.append((found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(signature)


def _outcome(folder: Path) -> str:
    """The manifest's outcome; a run that says it is running, but that nobody owns, was killed.

    A trainer owns the folder before it writes the manifest, and until its end, whatever that is.
    """
    manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    if manifest["outcome"] != RUNNING or run_folder.is_owned(folder):
        return str(manifest["outcome"])
    now = run_folder.read_json(folder / run_folder.MANIFEST)  # it may have ended, or begun again, in between
    return KILLED if now == manifest else str(now["outcome"])


def watch(view: View, find: Callable[[], list[Path]], pid: int, say: Callable[[str], None]) -> bool:
    """Keeps the view up to date while a process lives and until all is shown; returns whether it is in the end.

    Args:
      view: to keep up to date.
      find: the run folders there are now.
      pid: of the process.
      say: is told one thing that stays wrong, and nothing after it.
    """
    pause, since, ended, said = POLL_SECONDS, 0.0, 0.0, False
    while True:
        alive = is_alive(pid)  # asked before looking, so that what it left is seen
        wrong, now = view.update(find()), time.monotonic()
        ended = 0.0 if alive else ended or now
        since = (since or now) if wrong else 0.0
        over = bool(ended) and (not wrong or now - ended >= PATIENCE_SECONDS)
        if wrong and not said and (over or now - since >= PATIENCE_SECONDS):
            say(wrong[0])
            said = True
        if over:
            return not wrong
        pause = min(2 * pause, MOST_POLL_SECONDS) if wrong and alive else POLL_SECONDS
        _wait(pid, pause)


def _wait(pid: int, seconds: float) -> None:
    """Waits, at most until the end of a process that is alive now."""
    until, alive = time.monotonic() + seconds, is_alive(pid)
    while time.monotonic() < until and is_alive(pid) == alive:
        time.sleep(min(POLL_SECONDS, seconds))


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that its parent did not ask about yet does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except PermissionError:
        return True
    except (ProcessLookupError, FileNotFoundError):
        return False
    return status.rsplit(")", 1)[1].split()[0] not in "ZX"
