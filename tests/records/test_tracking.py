"""A real MLflow store, and run folders as trainers leave them."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import check_store
import numpy as np
import pytest

from a3c.__main__ import main
from a3c.records import run_folder
from a3c.records.manifest import FINISHED, Manifest
from a3c.records.rows import EvaluationRow, IntervalRow, SampleRow
from a3c.records.schedule_file import TURN, Header, ScheduleWriter
from a3c.settings import Settings

pytest.importorskip("mlflow")

from a3c.records.notes import NOTE
from a3c.records.points import points_of
from a3c.records.tracking import connect, open_store
from a3c.records.tracking_experiment import VIEW_TAG, experiment_of
from a3c.records.tracking_store import default_uri, own_turn, set_aside
from a3c.records.view import View

INTERVALS = 4


@pytest.fixture(scope="module")
def finished(cliff: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run that nobody trained."""
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, cliff(schedule="locked", evaluation={"points": 2, "episodes": 2}), INTERVALS)
    return folder


def write_run(folder: Path, settings: Settings, intervals: int) -> None:
    """What a trainer leaves that finished, with numbers of its own for each row, column and seed."""
    run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
    manifest = Manifest(folder, settings, timing=False, cpu_capability="none")
    manifest.end(FINISHED, frames=2003, train_seconds=2.0)
    begin = [settings.seed + 0.25] * len(SampleRow._fields)
    samples = [SampleRow(*[k, 90 * k, 0.7 * k, 0, 2, *begin[5:]]) for k in range(intervals)]
    values = [settings.seed + k / 7 for k in range(len(IntervalRow._fields))]
    rows = [IntervalRow(*[100 * k, 9 * k, 0.8 * k, *[k + v for v in values[3:]]]) for k in range(1, intervals + 1)]
    games = [
        EvaluationRow(k, 1000 * k, 1003 * k, 1, 0.9 * k, game, 10.0 * k + game, 5, 0, "0")
        for k in (1, 2)
        for game in (0, 1)
    ]
    write_rows(folder / run_folder.SAMPLES, samples)
    write_rows(folder / run_folder.INTERVALS, rows)
    write_rows(folder / run_folder.EVALUATIONS, games)
    schedule = ScheduleWriter(folder / run_folder.SCHEDULE, Header(settings.schedule, 1, 1))
    schedule.write(np.array([(0, 5, staleness, 0) for staleness in (9, 1, 2, 3)], dtype=TURN))
    schedule.close()
    for name in (run_folder.MODEL, run_folder.DONE):
        (folder / name).write_bytes(name.encode())


def write_rows(path: Path, rows: Sequence[NamedTuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0]._fields)
        writer.writerows(rows)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has been created, and the experiment of one game."""
    results = tmp_path_factory.mktemp("results")
    uri = default_uri(results)
    with own_turn(uri, results):
        open_store(uri)
        experiment_of(connect(uri), "CliffWorld", results, uri)
    shutil.copy(results / "mlflow/mlflow.db", results / "empty.db")
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


def check_equal_to_files(results: Path, folder: Path, status: str = "FINISHED") -> str:
    """One run shows the folder, and holds its points, each once; returns the run's id."""
    (run,) = runs_of(results)
    assert run.info.status == status
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text())
    points = points_of(folder, settings.evaluation.episodes, ended=status != "RUNNING")
    held = [row[1:4] for row in metric_rows(results) if row[0] == run.info.run_id]
    assert sorted(held) == sorted((point.metric, point.frames, point.value) for point in points)
    return str(run.info.run_id)


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
    assert run.data.metrics["staleness/mean"] == pytest.approx(INTERVALS + 9 / 7)
    client = connect(default_uri(results))
    points = client.get_metric_history(run.info.run_id, "evaluation/score_mean")
    assert [point.step for point in points] == [1000, 2000], "on the grid that all seeds share"
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"settings.json", "manifest.json", "schedule.bin", "model.pt"} <= names


def test_a_finished_run_can_be_ranked_and_says_how_to_make_it_again(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    assert view_of(results).update([folder]) == []
    (run,) = runs_of(results)
    figures = {name: value for name, value in run.data.metrics.items() if name.startswith("run/")}
    assert figures == {
        "run/final_score": 20.5,
        "run/best_point_score": 20.5,
        "run/staleness_mean": 2.0,
        "run/staleness_p99": 3.0,
        "run/frames_per_second": 1001.5,
    }
    assert "| finished |&emsp;20.50 |&emsp;20.50 |&emsp;2 |&emsp;2.00 updates |" in run.data.tags[NOTE]
    assert f"a3c replay {folder}\n" in run.data.tags[NOTE]
    assert run.data.tags["mlflow.source.name"] == "a3c train"
    assert run.data.tags["mlflow.source.git.commit"] == run.data.tags["commit"]
    assert "mlflow.user" not in run.data.tags


def test_a_run_is_named_after_the_first_of_its_variants(results: Path) -> None:
    view = View(default_uri(results), results, lambda folder: {"studies": "a,b", "variant": "a3c,tuned"})
    assert view.update([results / "runs/CliffWorld/x/seed0"]) == []
    assert [run.info.run_name for run in runs_of(results)] == ["a3c-w3-s0"]


def test_a_run_that_no_study_asked_for_is_named_after_its_schedule(results: Path) -> None:
    assert View(default_uri(results), results, lambda folder: {}).update([results / "runs/CliffWorld/x/seed0"]) == []
    (run,) = runs_of(results)
    assert run.info.run_name == "locked-w3-s0"
    assert "asked for by no study" in run.data.tags[NOTE]


def test_a_description_that_somebody_wrote_is_left_alone(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    manifest_says(folder, outcome="running")
    view = view_of(results)
    with run_folder.own(folder):
        assert view.update([folder]) == []
        (run,) = runs_of(results)
        assert "is being trained" in run.data.tags[NOTE]
        connect(default_uri(results)).set_tag(run.info.run_id, NOTE, run.data.tags[NOTE].replace("seed 0", "my best"))
        manifest_says(folder, outcome="finished")
    assert view.update([folder]) == []
    (run,) = runs_of(results)
    assert run.info.status == "FINISHED"
    assert "my best" in run.data.tags[NOTE]
    assert "is being trained" in run.data.tags[NOTE]


def test_a_run_that_an_older_version_showed_is_completed_once(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    with monkeypatch.context() as older:
        older.setattr("a3c.records.view.SHOWS", 1)
        older.setattr("a3c.records.points._whole_run", lambda folder, evaluations: set())
        assert view_of(results).update([folder]) == []
    assert "run/final_score" not in runs_of(results)[0].data.metrics
    assert view_of(results).update([folder]) == []
    check_equal_to_files(results, folder)
    monkeypatch.setattr("a3c.records.view.Mirror", None)
    assert view_of(results).update([folder]) == []


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        (
            "CliffWorld: one run per (variant, workers, seed). Metrics are against emulator frames. Group by the tags.",
            False,
        ),
        ("my own words", True),
    ],
)
def test_an_experiment_says_how_to_rank_its_runs_unless_somebody_wrote_else(
    results: Path, there: str, kept: bool
) -> None:
    client = connect(default_uri(results))
    experiment = client.get_experiment_by_name("a3c/CliffWorld")
    assert experiment is not None
    client.set_experiment_tag(experiment.experiment_id, NOTE, there)
    assert view_of(results).update([results / "runs/CliffWorld/x/seed0"]) == []
    tags = client.get_experiment(experiment.experiment_id).tags
    assert (tags[NOTE] == there) == kept
    assert ("viewStateShareKey=best_runs" in tags[NOTE]) != kept
    ranking = json.loads(json.loads(tags[VIEW_TAG])["state"])
    assert ranking["orderByKey"] == "metrics.`run/final_score`"
    assert "metrics.`run/staleness_p99`" in ranking["selectedColumns"]


def test_a_run_that_went_on_ended_when_its_last_start_did(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    manifest_says(folder, started_at_ms=1_700_000_000_000, earlier_seconds=3600.0, wall_seconds=3610.0)
    assert view_of(results).update([folder]) == []
    (run,) = runs_of(results)
    assert run.info.end_time == 1_700_000_010_000


def test_runs_of_other_machines_that_were_copied_here_are_shown_once_each(
    results: Path, cliff: Callable[..., Settings]
) -> None:
    here, copied = (results / f"runs/CliffWorld/x/seed{seed}" for seed in (0, 1))
    assert view_of(results).update([here]) == []
    copied.mkdir()
    write_run(copied, cliff(schedule="locked", seed=1, evaluation={"points": 2, "episodes": 2}), INTERVALS)
    started = json.loads((copied / run_folder.MANIFEST).read_text())["started_at_ms"]
    shown = {"outcome": "finished", "started_at_ms": started, "experiment_created_at_ms": 1, "run_id": "there"}
    run_folder.write_json(copied / run_folder.TRACKED, {"uri": "sqlite:////there/results/mlflow/mlflow.db", **shown})
    for _ in range(2):
        assert view_of(results).update([here, copied]) == []
        assert check_store.main(str(results / "mlflow/mlflow.db"), 2, f"{results}/") == 0


def test_a_run_that_was_copied_with_what_says_that_it_is_shown_is_not_shown_again(
    results: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert view_of(results).update([results / "runs/CliffWorld/x/seed0"]) == []
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    copied = shutil.copytree(results / "runs", elsewhere / "runs") / "CliffWorld/x/seed0"
    assert View(default_uri(results), elsewhere, lambda folder: {}).update([copied]) == []
    assert len(runs_of(results)) == 1


def test_a_run_that_was_copied_to_another_results_folder_is_shown_once_in_a_store_of_both(
    results: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert view_of(results).update([results / "runs/CliffWorld/x/seed0"]) == []
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    copied = shutil.copytree(results / "runs", elsewhere / "runs") / "CliffWorld/x/seed0"
    (copied / run_folder.TRACKED).unlink()
    assert View(default_uri(results), elsewhere, lambda folder: {}).update([copied]) == []
    (run,) = runs_of(results)
    assert run.data.tags["run_folder"] == str(copied)


def test_sending_again_changes_nothing(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view_of(results).update([folder])
    before = metric_rows(results)
    assert len(before) > 20
    (folder / run_folder.TRACKED).unlink()
    assert view_of(results).update([folder]) == []
    assert metric_rows(results) == before
    assert len(runs_of(results)) == 1


def test_a_complete_run_is_not_touched_again(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view_of(results).update([folder])
    monkeypatch.setattr("a3c.records.view.Mirror", None)
    assert view_of(results).update([folder]) == []


def test_a_store_that_is_gone_is_made_again_with_all_that_was_complete(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view = view_of(results)
    view.update([folder])
    (results / "mlflow/mlflow.db").unlink()
    shutil.copy(results / "empty.db", results / "mlflow/mlflow.db")  # as another process would make it
    with sqlite3.connect(results / "mlflow/mlflow.db") as store:
        store.execute("UPDATE experiments SET creation_time = creation_time + 1")
    assert view.update([folder]) == []
    check_equal_to_files(results, folder)


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
        client = connect(default_uri(results))
        assert len(client.get_metric_history(run.info.run_id, "loss/policy")) == 2
        (folder / run_folder.INTERVALS).write_text("".join(intervals[:4]))
        assert view.update([folder]) == []
        assert len(client.get_metric_history(run.info.run_id, "loss/policy")) == 3
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
    view = view_of(results)
    with run_folder.own(folder):
        view.update([folder])
        assert [run.info.status for run in runs_of(results)] == ["RUNNING"]
    assert view.update([folder]) == [], "no file has changed, and yet there is news"
    (run,) = runs_of(results)
    assert run.info.status == "KILLED"
    assert "SIGKILL" in run.data.tags["reason"]


@pytest.mark.slow
def test_a_run_that_failed_says_why(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    manifest_says(folder, outcome="failed", error="worker 2 was killed by SIGSEGV")
    view_of(results).update([folder])
    (run,) = runs_of(results)
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "worker 2 was killed by SIGSEGV")


def killed_after(results: Path, folder: Path, rows: int) -> list[str]:
    """Shows a run that was killed after some intervals; returns all lines of its file."""
    lines = (folder / run_folder.INTERVALS).read_text().splitlines(keepends=True)
    (folder / run_folder.INTERVALS).write_text("".join(lines[: rows + 1]))
    manifest_says(folder, outcome="running")
    assert view_of(results).update([folder]) == []
    assert [run.info.status for run in runs_of(results)] == ["KILLED"]
    return lines


def goes_on(folder: Path) -> None:
    """What a trainer writes first when it goes on from a checkpoint."""
    manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    manifest_says(folder, outcome="running", started_at_ms=manifest["started_at_ms"] + 5000)


def test_a_killed_run_that_goes_on_is_the_same_run_and_no_point_is_doubled(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    lines = killed_after(results, folder, 2)
    (killed,) = runs_of(results)
    goes_on(folder)
    view = view_of(results)
    with run_folder.own(folder):
        assert view.update([folder]) == []
        (run,) = runs_of(results)
        assert (run.info.run_id, run.info.status) == (killed.info.run_id, "RUNNING")
        assert "reason" not in run.data.tags
        (folder / run_folder.INTERVALS).write_text("".join(lines))
        manifest_says(folder, outcome="finished")
    assert view.update([folder]) == []
    assert check_equal_to_files(results, folder) == killed.info.run_id


@pytest.mark.parametrize("watched", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_run_that_was_cut_back_behind_what_was_shown_is_made_anew(results: Path, watched: bool) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    lines = killed_after(results, folder, 3)
    (killed,) = runs_of(results)
    goes_on(folder)
    view = view_of(results)
    if watched:  # its file is not cut yet when it is seen
        with run_folder.own(folder):
            assert view.update([folder]) == []
    cut = [*lines[:2], lines[2].replace(lines[2].split(",")[4], "0.125"), *lines[3:]]
    (folder / run_folder.INTERVALS).write_text("".join(cut))
    manifest_says(folder, outcome="finished")
    assert view.update([folder]) == []
    assert check_equal_to_files(results, folder) != killed.info.run_id
    old = connect(default_uri(results)).get_run(killed.info.run_id)
    assert old.info.lifecycle_stage == "deleted"
    assert "no longer holds" in old.data.tags["replaced"]


def test_what_broke_off_in_the_middle_is_completed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    view, sent = view_of(results), 0
    client = type(connect(default_uri(results)))
    log_batch = client.log_batch

    def break_off(self: Any, run_id: str, metrics: Any = (), params: Any = (), tags: Any = (), **more: Any) -> None:
        nonlocal sent
        log_batch(self, run_id, metrics=metrics, params=params, tags=tags, **more)
        sent += bool(metrics)
        if sent == 2:  # the second batch has arrived, and nobody was told
            raise OSError("the line is dead")

    monkeypatch.setattr("a3c.records.tracking.BATCH_METRICS", 20)
    with monkeypatch.context() as broken:
        broken.setattr(client, "log_batch", break_off)
        (sentence,) = view.update([folder])
    assert "the line is dead" in sentence
    assert [run.info.status for run in runs_of(results)] == ["RUNNING"]
    assert view.update([folder]) == []
    check_equal_to_files(results, folder)


@pytest.mark.slow
def test_what_is_no_number_is_shown_once_and_found_again(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    lines = (folder / run_folder.INTERVALS).read_text().splitlines(keepends=True)
    strange = lines[1].split(",")
    strange[4], strange[5] = "nan", "inf"
    (folder / run_folder.INTERVALS).write_text("".join([lines[0], ",".join(strange), *lines[2:]]))
    view_of(results).update([folder])
    before = metric_rows(results)
    (folder / run_folder.TRACKED).unlink()
    assert view_of(results).update([folder]) == []
    assert metric_rows(results) == before
    assert len(runs_of(results)) == 1


@pytest.mark.slow
def test_long_and_foreign_settings_are_shown_as_far_as_possible(results: Path) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    settings = run_folder.read_json(folder / run_folder.SETTINGS)
    options = {f"größe {k}%/'x'": "ä" * 7000 for k in range(120)}
    settings |= {"game": "mine:make", "environment": {"kind": "custom", "reward_scale": 1.0, "options": options}}
    run_folder.write_json(folder / run_folder.SETTINGS, settings)
    manifest_says(folder, command="a3c train --settings " + json.dumps(settings))
    assert view_of(results).update([folder]) == []
    client = connect(default_uri(results))
    experiment = client.get_experiment_by_name("a3c/mine:make")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    values = [value for key, value in run.data.params.items() if "größe" in key]
    assert len(values) == 120
    assert all(len(value) == 6000 and "settings.json" in value for value in values)
    assert run.data.tags["command"] == (
        f'a3c train --settings "$(cat {folder.resolve()}/settings.json)" --into {folder.resolve()}'
    )


@pytest.mark.slow
def test_a_results_folder_may_have_any_name(results: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "Läufe von 'gestern' 100% #1"
    shutil.copytree(results / "runs", elsewhere / "runs")
    (elsewhere / "mlflow").mkdir()
    shutil.copy(results / "empty.db", elsewhere / "mlflow/mlflow.db")
    folder = elsewhere / "runs/CliffWorld/x/seed0"
    for _ in range(2):
        assert view_of(elsewhere).update([folder]) == []
        check_equal_to_files(elsewhere, folder)
        (folder / run_folder.TRACKED).unlink()
    (run,) = runs_of(elsewhere)
    assert connect(default_uri(elsewhere)).list_artifacts(run.info.run_id)


@pytest.mark.parametrize("kind", ["damaged", pytest.param("newer", marks=pytest.mark.slow)])
def test_a_store_that_cannot_be_used_is_one_sentence_and_a_new_one_holds_everything(results: Path, kind: str) -> None:
    folder = results / "runs/CliffWorld/x/seed0"
    shutil.copytree(folder, folder.with_name("seed1"))
    path = results / "mlflow/mlflow.db"
    if kind == "damaged":
        path.write_bytes(b"this is no database" * 1000)
    else:
        with sqlite3.connect(path) as store:
            store.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        store.close()
    before = path.read_bytes()
    uri = f"{default_uri(results)}"
    if kind == "newer":  # MLflow looks at a schema when it first opens a store, and remembers that it did
        uri = uri.replace("/mlflow/", "/./mlflow/")
    view = View(uri, results, lambda folder: {})
    (sentence,) = view.update([folder, folder.with_name("seed1")])
    assert "`a3c track --rebuild`" in sentence
    aside = set_aside(uri)
    assert aside is not None
    assert aside.read_bytes() == before
    shutil.copy(results / "empty.db", path)
    assert view.update([folder]) == []
    check_equal_to_files(results, folder)


@pytest.mark.slow
def test_an_experiment_that_was_deleted_is_said(results: Path) -> None:
    client = connect(default_uri(results))
    experiment = client.get_experiment_by_name("a3c/CliffWorld")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    (sentence,) = view_of(results).update([results / "runs/CliffWorld/x/seed0"])
    assert "mlflow experiments restore" in sentence


@pytest.mark.slow
def test_the_command_tracks_everything_below_results(results: Path) -> None:
    command = [sys.executable, "-m", "a3c", "track", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.info.status for run in runs_of(results)] == ["FINISHED"]


@pytest.mark.parametrize("studies", [None, "title: half a study\nscales: {laptop: [}"])
def test_runs_are_shown_where_the_studies_cannot_be_read(
    results: Path, capsys: pytest.CaptureFixture[str], studies: str | None
) -> None:
    if studies is not None:
        (results / "experiments").mkdir()
        (results / "experiments/mine.yaml").write_text(studies)
    assert main(["track", "--results", str(results), "--experiments", str(results / "experiments")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("a3c track: runs are shown without the studies that ask for them: ")
    check_equal_to_files(results, results / "runs/CliffWorld/x/seed0")


@pytest.mark.slow
def test_forty_runs_are_shown_each_point_once(results: Path, cliff: Callable[..., Settings]) -> None:
    evaluation = {"points": 2, "episodes": 2}
    folders = [results / f"runs/CliffWorld/many/seed{seed}" for seed in range(1, 41)]
    for seed, folder in enumerate(folders, 1):
        folder.mkdir(parents=True)
        write_run(folder, cliff(schedule="locked", seed=seed, evaluation=evaluation), INTERVALS)
    for _ in range(2):
        assert view_of(results).update(folders) == []
        runs = {run.data.tags["run_folder"]: run for run in runs_of(results)}
        assert len(runs) == len(folders)
        assert {run.info.status for run in runs.values()} == {"FINISHED"}
        rows = metric_rows(results)
        for folder in folders:
            run_id = runs[str(folder)].info.run_id
            expected = sorted((p.metric, p.frames, p.value) for p in points_of(folder, 2, ended=True))
            assert [row[1:4] for row in rows if row[0] == run_id] == expected
        for folder in folders:
            (folder / run_folder.TRACKED).unlink()
