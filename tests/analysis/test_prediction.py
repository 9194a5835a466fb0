"""Scaling as predicted from a few workers' sampled turns, beside what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import outputs, predictions
from a3c.analysis.figures import FIGURES
from a3c.analysis.tables import read_table, write_tables

TURN_SECONDS = 960e-6  # of `sampled`: pull, rollout, gradient and push, without the wait


@pytest.fixture(autouse=True)
def few_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer and shorter simulations than the real table has."""
    monkeypatch.setattr(predictions, "WORKERS", (1, 2, 4, 16))
    monkeypatch.setattr(predictions, "TURNS", 400)


def predicted(results: Path, synthetic: Any, study: Any, cores: int = 4) -> dict[int, dict[str, str]]:
    """The rows of one number of cores by their workers."""
    rows = synthetic.rows_of(study, results, "prediction")
    return {int(row["workers"]): row for row in rows if row["cores"] == str(cores)}


def tables_of(study: Any, results: Path) -> tuple[Path, str]:
    """Writes a study's tables; what `rows_of` needs to find its predictions."""
    write_tables(study, results)
    return results, "prediction"


def test_the_prediction_starts_from_runs_that_had_cores_enough(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run("hogwild", workers=w) for w in (1, 2, 8)), timing=True)
    rows = predicted(tmp_path, synthetic, study)
    assert [(n, row["phases_from"], row["measured_in"]) for n, row in rows.items()] == [
        (1, "1", "yes"), (2, "2", "yes"), (4, "2", "no"), (16, "2", "no"),
    ]  # fmt: skip
    elsewhere = predicted(tmp_path, synthetic, study, cores=32)
    assert {row["measured_in"] for row in elsewhere.values()} == {"no"}
    assert {row["frames_per_second"] for row in elsewhere.values()} == {""}
    assert {row["cores"] for row in synthetic.rows_of(study, tmp_path, "prediction")} == {"4", "32", "128"}


@pytest.mark.parametrize(("game", "repeat"), [("CartPole-v1", 1), ("Pong", 4)])
def test_one_worker_takes_its_turns_times_and_waits_for_nobody(
    tmp_path: Path, synthetic: Any, tabled: Any, game: str, repeat: int
) -> None:
    study = tabled(synthetic.make_run("locked", game), timing=True, frames_per_second=5_000.0)
    assert "prediction" not in outputs.table_names(study)  # two workers
    study = tabled(synthetic.make_run("locked", game, workers=1), timing=True, frames_per_second=5_000.0)
    row = predicted(tmp_path, synthetic, study)[1]
    expected = 5 * repeat / TURN_SECONDS
    assert float(row["frames_per_second_predicted"]) == pytest.approx(expected, rel=1e-4)
    assert row["frames_per_second"] == "5000"
    assert float(row["relative_error"]) == pytest.approx(expected / 5_000 - 1, rel=1e-3)
    assert {row[f"staleness_{name}_predicted"] for name in ("mean", "p50", "p99")} == {"0"}
    assert row["lock_wait_share_predicted"] == "0"


def test_staleness_is_predicted_with_its_mean_known(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(synthetic.make_run("hogwild", workers=1), timing=True)
    row = predicted(tmp_path, synthetic, study, cores=32)[16]
    assert float(row["staleness_mean_predicted"]) == pytest.approx(15, abs=0.2)
    assert float(row["staleness_p99_predicted"]) >= float(row["staleness_p50_predicted"]) >= 15


def test_only_worker_0_of_synchronous_ones_applies_the_average(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def samples(run: Any) -> list[Any]:
        return [row if row.worker == 0 else row._replace(push_seconds=9.0) for row in synthetic.sampled(run)]

    runs = [synthetic.make_run("synchronous", workers=w) for w in (1, 2)]
    study = tabled(*runs, samples=samples, timing=True)
    assert float(predicted(tmp_path, synthetic, study)[2]["frames_per_second_predicted"]) > 1_000


def test_one_variant_more_changes_no_row(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    runs = [synthetic.make_run(v, workers=1) for v in ("locked", "hogwild")]
    study = tabled(*runs, timing=True)
    rows = synthetic.rows_of(study, tmp_path, "prediction")
    alone = synthetic.make_study(runs[0], timing=True)
    synthetic.write_study(tmp_path / "alone", alone)
    rows_alone = synthetic.rows_of(alone, *tables_of(alone, tmp_path / "alone"))
    assert [row for row in rows if row["variant"] == "locked"] == rows_alone


def test_runs_that_cannot_be_simulated_have_no_prediction(synthetic: Any) -> None:
    one = {"workers": 1, "schedule": "synchronous"}
    unsampled = {"records": {"intervals": 20, "sample_interval_turns": None}}
    batched = {"executor": "batched", **one}
    for changes in (unsampled | one, batched, {"workers": 1, "pull_interval_rollouts": 2}, {"workers": 2}):
        study = synthetic.make_study(synthetic.make_run(**changes), timing=True)
        assert not {"prediction"} & {*outputs.table_names(study), *outputs.figure_names(study)}, changes
    assert "prediction" not in outputs.table_names(synthetic.make_study(synthetic.make_run(workers=1)))
    timed = synthetic.make_study(synthetic.make_run(**one), timing=True)
    assert "prediction" in outputs.table_names(timed)
    assert "prediction" in outputs.figure_names(timed)


def test_one_sample_is_enough_and_none_leaves_the_table_empty(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    run = synthetic.make_run("hogwild", workers=1)
    study = tabled(run, samples=lambda run: synthetic.sampled(run, 1), timing=True)
    assert len(predicted(tmp_path, synthetic, study)) == 4
    bare = synthetic.make_study(run, timing=True)
    synthetic.write_study(tmp_path / "bare", bare, samples=lambda run: [])
    assert synthetic.rows_of(bare, *tables_of(bare, tmp_path / "bare")) == []
    names = ("prediction", "staleness", "runs")
    found = {name: read_table(outputs.table_path(bare, tmp_path / "bare", name)) for name in names}
    assert FIGURES["prediction"](bare, found).axes
