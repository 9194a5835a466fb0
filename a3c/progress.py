"""How far a run is, and how long all of them will still take."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.records import run_folder

if TYPE_CHECKING:
    from a3c.asynchrony.outcomes import Progress
    from a3c.settings import Settings

SHOW_SECONDS = 0.2
WIDTH = 24
LINES_WHEN_NOT_A_TERMINAL = 4
MOST_SILENT_SECONDS = 600.0
ERASE = "\r\x1b[2K"


def say(sentence: str) -> None:
    """Writes a line to standard error: in one piece, which threads share, and on a terminal in place of the bar."""
    print(f"{ERASE if sys.stderr.isatty() else ''}{sentence}\n", end="", file=sys.stderr, flush=True)


class Line:
    """One line that is written again and again on a terminal.

    Where standard error is a file, a few lines: for each quarter of the work, and one when it has long been silent.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._next_time = 0.0
        self._next_share = 0.0
        self._speak_by = 0.0

    def show(self, share: float, text: Callable[[], str]) -> None:
        """Shows how far the work is, at most five times a second.

        Args:
          share: of the work that is done, from 0 to 1.
          text: makes what is shown, if it is.
        """
        now = time.monotonic()
        if self._quiet or now < self._next_time:
            return
        self._next_time = now + SHOW_SECONDS
        if self._terminal:
            print(f"{ERASE}{text()[: _columns() - 1]}", end="", file=sys.stderr, flush=True)
        elif share >= self._next_share or now >= self._speak_by:
            say(text())
            self._next_share = (math.floor(share * LINES_WHEN_NOT_A_TERMINAL) + 1) / LINES_WHEN_NOT_A_TERMINAL
            self._speak_by = now + MOST_SILENT_SECONDS

    def close(self) -> None:
        """Ends the line, if there is one."""
        if self._terminal and self._next_time:
            print(file=sys.stderr, flush=True)
        self._next_time = 0.0


class Bar:
    """The line of a run that trains."""

    def __init__(self, settings: Settings, *, quiet: bool) -> None:
        self._settings = settings
        self._name = f"{settings.game} {settings.schedule} w{settings.workers} s{settings.seed}"
        self._at = Line(quiet=quiet)

    def show(self, progress: Progress) -> None:
        """Shows where the run is."""
        share = min(1.0, progress.frames / self._settings.budget_frames)
        self._at.show(share, lambda: self._line(progress, share))

    def close(self) -> None:
        """Ends the line."""
        self._at.close()

    def _line(self, progress: Progress, share: float) -> str:
        rate = progress.frames / progress.seconds if progress.seconds > 0 else 0.0
        left = (self._settings.budget_frames - progress.frames) / rate if rate else float("nan")
        score = "-" if progress.score is None else f"{progress.score:.4g}"
        if progress.evaluating:
            ending = "evaluating"
        else:
            alive = f"{progress.workers_alive}/{self._settings.processes} workers"
            ending = f"{duration(left)} left, {alive}"
        facts = f"{share:4.0%} {progress.frames:,} frames, {rate:,.0f}/s, score {score}, {ending}"
        line = f"{self._name} {bar(share)} {facts}"
        return line if len(line) < _columns() else f"{self._name} {facts}"


def _columns() -> int:
    """Of the terminal; a line that is longer cannot be erased. Very many where there is none."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else sys.maxsize


def bar(share: float) -> str:
    """`[######..................]`."""
    full = round(share * WIDTH)
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"


def duration(seconds: float) -> str:
    """`75` -> `1m15s`; `?` for what is not known yet."""
    if seconds != seconds or seconds == float("inf"):
        return "?"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def remaining(plan: Path, results: Path) -> str:
    """How many planned runs are finished, and an estimate of the time for the rest, one run after the other.

    A run that is to do is taken to need the seconds per frame of the finished runs of its game; without any, the
    estimate says so. It is asked after each run, so it reads what has been planned and does not plan again.

    Args:
      plan: a file of `Workflow.write_plans`: run folders with their game and budget in frames.
      results: the folder that holds `runs/`.
    """
    runs = run_folder.read_json(plan)
    pace: dict[str, list[float]] = {}
    to_do = []
    for folder, run in runs.items():
        try:
            manifest = run_folder.read_json(results / "runs" / folder / run_folder.MANIFEST)
        except (OSError, ValueError):  # not there, or cut short by a copy that broke off: whoever trains it will say so
            manifest = {}
        if manifest.get("outcome") == "finished":
            pace.setdefault(run["game"], []).append(manifest["wall_seconds"] / run["budget_frames"])
        else:
            to_do.append(run)
    known = [run for run in to_do if run["game"] in pace]
    seconds = sum(run["budget_frames"] * _mean(pace[run["game"]]) for run in known)
    unknown = f" plus {len(to_do) - len(known)} runs of games not yet timed" if len(known) < len(to_do) else ""
    done = f"{len(runs) - len(to_do)} of {len(runs)} runs finished"
    return f"{done}; about {duration(seconds)} left{unknown}" if to_do else done


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
