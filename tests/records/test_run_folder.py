"""One owner per run folder, and documents that are there whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from a3c.records import run_folder

OWNER = """
import sys
from pathlib import Path
from a3c.records import run_folder
lock = run_folder.own(Path(sys.argv[1]))
print("owned", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_owner(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the folder until it is let go or killed."""
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process
        process.kill()


def test_owning_makes_the_folder_and_names_the_owner(tmp_path: Path) -> None:
    folder = tmp_path / "Pong" / "locked-w2-0" / "seed0"
    with run_folder.own(folder):
        assert (folder / run_folder.LOCK).read_text().split()[0] == str(os.getpid())


def test_a_folder_that_another_process_owns_is_busy_and_says_who_owns_it(tmp_path: Path) -> None:
    with another_owner(tmp_path) as owner:
        with pytest.raises(
            run_folder.RunFolderBusy, match=f"{tmp_path} is being trained by process {owner.pid} since 20"
        ):
            run_folder.own(tmp_path)
        assert (tmp_path / run_folder.LOCK).read_text().split()[0] == str(owner.pid)


def test_a_killed_owner_leaves_no_lock_behind(tmp_path: Path) -> None:
    with another_owner(tmp_path) as owner:
        owner.kill()
        owner.wait()
        with run_folder.own(tmp_path):
            assert (tmp_path / run_folder.LOCK).read_text().split()[0] == str(os.getpid())


@pytest.mark.slow
def test_a_folder_can_be_owned_again_after_it_was_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        with run_folder.own(tmp_path), pytest.raises(run_folder.RunFolderBusy):
            run_folder.own(tmp_path)


def test_clearing_removes_results_and_keeps_the_lock_and_what_is_not_ours(tmp_path: Path) -> None:
    kept = (run_folder.LOCK, run_folder.SETTINGS, "notes.txt")
    for name in (*run_folder.RESULTS, *kept):
        (tmp_path / name).write_text("x")
    run_folder.clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    run_folder.clear(tmp_path)  # nothing to remove is no error


def test_a_document_is_read_back(tmp_path: Path) -> None:
    content = {"outcome": "finished", "n": 3, "x": 0.1, "none": None, "list": [1, 2], "text": "→ é"}
    run_folder.write_json(tmp_path / "d.json", content)
    assert run_folder.read_json(tmp_path / "d.json") == content
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def test_the_same_document_is_the_same_file(tmp_path: Path) -> None:
    run_folder.write_json(tmp_path / "a.json", {"a": 1, "b": 2})
    run_folder.write_json(tmp_path / "b.json", {"b": 2, "a": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_writer_that_fails_half_way_leaves_the_old_document(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    run_folder.write_json(path, {"n": 1})
    with pytest.raises(TypeError):
        run_folder.write_json(path, {"a": "written before the failure", "b": object()})
    assert run_folder.read_json(path) == {"n": 1}


def test_a_crash_before_the_new_document_is_in_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.json"
    run_folder.write_json(path, {"n": 1})
    seen: list[dict[str, Any]] = []

    def crash(temporary: Path, target: Path) -> None:
        seen.append(run_folder.read_json(temporary))
        raise OSError(f"no {target} today")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(OSError, match="today"):
        run_folder.write_json(path, {"n": 2})
    assert seen == [{"n": 2}]  # the new one was complete before it was to take the old one's name
    assert run_folder.read_json(path) == {"n": 1}


def test_a_document_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            calls.append(name)
            return function(*arguments)

        return noted

    monkeypatch.setattr(os, "fsync", noting("sync", os.fsync))
    monkeypatch.setattr(Path, "replace", noting("replace", Path.replace))
    run_folder.write_json(tmp_path / "d.json", {"n": 1})
    assert calls == ["sync", "replace", "sync"]  # the file, its name, the folder that holds the name


def test_a_reader_beside_the_writer_never_sees_a_part(tmp_path: Path) -> None:
    path, done = tmp_path / "d.json", threading.Event()
    run_folder.write_json(path, {"n": 0, "rest": []})

    def write() -> None:
        for n in range(1, 60):
            run_folder.write_json(path, {"n": n, "rest": [n] * 500 * (n % 3)})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        found = run_folder.read_json(path)
        assert found["rest"] == [found["n"]] * 500 * (found["n"] % 3)
    writer.join()


def test_a_finished_run_is_found_below_any_folder_above_another(tmp_path: Path) -> None:
    name = "CartPole-v1/locked-w2-0123456789/seed0"
    run = tmp_path / "results/runs" / name
    run.mkdir(parents=True)
    asking = [tmp_path / "results/runs/Pong/drawn-w2-0/seed1", tmp_path / "results/runs/try", tmp_path / "elsewhere"]
    assert [run_folder.find_finished(name, beside=folder) for folder in asking] == [None] * 3
    (run / run_folder.DONE).touch()
    assert [run_folder.find_finished(name, beside=folder) for folder in asking] == [run, run, None]
    assert run_folder.find_finished(name, beside=Path("/x")) is None
