"""The line that ends a run says what it came to, from the run's own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from a3c.__main__ import main
from a3c.records import run_folder
from a3c.records.schedule_file import TURN, Header, ScheduleWriter
from a3c.run_summary import run_summary
from a3c.settings import Settings

Make = Callable[..., Settings]


FACTS = {"outcome": "finished", "frames": 2_000, "train_seconds": 70.0, "wall_seconds": 75.2}


def with_schedule(folder: Path, staleness: list[int]) -> None:
    """Two workers' turns in the run's folder, and its manifest's time; the first two turns are the warm-up."""
    turns = np.zeros(2 + len(staleness), TURN)
    turns["worker"][1::2] = 1
    turns["staleness"][2:] = staleness
    writer = ScheduleWriter(folder / run_folder.SCHEDULE, Header("hogwild", 2, 1))
    writer.write(turns)
    writer.close()
    run_folder.write_json(folder / run_folder.MANIFEST, FACTS)


def test_scores_are_of_the_last_and_the_best_point(cliff: Make, finished: Callable[..., Path], tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", cliff(evaluation={"points": 3, "episodes": 1}), (-100.0, 1234.5, -7.0))
    with_schedule(folder, [1, 1, 2, 0, 4, 0])
    assert run_summary(folder) == f"final score -7, best score 1,234, mean staleness 1.333, 1m15s: {folder}"


def test_what_there_is_none_of_is_a_dash(cliff: Make, finished: Callable[..., Path], tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", cliff(evaluation={"points": 3, "episodes": 1}))
    header, *_ = (folder / run_folder.EVALUATIONS).read_text().splitlines()
    (folder / run_folder.EVALUATIONS).write_text(f"{header}\n")
    with_schedule(folder, [])
    assert run_summary(folder) == f"final score -, best score -, mean staleness -, 1m15s: {folder}"


def test_training_ends_with_it(experiments: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["budget_frames=400", "workers=1", "evaluation={points: 2, episodes: 1}"]
    into = tmp_path / "run"
    command = ["train", str(experiments / "cliff_world.yaml"), *small, "--into", str(into), "--no-track", "--quiet"]
    assert main(command) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("finished: ")]
    assert line == f"finished: {run_summary(into)}"
