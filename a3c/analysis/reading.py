"""One run folder, read column by column: no more of a file in memory than a table needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from a3c.plan import Run
from a3c.records import run_folder, schedule_file
from a3c.records.staleness import Staleness

Floats = NDArray[np.float64]


class Episodes(NamedTuple):
    """A run's training episodes by ascending frames, all its workers together.

    Attributes:
      frames: float64 [episodes], global frame counter at their end.
      seconds: float64 [episodes], wall-clock of training at their end.
      score: float64 [episodes], unclipped.
    """

    frames: Floats
    seconds: Floats
    score: Floats


class WorkerTurns(NamedTuple):
    """Each worker's turns after the warm-up.

    Attributes:
      turns: int64 [workers], how many it had.
      staleness: float64 [workers], their mean in updates; NaN without any.
    """

    turns: NDArray[np.int64]
    staleness: Floats


@dataclass(frozen=True)
class RunFolder:
    """A finished run: what it was, and its files, each read when first asked for and kept as long as this object.

    Attributes:
      run: the plan's run.
      path: its folder.
      manifest: what the trainer noted about the run as a whole.
    """

    run: Run
    path: Path
    manifest: dict[str, Any]

    @cached_property
    def episodes(self) -> Episodes:
        """The training episodes, sorted by frames; episodes at one frame keep the order in which they were written."""
        columns = self._columns(run_folder.EPISODES, "frames", "seconds", "score")
        order = np.argsort(columns[0], kind="stable")
        return Episodes(*(column[order] for column in columns))

    @cached_property
    def clock(self) -> tuple[Floats, Floats]:
        """Frames and seconds at the start and at each interval's end, both float64 [intervals + 1] and ascending."""
        frames, seconds = self._columns(run_folder.INTERVALS, "frames", "seconds")
        return np.append(0.0, frames), np.append(0.0, seconds)

    @cached_property
    def evaluations(self) -> tuple[Floats, Floats]:
        """Target frames of the evaluation points, ascending, and the mean score of each: float64 [points]."""
        target, score = self._columns(run_folder.EVALUATIONS, "target_frames", "score")
        points, index = np.unique(target, return_inverse=True)
        return points, np.bincount(index, weights=score) / np.bincount(index)

    @cached_property
    def evaluation_seconds(self) -> Floats:
        """Wall-clock of training at each evaluation point, float64 [points]."""
        target, seconds = self._columns(run_folder.EVALUATIONS, "target_frames", "seconds")
        return seconds[np.unique(target, return_index=True)[1]]

    @property
    def staleness(self) -> Staleness:
        """The staleness of the turns after the warm-up, counted."""
        return self._counted[0]

    @property
    def worker_turns(self) -> WorkerTurns:
        """The turns after the warm-up, by worker."""
        return self._counted[1]

    @cached_property
    def _counted(self) -> tuple[Staleness, WorkerTurns]:
        """What is kept of the schedule, which is read once and can be long; a peer has none."""
        if self.run.peer is not None:
            nothing = np.zeros(0, np.int64)
            return Staleness(nothing, nothing), WorkerTurns(nothing, np.zeros(0))
        header, turns = schedule_file.read_schedule(self.path / run_folder.SCHEDULE)
        counted = turns[schedule_file.warm_up_turns(header, turns) :]
        values, number = np.unique(counted["staleness"], return_counts=True)
        own = np.bincount(counted["worker"], minlength=header.workers)
        total = np.bincount(counted["worker"], weights=counted["staleness"], minlength=header.workers)
        means = np.divide(total, own, out=np.full(len(own), np.nan), where=own > 0)
        return Staleness(values.astype(np.int64), number.astype(np.int64)), WorkerTurns(own.astype(np.int64), means)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """The sampled turns: the columns of `SampleRow` as float64, NaN where empty; no rows if none was sampled."""
        return pd.read_csv(self.path / run_folder.SAMPLES, dtype="float64")

    @property
    def train_seconds(self) -> float:
        """Wall-clock of training."""
        return float(self.manifest["train_seconds"])

    @property
    def frames(self) -> int:
        """Frames it really took: the budget, and what the last rollouts overshot it by."""
        return int(self.manifest["frames"])

    def policy(self) -> Floats:
        """The final policy of a table network: probabilities, float64 [states, actions]."""
        state, action, probability = self._columns(run_folder.POLICY, "state", "action", "probability")
        table = np.full((int(state.max()) + 1, int(action.max()) + 1), np.nan)
        table[state.astype(np.int64), action.astype(np.int64)] = probability
        return table

    def _columns(self, name: str, *columns: str) -> tuple[Floats, ...]:
        types = dict.fromkeys(columns, "float64")
        frame = pd.read_csv(self.path / name, usecols=list(columns), dtype=types)
        return tuple(frame[column].to_numpy() for column in columns)


def read_run(run: Run, results: Path) -> RunFolder:
    """The finished run in `<results>/runs/<run.folder>`.

    Raises:
      ValueError: if the run did not finish: half a run must not enter a mean.
      FileNotFoundError: if it has no manifest.
    """
    path = results / "runs" / run.folder
    manifest = run_folder.read_json(path / run_folder.MANIFEST)
    if manifest["outcome"] != "finished":
        raise ValueError(f"{path}: the run's outcome is {manifest['outcome']!r}, not 'finished'; train it again")
    return RunFolder(run, path, manifest)
