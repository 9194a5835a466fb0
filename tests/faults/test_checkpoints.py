"""Checkpoints that were damaged, and writers that died between any two steps: nothing is ever loaded wrongly.

`A3C_MUTATIONS=1000 pytest -s -k mutated tests/faults/test_checkpoints.py` tries more damages and prints a table of what
became of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.problems import InvalidInput
from a3c.records import checkpoint_document as documents
from a3c.records import run_folder, states, storage
from a3c.records.checkpoints import DOCUMENT, Checkpoint, Checkpoints, DamagedCheckpoint, save_state
from a3c.records.rows import EpisodeRow, RowWriter
from a3c.replaying import first_difference
from a3c.settings import Settings
from a3c.training import Conditions, _prepare, train

MUTATIONS = int(os.environ.get("A3C_MUTATIONS", "102"))
FACTS: dict[str, Any] = {"settings": '{"gamma": 0.99}', "code": "0123456789ab", "histogram": None}
ROW = EpisodeRow(frames=400, seconds=1.5, worker=1, env=0, score=-21.0, steps=100, truncated=0)
NEWEST, OLDER = "00000002", "00000001"
WORKERS = ("worker-0", "worker-1")
Mutation = Callable[[Path, Path, random.Random], None]


def written(folder: Path, facts: dict[str, Any] = FACTS, seed: int = 0, times: int = 2) -> Path:
    """A run folder with checkpoints, each after more rows; every seed and every checkpoint has other numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints, draw = Checkpoints(folder), np.random.default_rng(seed)
    rows = RowWriter(folder / run_folder.EPISODES, EpisodeRow)
    for _ in range(times):
        rows.write([ROW] * 3)
        save_all(checkpoints.begin(), draw, rows.length())
        checkpoints.commit(checkpoints.unfinished, facts)
    rows.write([ROW])
    rows.close()
    return folder


def save_all(unfinished: Path, draw: np.random.Generator, length: int) -> None:
    shared = {"parameters": draw.standard_normal(50).astype(np.float32), "seconds": float(draw.random())}
    save_state(unfinished / "run.npz", {"shared": shared, "lengths": {run_folder.EPISODES: length}})
    for name in WORKERS:
        save_state(unfinished / f"{name}.npz", {"vector": draw.standard_normal(40), "emulator": draw.bytes(30)})


def truncate(folder: Path, other: Path, draw: random.Random) -> None:
    path = draw.choice(sorted(folder.iterdir()))
    os.truncate(path, draw.randrange(path.stat().st_size))


def flip_bits(folder: Path, other: Path, draw: random.Random) -> None:
    path = draw.choice(sorted(folder.iterdir()))
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 1, 1, 2, 8])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def empty(folder: Path, other: Path, draw: random.Random) -> None:
    draw.choice(sorted(folder.iterdir())).write_bytes(b"")


def delete(folder: Path, other: Path, draw: random.Random) -> None:
    draw.choice(sorted(folder.iterdir())).unlink()


def lengthen(folder: Path, other: Path, draw: random.Random) -> None:
    with draw.choice(sorted(folder.iterdir())).open("ab") as file:
        file.write(draw.randbytes(draw.randrange(1, 100)))


def swap_with_the_other_checkpoint(folder: Path, other: Path, draw: random.Random) -> None:
    beside = folder.with_name(OLDER if folder.name == NEWEST else NEWEST)
    name = draw.choice(sorted(path.name for path in folder.iterdir()))
    mine, theirs = (folder / name).read_bytes(), (beside / name).read_bytes()
    (folder / name).write_bytes(theirs)
    (beside / name).write_bytes(mine)


def swap_within(folder: Path, other: Path, draw: random.Random) -> None:
    a, b = draw.sample(sorted(folder.iterdir()), 2)
    mine, theirs = a.read_bytes(), b.read_bytes()
    a.write_bytes(theirs)
    b.write_bytes(mine)


def take_a_file_of_another_run(folder: Path, other: Path, draw: random.Random) -> None:
    name = draw.choice(sorted(path.name for path in folder.iterdir()))
    shutil.copy(other / folder.name / name, folder / name)


def take_all_of_another_run(folder: Path, other: Path, draw: random.Random) -> None:
    shutil.rmtree(folder)
    shutil.copytree(other / folder.name, folder)


def rename_a_file(folder: Path, other: Path, draw: random.Random) -> None:
    path = draw.choice(sorted(folder.iterdir()))
    path.rename(folder / draw.choice(["run.npz.bak", "RUN.NPZ", "worker-7.npz", "worker-1.npz", "x"]))


def rename_the_folder(folder: Path, other: Path, draw: random.Random) -> None:
    names = ["00000007", "2", "00000002.bak", "99999999999", "٣", "000000002"]
    folder.rename(folder.with_name(draw.choice([name for name in names if not (folder.parent / name).exists()])))


def swap_the_folders(folder: Path, other: Path, draw: random.Random) -> None:
    beside, aside = folder.with_name(OLDER if folder.name == NEWEST else NEWEST), folder.with_name("aside")
    folder.rename(aside)
    beside.rename(folder)
    aside.rename(beside)


def add_files(folder: Path, other: Path, draw: random.Random) -> None:
    name = draw.choice([".DS_Store", "worker-2.npz", "evil.pkl", "checkpoint.json~"])
    (folder / name).write_bytes(draw.randbytes(20))
    place = folder.parent / draw.choice(["00000003", "7", "notes"])
    if not place.exists():
        draw.choice([Path.mkdir, Path.touch])(place)


def link_to_another_file(folder: Path, other: Path, draw: random.Random) -> None:
    path = draw.choice(sorted(folder.iterdir()))
    path.unlink()
    beside = folder.with_name(OLDER if folder.name == NEWEST else NEWEST)
    foreign = other / folder.name / path.name
    path.symlink_to(draw.choice([beside / path.name, foreign, folder, Path("/dev/zero"), Path("/etc/passwd")]))


def tamper_with_the_document(folder: Path, other: Path, draw: random.Random) -> None:
    """Changes what it says; half of the time its own hash is made to agree, as by somebody who knows how."""
    content = json.loads((folder / DOCUMENT).read_text())
    name = draw.choice(sorted(content["files"]))
    paths = ["../00000001/run.npz", "../../episodes.csv", "/etc/passwd", "a/../run.npz", "..", "", "\0", "run"]
    path = draw.choice(paths)
    change = draw.choice(
        [
            lambda: content.update(format_version=draw.choice([0, 1, 3, "2", None, [2]])),
            lambda: content.update(number=draw.choice([0, 3, -1, "2", None])),
            lambda: content.update(facts=content["facts"] | {"code": "another"}),
            lambda: content.update(facts=draw.choice([None, [], "facts", {}])),
            lambda: content.update(files=draw.choice([None, [], {"run.npz": 3}, {name: [1]}, {name: ["x", "y"]}])),
            lambda: content["files"].update({path: content["files"].pop(name)}),
            lambda: content["files"][name].__setitem__(1, "0" * 64),
            lambda: content["files"][name].__setitem__(0, draw.choice([0, -1, 10**30])),
            lambda: content.pop(draw.choice(sorted(content))),
        ]
    )
    change()
    if draw.random() < 0.5:
        content.pop("sha256", None)
        content["sha256"] = documents._digest(content)
    (folder / DOCUMENT).write_text(json.dumps(content))


def replace_the_document(folder: Path, other: Path, draw: random.Random) -> None:
    nested, number = b"[" * 100_000, b'{"format_version": ' + b"9" * 5_000 + b"}"
    texts = [b"null", b"[]", b'"x"', b"\xff\xfe{}", nested, number, b'{"format_version": NaN}', b"{}", b"\x80\x04K."]
    (folder / DOCUMENT).write_bytes(draw.choice(texts))


def cut_the_rows(folder: Path, other: Path, draw: random.Random) -> None:
    path = folder.parent.parent / run_folder.EPISODES
    if draw.random() < 0.2 or not path.exists():
        path.unlink(missing_ok=True)
    else:
        os.truncate(path, draw.randrange(path.stat().st_size or 1))


KINDS: tuple[Mutation, ...] = (
    truncate, flip_bits, empty, delete, lengthen, swap_with_the_other_checkpoint, swap_within,
    take_a_file_of_another_run, take_all_of_another_run, rename_a_file, rename_the_folder, swap_the_folders, add_files,
    link_to_another_file, tamper_with_the_document, replace_the_document, cut_the_rows,
)  # fmt: skip


def contents(checkpoint: Path) -> dict[str, bytes]:
    return {name: (checkpoint / f"{name}.npz").read_bytes() for name in ("run", *WORKERS)}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)


def outcome(folder: Path, originals: dict[str, dict[str, bytes]], said: Callable[[], str]) -> str:
    """What became of a damaged run folder, after checking that it is one of the ends that may be."""
    before = sorted(path.name for path in (folder / "checkpoints").iterdir())
    try:
        used = Checkpoints(folder).newest(FACTS)
    except InvalidInput as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert f"{folder / 'checkpoints'}: no checkpoint " in refusal
        assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == before
        return "refused to begin"
    text = said()
    if used is None:
        assert text.count("of another settings") == sum(name in (OLDER, NEWEST) for name in before)
        return "begins anew: none is of this run" if text else "begins anew: none is there"
    original = originals[used.folder.name]
    for name, data in original.items():
        assert same(used.load(name), states.parse_state(data, name))
    if used.folder.name == OLDER and NEWEST in before:
        assert f"{NEWEST} is passed over: " in text
        return "used the one before, and said so"
    return f"used checkpoint {used.number}, as it was written"


def test_no_mutated_checkpoint_is_loaded_wrongly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path / "source")
    other = written(tmp_path / "other", FACTS | {"settings": '{"gamma": 0.9}'}, seed=1) / "checkpoints"
    originals = {name: contents(source / "checkpoints" / name) for name in (OLDER, NEWEST)}
    table: Counter[tuple[str, str]] = Counter()
    for attempt in range(MUTATIONS):
        draw, folder = random.Random(attempt), tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        kind = KINDS[attempt % len(KINDS)]
        for target in draw.choice([(NEWEST,), (NEWEST,), (OLDER,), (NEWEST, OLDER)]):
            if (folder / "checkpoints" / target).is_dir():
                kind(folder / "checkpoints" / target, other, draw)
        table[kind.__name__, outcome(folder, originals, lambda: capsys.readouterr().err)] += 1
    for (name, end), count in sorted(table.items()):
        print(f"{count:5} {name:32} {end}")
    assert {end for _, end in table} >= {"refused to begin", "used the one before, and said so"}


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
@pytest.mark.parametrize("name", [DOCUMENT, "run.npz"])
def test_a_link_to_a_device_is_not_read_for_ever(tmp_path: Path, name: str, device: str) -> None:
    path = written(tmp_path) / "checkpoints" / NEWEST / name
    path.unlink()
    path.symlink_to(device)
    used = Checkpoints(tmp_path).newest(FACTS)
    assert used is not None
    assert used.number == 1


def test_what_was_verified_is_what_is_loaded(tmp_path: Path) -> None:
    used = Checkpoints(written(tmp_path)).newest(FACTS)
    assert used is not None
    shutil.copy(used.folder / "worker-1.npz", used.folder / "worker-0.npz")
    with pytest.raises(DamagedCheckpoint, match=r"worker-0\.npz has changed"):
        used.load("worker-0")


def test_a_damaged_checkpoint_is_set_aside_so_that_two_whole_ones_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(written(tmp_path))
    (tmp_path / "checkpoints" / NEWEST / "run.npz").write_bytes(b"")
    assert checkpoints.newest(FACTS) is not None
    save_all(checkpoints.begin(), np.random.default_rng(5), 0)
    checkpoints.commit(checkpoints.unfinished, FACTS)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == [OLDER, NEWEST, f"{NEWEST}.damaged"]
    assert [isinstance(found, Checkpoint) for _, found in checkpoints.found()] == [True, True]


def test_rows_shorter_than_a_checkpoint_says_send_the_run_to_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path) / run_folder.EPISODES
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))  # the header and 4 rows; the older one needs 3
    used = Checkpoints(tmp_path).newest(FACTS)
    assert used is not None
    assert used.number == 1
    assert "it goes on with episodes.csv, which has" in capsys.readouterr().err
    RowWriter(path, EpisodeRow, used.load("run")["lengths"][path.name]).close()
    assert path.read_bytes() == b"".join(lines[:4])


def test_a_run_whose_checkpoints_are_all_damaged_does_not_begin_and_loses_nothing(
    cliff: Callable[..., Settings], tmp_path: Path
) -> None:
    written(tmp_path)
    for name in (OLDER, NEWEST):
        (tmp_path / "checkpoints" / name / DOCUMENT).unlink()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InvalidInput, match=f"(?s){NEWEST}: {DOCUMENT}.*{OLDER}: {DOCUMENT}.*begin the run anew"):
        _prepare(cliff(), tmp_path, Conditions(checkpoint_seconds=60.0))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("seconds", [60.0, None])
def test_a_run_never_begins_anew_silently(
    cliff: Callable[..., Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str], seconds: float | None
) -> None:
    written(tmp_path)
    (tmp_path / run_folder.SCHEDULE).write_bytes(b"what an earlier attempt left")
    assert _prepare(cliff(), tmp_path, Conditions(checkpoint_seconds=seconds)).source is None
    said = capsys.readouterr().err
    assert "the run begins anew" in said
    assert ("of another settings" in said) == (seconds is not None)


class Steps:
    """Counts what a writer asks of the system, and ends the process before the step with a given number."""

    def __init__(self, last: int) -> None:
        self._left = last

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                os._exit(9)
            return function(*arguments, **options)

        return step

    def half(self, file: Any, data: Any) -> None:
        """A write that ends in its middle, if its turn has come."""
        if self._left == 0:
            file.write(bytes(data)[: len(data) // 2])
        self.before(file.write)(data)


def write_one_more(folder: Path, last: int) -> int:
    """In a process of its own that dies before step `last`: more rows and the third checkpoint; its exit code."""
    child = os.fork()
    if child == 0:
        try:
            steps = Steps(last)
            for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
                setattr(os, name, steps.before(getattr(os, name)))
            storage.append = states.append = steps.half
            rows = RowWriter(folder / run_folder.EPISODES, EpisodeRow, (folder / run_folder.EPISODES).stat().st_size)
            checkpoints = Checkpoints(folder)
            save_all(checkpoints.begin(), np.random.default_rng(9), rows.length())
            checkpoints.commit(checkpoints.unfinished, FACTS)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.slow
def test_a_writer_that_dies_before_any_step_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    source, code, last = written(tmp_path / "source"), 9, 0
    rows = (source / run_folder.EPISODES).read_bytes()
    used_numbers = []
    while code == 9:
        folder = tmp_path / str(last)
        shutil.copytree(source, folder)
        code = write_one_more(folder, last)
        checkpoints = Checkpoints(folder)
        used = checkpoints.newest(FACTS)
        assert used is not None
        used_numbers.append(used.number)
        assert all(isinstance(found, Checkpoint) for _, found in checkpoints.found()), last
        length = used.load("run")["lengths"][run_folder.EPISODES]
        assert (folder / run_folder.EPISODES).read_bytes()[:length] == rows[:length]
        assert write_one_more(folder, 10**6) == 0, "the next writer is not hindered by what was left"
        last += 1
    assert code == 0
    assert last > 15
    assert used_numbers == sorted(used_numbers)
    assert {2, 3} == set(used_numbers)


def test_names_are_on_the_disk_before_the_checkpoint_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    calls: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(first: Any, *rest: Any, **options: Any) -> Any:
            place = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(first)
            calls.append(f"{name} {place.removeprefix(str(tmp_path)).lstrip('/')}")
            return function(first, *rest, **options)

        return noted

    for name in ("fsync", "rename", "replace"):
        monkeypatch.setattr(os, name, noting(name, getattr(os, name)))
    checkpoints = Checkpoints(tmp_path)
    save_all(checkpoints.begin(), np.random.default_rng(9), 0)
    checkpoints.commit(checkpoints.unfinished, FACTS)
    unfinished, temporary = "checkpoints/unfinished", f".{DOCUMENT}.{os.getpid()}"
    assert calls == [
        *(f"fsync {unfinished}/{name}.npz" for name in ("run", *WORKERS)),
        f"fsync {unfinished}/{temporary}",
        f"replace {unfinished}/{temporary}" if calls[4].startswith("replace") else f"rename {unfinished}/{temporary}",
        f"fsync {unfinished}",
        f"rename {unfinished}",
        "fsync checkpoints",
        "fsync ",
        f"rename checkpoints/{OLDER}",
    ]


@pytest.mark.slow
def test_a_run_that_goes_on_from_the_one_before_a_damaged_checkpoint_ends_as_if_nothing_had_been(
    cartpole: Callable[..., Settings],
    interrupted: Callable[[Settings, Path, int], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    order = {"kind": "geometric", "mean": 3.0, "max_lag": 9}
    settings = cartpole(budget_frames=6_000, workers=3, schedule="drawn", order=order)
    train(settings, tmp_path / "whole")
    for frames in (1_500, 3_000):
        interrupted(settings, tmp_path / "cut", frames)
    flip_bits(tmp_path / "cut" / "checkpoints" / NEWEST, tmp_path, random.Random(1))
    train(settings, tmp_path / "cut", Conditions(checkpoint_seconds=1e9))
    said = capsys.readouterr().err
    assert f"{NEWEST} is passed over: " in said
    assert f"going on from {tmp_path / 'cut' / 'checkpoints' / OLDER}" in said
    assert first_difference(tmp_path / "whole", tmp_path / "cut") is None
