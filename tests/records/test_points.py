"""Files as points: whole lines only, whole evaluations only, and numbers that a store can hold."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from a3c.records import run_folder
from a3c.records.manifest import FAILED, FINISHED, KILLED, RUNNING
from a3c.records.points import Point, point, points_of
from a3c.records.rows import EvaluationRow, IntervalRow
from a3c.records.schedule_file import TURN, Header, ScheduleWriter


def write(path: Path, fields: tuple[str, ...], *lines: str) -> None:
    path.write_text("\n".join([",".join(fields), *lines]) + "\n", encoding="utf-8")


def interval(frames: int, seconds: float, **values: str) -> str:
    row = dict.fromkeys(IntervalRow._fields, "") | {"frames": str(frames), "seconds": str(seconds)} | values
    return ",".join(row.values())


def evaluation(target: int, episode: int, score: float) -> str:
    row = EvaluationRow(1, target, target + 7, 0, 2.5, episode, score, 10, 0, "0")
    return ",".join(map(str, row))


def test_a_column_becomes_a_curve_and_an_empty_cell_no_point(tmp_path: Path) -> None:
    write(tmp_path / "intervals.csv", IntervalRow._fields, interval(100, 1.2345, policy_loss="0.5"))
    assert points_of(tmp_path, 1, ended=False) == {
        Point("loss/policy", 0.5, 100, 1234),
        Point("speed/seconds", 1.2345, 100, 1234),
    }


def test_a_line_that_is_being_written_is_no_row_yet(tmp_path: Path) -> None:
    path = tmp_path / "intervals.csv"
    write(path, IntervalRow._fields, interval(100, 1.0))
    path.write_text(path.read_text(encoding="utf-8") + interval(200, 2.0)[:7], encoding="utf-8")
    assert {found.frames for found in points_of(tmp_path, 1, ended=True)} == {100}


def test_an_evaluation_that_is_being_written_is_left_out_until_the_run_has_ended(tmp_path: Path) -> None:
    lines = [evaluation(1000, 0, 1.0), evaluation(1000, 1, 4.0), evaluation(2000, 0, 9.0)]
    write(tmp_path / "evaluations.csv", EvaluationRow._fields, *lines)
    first = {
        Point("evaluation/score_mean", 2.5, 1000, 2500),
        Point("evaluation/score_min", 1.0, 1000, 2500),
        Point("evaluation/score_max", 4.0, 1000, 2500),
    }
    assert points_of(tmp_path, 2, ended=False) == first
    last = points_of(tmp_path, 2, ended=True) - first
    assert {found.frames for found in last} == {2000}
    assert len(last) == 3


def test_no_number_and_infinity_are_points_that_equal_themselves() -> None:
    assert point("loss/policy", float("nan"), 1, 2) == point("loss/policy", float("-nan"), 1, 2)
    assert len({point("loss/policy", math.nan, 1, 2), point("loss/policy", float("nan"), 1, 2)}) == 1
    assert point("loss/policy", math.inf, 1, 2).value == sys.float_info.max
    assert point("loss/policy", -math.inf, 1, 2).value == -sys.float_info.max


def test_a_run_without_files_has_no_points(tmp_path: Path) -> None:
    assert points_of(tmp_path, 1, ended=True) == set()


NO_TURNS = b"A3CS0002" + json.dumps(["locked", 2, 1]).encode().ljust(56)


def finished_run(folder: Path, outcome: str = FINISHED) -> None:
    """Two evaluation points of two games, and six turns of two workers, whose first pushes are turns 0 and 2."""
    run_folder.write_json(
        folder / run_folder.MANIFEST, {"outcome": outcome, "frames": 2011, "train_seconds": 4.0, "wall_seconds": 9.0}
    )
    games = [(1000, 0, 5.0), (1000, 1, 8.0), (2000, 0, 1.0), (2000, 1, 2.0)]
    write(folder / "evaluations.csv", EvaluationRow._fields, *[evaluation(*game) for game in games])
    writer = ScheduleWriter(folder / run_folder.SCHEDULE, Header("locked", 2, 1))
    turns = [(0, 5, 0, 0), (0, 5, 0, 0), (1, 5, 2, 0), (0, 5, 1, 0), (1, 5, 1, 0), (1, 5, 4, 0)]
    writer.write(np.array(turns, dtype=TURN))
    writer.close()


def whole_run(folder: Path, *, ended: bool = True) -> set[Point]:
    return {found for found in points_of(folder, 2, ended=ended) if found.metric.startswith("run/")}


def test_a_finished_run_has_figures_of_the_whole_of_it_at_its_end(tmp_path: Path) -> None:
    finished_run(tmp_path)
    assert whole_run(tmp_path) == {
        Point("run/final_score", 1.5, 2011, 4000),
        Point("run/best_point_score", 6.5, 2011, 4000),
        Point("run/staleness_mean", 2.0, 2011, 4000),  # (1 + 1 + 4) / 3: counted from both workers' first push on
        Point("run/staleness_p99", 4.0, 2011, 4000),
        Point("run/frames_per_second", 502.75, 2011, 4000),
    }


@pytest.mark.parametrize("outcome", [RUNNING, KILLED, FAILED])
def test_a_run_that_may_still_go_on_has_none(tmp_path: Path, outcome: str) -> None:
    finished_run(tmp_path, outcome)
    assert whole_run(tmp_path, ended=outcome != RUNNING) == set()


@pytest.mark.parametrize("content", [None, b"damaged", NO_TURNS])
def test_without_a_recorded_schedule_nobody_knows_how_stale_a_run_was(tmp_path: Path, content: bytes | None) -> None:
    finished_run(tmp_path)
    (tmp_path / run_folder.SCHEDULE).unlink()
    if content is not None:
        (tmp_path / run_folder.SCHEDULE).write_bytes(content)
    names = {found.metric for found in whole_run(tmp_path)}
    assert names == {"run/final_score", "run/best_point_score", "run/frames_per_second"}
