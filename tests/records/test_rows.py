"""Rows as CSV: exact numbers, whole lines."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, RowWriter

EPISODE = EpisodeRow(frames=400, seconds=1.5, worker=1, env=0, score=-21.0, steps=100, truncated=0)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row_type", [EpisodeRow, IntervalRow, EvaluationRow])
def test_the_header_is_there_before_the_first_row(tmp_path: Path, row_type: type[NamedTuple]) -> None:
    writer = RowWriter(tmp_path / "rows.csv", row_type)
    assert (tmp_path / "rows.csv").read_text() == ",".join(row_type._fields) + "\n"
    writer.close()


@pytest.mark.parametrize("row_type", [EpisodeRow, IntervalRow, EvaluationRow])
def test_every_row_has_both_clocks(row_type: type[NamedTuple]) -> None:
    assert {"frames", "seconds"} <= set(row_type._fields)


def test_numbers_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    draws = random.Random(0)
    scores = [0.1 + 0.2, 1e-300, 1e300, -0.0, 5e-324, *(draws.gauss(0, 1) * 10.0**k for k in range(-10, 10))]
    rows = [EPISODE._replace(frames=2**62 + i, score=score) for i, score in enumerate(scores)]
    writer = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    writer.write(rows)
    kinds = [type(value) for value in EPISODE]
    found = [
        EpisodeRow._make(kind(text) for kind, text in zip(kinds, line.values(), strict=True))
        for line in read(tmp_path / "rows.csv")
    ]
    assert found == rows
    assert math.copysign(1, found[3].score) == -1


def test_a_missing_mean_is_an_empty_field(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "rows.csv", IntervalRow)
    writer.write([IntervalRow._make(None if name == "score_mean" else 0 for name in IntervalRow._fields)])
    assert read(tmp_path / "rows.csv")[0]["score_mean"] == ""


def test_a_reader_beside_the_writer_sees_whole_lines_at_once(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    for count in range(1, 5):
        writer.write([EPISODE] * 3)
        assert len(read(tmp_path / "rows.csv")) == 3 * count
        assert (tmp_path / "rows.csv").read_bytes().endswith(b"\n")


def test_lines_end_the_same_on_every_system(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    writer.write([EPISODE])
    assert (tmp_path / "rows.csv").read_bytes().splitlines()[1] == b"400,1.5,1,0,-21.0,100,0"
    assert b"\r" not in (tmp_path / "rows.csv").read_bytes()


def test_nothing_is_written_after_closing(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write([EPISODE])


def test_numbers_of_numpy_are_written_as_numbers(tmp_path: Path) -> None:
    """A custom environment may well return them, and `repr(np.float64(0.5))` is `np.float64(0.5)` since NumPy 2."""
    writer = RowWriter(tmp_path / "rows.csv", EpisodeRow)
    writer.write([EPISODE._replace(frames=int(np.int64(4)), score=np.float64(0.5))])
    row = read(tmp_path / "rows.csv")[0]
    assert (row["frames"], row["score"]) == ("4", "0.5")
