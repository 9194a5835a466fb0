"""Whatever happens to MLflow, training does not notice, and `a3c track` shows everything in the end.

How many train at once, and how often, is read from A3C_TRAINERS and A3C_ROUNDS.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tracked_runs
from tracked_runs import folder_of, watchers

from a3c.records import run_folder
from a3c.records.tracking_store import file_of
from a3c.settings import Settings

pytest.importorskip("mlflow")
pytestmark = pytest.mark.slow

TRAINERS, ROUNDS = int(os.environ.get("A3C_TRAINERS", "2")), int(os.environ.get("A3C_ROUNDS", "1"))
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
MOST_SECONDS = 300 + 30 * TRAINERS

CHECK = Path(__file__).parents[1] / "check_store.py"

Make = Callable[..., Settings]
wait_for = partial(tracked_runs.wait_for, seconds=MOST_SECONDS)


def a3c(*arguments: object, **how: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "a3c", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, start_new_session=True, **pipes, **how)


def trainer(settings: Settings, results: Path, *more: object, **how: Any) -> subprocess.Popen[str]:
    """As a user in a terminal starts it, with a process of its own that shows it."""
    folder = folder_of(settings, results)
    return a3c("train", "--settings", settings.to_json(), "--into", folder, "--results", results, *more, **how)


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit code, and what it said besides its progress."""
    said = process.communicate(timeout=MOST_SECONDS)[1].replace("\r", "\n").splitlines()
    return process.returncode, [line for line in said if "MLflow" in line or "Traceback" in line]


def tracked(results: Path, *more: object) -> tuple[int, list[str]]:
    process = a3c("track", "--results", results, *more)
    said = process.communicate(timeout=MOST_SECONDS)[1].splitlines()
    return process.returncode, said


def runs_in(store: Path) -> dict[str, str]:
    """Status by run folder, of the runs that are not deleted."""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT t.value, r.status FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid"
        " WHERE t.key = 'run_folder' AND r.lifecycle_stage = 'active'"
    ).fetchall()
    connection.close()
    return dict(rows)


def check_shown(results: Path, folders: list[Path], store: Path | None = None) -> None:
    """Every folder is one finished run in MLflow that holds every point of its files, once."""
    store = store or results / "mlflow/mlflow.db"
    assert set(runs_in(store)) == {str(folder.resolve()) for folder in folders}
    checked = subprocess.run([sys.executable, CHECK, store, str(len(folders))], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_many_trainers_at_once_fill_a_new_store_and_an_old_one(cartpole: Make, tmp_path: Path) -> None:
    folders: list[Path] = []
    for turn in range(ROUNDS + 1):  # the first finds no store, the others one with runs in it
        batch = [cartpole(seed=TRAINERS * turn + k, workers=1) for k in range(TRAINERS)]
        processes = [trainer(settings, tmp_path) for settings in batch]
        for process in processes:
            assert ended(process) == (0, [])
        folders += [folder_of(settings, tmp_path) for settings in batch]
        wait_for(lambda: watchers(tmp_path) == [])
        check_shown(tmp_path, folders)
        assert [line for folder in folders for line in (folder / "track.log").read_text().splitlines()] == []


def test_a_trainer_that_was_killed_is_shown_as_killed_and_finishes_as_the_same_folder(
    cartpole: Make, tmp_path: Path
) -> None:
    settings = cartpole(workers=2, budget_frames=60_000, records={"intervals": 40})
    folder = folder_of(settings, tmp_path)
    process = trainer(settings, tmp_path, "--checkpoint-seconds", "0.5")
    store = tmp_path / "mlflow/mlflow.db"
    wait_for(lambda: bool(list((folder / "checkpoints").glob("0*"))) or process.poll() is not None)
    process.kill()
    process.communicate()
    wait_for(lambda: watchers(tmp_path) == [])
    assert list(runs_in(store).values()) == ["KILLED"]
    assert ended(trainer(settings, tmp_path))[0] == 0
    wait_for(lambda: watchers(tmp_path) == [])
    check_shown(tmp_path, [folder])


def write_only_what_the_mode_allows() -> None:
    """Takes from root, if it is root, what lets it write to files that are read-only."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def make_store(results: Path) -> Path:
    from a3c.records.tracking import open_store
    from a3c.records.tracking_store import default_uri, own_turn

    with own_turn(default_uri(results), results):
        open_store(default_uri(results))
    path = file_of(default_uri(results))
    assert path is not None
    return path


@pytest.mark.parametrize("fault", ["random", "truncated", "read-only", "dead server"])
def test_a_store_that_is_no_use_costs_one_line_and_is_made_good_afterwards(
    cartpole: Make, tmp_path: Path, fault: str
) -> None:
    settings, more, how, mend = cartpole(workers=1), [], {}, []
    if fault == "dead server":
        with socket.create_server(("127.0.0.1", 0)) as server:
            more = ["--tracking-uri", f"http://127.0.0.1:{server.getsockname()[1]}"]
    else:
        store = make_store(tmp_path)
    if fault == "random":
        store.write_bytes(os.urandom(100_000))
    elif fault == "truncated":
        store.write_bytes(store.read_bytes()[:50_000])
    elif fault == "read-only":
        store.chmod(stat.S_IRUSR)
        how = {"preexec_fn": write_only_what_the_mode_allows}
    if fault in ("random", "truncated"):
        mend, damaged = ["--rebuild"], store.read_bytes()
    code, said = ended(trainer(settings, tmp_path, *more, **how))
    assert (code, len(said)) == (0, 1)
    assert said[0].startswith("a3c train: not shown in MLflow: ")
    assert "a3c track" in said[0]
    folder = folder_of(settings, tmp_path)
    assert (folder / run_folder.DONE).exists()
    if fault == "read-only":
        store.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert tracked(tmp_path, *mend)[0] == 0
    check_shown(tmp_path, [folder])
    if mend:
        (aside,) = (tmp_path / "mlflow").glob("mlflow.db.set-aside-*")
        assert aside.read_bytes() == damaged
    for pid in watchers(tmp_path):  # it would go on trying for half a minute
        os.kill(pid, signal.SIGTERM)


def test_a_store_that_somebody_has_locked_holds_up_nobody(cartpole: Make, tmp_path: Path) -> None:
    settings = cartpole(workers=1)
    store = make_store(tmp_path)
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert ended(trainer(settings, tmp_path)) == (0, [])
    assert watchers(tmp_path) != [], "it waits, and the trainer does not wait for it"
    other.execute("ROLLBACK")
    other.close()
    wait_for(lambda: watchers(tmp_path) == [])
    check_shown(tmp_path, [folder_of(settings, tmp_path)])


def test_a_disk_that_is_full_is_said_and_the_rest_comes_when_there_is_space(cartpole: Make, tmp_path: Path) -> None:
    settings = cartpole(workers=1)
    store = make_store(tmp_path)
    assert ended(trainer(settings, tmp_path, "--no-track")) == (0, [])
    limit = store.stat().st_size

    def no_more_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = a3c("track", "--results", tmp_path, preexec_fn=no_more_space)
    (said,) = process.communicate(timeout=MOST_SECONDS)[1].splitlines()
    assert process.returncode == 1
    assert "make space there, then run `a3c track`" in said
    assert tracked(tmp_path) == (0, [])
    check_shown(tmp_path, [folder_of(settings, tmp_path)])


@contextmanager
def served(store: Path, port: int) -> Iterator[None]:
    """An MLflow server on this machine alone, until it is killed."""
    more = ["--artifacts-destination", str(store.parent / "served"), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *more]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command += ["--backend-store-uri", f"sqlite:///{store}"]
    server = subprocess.Popen(command, start_new_session=True, env=environment, **quiet)
    try:
        wait_for(lambda: _answers(port))
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_server_that_dies_and_comes_back_shows_every_point_once(cartpole: Make, tmp_path: Path) -> None:
    settings = cartpole(workers=1, budget_frames=60_000, records={"intervals": 60})
    store = make_store(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served(store, port):
        process = trainer(settings, tmp_path, "--tracking-uri", f"http://127.0.0.1:{port}")
        wait_for(lambda: runs_in(store) != {} or process.poll() is not None)
    assert ended(process)[0] == 0
    with served(store, port):
        wait_for(lambda: watchers(tmp_path) == [])
        assert tracked(tmp_path, "--tracking-uri", f"http://127.0.0.1:{port}") == (0, [])
    check_shown(tmp_path, [folder_of(settings, tmp_path)], store)
