"""The schedule of a run on disk: a 64-byte header, then 8 bytes a turn in the order in which they were applied.

A turn says: this worker's gradient, computed with parameters `staleness` updates old, from that many steps, and a
16-bit check of its numbers, by which a replay knows at which turn it first went another way. The version it made is
its place in the file, because turns are written in the order of their versions:

    asynchronous   turn i made version i + 1; it had pulled version i - staleness
    synchronous    turns i*N ... i*N + N - 1, one a worker, together made version i + 1; staleness is 0

The file only grows. A tail torn by a crash is not a whole number of turns and is cut when the file is read.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from a3c.problems import Problem
from a3c.records.run_folder import SCHEDULE, open_growing, synced_length
from a3c.records.storage import append
from a3c.settings import Settings

HEADER_BYTES = 64
MAGIC = b"A3CS0002"
TURN = np.dtype([("worker", "<u2"), ("steps", "<u2"), ("staleness", "<u2"), ("check", "<u2")])
MOST_STEPS = 65535  # of a turn; settings that come to more are refused
MOST_STALENESS = 65535  # recorded for whatever is staler; such a turn cannot be replayed


class Header(NamedTuple):
    """What is needed to read the turns.

    Attributes:
      kind: `hogwild`, `locked`, `synchronous` or `drawn`.
      workers: number of workers.
      action_repeat: frames per step.
    """

    kind: str
    workers: int
    action_repeat: int


class ScheduleWriter:
    """Appends turns to a new schedule file."""

    def __init__(self, path: Path, header: Header, keep_bytes: int | None = None) -> None:
        """Begins the file, or goes on after its first bytes, header included; see `open_growing`."""
        text = MAGIC + json.dumps(header).encode()
        if len(text) > HEADER_BYTES:
            raise ValueError(f"the header {header} does not fit into {HEADER_BYTES} bytes")
        self._file = open_growing(path, keep_bytes)
        if keep_bytes is None:
            append(self._file, text.ljust(HEADER_BYTES))

    def write(self, turns: np.ndarray) -> None:
        """Appends turns, an array of dtype `TURN` in the order of their versions.

        Raises:
          StorageError: if they cannot be written.
        """
        append(self._file, turns.tobytes())

    def length(self) -> int:
        """Bytes in the file, which are on the disk by then."""
        return synced_length(self._file)

    def close(self) -> None:
        """Closes the file; writing after it is an error."""
        self._file.close()


def read_schedule(path: Path) -> tuple[Header, np.ndarray]:
    """The header and the whole turns, dtype `TURN`, of a schedule file.

    Raises:
      ValueError: if the file is not a schedule.
    """
    data = path.read_bytes()
    if data[: len(MAGIC)] != MAGIC or len(data) < HEADER_BYTES:
        raise ValueError(f"{path} is not a schedule file: it does not begin with {MAGIC.decode()}")
    header = Header(*json.loads(data[len(MAGIC) : HEADER_BYTES]))
    whole = (len(data) - HEADER_BYTES) // TURN.itemsize
    return header, np.frombuffer(data, TURN, count=whole, offset=HEADER_BYTES)


def check(numbers: Iterable[float]) -> int:
    """Sixteen bits of the CRC-32 of a turn's numbers as float64: equal gradients have equal checks."""
    values = list(numbers)
    return zlib.crc32(struct.pack(f"<{len(values)}d", *values)) & 0xFFFF


def turn_columns(header: Header, turns: np.ndarray) -> dict[str, np.ndarray]:
    """The turns as named int64 columns of equal length: one call from a file to a table.

    Returns:
      turn: 0, 1, ... in the order applied.
      worker: who pushed.
      read: the version pulled.
      applied: the version made.
      staleness: `applied - 1 - read`, updates by others between pull and push.
      steps: decisions in the rollout.
      frames: the global frame counter after the turn.
    """
    turn = np.arange(len(turns), dtype=np.int64)
    applied = (turn // header.workers if header.kind == "synchronous" else turn) + 1
    staleness = turns["staleness"].astype(np.int64)
    steps = turns["steps"].astype(np.int64)
    return {
        "turn": turn,
        "worker": turns["worker"].astype(np.int64),
        "read": applied - 1 - staleness,
        "applied": applied,
        "staleness": staleness,
        "steps": steps,
        "frames": np.cumsum(steps) * header.action_repeat,
    }


def warm_up_turns(header: Header, turns: np.ndarray) -> int:
    """How many turns it took until every worker had pushed once; staleness is counted from there on.

    Before that, some worker is still in its first rollout, and what its first push missed has not been counted yet.
    """
    first = [int(np.argmax(turns["worker"] == w)) for w in range(header.workers) if np.any(turns["worker"] == w)]
    return max(first) + 1 if len(first) == header.workers else len(turns)


def staleness_counts(path: Path) -> list[int]:
    """Turns by staleness, after the warm-up: how many had 0, 1, ..., the greatest.

    Raises:
      FileNotFoundError: if there is no such schedule.
    """
    header, turns = read_schedule(path)
    counts: list[int] = np.bincount(turns["staleness"][warm_up_turns(header, turns) :]).tolist()
    return counts


def why_not_replayable(folder: Path, settings: Settings) -> Problem | None:
    """Why a finished run is no function of its schedule, or has none; None if it can be executed again from it."""
    if settings.schedule == "hogwild":
        what = "hogwild reads and writes parameters without a lock, so its turns do not determine it; allowed: locked, "
        return Problem(f"{folder}: schedule", what + "synchronous, drawn")
    if not (folder / SCHEDULE).exists():
        return Problem(str(folder), f"no schedule was recorded: there is no {SCHEDULE}")
    return None
