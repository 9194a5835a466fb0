"""What is wrong with a store is said in one sentence, before MLflow is asked, and nothing is ever deleted."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from a3c.records import tracking_store
from a3c.records.tracking_store import StoreUnusable, check, own_turn, sentence, set_aside
from a3c.records.view import View, is_alive, watch

pytest.importorskip("mlflow")


def uri_of(path: Path) -> str:
    return f"sqlite:///{path}"


def some_database(path: Path, table: str) -> None:
    with sqlite3.connect(path) as store:
        store.execute(f"CREATE TABLE {table} (version_num TEXT, filler BLOB)")
        store.executemany(f"INSERT INTO {table} VALUES ('1', ?)", [(b"x" * 4000,)] * 20)
    store.close()


def test_a_store_that_is_yet_to_be_made_is_fine(tmp_path: Path) -> None:
    check(uri_of(tmp_path / "none.db"))
    (tmp_path / "empty.db").touch()
    check(uri_of(tmp_path / "empty.db"))


@pytest.mark.parametrize("kind", ["random", "truncated", "foreign"])
def test_a_damaged_file_is_named_with_what_helps(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mlflow.db"
    if kind == "random":
        path.write_bytes(bytes(range(256)) * 100)
    else:
        some_database(path, "alembic_version" if kind == "truncated" else "recipes")
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreUnusable, match=r"mlflow\.db is .*`a3c track --rebuild`"):
        check(uri_of(path))


def test_a_locked_store_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking_store, "LOCK_SECONDS", 0.01)
    path = tmp_path / "mlflow.db"
    some_database(path, "alembic_version")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    check(uri_of(path))
    other.close()


def test_a_server_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check(f"http://127.0.0.1:{port}")
    with pytest.raises(StoreUnusable, match=rf"no MLflow server answers .*--host 127\.0\.0\.1 --port {port}"):
        check(f"http://127.0.0.1:{port}")


def test_a_question_mark_would_cut_the_path_of_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="question mark"):
        check(uri_of(tmp_path / "what?" / "mlflow.db"))


def test_a_store_that_is_set_aside_keeps_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    assert set_aside(uri_of(path)) is None
    path.write_bytes(b"whatever it was")
    (tmp_path / "mlflow.db-journal").write_bytes(b"its journal")
    aside = set_aside(uri_of(path))
    assert aside is not None
    assert not path.exists()
    assert aside.read_bytes() == b"whatever it was"
    assert aside.with_name(aside.name + "-journal").read_bytes() == b"its journal"
    path.write_bytes(b"another")
    assert set_aside(uri_of(path)) not in (None, aside)


def test_an_error_of_many_lines_is_one_sentence_of_some_length() -> None:
    assert "\n" not in sentence("x.db", RuntimeError("one\ntwo\n" + "three " * 1000))
    assert len(sentence("x.db", RuntimeError("three " * 1000))) < 400
    assert "disk is full" in sentence("x.db", RuntimeError("(sqlite3.OperationalError) database or disk is full\n[SQL"))


def test_one_process_at_a_time_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = uri_of(tmp_path / "mlflow.db")
    monkeypatch.setattr(tracking_store, "OWN_TURN_SECONDS", 0.0)
    with (
        own_turn(uri, tmp_path),
        pytest.raises(StoreUnusable, match=f"process {os.getpid()}:"),
        own_turn(uri, tmp_path),
    ):
        pass
    with own_turn(uri, tmp_path):
        pass


def test_who_waits_is_patient_as_long_as_others_have_their_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = uri_of(tmp_path / "mlflow.db")
    monkeypatch.setattr(tracking_store, "OWN_TURN_SECONDS", 0.3)
    monkeypatch.setattr(tracking_store, "POLL_SECONDS", 0.02)
    held = (tmp_path / "lock").open("a+")
    fcntl.flock(held, fcntl.LOCK_EX)

    def others() -> None:
        for turn in range(6):
            (tmp_path / "lock").write_text(f"1 {turn}\n", encoding="utf-8")
            time.sleep(0.1)
        held.close()

    thread = threading.Thread(target=others)
    thread.start()
    with own_turn(uri, tmp_path):
        assert held.closed
    thread.join()


def test_a_child_that_ended_and_was_not_asked_about_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_alive(child.pid)
    assert child.stdin is not None
    child.stdin.close()
    until = time.monotonic() + 30
    while is_alive(child.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(child.pid)
    assert child.returncode is None
    child.wait()
    assert not is_alive(child.pid)


class _Told(View):
    """Answers what it is told to answer, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def update(self, folders: object) -> list[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("answers", "all_shown", "lines"),
    [
        ([["locked"], ["locked"], []], True, 0),
        ([["locked"], ["gone"], ["locked"]], False, 1),
        ([[]], True, 0),
    ],
)
def test_who_watches_is_patient_says_one_line_and_comes_to_an_end(
    answers: list[list[str]], all_shown: bool, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("a3c.records.view.POLL_SECONDS", 0.02)
    monkeypatch.setattr("a3c.records.view.MOST_POLL_SECONDS", 0.02)
    monkeypatch.setattr("a3c.records.view.PATIENCE_SECONDS", 0.15)
    over = time.monotonic() + 0.4  # longer than anybody is patient
    monkeypatch.setattr("a3c.records.view.is_alive", lambda pid: time.monotonic() < over)
    said: list[str] = []
    assert watch(_Told(*answers), list, 0, said.append) == all_shown
    assert time.monotonic() > over
    assert len(said) == lines
