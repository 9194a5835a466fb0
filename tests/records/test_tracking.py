"""A real MLflow store, and run folders of real runs."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.records import run_folder
from a3c.settings import Settings
from a3c.training import train

pytest.importorskip("mlflow")

from a3c.records.tracking import connect, create_store, default_uri
from a3c.records.view import View


@pytest.fixture(scope="module")
def finished(cliff: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("run")
    train(cliff(schedule="locked", evaluation={"points": 2, "episodes": 2}), folder)
    return folder


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has been created, and the experiment of one game."""
    results = tmp_path_factory.mktemp("results")
    create_store(default_uri(results), ["CliffWorld"], results)
    return results


@pytest.fixture
def results(empty_store: Path, finished: Path, tmp_path: Path) -> Path:
    """A results folder with a store and one finished run in it."""
    shutil.copytree(empty_store, tmp_path, dirs_exist_ok=True)
    shutil.copytree(finished, tmp_path / "runs/CliffWorld/x/seed0")
    return tmp_path


def view_of(results: Path) -> View:
    return View(default_uri(results), results, lambda folder: {"studies": "a,b", "variant": "a3c_locked"})


def runs_of(results: Path) -> list[Any]:
    client = connect(default_uri(results))
    experiment = client.get_experiment_by_name("a3c/CliffWorld")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def metric_rows(results: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(results / "mlflow/mlflow.db") as store:
        return sorted(store.execute("SELECT run_uuid, key, step, value, timestamp FROM metrics").fetchall())


def manifest_says(folder: Path, **facts: Any) -> None:
    path = folder / run_folder.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_a_finished_run_is_shown_with_settings_metrics_tags_and_artifacts(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    assert view_of(results).update([folder]) == []
    (run,) = runs_of(results)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "a3c_locked-w3-s0"
    assert run.data.params["optimizer.kind"] == "shared_rmsprop"
    assert run.data.tags["studies"] == "a,b"
    assert run.data.tags["command"].startswith("a3c train --settings")
    assert run.data.metrics["staleness/mean"] == pytest.approx(2.0, abs=1.0)
    client = connect(default_uri(results))
    points = client.get_metric_history(run.info.run_id, "evaluation/score_mean")
    assert [point.step for point in points] == [1000, 2000], "on the grid that all seeds share"
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"settings.json", "manifest.json", "schedule.bin", "model.pt"} <= names


def test_sending_again_changes_nothing(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view_of(results).update([folder])
    before = metric_rows(results)
    assert len(before) > 20
    (folder / run_folder.TRACKED).unlink()
    assert view_of(results).update([folder]) == []
    assert metric_rows(results) == before
    assert len(runs_of(results)) == 1


def test_a_complete_run_is_not_touched_again(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view_of(results).update([folder])
    (results / "mlflow/mlflow.db").unlink()
    assert view_of(results).update([folder]) == []


def test_a_running_run_is_shown_live_and_then_closed(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    intervals = (folder / run_folder.INTERVALS).read_text().splitlines(keepends=True)
    (folder / run_folder.INTERVALS).write_text("".join(intervals[:3]) + "12,torn li")
    manifest_says(folder, outcome="running")
    view = view_of(results)
    with run_folder.own(folder):
        assert view.update([folder]) == []
        (run,) = runs_of(results)
        assert run.info.status == "RUNNING"
        assert len(connect(default_uri(results)).get_metric_history(run.info.run_id, "loss/policy")) == 2
        (folder / run_folder.INTERVALS).write_text("".join(intervals))
        manifest_says(folder, outcome="finished")
    view.update([folder])
    (run,) = runs_of(results)
    assert run.info.status == "FINISHED"
    history = connect(default_uri(results)).get_metric_history(run.info.run_id, "loss/policy")
    assert len(history) == len(intervals) - 1


def test_a_run_that_nobody_owns_any_more_was_killed(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    manifest_says(folder, outcome="running")
    view_of(results).update([folder])
    assert [run.info.status for run in runs_of(results)] == ["KILLED"]


def test_a_second_start_closes_what_the_first_left_open(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    manifest_says(folder, outcome="running")
    with run_folder.own(folder):
        view_of(results).update([folder])
    manifest_says(
        folder,
        outcome="finished",
        started_at_ms=json.loads((folder / "manifest.json").read_text())["started_at_ms"] + 1,
    )
    view_of(results).update([folder])
    assert sorted(run.info.status for run in runs_of(results)) == ["FINISHED", "KILLED"]


def test_a_broken_store_is_a_sentence_and_not_an_exception(results: Path) -> None:
    (results / "mlflow/mlflow.db").write_bytes(b"this is no database" * 1000)
    (sentence,) = view_of(results).update([results / "runs/CliffWorld/x/seed0"])
    assert "is not shown in MLflow" in sentence


@pytest.mark.slow
def test_the_command_tracks_everything_below_results(results: Path) -> None:
    command = [sys.executable, "-m", "a3c", "track", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.info.status for run in runs_of(results)] == ["FINISHED"]
