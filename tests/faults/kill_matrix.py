"""Kills a run again and again, somewhere else each time, and has the same command go on."""

from __future__ import annotations

import csv
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessions import wait_for
from trees import Trainer

from a3c.records import run_folder
from a3c.records.schedule_file import read_schedule
from a3c.replaying import first_difference, replay
from a3c.settings import Settings

VICTIMS = ("whole tree", "supervisor", "worker, idle", "worker, in a rollout", "worker, inside the lock",
           "worker, inside a checkpoint write")  # fmt: skip
LOCKED_PLACES = ("parameters changed, turn not yet recorded", "turn recorded, version not yet made known")
HANG_SECONDS = 90.0  # from a kill to the end: nothing takes that long on a machine however busy
RUN_SECONDS = 900.0  # a whole run, if nothing happens to it
GONE_SECONDS = 2.0


@dataclass
class Tally:
    """What became of the kills of one kind.

    Attributes:
      kills: how many there were.
      hangs: after how many of them the supervisor did not end.
      orphans: after how many a worker or the evaluator lived for longer than `GONE_SECONDS`.
      seconds: from each kill of a worker to the end of the supervisor.
      gone: from there to the end of the last of all others.
      unclear: messages that did not name the signal and the checkpoint, or exit codes other than 1.
    """

    kills: int = 0
    hangs: int = 0
    orphans: int = 0
    seconds: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


@dataclass
class Matrix:
    """Kills over the cases.

    Attributes:
      tallies: by victim.
      runs: finished, by schedule.
      wrong: what was wrong with finished runs.
    """

    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    runs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Everything, to be read; the longest times."""
        columns = ("kills", "hangs", "orphans", "unclear", "ended after", "gone after")
        lines = [f"{'killed':36}" + "".join(f"{column:>12}" for column in columns)]
        for victim, t in self.tallies.items():
            most = [f"{max(times):.1f} s" if times else "-" for times in (t.seconds, t.gone)]
            cells = [t.kills, t.hangs, t.orphans, len(t.unclear), *most]
            lines.append(f"{victim:36}" + "".join(f"{cell:>12}" for cell in cells))
        runs = ", ".join(f"{count} {schedule}" for schedule, count in self.runs.items())
        lines.append(f"runs finished: {runs}; went on from a checkpoint: {self.resumed}; wrong: {len(self.wrong)}")
        return "\n".join([*lines, *self.wrong, *(text for t in self.tallies.values() for text in t.unclear)])


class Case:
    """One run that is killed until it has had its kills."""

    def __init__(self, name: str, settings: Settings, folder: Path, matrix: Matrix, draw: random.Random) -> None:
        self._name, self._settings, self._folder = name, settings, folder
        self._matrix, self._draw = matrix, draw
        self._number = 0
        folder.mkdir(parents=True)

    def suffer(self, victims: Iterable[str]) -> None:
        """Is killed once for each victim; whenever a run finishes, it is checked, and the next one begins."""
        for victim in victims:
            while not self._kill(victim):
                self._check()
        trainer = Trainer(self._settings, self._run)
        trainer.process.wait()
        self._check()

    @property
    def _run(self) -> Path:
        return self._folder / f"run{self._number}"

    def _kill(self, victim: str) -> bool:
        """Whether there was somebody to kill before the run finished."""
        strike = None if victim in VICTIMS[:2] else self._strike(victim)
        trainer = Trainer(self._settings, self._run, strike)
        try:
            if strike is None:
                happened = self._kill_from_outside(trainer, victim)
            else:
                happened = trainer.wait_for_mark(RUN_SECONDS)
            if not happened:
                if trainer.process.returncode:
                    self._matrix.wrong.append(
                        f"{self._name}: exit code {trainer.process.returncode}: {trainer.message}"
                    )
                return False
            self._note(trainer, victim, self._matrix.tallies[victim])
        finally:
            trainer.end()
        return True

    def _strike(self, victim: str) -> dict[str, Any]:
        workers = 1 if self._settings.schedule == "drawn" else self._settings.workers
        passage, worker = self._draw.randint(1, 150), self._draw.randrange(workers)
        if victim == "worker, idle":
            place, passage = self._draw.choice([("idle", 1), ("idle", 2), ("start", 1)])
            if self._settings.schedule == "synchronous":
                place, passage = "rendezvous", self._draw.randint(1, 100)
        elif victim == "worker, in a rollout":
            place = "rollout"
        elif victim == "worker, inside the lock":
            place = self._draw.choice(LOCKED_PLACES)
            if self._settings.schedule == "synchronous":  # worker 0 makes the turns of all
                place, worker = LOCKED_PLACES[1], 0
        else:
            place, passage = "checkpoint", self._draw.randint(1, 3)
        return {"process": f"worker {worker}", "place": place, "passage": passage}

    def _kill_from_outside(self, trainer: Trainer, victim: str) -> bool:
        schedule = self._run / run_folder.SCHEDULE
        wait_for(lambda: schedule.exists() or trainer.process.poll() is not None, RUN_SECONDS)
        trainer.living()
        try:
            trainer.process.wait(self._draw.uniform(0.0, 4.0))
        except subprocess.TimeoutExpired:
            trainer.living()
            trainer.mark.touch()
            if victim == VICTIMS[0]:
                trainer.kill_all()
            else:
                trainer.process.kill()
            return True
        return False

    def _note(self, trainer: Trainer, victim: str, tally: Tally) -> None:
        tally.kills += 1
        if not wait_for(lambda: trainer.process.poll() is not None, HANG_SECONDS):
            tally.hangs += 1
            self._matrix.wrong.append(f"{self._name}: hang after a kill of {victim}: {trainer.message}")
            return
        ended = time.monotonic()
        if not wait_for(lambda: not trainer.children(), HANG_SECONDS):
            self._matrix.wrong.append(f"{self._name}, {victim}: still there: {trainer.living()}")
        tally.gone.append(time.monotonic() - ended)
        tally.orphans += tally.gone[-1] > GONE_SECONDS
        if victim not in VICTIMS[:2]:
            tally.seconds.append(time.time() - trainer.mark.stat().st_mtime)
            named = "was killed by SIGKILL" in trainer.message and "the same command" in trainer.message
            if trainer.process.returncode != 1 or not named:
                tally.unclear.append(f"{self._name}, {victim}: {trainer.process.returncode}: {trainer.message}")

    def _check(self) -> None:
        """Looks at a finished run, as far as its schedule determines it."""
        schedule = self._settings.schedule
        self._matrix.runs[schedule] += 1
        try:
            manifest = run_folder.read_json(self._run / run_folder.MANIFEST)
            self._matrix.resumed += manifest["resumed_from"] is not None
            check_whole(self._run, self._settings)
            if schedule in ("drawn", "synchronous"):
                self._compare()
            elif schedule == "locked":
                found = replay(self._run, self._run / "replay")
                assert found["equal"], found["difference"]
        except (AssertionError, OSError) as error:
            self._matrix.wrong.append(f"{self._name}, {self._run.name}: {type(error).__name__}: {error}")
        self._number += 1

    def _compare(self) -> None:
        whole = self._folder / "whole"
        if not whole.exists():
            Trainer(self._settings, whole, checkpoint_seconds=1e9).process.wait()
        assert (difference := first_difference(whole, self._run)) is None, difference
        schedules = [(folder / run_folder.SCHEDULE).read_bytes() for folder in (whole, self._run)]
        assert schedules[0] == schedules[1], "schedule.bin differs"


def check_whole(folder: Path, settings: Settings) -> None:
    """Every turn, episode and evaluation is there, once."""
    done = run_folder.read_json(folder / run_folder.DONE)
    header, turns = read_schedule(folder / run_folder.SCHEDULE)
    per_update = header.workers if settings.schedule == "synchronous" else 1
    assert len(turns) == done["updates"] * per_update, (len(turns), done["updates"])
    assert int(turns["steps"].sum()) * settings.action_repeat == done["frames"] >= settings.budget_frames
    for worker in range(header.workers):
        steps = int(turns["steps"][turns["worker"] == worker].sum())
        played = [row for row in _rows(folder / run_folder.EPISODES) if int(row["worker"]) == worker]
        unfinished = steps - sum(int(row["steps"]) for row in played)
        assert 0 <= unfinished < 500 or settings.action_repeat > 1, (worker, unfinished)
        assert unfinished >= 0, (worker, unfinished)
        places = [int(row["frames"]) for row in played]
        assert places == sorted(set(places)), f"an episode of worker {worker} is there twice"
    points = [(int(row["point"]), int(row["episode"])) for row in _rows(folder / run_folder.EVALUATIONS)]
    wanted = settings.evaluation
    assert points == [(p + 1, e) for p in range(wanted.points) for e in range(wanted.episodes)], points
    seconds = [float(row["seconds"]) for row in _rows(folder / run_folder.INTERVALS)]
    assert seconds == sorted(seconds)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def spread(victims: Sequence[str], kills: int, cases: int, draw: random.Random) -> list[list[str]]:
    """Each victim so many times, over the cases, in a random order."""
    every = [victim for victim in victims for _ in range(kills)]
    draw.shuffle(every)
    return [every[case::cases] for case in range(cases)]
