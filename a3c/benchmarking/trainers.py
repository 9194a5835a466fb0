"""Whole trainers, each as a user starts it: ours by its command, peers by their scripts; steps a second of each."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from a3c import peers
from a3c.benchmarking.rounds import Measure
from a3c.records import run_folder
from a3c.records.schedule_file import HEADER_BYTES
from a3c.settings import Settings, resolve
from a3c.settings_files import merge

CALIBRATION_FRAMES = 20_000
WARM_UP = 1 / 4  # of a run's frames that do not count: memory is touched, games begin to differ
POLL_SECONDS = 0.02
GAMES = 16
LSTM = {"network": {"lstm_cells": 256}}


class Trainer(NamedTuple):
    """A trainer.

    Attributes:
      changes: of the benchmark's settings.
      peer: its name in `a3c.peers`, if it is one.
    """

    changes: Mapping[str, Any]
    peer: str | None = None


def trainers(cores: int) -> dict[str, Trainer]:
    """By name, for a machine with so many cores."""
    lockstep = {"schedule": "synchronous", "executor": "batched", "workers": GAMES}
    return {
        "a3c, 16 workers": Trainer({"workers": 16}),
        "a3c, 16 workers, locked": Trainer({"workers": 16, "schedule": "locked"}),
        "a3c, 16 workers, LSTM": Trainer({"workers": 16, **LSTM}),
        "a3c, 1 worker": Trainer({"workers": 1}),
        f"a3c, {cores} workers": Trainer({"workers": cores}),
        f"a3c, {cores} workers of 16 games": Trainer({"workers": cores, "envs_per_worker": 16}),
        "a2c, 16 games in one learner": Trainer(lockstep),
        **_spread_a2c(cores),
        "pfrl a3c, 16 workers": Trainer({"workers": 16}, "pfrl_a3c"),
        "sb3 a2c, 16 games": Trainer(lockstep, "sb3_a2c"),
    }


def _spread_a2c(cores: int) -> dict[str, Trainer]:
    """The same A2C with a learner on each core, where the games can be shared out."""
    if cores == 1 or GAMES % cores:
        return {}
    changes = {"schedule": "synchronous", "workers": cores, "envs_per_worker": GAMES // cores}
    return {f"a2c, {GAMES} games in {cores} learners": Trainer(changes)}


class Stopwatch:
    """Runs trainers for about as long as asked and times what they do after they have warmed up."""

    def __init__(self, settings: Mapping[str, Any], seconds: float, experiments: Path) -> None:
        """Starts nothing.

        Args:
          settings: the benchmark's, not yet validated.
          seconds: how long a run should take.
          experiments: the folder with the peers' scripts.
        """
        self._settings, self._seconds, self._experiments = settings, seconds, experiments
        self._speeds: dict[str, float] = {}

    def measures(self, chosen: Mapping[str, Trainer]) -> dict[str, Measure]:
        """By name, decisions per second of all workers together."""
        return {name: partial(self._steps_per_second, name, one) for name, one in chosen.items()}

    def first_update_seconds(self) -> float:
        """From the command to the first turn on record, with 16 workers."""
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "run"
            began = time.monotonic()
            command = self._command(Trainer({"workers": 16}), 1_000_000, into)
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    schedule = into / run_folder.SCHEDULE
                    while not schedule.exists() or schedule.stat().st_size <= HEADER_BYTES:
                        if process.poll() is not None:
                            raise RuntimeError(f"a trainer ended with exit code {process.returncode} before a turn")
                        time.sleep(POLL_SECONDS)
                    return time.monotonic() - began
                finally:
                    process.terminate()

    def _steps_per_second(self, name: str, trainer: Trainer) -> float:
        if name not in self._speeds:
            self._speeds[name] = self._run(trainer, CALIBRATION_FRAMES)
        settings = self._resolved(trainer, 1)
        frames = int(self._speeds[name] * self._seconds * settings.action_repeat)
        self._speeds[name] = self._run(trainer, max(frames, CALIBRATION_FRAMES))
        return self._speeds[name]

    def _run(self, trainer: Trainer, budget_frames: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "run"
            done = subprocess.run(self._command(trainer, budget_frames, into), capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"a trainer ended with exit code {done.returncode}:\n{done.stderr}")
            return _warm_speed(into / run_folder.INTERVALS) / self._resolved(trainer, 1).action_repeat

    def _resolved(self, trainer: Trainer, budget_frames: int) -> Settings:
        return resolve(merge(self._settings, trainer.changes, {"budget_frames": budget_frames}))

    def _command(self, trainer: Trainer, budget_frames: int, into: Path) -> list[str]:
        given = ["--settings", self._resolved(trainer, budget_frames).to_json(), "--into", str(into), "--timing"]
        if trainer.peer is None:
            return [sys.executable, "-m", "a3c", "train", *given, "--no-track", "--quiet"]
        return [sys.executable, str(self._experiments / peers.FOLDER / f"{trainer.peer}.py"), *given]


def installed(chosen: Mapping[str, Trainer]) -> dict[str, Trainer]:
    """Those whose package is there."""
    return {name: one for name, one in chosen.items() if one.peer is None or peers.version_of(one.peer) is not None}


def _warm_speed(intervals: Path) -> float:
    """Frames per second after the warm-up."""
    with intervals.open(newline="", encoding="utf-8") as file:
        rows = [(float(row["frames"]), float(row["seconds"])) for row in csv.DictReader(file)]
    last = rows[-1]
    first = next(row for row in rows if row[0] >= WARM_UP * last[0])
    return (last[0] - first[0]) / (last[1] - first[1])
