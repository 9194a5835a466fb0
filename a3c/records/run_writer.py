"""Writes a run's growing files: files first, whatever shows them comes afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from a3c.records import run_folder
from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, RowWriter, SampleRow
from a3c.records.schedule_file import Header, ScheduleWriter
from a3c.settings import Settings

ROW_TYPES: dict[str, type[NamedTuple]] = {
    run_folder.EPISODES: EpisodeRow,
    run_folder.INTERVALS: IntervalRow,
    run_folder.EVALUATIONS: EvaluationRow,
    run_folder.SAMPLES: SampleRow,
}


class RunWriter:
    """The open files of one run folder.

    Attributes:
      folder: of the run.
    """

    def __init__(self, folder: Path, settings: Settings, lengths: Mapping[str, int] | None = None) -> None:
        """Begins the files, or goes on with them.

        Args:
          folder: of the run.
          settings: of the run.
          lengths: bytes to keep of each file, by its name, as `lengths` returned them; None to begin.
        """
        self.folder = folder
        keep = lengths or {}
        self._rows = {name: RowWriter(folder / name, row_type, keep.get(name)) for name, row_type in ROW_TYPES.items()}
        header = Header(settings.schedule, settings.turn_workers, settings.action_repeat)
        self._schedule = ScheduleWriter(folder / run_folder.SCHEDULE, header, keep.get(run_folder.SCHEDULE))

    def lengths(self) -> dict[str, int]:
        """Bytes in each file now, all on the disk."""
        lengths = {name: rows.length() for name, rows in self._rows.items()}
        return {**lengths, run_folder.SCHEDULE: self._schedule.length()}

    def turns(self, turns: np.ndarray) -> None:
        """Appends turns in the order of their versions."""
        self._schedule.write(turns)

    def episodes(self, rows: Sequence[EpisodeRow]) -> None:
        """Appends finished training episodes."""
        self._rows[run_folder.EPISODES].write(rows)

    def intervals(self, rows: Sequence[IntervalRow]) -> None:
        """Appends completed intervals."""
        self._rows[run_folder.INTERVALS].write(rows)

    def evaluations(self, rows: Sequence[EvaluationRow]) -> None:
        """Appends the games of one evaluation point."""
        self._rows[run_folder.EVALUATIONS].write(rows)

    def samples(self, rows: Sequence[SampleRow]) -> None:
        """Appends sampled turns."""
        self._rows[run_folder.SAMPLES].write(rows)

    def close(self) -> None:
        """Closes all files, which are on the disk by then: what says that the run is finished is written after them."""
        self.lengths()
        for rows in self._rows.values():
            rows.close()
        self._schedule.close()
