"""The schedule on disk: what is written is read, what is torn is cut, what is foreign is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from a3c.records.schedule_file import (
    HEADER_BYTES,
    TURN,
    Header,
    ScheduleWriter,
    read_schedule,
    turn_columns,
    warm_up_turns,
)

LOCKED = Header("locked", workers=3, action_repeat=4)


def turns(*rows: tuple[int, int, int]) -> np.ndarray:
    """Turns of (worker, steps, staleness)."""
    return np.array([(*row, 0) for row in rows], TURN)


def drawn(count: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    table = np.zeros(count, TURN)
    table["worker"] = generator.integers(2**16, size=count)
    table["steps"] = generator.integers(2**16, size=count)
    table["staleness"] = generator.integers(2**32, size=count)
    return table


def written(path: Path, header: Header, *parts: np.ndarray) -> Path:
    writer = ScheduleWriter(path, header)
    for part in parts:
        writer.write(part)
    writer.close()
    return path


@pytest.mark.parametrize(
    "header", [LOCKED, Header("hogwild", 1024, 16), Header("synchronous", 1024, 16), Header("hogwild", 1, 1)]
)
def test_what_is_written_is_read(tmp_path: Path, header: Header) -> None:
    table = drawn(1000)
    found, read = read_schedule(written(tmp_path / "s", header, table[:1], table[1:1], table[1:400], table[400:]))
    assert found == header
    np.testing.assert_array_equal(read, table)


def test_the_format_is_the_one_documented(tmp_path: Path) -> None:
    """64 bytes, then per turn: worker, steps, staleness and check, each uint16, little endian."""
    data = written(tmp_path / "s", LOCKED, turns((1, 5, 60_000))).read_bytes()
    assert data[:8] == b"A3CS0002"
    assert HEADER_BYTES == 64
    assert data[64:] == struct.pack("<HHHH", 1, 5, 60_000, 0)


def test_a_schedule_without_turns_is_read(tmp_path: Path) -> None:
    header, read = read_schedule(written(tmp_path / "s", LOCKED))
    assert (header, len(read)) == (LOCKED, 0)
    assert all(len(column) == 0 for column in turn_columns(header, read).values())


@pytest.mark.parametrize("torn", range(1, 8))
def test_a_torn_tail_is_cut(tmp_path: Path, torn: int) -> None:
    path, table = tmp_path / "s", drawn(10)
    written(path, LOCKED, table)
    path.write_bytes(path.read_bytes()[:-torn])
    np.testing.assert_array_equal(read_schedule(path)[1], table[:-1])


def test_turns_can_be_read_while_they_are_written(tmp_path: Path) -> None:
    writer = ScheduleWriter(tmp_path / "s", LOCKED)
    for count in range(1, 4):
        writer.write(drawn(5))
        assert len(read_schedule(tmp_path / "s")[1]) == 5 * count
    writer.close()


@pytest.mark.parametrize(
    "content", [b"", b"A3CS", b"A3CS0002", b"A3CS0002[]", b"\0" * 100, b"A3CS0001" + b" " * 100, b"PK\3\4" * 50]
)
def test_a_foreign_or_cut_off_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "foreign.bin").write_bytes(content)
    with pytest.raises(ValueError, match=r"foreign\.bin is not a schedule file"):
        read_schedule(tmp_path / "foreign.bin")


def test_a_header_that_does_not_fit_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        ScheduleWriter(tmp_path / "s", Header("k" * 64, 1, 1))
    assert not (tmp_path / "s").exists()


def test_an_asynchronous_turn_makes_the_next_version() -> None:
    """Worker 2 pulled version 0 like the others, and two updates came in before its push."""
    columns = turn_columns(LOCKED, turns((0, 5, 0), (1, 5, 1), (2, 3, 2), (0, 5, 2)))
    assert {name: column.tolist() for name, column in columns.items()} == {
        "turn": [0, 1, 2, 3],
        "worker": [0, 1, 2, 0],
        "read": [0, 0, 0, 1],
        "applied": [1, 2, 3, 4],
        "staleness": [0, 1, 2, 2],
        "steps": [5, 5, 3, 5],
        "frames": [20, 40, 52, 72],
    }
    assert {column.dtype for column in columns.values()} == {np.dtype(np.int64)}


def test_synchronous_turns_make_a_version_together() -> None:
    header = Header("synchronous", workers=2, action_repeat=1)
    columns = turn_columns(header, turns((0, 5, 0), (1, 4, 0), (0, 5, 0), (1, 5, 0)))
    assert columns["read"].tolist() == [0, 0, 1, 1]
    assert columns["applied"].tolist() == [1, 1, 2, 2]
    assert columns["staleness"].tolist() == [0, 0, 0, 0]
    assert columns["frames"].tolist() == [5, 9, 14, 19]


def test_frames_of_a_long_run_do_not_overflow() -> None:
    table = np.zeros(100_000, TURN)
    table["steps"] = 65_535
    assert turn_columns(LOCKED, table)["frames"][-1] == 100_000 * 65_535 * 4


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([0, 1, 2], 3),  # one after the other
        ([0, 0, 0, 1, 2, 0, 1], 5),  # the last to come is worker 2, in turn 4
        ([2, 1, 0, 0, 0], 3),  # the last to come is worker 0
        ([1, 2, 1, 2, 1], 5),  # worker 0 never came: all of it is warm-up
        ([], 0),
    ],
)
def test_warm_up_ends_with_the_first_push_of_the_last_worker_to_come(workers: list[int], expected: int) -> None:
    assert warm_up_turns(LOCKED, turns(*((worker, 5, 0) for worker in workers))) == expected


def test_after_the_warm_up_workers_in_turn_are_always_one_less_than_their_number_behind() -> None:
    """The identity behind every staleness table: N workers that pull right after each push, mean N - 1."""
    generator = np.random.default_rng(0)
    pulled, rows = [0, 0, 0], []
    for version, worker in enumerate(generator.integers(3, size=3000)):
        rows.append((int(worker), 5, version - pulled[worker]))
        pulled[worker] = version + 1
    table = turns(*rows)
    mean = float(table["staleness"][warm_up_turns(LOCKED, table) :].mean())
    assert mean == pytest.approx(2.0, abs=0.01)  # workers still out at the end have not yet been counted
