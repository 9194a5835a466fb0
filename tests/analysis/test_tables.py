"""Tables of runs whose answers are known."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.records.schedule_file import TURN

SCHEDULES = ("hogwild", "locked", "synchronous")


def test_taking_turns_gives_a_staleness_of_the_other_workers(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run(s, workers=w) for s in SCHEDULES for w in (1, 4)))
    for row in synthetic.rows_of(study, tmp_path, "staleness"):
        expected = 0 if row["variant"] == "synchronous" else int(row["workers"]) - 1
        assert {row[f"staleness_{name}"] for name in ("mean", "expected", "p50", "p99", "max")} == {str(expected)}
        assert row["staleness_sd"] == "0"
        assert row["relative_error"] == ("0" if expected else "")
        # 2,000 turns, the first of each worker left out.
        assert int(row["turns"]) == 2000 - int(row["workers"])


def test_quantiles_and_the_last_bin_of_a_known_histogram(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def schedule(run: Any, turns: int) -> np.ndarray:
        table = np.zeros(102, TURN)
        table["worker"][1] = 1
        table["staleness"][2:] = [0] * 50 + [1] * 40 + [2] * 9 + [500]
        return table

    study = tabled(synthetic.make_run(workers=2), schedule=schedule)
    row = synthetic.rows_of(study, tmp_path, "staleness")[0]
    assert [row[f"staleness_{q}"] for q in ("p50", "p90", "p99", "max")] == ["0", "1", "2", "500"]
    bins = synthetic.rows_of(study, tmp_path, "staleness_histogram")
    assert [(b["label"], b["turns"]) for b in bins[:3]] == [("0", "50"), ("1", "40"), ("2", "9")]
    assert (bins[-1]["staleness"], bins[-1]["label"], bins[-1]["turns"]) == ("8", "8+", "1")
    assert sum(float(b["fraction"]) for b in bins) == pytest.approx(1.0)


def test_final_best_and_training_scores_are_told_apart(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def rise_and_fall(run: Any, progress: np.ndarray) -> np.ndarray:
        return np.where(progress <= 0.5, 100 * progress, 20.0)

    study = tabled(synthetic.make_run(), score=rise_and_fall)
    row = synthetic.rows_of(study, tmp_path, "runs")[0]
    assert (row["final_score"], row["best_point_score"], row["training_score"]) == ("20", "50", "20")
    assert row["best_point_frames"] == "5000"


def test_the_best_point_has_a_column_of_its_own_and_its_optimism_is_said(
    tmp_path: Path, synthetic: Any, tabled: Any
) -> None:
    def peak(run: Any, progress: np.ndarray) -> np.ndarray:
        return np.where(progress == 0.5, 90.0, 10.0) + run.settings.seed

    study = tabled(*(synthetic.make_run(seed=s) for s in (0, 1, 2, 3, 4)), score=peak)
    row = synthetic.rows_of(study, tmp_path, "scores")[0]
    assert (row["final_score_mean"], row["best_point_score_mean"]) == ("12", "92")
    assert float(row["best_point_score_mean_lo"]) < 92 < float(row["best_point_score_mean_hi"])
    for name in ("runs", "scores"):
        assert "optimistic" in outputs.table_path(study, tmp_path, name, "md").read_text()


def test_scores_are_aggregated_over_seeds(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run(seed=s) for s in (0, 1, 2, 50)))
    row = synthetic.rows_of(study, tmp_path, "scores")[0]
    assert row["n"] == "4"
    assert (row["final_score_mean"], row["final_score_median"], row["final_score_iqm"]) == ("113.25", "101.5", "101.5")
    assert float(row["final_score_mean_lo"]) < 113.25 < float(row["final_score_mean_hi"])


def test_one_seed_has_empty_intervals_in_every_table(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run(s, workers=w) for s in SCHEDULES for w in (1, 2)))
    for name in outputs.TABLES:
        for row in synthetic.rows_of(study, tmp_path, name):
            assert {text for column, text in row.items() if column[-3:] in ("_lo", "_hi")} <= {""}, name


def test_speed_up_is_against_one_worker_and_efficiency_against_cores(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(*(synthetic.make_run(workers=w) for w in (1, 2, 8)))
    for run, speed in zip(study.runs, (100.0, 150.0, 300.0), strict=True):
        synthetic.write_run(tmp_path, run, frames_per_second=speed)
    tables.write_tables(study, tmp_path)
    rows = synthetic.rows_of(study, tmp_path, "throughput")
    assert [row["frames_per_second"] for row in rows] == ["100", "150", "300"]
    assert [row["speed_up"] for row in rows] == ["1", "1.5", "3"]
    assert [row["efficiency"] for row in rows] == ["1", "0.75", "0.75"]  # 8 workers share 4 cores
    assert [row["oversubscribed"] for row in rows] == ["no", "no", "yes"]


def test_a_group_is_timed_only_if_all_of_its_runs_had_the_machine_to_themselves(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(*(synthetic.make_run(v, seed=s) for v in ("hogwild", "locked") for s in (0, 1)))
    for run in study.runs:
        synthetic.write_run(tmp_path, run, timing=run.variant == "hogwild" or run.settings.seed == 0)
    tables.write_tables(study, tmp_path)
    assert [row["timing"] for row in synthetic.rows_of(study, tmp_path, "throughput")] == ["yes", "no"]
    assert [row["timing"] for row in synthetic.rows_of(study, tmp_path, "runs")] == ["yes", "yes", "yes", "no"]


def test_oversubscription_is_said_in_every_text(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run(workers=w) for w in (1, 8)))
    texts = [path for path in outputs.table_files(study, tmp_path) if path.suffix == ".md"]
    assert len(texts) == 9
    for path in texts:
        text = path.read_text()
        assert text.startswith("# A study: ")
        assert "Is it so?" in text
        assert "OVERSUBSCRIBED" in text
        assert "8 workers on 4 cores" in text


def test_a_table_is_the_same_to_the_byte_when_written_again(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run(s, game="CliffWorld", seed=k) for s in SCHEDULES for k in range(3)))
    files = outputs.table_files(study, tmp_path)
    assert sorted(files) == sorted(path for path in files[0].parent.iterdir())
    before = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    tables.write_tables(study, tmp_path)
    assert [path.read_bytes() for path in files] == before


def test_the_policy_is_the_mean_over_seeds(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(*(synthetic.make_run(game="CliffWorld", seed=s) for s in (0, 1)))
    synthetic.write_study(tmp_path, study)
    path = tmp_path / "runs" / study.runs[1].folder / "policy.csv"
    path.write_text(path.read_text().replace("0,1,0.7", "0,1,0.3"))  # state 0, to the right
    tables.write_tables(study, tmp_path)
    rows = synthetic.rows_of(study, tmp_path, "cliff_world_policy")
    assert len(rows) == 48 * 4
    assert [float(row["probability_mean"]) for row in rows[:4]] == [0.1, 0.5, 0.1, 0.1]
    assert {row["n"] for row in rows} == {"2"}


def test_an_unfinished_run_is_refused(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run())
    synthetic.write_study(tmp_path, study, outcome="failed")
    with pytest.raises(ValueError, match="outcome is 'failed'"):
        tables.write_tables(study, tmp_path)


def test_every_table_has_the_columns_promised(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run(game="CliffWorld"))
    for name in outputs.table_names(study):
        with outputs.table_path(study, tmp_path, name).open(newline="") as file:
            assert tuple(next(csv.reader(file))) == tables.COLUMNS[name]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.8, "1234570"), (1e-7, "0.0000001"), (-0.0, "0"), (np.nan, ""), (None, ""), (np.inf, "inf"),
     (0.1 + 0.2, "0.3"), (True, "yes"), (10**12, "1000000000000")],
)  # fmt: skip
def test_numbers_are_written_with_six_digits_and_no_exponent(value: object, text: str) -> None:
    assert tables.cell(value) == text
