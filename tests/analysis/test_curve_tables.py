"""Learning curves and the way to a score, of runs whose curves are straight lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.curve_tables import grid, time_grid


def test_a_curve_is_the_mean_of_the_window_before_each_point(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run(budget_frames=10_000), episodes=100)
    rows = synthetic.rows_of(study, tmp_path, "learning_curves")
    assert [int(row["frames"]) for row in rows] == list(range(200, 10_001, 200))
    # An episode each 100 frames scores its frames / 100; the window of 500 frames holds the last five.
    assert [float(row["score_mean"]) for row in rows[4:]] == [frames / 100 - 2 for frames in range(1000, 10_001, 200)]
    assert [float(row["seconds_mean"]) for row in rows] == [frames / 100 for frames in range(200, 10_001, 200)]


def test_a_mean_is_never_taken_over_a_part_of_the_seeds(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run(seed=0), synthetic.make_run(seed=100))
    synthetic.write_run(tmp_path, study.runs[0], episodes=200)
    synthetic.write_run(tmp_path, study.runs[1], episodes=2)  # at half and at the end of the budget
    tables.write_tables(study, tmp_path)
    for name, axis in (("learning_curves", "frames"), ("learning_curves_time", "seconds")):
        rows = synthetic.rows_of(study, tmp_path, name)
        filled = [place for place, row in enumerate(rows, start=1) if row["score_mean"]]
        assert filled == [25, 26, 27, 50], axis
        assert {row["n"] for row in rows} == {"2"}


def test_no_ended_episode_leaves_empty_cells(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run(seed=0), synthetic.make_run(seed=1), episodes=0)
    assert {row["score_mean"] for row in synthetic.rows_of(study, tmp_path, "learning_curves")} == {""}
    row = synthetic.rows_of(study, tmp_path, "time_to_score")[0]
    assert (row["threshold_score"], row["frames_to_score"], row["n_reached"]) == ("", "", "0")
    assert synthetic.rows_of(study, tmp_path, "runs")[0]["training_score"] == ""


def test_time_to_score_uses_the_worst_groups_best(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def score(run: Any, progress: np.ndarray) -> np.ndarray:
        return progress * (100.0 if run.variant == "hogwild" else 50.0)

    study = tabled(synthetic.make_run("hogwild"), synthetic.make_run("locked"), score=score, episodes=100)
    fast, slow = synthetic.rows_of(study, tmp_path, "time_to_score")
    assert (fast["threshold_score"], slow["threshold_score"]) == ("49", "49")  # the mean of 48, 48.5, ..., 50
    assert (fast["frames_to_score"], fast["seconds_to_score"]) == ("5200", "52")  # 52 - 2 is the first above 49
    assert (slow["frames_to_score"], slow["seconds_to_score"]) == ("10000", "100")
    assert (slow["n_reached"], slow["n"]) == ("1", "1")


def test_a_group_without_a_curve_has_no_say_in_the_score_to_reach(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run("hogwild"), synthetic.make_run("locked"))
    synthetic.write_run(tmp_path, study.runs[0], episodes=0)
    synthetic.write_run(tmp_path, study.runs[1], episodes=100)
    tables.write_tables(study, tmp_path)
    without, with_curve = synthetic.rows_of(study, tmp_path, "time_to_score")
    assert (without["threshold_score"], without["frames_to_score"], without["n_reached"]) == ("98", "", "0")
    assert (with_curve["frames_to_score"], with_curve["n_reached"]) == ("10000", "1")


def test_frames_to_a_score_reach_beyond_the_budget_where_a_seed_never_gets_there(
    tmp_path: Path, synthetic: Any, tabled: Any
) -> None:
    def score(run: Any, progress: np.ndarray) -> np.ndarray:
        return progress * (100.0 if run.settings.seed or run.variant == "hogwild" else 10.0)

    study = tabled(*(synthetic.make_run(v, seed=s) for v in ("hogwild", "locked") for s in range(3)), score=score)
    even, uneven = synthetic.rows_of(study, tmp_path, "time_to_score")
    assert (even["n_reached"], even["frames_to_score_hi"]) == ("3", even["frames_to_score_lo"])
    assert (uneven["n_reached"], uneven["frames_to_score"], uneven["frames_to_score_hi"]) == ("2", "10000", "inf")
    text = outputs.table_path(study, tmp_path, "time_to_score", "md").read_text()
    assert f"10,000 [{int(uneven['frames_to_score_lo']):,}, ∞]" in text


def test_episodes_may_be_written_in_any_order(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run())
    before = [synthetic.rows_of(study, tmp_path, name) for name in ("learning_curves", "learning_curves_time")]
    path = tmp_path / "runs" / study.runs[0].folder / "episodes.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n")
    tables.write_tables(study, tmp_path)
    assert [synthetic.rows_of(study, tmp_path, n) for n in ("learning_curves", "learning_curves_time")] == before


def test_the_wall_clock_axis_ends_with_the_fastest_run_of_a_group(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(*(synthetic.make_run(seed=s) for s in (0, 1)))
    for run, speed in zip(study.runs, (100.0, 200.0), strict=True):
        synthetic.write_run(tmp_path, run, frames_per_second=speed)
    tables.write_tables(study, tmp_path)
    assert synthetic.rows_of(study, tmp_path, "learning_curves_time")[-1]["seconds"] == "50"
    assert synthetic.rows_of(study, tmp_path, "learning_curves")[-1]["seconds_mean"] == "75"


def test_at_one_second_all_are_judged_by_the_same_stretch_of_time(tmp_path: Path, synthetic: Any) -> None:
    """A run that takes thirty times as long, too: a twentieth of its time is more than all of the shorter one's."""
    study = synthetic.make_study(synthetic.make_run("hogwild"), synthetic.make_run("locked"))
    for run, speed in zip(study.runs, (100.0, 100.0 / 30.0), strict=True):
        synthetic.write_run(tmp_path, run, frames_per_second=speed, episodes=1000)
    tables.write_tables(study, tmp_path)
    rows = synthetic.rows_of(study, tmp_path, "learning_curves_time")
    short, long = ([row for row in rows if row["variant"] == v] for v in ("hogwild", "locked"))
    assert [float(row["seconds"]) for row in short] == list(range(2, 101, 2))
    assert [float(row["seconds"]) for row in long] == list(range(6, 3_001, 6))
    # An episode each 3 s: in the 5 s before second 60 end those of 57 and 60; a mean over 150 s would begin at 3.
    scores = {float(row["seconds"]): float(row["score_mean"]) for row in long}
    assert scores[60.0] == pytest.approx((57 + 60) / 2 / 30)
    assert max(scores) == 3_000.0


def test_a_grid_of_seconds_has_the_shared_end_and_is_never_endless() -> None:
    assert time_grid(7.0, 7.0).tolist() == pytest.approx(grid(7.0).tolist())
    assert len(time_grid(70.0, 7.0)) == 500
    assert 250 <= len(time_grid(1e6, 7.0)) <= 500
    assert time_grid(12.3, 7.0)[49] == pytest.approx(7.0)
    assert len(time_grid(12.3, 7.0)) == 87
