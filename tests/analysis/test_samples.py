"""Sampled turns: where time goes, what staleness does, and what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.answers import answer
from a3c.analysis.figures import FIGURES
from a3c.analysis.turn_tables import expected_staleness
from a3c.records.schedule_file import TURN

SCHEDULES = ("hogwild", "locked", "synchronous")


def answered(results: Path, synthetic: Any, study: Any, **options: Any) -> str:
    """Writes runs and tables; what the study's answer is."""
    synthetic.write_study(results, study, **options)
    tables.write_tables(study, results)
    paths = {name: outputs.table_path(study, results, name) for name in outputs.table_names(study)}
    return answer(study, {name: tables.read_table(path) for name, path in paths.items()})


def uneven(run: Any, turns: int) -> np.ndarray:
    """Worker 0 has three turns in four, each pulling right after it pushed; as the recorder would write it."""
    table = np.zeros(398, TURN)
    table["worker"], table["steps"] = (np.arange(398) % 4) // 3, 5
    last = {0: 0, 1: 0}
    for turn, worker in enumerate(table["worker"].tolist()):
        table["staleness"][turn] = turn - last[worker]
        last[worker] = turn + 1
    return table


def test_times_and_shares_are_the_samples(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    runs = [synthetic.make_run(v, seed=s) for v in SCHEDULES for s in (0, 1)]
    study = tabled(*runs, lost_update_fraction=0.25)
    rows = synthetic.rows_of(study, tmp_path, "phases")
    for row in rows:
        assert (row["n"], row["samples"], row["lost_fraction"]) == ("2", "24", "0.25")
        names = ("pull", "rollout", "gradient", "lock_wait", "push")
        assert [row[f"{name}_us"] for name in names] == ["10", "600", "300", "40", "50"]
        assert {row[f"lock_wait_share{end}"] for end in ("", "_lo", "_hi")} == {"0.04"}
    assert [row["torn_fraction"] for row in rows] == ["0.0833333", "", ""]


def test_the_waiting_share_is_of_a_runs_whole_time_and_each_run_counts_once(
    tmp_path: Path, synthetic: Any, tabled: Any
) -> None:
    def samples(run: Any) -> list[Any]:
        row = synthetic.sampled(run, 1)[0]
        quick = row._replace(pull_seconds=0, rollout_seconds=1e-3, gradient_seconds=0, push_seconds=0)
        if run.settings.seed:
            return [quick._replace(lock_wait_seconds=1e-3)]
        # A mean of the turns' own shares would be 0.45.
        return [quick._replace(lock_wait_seconds=0), quick._replace(lock_wait_seconds=9e-3)]

    study = tabled(*(synthetic.make_run(seed=s) for s in (0, 1)), samples=samples)
    row = synthetic.rows_of(study, tmp_path, "phases")[0]
    assert float(row["lock_wait_share"]) == pytest.approx((9 / 11 + 1 / 2) / 2, rel=1e-5)
    assert row["lock_wait_us"] == "2750"  # (4,500 + 1,000) / 2


def test_drift_is_the_mean_over_runs_and_extremes_are_those_of_any_turn(
    tmp_path: Path, synthetic: Any, tabled: Any
) -> None:
    def samples(run: Any) -> list[Any]:
        stale = synthetic.sampled(run, 2)[1]
        if run.settings.seed:
            return [stale._replace(gradient_cosine=-1.0, ratio_max=7.0), stale._replace(gradient_cosine=None)]
        return [stale, stale._replace(gradient_cosine=1.0, ratio_min=0.1), stale]

    study = tabled(*(synthetic.make_run(seed=s) for s in (0, 1)), samples=samples)
    row = synthetic.rows_of(study, tmp_path, "drift")[0]
    assert (row["distance"], row["gradient_norm_ratio"], row["kl"]) == ("0.01", "2", "0.001")
    assert float(row["gradient_cosine"]) == pytest.approx((2 / 3 - 1) / 2, rel=1e-5)
    assert (row["ratio_max"], row["ratio_min"], row["samples"]) == ("7", "0.1", "5")


def test_what_is_never_stale_has_no_drift(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run("synchronous"))
    row = synthetic.rows_of(study, tmp_path, "drift")[0]
    assert row["samples"] == "12"
    assert {row[name] for name in list(row)[5:]} == {""}
    assert synthetic.rows_of(study, tmp_path, "drift_by_staleness") == []
    assert "drift" not in outputs.figure_names(study)
    assert "workers" not in outputs.table_names(study)


def test_a_run_without_samples_has_empty_cells(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run("hogwild"), samples=lambda run: [])
    for name in ("phases", "drift"):
        row = synthetic.rows_of(study, tmp_path, name)[0]
        assert row["samples"] == "0"
        assert {row[column] for column in list(row)[5:]} == {""}
    assert synthetic.rows_of(study, tmp_path, "drift_by_staleness") == []


def test_bins_double_in_width_and_hold_each_sample_once(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def samples(run: Any) -> list[Any]:
        row = synthetic.sampled(run, 1)[0]
        return [row._replace(staleness=s, distance=float(s), kl=float(s)) for s in range(100)]

    study = tabled(synthetic.make_run(), samples=samples)
    rows = synthetic.rows_of(study, tmp_path, "drift_by_staleness")
    assert [(row["staleness"], row["label"], int(row["samples"])) for row in rows] == [
        ("0", "0", 1), ("1", "1", 1), ("2", "2", 1), ("3", "3-4", 2), ("5", "5-8", 4), ("9", "9-16", 8),
        ("17", "17-32", 16), ("33", "33-64", 32), ("65", "65+", 35),
    ]  # fmt: skip
    assert [float(row["kl"]) for row in rows] == [0, 1, 2, 3.5, 6.5, 12.5, 24.5, 48.5, 82]


def test_a_divergence_is_drawn_on_a_logarithmic_axis_and_a_few_samples_not_at_all(
    tmp_path: Path, synthetic: Any, tabled: Any
) -> None:
    study = tabled(synthetic.make_run(), samples=lambda run: synthetic.sampled(run, 40))
    found = {n: tables.read_table(outputs.table_path(study, tmp_path, n)) for n in outputs.table_names(study)}
    assert [ax.get_yscale() for ax in FIGURES["drift"](study, found).axes] == ["linear", "linear", "log"]
    found["drift_by_staleness"]["samples"] = 9
    for ax in FIGURES["drift"](study, found).axes:
        assert [text.get_text() for text in ax.texts] == ["too few samples"]


def test_a_workers_staleness_follows_from_its_share_of_the_turns(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run("hogwild", workers=2), schedule=uneven)
    rows = synthetic.rows_of(study, tmp_path, "workers")
    # Worker 1 pushes first at turn 3, so 394 turns count: 296 and 98; worker 0's first
    # misses a push from before the count, and two of worker 0's fall into a turn of worker 1 that never ends.
    assert [(row["worker"], row["turns"]) for row in rows] == [("0", "296"), ("1", "98")]
    assert [float(row["staleness_predicted"]) for row in rows] == pytest.approx([98 / 296, 296 / 98], rel=1e-5)
    assert [float(row["staleness_mean"]) for row in rows] == pytest.approx([99 / 296, 294 / 98], rel=1e-5)
    assert [float(row["difference"]) for row in rows] == pytest.approx([1 / 296, -2 / 98], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "expected", "completes"),
    [
        ({"schedule": "locked", "order": None}, 3, True),
        ({"schedule": "locked", "order": None, "pull_interval_rollouts": 2}, np.nan, False),
        ({"schedule": "synchronous", "order": None}, 0, False),
        ({"order": {"kind": "round_robin"}}, 3, False),
        ({"order": {"kind": "straggler", "factor": 4.0}}, 3, True),
        ({"order": {"kind": "constant_lag", "lag": 7}}, 7, False),
        ({"order": {"kind": "histogram", "counts": [1, 0, 3]}}, 1.5, False),
        ({"order": {"kind": "geometric", "mean": 1.0, "max_lag": 2}}, (1 / 4 + 2 / 8) / (7 / 8), False),
    ],
)
def test_the_expected_staleness_is_what_speeds_or_prescriptions_imply(
    synthetic: Any, changes: dict[str, Any], expected: float, completes: bool
) -> None:
    run = synthetic.make_run("a", workers=4, **({"schedule": "drawn"} | changes))
    (group,) = outputs.groups(synthetic.make_study(run))
    assert expected_staleness(group) == pytest.approx(expected, nan_ok=True)
    assert outputs.acts_on_completion(run) == completes


def test_a_study_of_staleness_is_answered_by_it_and_not_by_scores(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run(v, workers=w) for v in ("hogwild", "locked") for w in (2, 4)]
    found = answered(tmp_path, synthetic, synthetic.make_study(*runs))
    assert found.startswith(
        "Mean staleness is the number of the other workers to within 0%, the largest relative error"
    )
    assert "99th percentile with 4 workers in CartPole-v1: hogwild 3 updates, locked 3 updates." in found


def test_the_largest_error_of_the_mean_is_named_whatever_its_sign(tmp_path: Path, synthetic: Any) -> None:
    def fresh(run: Any, turns: int) -> np.ndarray:
        table = np.zeros(turns, TURN)
        table["worker"] = np.arange(turns) % run.settings.workers
        table["staleness"] = 3 if run.settings.workers == 4 else 0
        return table

    runs = [synthetic.make_run(workers=w) for w in (2, 4)]
    found = answered(tmp_path, synthetic, synthetic.make_study(*runs), schedule=fresh)
    assert "to within 100%, the largest relative error (locked, 2 workers, CartPole-v1)" in found


def test_what_a_lock_costs_and_saves_is_said_within_the_cores_and_beyond(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(
        *(synthetic.make_run(v, workers=w) for v in ("hogwild", "locked") for w in (2, 4, 8)), timing=True
    )
    for run in study.runs:
        fast = run.variant == "hogwild" and run.settings.workers == 8
        lost = 0.011 if run.variant == "hogwild" else None
        options = {"lost_update_fraction": lost, "frames_per_second": 150.0 if fast else 100.0}
        synthetic.write_run(tmp_path, run, **options)
    tables.write_tables(study, tmp_path)
    names = ("throughput", "phases")
    found = answer(study, {n: tables.read_table(outputs.table_path(study, tmp_path, n)) for n in names})
    assert found.count("With") == 2
    assert (
        "With 4 workers in CartPole-v1: hogwild takes 1 times as many frames a second as locked (100 against" in found
    )
    assert "With 8 workers in CartPole-v1, oversubscribed: hogwild takes 1.5 times" in found
    assert "hogwild: 4% of its time waiting for the lock, 1.1% of writes lost, 8.3% of pulls torn; locked: 4%" in found
    assert found.endswith("locked: 4% of its time waiting for the lock.")
