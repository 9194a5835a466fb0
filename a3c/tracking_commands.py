"""The commands that show runs in MLflow. A run cannot fail through them: what ails the view is one line and no more."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

from a3c.problems import InvalidInput, Problem
from a3c.progress import say

SAYS = "a3c track: "
CHECK_SECONDS = 2.0  # that a run at most lasts longer for the sake of its view


class Mirroring:
    """The process that shows a run in MLflow while it trains, at the lowest priority."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Starts nothing yet.

        Args:
          options: of the command that trains.
          folder: of the run.
        """
        from a3c.records.tracking_store import default_uri

        self._wanted, self._warned = not options.no_track, False
        self._uri = options.tracking_uri or default_uri(options.results)
        self._log = folder / "track.log"
        self._checking = threading.Thread(target=self._check, daemon=True)
        self._command = [sys.executable, "-m", "a3c", "track", str(folder), "--watch", str(os.getpid())]
        self._command += ["--results", str(options.results), "--experiments", str(options.experiments)]

    def start(self) -> None:
        """Starts it, once; the run folder has its manifest by then."""
        if not self._wanted:
            return
        self._wanted = False
        self._checking.start()
        try:
            # With a file of its own: whoever reads this command's output to the end would wait for that process, too.
            with self._log.open("w", encoding="utf-8") as log:
                # The store as a variable, since everybody sees the arguments, and an address may hold a password.
                environment = os.environ | {"MLFLOW_TRACKING_URI": self._uri}
                quiet = subprocess.DEVNULL
                subprocess.Popen(
                    self._command, env=environment, stdin=quiet, stdout=log, stderr=log, start_new_session=True
                )
        except OSError as error:
            self._warn(f"not shown in MLflow: the process for it cannot be started ({error}); run `a3c track` later")

    def _check(self) -> None:
        """Says what can be seen to be wrong; in a thread, since the name of a server may take long to look up."""
        from a3c.records.tracking_store import StoreUnusable, check

        try:
            check(self._uri)
        except StoreUnusable as error:
            self._warn(f"not shown in MLflow: {error}")

    def close(self) -> None:
        """Passes on what that process has said by now; it is not waited for."""
        if self._checking.ident is None:  # never started: what the file says is of an earlier time
            return
        self._checking.join(CHECK_SECONDS)
        with contextlib.suppress(OSError):
            for line in self._log.read_text(encoding="utf-8").splitlines():
                if line.startswith(SAYS):
                    self._warn(line.removeprefix(SAYS))

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            say(f"a3c train: {text}; the training is not affected")


def track(options: argparse.Namespace) -> int:
    """Brings MLflow up to date with run folders, once or while a process lives."""
    from a3c.plan import tags_by_folder
    from a3c.records.tracking_store import default_uri

    @cache  # the studies are read once, and only if there is a run to show
    def tags() -> dict[str, dict[str, str]]:
        try:
            return tags_by_folder(options.experiments)
        except InvalidInput as error:
            _say(f"runs are shown without the studies that ask for them: {' '.join(str(error).split())}")
            return {}

    def tags_of(folder: Path) -> dict[str, str]:
        return tags().get("/".join(folder.parts[-3:]), {})

    def find() -> list[Path]:
        return options.runs or sorted(p.parent for p in (options.results / "runs").glob("*/*/seed*/manifest.json"))

    uri = options.tracking_uri or default_uri(options.results)
    _prepare(options, uri)
    if options.watch:
        os.nice(19)
    from a3c.records.view import View, watch

    view = View(uri, options.results, tags_of)
    if options.watch:
        return 0 if watch(view, find, options.watch, _say) else 1
    wrong = view.update(find())
    for sentence in wrong:
        _say(sentence)
    return 1 if wrong else 0


def _prepare(options: argparse.Namespace, uri: str) -> None:
    """Refuses what cannot be shown, and sets the old store aside if that is asked for."""
    from a3c.records.storage import StorageError
    from a3c.records.tracking_store import StoreUnusable, file_of, own_turn, sentence, set_aside

    strange = [path for path in options.runs if not (path / "manifest.json").exists()]
    if strange:
        raise InvalidInput(Problem(str(path), "is no run folder: it has no manifest.json") for path in strange)
    if not options.rebuild:
        return
    if file_of(uri) is None:
        raise InvalidInput([Problem("--rebuild", f"sets the file of an SQLite store aside, and {uri} is none")])
    try:
        with own_turn(uri, options.results):
            aside = set_aside(uri)
    except (StoreUnusable, OSError) as error:
        raise StorageError(sentence(uri, error)) from None
    if aside:
        _say(f"the old store is now {aside}; delete it if nothing in it is missed")


def _say(sentence: str) -> None:
    print(f"{SAYS}{sentence}", file=sys.stderr, flush=True)
