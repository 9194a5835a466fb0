"""Runs in MLflow behind a server on PostgreSQL, of which a user names nothing but MLFLOW_TRACKING_URI.

How many seconds the server is away is read from A3C_AWAY_SECONDS. PostgreSQL comes with
`apt-get install --no-install-recommends postgresql`, its driver with `pip install psycopg2-binary`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tracked_runs import folder_of, watchers

from a3c.records import run_folder
from a3c.records.view import View
from a3c.settings import Settings

pytest.importorskip("mlflow")

if TYPE_CHECKING:
    from servers import Database, TrackingServer

pytestmark = pytest.mark.slow

AWAY_SECONDS = float(os.environ.get("A3C_AWAY_SECONDS", "1"))
MOST_SECONDS = 400

Make = Callable[..., Settings]
Finished = Callable[..., Path]


def trainer(settings: Settings, results: Path) -> subprocess.Popen[str]:
    """As a user in a terminal starts it, with a process of its own that shows it."""
    arguments = ["train", "--settings", settings.to_json(), "--into", folder_of(settings, results), "--quiet"]
    return a3c(*arguments, "--results", results, "--stall-seconds", "0")


def halted_midway(settings: Settings, results: Path, server: TrackingServer) -> subprocess.Popen[str]:
    """A trainer that stands still, of whose run MLflow shows a part: slow machines have time to get that far."""
    from servers import wait_for

    process, intervals = trainer(settings, results), folder_of(settings, results) / run_folder.INTERVALS
    wait_for(lambda: process.poll() is not None or (intervals.exists() and intervals.stat().st_size > 1000))
    os.killpg(process.pid, signal.SIGSTOP)
    wait_for(lambda: points_shown(server, results) > 0)
    return process


def a3c(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "a3c", *map(str, arguments)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it said."""
    said = process.communicate(timeout=MOST_SECONDS)[1]
    return process.returncode, said


def tracked(results: Path) -> tuple[int, str]:
    return ended(a3c("track", "--results", results))


def statuses(server: TrackingServer, results: Path) -> list[str]:
    """Of the runs below a results folder that are not deleted."""
    from a3c.records.tracking import connect

    client = connect(server.uri)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.run_folder LIKE '{results}/%'") if experiments else []
    return [run.info.status for run in runs]


def check_shown(server: TrackingServer, results: Path, count: int) -> None:
    """Every run is one finished run in MLflow that holds every point of its files, once."""
    import check_store

    assert check_store.main(server.uri, count, f"{results}/") == 0


def points_shown(server: TrackingServer, results: Path) -> int:
    import check_store

    return sum(run.points.total() for run in check_store.on_server(server.uri, f"{results}/"))


def test_two_trainings_at_once_are_shown_by_naming_the_server_alone(
    cartpole: Make, server: TrackingServer, tmp_path: Path
) -> None:
    from servers import wait_for

    batch = [cartpole(seed=seed, workers=1) for seed in (0, 1)]
    processes = [trainer(settings, tmp_path) for settings in batch]
    for process in processes:
        code, said = ended(process)
        assert code == 0
        assert "MLflow" not in said
    wait_for(lambda: watchers(tmp_path) == [])
    check_shown(server, tmp_path, 2)
    assert [(folder_of(s, tmp_path) / "track.log").read_text() for s in batch] == ["", ""]
    assert not (tmp_path / "mlflow/mlflow.db").exists()


@pytest.mark.parametrize("what", ["server", "database"])
def test_what_dies_and_comes_back_holds_up_no_trainer_and_shows_every_point_once(
    what: str, cartpole: Make, server: TrackingServer, database: Database, tmp_path: Path
) -> None:
    from servers import wait_for

    settings = cartpole(workers=1, budget_frames=60_000, records={"intervals": 60})
    dying = server if what == "server" else database
    process = halted_midway(settings, tmp_path, server)
    dying.kill()
    os.killpg(process.pid, signal.SIGCONT)
    code, _ = ended(process)
    assert code == 0
    assert not dying.running, "the trainer did not wait"
    time.sleep(AWAY_SECONDS)
    dying.start()
    wait_for(lambda: watchers(tmp_path) == [])
    assert tracked(tmp_path) == (0, "")
    check_shown(server, tmp_path, 1)


def test_a_run_whose_machine_lost_power_is_running_until_a3c_track_and_is_shown_once_when_trained_again(
    cartpole: Make, server: TrackingServer, tmp_path: Path
) -> None:
    from servers import wait_for

    settings = cartpole(workers=1, budget_frames=60_000, records={"intervals": 60})
    process = halted_midway(settings, tmp_path, server)
    for pid in watchers(tmp_path):
        os.kill(pid, signal.SIGKILL)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert statuses(server, tmp_path) == ["RUNNING"]
    wait_for(lambda: not run_folder.is_owned(folder_of(settings, tmp_path)))
    assert tracked(tmp_path) == (0, "")
    assert statuses(server, tmp_path) == ["KILLED"]
    assert ended(trainer(settings, tmp_path))[0] == 0
    wait_for(lambda: watchers(tmp_path) == [])
    check_shown(server, tmp_path, 1)


@pytest.fixture
def folder(finished: Finished, cliff: Make, server: TrackingServer, tmp_path: Path) -> Path:
    """Of a finished run that nobody trained and nobody has shown."""
    settings = cliff()
    path = folder_of(settings, tmp_path / "results")
    path.parent.mkdir(parents=True)
    return finished(path, settings)


def shown(server: TrackingServer, *folders: Path) -> list[str]:
    """What went wrong."""
    return View(server.uri, folders[0].parents[3], lambda folder: {}).update(folders)


def test_two_machines_with_the_same_paths_do_not_take_each_others_runs(
    folder: Path, finished: Finished, cliff: Make, server: TrackingServer, tmp_path: Path
) -> None:
    assert shown(server, folder) == []
    (tmp_path / "results").rename(tmp_path / "first machine")
    folder.parent.mkdir(parents=True)
    finished(folder, cliff(), (7.0, 8.0, 9.0))
    assert shown(server, folder) == []
    assert statuses(server, tmp_path) == ["FINISHED", "FINISHED"]
    (tmp_path / "results").rename(tmp_path / "second machine")
    (tmp_path / "first machine").rename(tmp_path / "results")
    (folder / run_folder.TRACKED).unlink()
    assert shown(server, folder) == []
    assert statuses(server, tmp_path) == ["FINISHED", "FINISHED"], "it knew its own again"


def test_a_results_folder_that_lost_its_name_knows_its_runs_by_their_start(
    folder: Path, server: TrackingServer, tmp_path: Path
) -> None:
    assert shown(server, folder) == []
    (tmp_path / "results/mlflow/results_id").unlink()
    (folder / run_folder.TRACKED).unlink()
    assert shown(server, folder) == []
    check_shown(server, tmp_path, 1)


def test_a_run_that_was_asked_for_twice_since_no_answer_came_is_shown_once(
    folder: Path, server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    create_run = MlflowClient.create_run

    def tried_again(self: Any, *arguments: Any, **more: Any) -> Any:
        create_run(self, *arguments, **more)
        return create_run(self, *arguments, **more)

    monkeypatch.setattr(MlflowClient, "create_run", tried_again)
    assert shown(server, folder) == []
    check_shown(server, tmp_path, 1)


def test_machines_that_find_no_experiment_at_the_same_moment_share_one(
    folder: Path, server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    assert shown(server, folder) == []
    get, answers = MlflowClient.get_experiment_by_name, [None]

    def too_early(self: Any, name: str) -> Any:
        return answers.pop() if answers else get(self, name)

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", too_early)
    (folder / run_folder.TRACKED).unlink()
    assert shown(server, folder) == []
    assert answers == []
    check_shown(server, tmp_path, 1)


def test_a_server_without_its_database_is_said_once_for_all_runs_and_then_shows_them(
    folder: Path, server: TrackingServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    create_run, died = MlflowClient.create_run, []

    def die(self: Any, *arguments: Any, **more: Any) -> Any:
        if not died:
            died.append(database.kill())
        return create_run(self, *arguments, **more)

    others = [folder.with_name(f"seed{seed}") for seed in (1, 2)]
    for other in others:
        subprocess.run(["cp", "-r", folder, other], check=True)
    monkeypatch.setattr(MlflowClient, "create_run", die)
    (sentence,) = shown(server, folder, *others)
    assert sentence == (
        f"not shown in MLflow: {server.uri} answers with errors: see its log, and whether its database runs,"
        " then run `a3c track`"
    )
    database.start()
    assert shown(server, folder, *others) == []
    check_shown(server, tmp_path, 3)


def test_a_server_that_hangs_is_said_once_and_what_it_does_late_is_shown_once(
    folder: Path, server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    create_run, hung = MlflowClient.create_run, []

    def hang(self: Any, *arguments: Any, **more: Any) -> Any:
        if not hung:
            hung.append(server.send(signal.SIGSTOP))
        return create_run(self, *arguments, **more)

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setattr(MlflowClient, "create_run", hang)
    others = [folder.with_name(f"seed{seed}") for seed in (1, 2)]
    for other in others:
        subprocess.run(["cp", "-r", folder, other], check=True)
    try:
        (sentence,) = shown(server, folder, *others)
    finally:
        server.send(signal.SIGCONT)
    assert f"{server.uri} does not answer in time" in sentence
    monkeypatch.undo()
    assert shown(server, folder, *others) == []
    check_shown(server, tmp_path, 3)
