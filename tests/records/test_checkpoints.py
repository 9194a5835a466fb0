"""Checkpoints are whole or not there, and nothing in them is believed without its hash."""

from __future__ import annotations

import json
import pickle
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.records.checkpoints import DOCUMENT, KEPT, Checkpoints, DamagedCheckpoint, load_state, save_state

FACTS = {"settings": "these", "code": "0123"}
STATE: dict[str, Any] = {
    "arrays": [np.arange(6, dtype=np.uint16).reshape(2, 3), np.array(1.5), np.zeros((0, 4), np.float32)],
    "bytes": b"\x00emulator\xff",
    "generator": np.random.default_rng(7).bit_generator.state,  # its integers have 128 bits
    "nothing": None,
    "text": "π",
    "numbers": [1, 2.5, True, float("inf")],
}


def written(checkpoints: Checkpoints, times: int = 1) -> None:
    for time in range(times):
        unfinished = checkpoints.begin()
        save_state(unfinished / "run.npz", STATE | {"time": time})
        save_state(unfinished / "worker-0.npz", {"vector": np.full(8, time, np.float32)})
        checkpoints.commit(unfinished, FACTS)


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    save_state(tmp_path / "s.npz", STATE)
    found = load_state(tmp_path / "s.npz")
    for before, after in zip(STATE.pop("arrays"), found.pop("arrays"), strict=True):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
    assert found == STATE


@pytest.mark.parametrize("part", [object(), {1: 2}, np.array([object()]), {3}])
def test_what_is_neither_number_text_bytes_nor_array_is_refused(tmp_path: Path, part: Any) -> None:
    with pytest.raises(TypeError):
        save_state(tmp_path / "s.npz", {"part": part})


def test_the_newest_two_are_kept_and_the_newest_is_used(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    written(checkpoints, times=5)
    newest = checkpoints.newest(FACTS)
    assert newest is not None
    assert newest.load("run")["time"] == 4
    assert len(list((tmp_path / "checkpoints").iterdir())) == KEPT


def test_without_checkpoints_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).newest(FACTS) is None


def test_a_checkpoint_that_was_being_written_is_none(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    written(checkpoints)
    save_state(checkpoints.begin() / "run.npz", STATE | {"time": 99})
    newest = checkpoints.newest(FACTS)
    assert newest is not None
    assert newest.load("run")["time"] == 0


def test_another_code_or_settings_are_passed_over_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(Checkpoints(tmp_path))
    assert Checkpoints(tmp_path).newest(FACTS | {"code": "4567"}) is None
    assert "of another code" in capsys.readouterr().err


def damaged(folder: Path, how: str, draw: random.Random) -> None:
    """Damages one file of a checkpoint."""
    path = draw.choice(sorted(folder.iterdir()))
    data = bytearray(path.read_bytes())
    if how == "bit":
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif how == "truncated":
        del data[draw.randrange(len(data)) :]
    elif how == "foreign":
        data = bytearray(pickle.dumps({"not": "ours"}))
    elif how == "swapped":
        other = draw.choice([p for p in sorted(folder.iterdir()) if p != path])
        data = bytearray(other.read_bytes())
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data)


@pytest.mark.parametrize("how", ["bit", "truncated", "foreign", "swapped", "missing"])
def test_whatever_was_damaged_the_one_before_is_used_and_that_is_said(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(3)
    source = tmp_path / "source"
    written(Checkpoints(source), times=2)
    for attempt in range(40):
        folder = tmp_path / str(attempt)
        shutil.copytree(source, folder)
        damaged(folder / "checkpoints" / "00000002", how, draw)
        used = Checkpoints(folder).newest(FACTS)
        said = capsys.readouterr().err
        # A flipped bit in the document's white space leaves the same document, and a checkpoint that is whole.
        if used is not None and used.number == 2:
            assert how == "bit"
            assert json.loads((used.folder / DOCUMENT).read_text())["facts"] == FACTS
            assert used.load("run")["time"] == 1
            continue
        assert used is not None
        assert used.load("run")["time"] == 0
        assert "00000002 is passed over" in said


def test_a_state_with_a_pickle_in_it_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "s.npz", STATE)
    with zipfile.ZipFile(tmp_path / "s.npz", "a") as archive, archive.open("9.npy", "w") as file:
        np.lib.format.write_array(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    hostile = tmp_path / "hostile.npz"
    with zipfile.ZipFile(tmp_path / "s.npz") as archive, zipfile.ZipFile(hostile, "w") as copy:
        for name in archive.namelist():
            data = archive.read("9.npy") if name == "0.npy" else archive.read(name)
            copy.writestr(name, data)
    with pytest.raises(DamagedCheckpoint):
        load_state(hostile)
