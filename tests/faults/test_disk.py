"""Disks that are full, read-only or broken: one sentence, and the last checkpoint is as it was."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.records import run_folder
from a3c.records.checkpoints import Checkpoint, Checkpoints, save_state
from a3c.records.rows import EpisodeRow, RowWriter
from a3c.records.schedule_file import TURN, Header, ScheduleWriter
from a3c.records.storage import StorageError, free_bytes, make_folder, size_text, write_bytes, write_text
from a3c.settings import Settings

ROW = EpisodeRow(frames=400, seconds=1.5, worker=1, env=0, score=-21.0, steps=100, truncated=0)
FACTS = {"settings": "these"}


def saved(checkpoints: Checkpoints, number: int) -> None:
    save_state(checkpoints.begin() / "run.npz", {"number": number, "vector": np.arange(1000.0)})
    checkpoints.commit(checkpoints.unfinished, FACTS)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "rows": lambda folder: RowWriter(folder / "episodes.csv", EpisodeRow).length(),
    "schedule": lambda folder: ScheduleWriter(folder / "schedule.bin", Header("locked", 1, 1)).length(),
    "document": lambda folder: run_folder.write_json(folder / "manifest.json", {"outcome": "finished"}),
    "checkpoint": lambda folder: saved(Checkpoints(folder), 2),
    "model": lambda folder: write_bytes(folder / "model.pt", b"parameters"),
}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_does_not_reach_the_disk_is_named_and_the_checkpoint_before_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, number: int
) -> None:
    saved(Checkpoints(tmp_path), 1)

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(StorageError) as caught:
            WRITERS[writer](tmp_path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{tmp_path}/")
    assert f"cannot be written: {os.strerror(number)} (" in sentence
    assert " free); " in sentence
    assert "\n" not in sentence
    assert not list(tmp_path.rglob(".*")), "no temporary file is left"
    newest = Checkpoints(tmp_path).newest(FACTS)
    assert newest is not None
    assert newest.load("run")["number"] == 1
    saved(Checkpoints(tmp_path), 3)  # space was made: the next one is written


def in_a_child(limit: int, write: Callable[[], object]) -> str:
    """What `write` fails with where no file may grow beyond `limit` bytes; nothing if it does not."""
    read, told = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            write()
        except StorageError as error:
            os.write(told, str(error).encode())
        finally:
            os._exit(0)
    os.close(told)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def test_a_limit_on_file_size_is_named_with_the_numbers(tmp_path: Path) -> None:
    vector = {"vector": np.zeros(10_000)}
    text = in_a_child(8192, lambda: save_state(tmp_path / "run.npz", vector))
    assert text.startswith(f"{tmp_path}/run.npz cannot be written: File too large (78.6 KiB to write, limit 8.0 KiB); ")
    assert "ulimit -f" in text
    rows = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    assert "rows.csv cannot be written: File too large" in in_a_child(8192, lambda: rows.write([ROW] * 1000))
    assert (tmp_path / "rows.csv").stat().st_size <= 8192


def test_rows_that_did_not_fit_are_not_written_twice_when_the_file_is_closed(tmp_path: Path) -> None:
    rows = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    header = (tmp_path / "rows.csv").stat().st_size

    def write_and_close() -> None:
        try:
            rows.write([ROW] * 1000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            rows.close()

    in_a_child(header + 10, write_and_close)
    assert (tmp_path / "rows.csv").stat().st_size == header + 10


@pytest.mark.parametrize("writer", [run_folder.own, make_folder, lambda path: RowWriter(path / "x", EpisodeRow)])
def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path, writer: Callable[[Path], object]) -> None:
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(StorageError, match=r"a folder is needed where a file is: move the file"):
        writer(tmp_path / "results" / "runs")


def test_a_text_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.csv"
    write_text(path, "the old one", durable=False)
    monkeypatch.setattr("a3c.records.storage.append", lambda file, data: file.write(bytes(data)[:3]) and _full())
    with pytest.raises(StorageError, match=r"scores\.csv cannot be written: No space left"):
        write_text(path, "the new one", durable=False)
    assert path.read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["scores.csv"]


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_sizes_are_said_in_units_that_people_read(tmp_path: Path) -> None:
    assert [size_text(n) for n in (0, 1023, 1024, 1536, 64 << 20, 1 << 30, 1 << 50)] == [
        "0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "64.0 MiB", "1.0 GiB", "1024.0 TiB",
    ]  # fmt: skip
    assert free_bytes(tmp_path / "not" / "there" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.1)


# In a private mount namespace: a small disk, `a3c train` on it, and once it has made a checkpoint, a file that takes
# all the rest, or the disk made read-only; then the same command again with the hindrance gone.
SCENE = """
import json, os, subprocess, sys, time
from pathlib import Path
disk, what, command = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
run, filler = disk / "run", disk / "filler"
def remount(how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)
def train():
    return subprocess.Popen([*command, "--into", str(run)], stderr=subprocess.PIPE, text=True)
if what == "read-only":
    remount("ro")
first = train()
if what == "full":
    until = time.monotonic() + 200
    while not list(run.glob("checkpoints/0*")) and time.monotonic() < until:
        time.sleep(0.02)
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
said = first.communicate()[1]
names = sorted(path.name for path in (run / "checkpoints").glob("0*")) if run.exists() else []
filler.unlink() if what == "full" else remount("rw")
second = train()
said_then = second.communicate()[1]
print(json.dumps([first.returncode, said, names, second.returncode, said_then, (run / "done.json").exists()]))
"""


@pytest.fixture
def scene(tmp_path: Path, cartpole: Callable[..., Settings]) -> Callable[[str], list[Any]]:
    """`scene("full")`: how a run ended on a disk that fills up, and how the same command ended with space made."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk takes the right to make a mount namespace")
    (tmp_path / "disk").mkdir()

    def play(what: str) -> list[Any]:
        settings = cartpole(budget_frames=60_000 if what == "full" else 4_000, schedule="locked", workers=2)
        command = [sys.executable, "-m", "a3c", "train", "--settings", settings.to_json(), "--no-track", "--quiet"]
        command += ["--checkpoint-seconds", "0.2"]
        arguments = [str(tmp_path / "disk"), what, json.dumps(command)]
        done = subprocess.run(
            ["unshare", "-m", sys.executable, "-c", SCENE, *arguments], capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return play


@pytest.mark.slow
def test_a_full_disk_ends_the_run_in_one_sentence_and_it_goes_on_when_space_is_made(
    scene: Callable[[str], list[Any]],
) -> None:
    code, said, checkpoints, code_then, said_then, finished = scene("full")
    print(said, said_then)
    assert code == 1
    assert "cannot be written: No space left on device" in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
    assert checkpoints
    assert (code_then, finished) == (0, True)
    assert "going on from" in said_then


@pytest.mark.slow
def test_a_read_only_folder_ends_the_run_in_one_sentence(scene: Callable[[str], list[Any]]) -> None:
    code, said, checkpoints, code_then, _, finished = scene("read-only")
    print(said)
    assert code == 1
    assert "cannot be written: Read-only file system" in said
    assert len(said.strip().splitlines()) == 1
    assert checkpoints == []
    assert (code_then, finished) == (0, True)


def test_every_checkpoint_that_is_found_is_whole_after_a_failed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path)
    saved(checkpoints, 1)
    monkeypatch.setattr(Path, "rename", lambda path, target: _full())
    with pytest.raises(StorageError, match="No space left"):
        saved(checkpoints, 2)
    checkpoints.abandon()
    assert [isinstance(found, Checkpoint) for _, found in checkpoints.found()] == [True]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["00000001"]


def test_turns_are_whole_after_a_write_that_did_not_fit(tmp_path: Path) -> None:
    from a3c.records.schedule_file import read_schedule

    writer = ScheduleWriter(tmp_path / "s", Header("locked", 1, 1))
    text = in_a_child(64 + 8 * 5 + 3, lambda: writer.write(np.zeros(10, TURN)))
    assert "s cannot be written: File too large" in text
    assert len(read_schedule(tmp_path / "s")[1]) == 5
