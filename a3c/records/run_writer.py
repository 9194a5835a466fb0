"""Writes a run's growing files: files first, whatever shows them comes afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from a3c.records import run_folder
from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, RowWriter, SampleRow
from a3c.records.schedule_file import Header, ScheduleWriter
from a3c.settings import Settings


class RunWriter:
    """The open files of one run folder."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._episodes = RowWriter(folder / run_folder.EPISODES, EpisodeRow)
        self._intervals = RowWriter(folder / run_folder.INTERVALS, IntervalRow)
        self._evaluations = RowWriter(folder / run_folder.EVALUATIONS, EvaluationRow)
        self._samples = RowWriter(folder / run_folder.SAMPLES, SampleRow)
        header = Header(settings.schedule, settings.turn_workers, settings.action_repeat)
        self._schedule = ScheduleWriter(folder / run_folder.SCHEDULE, header)

    def turns(self, turns: np.ndarray) -> None:
        """Appends turns in the order of their versions."""
        self._schedule.write(turns)

    def episodes(self, rows: Sequence[EpisodeRow]) -> None:
        """Appends finished training episodes."""
        self._episodes.write(rows)

    def intervals(self, rows: Sequence[IntervalRow]) -> None:
        """Appends completed intervals."""
        self._intervals.write(rows)

    def evaluations(self, rows: Sequence[EvaluationRow]) -> None:
        """Appends the games of one evaluation point."""
        self._evaluations.write(rows)

    def samples(self, rows: Sequence[SampleRow]) -> None:
        """Appends sampled turns."""
        self._samples.write(rows)

    def close(self) -> None:
        """Closes all files."""
        for file in (self._episodes, self._intervals, self._evaluations, self._samples, self._schedule):
            file.close()
