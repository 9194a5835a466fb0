"""Many logical workers in one process: what each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from a3c.settings import Settings
from a3c.training import train

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "workers", "bytes_a_worker"),
    [("cartpole", 256, 20 * KIBIBYTE), ("pong", 64, 8 * MEBIBYTE)],
)
def test_a_drawn_worker_takes_the_memory_of_its_game_and_of_one_version(
    cartpole: Callable[..., Settings],
    pong: Callable[..., Settings],
    tmp_path: Path,
    game: str,
    workers: int,
    bytes_a_worker: int,
) -> None:
    """Measured: 13 KiB on CartPole, 6.7 MiB on Pong (2.6 of them parameters, the rest mostly the emulator)."""
    make, frames = (cartpole, 256 * 25) if game == "cartpole" else (pong, 64 * 5 * 4 * 2)
    short = {"frame_limit_frames": 200} if game == "pong" else {}
    peaks = []
    for count in (1, workers):
        settings = make(
            schedule="drawn", order={"kind": "round_robin"}, workers=count, budget_frames=frames, environment=short
        )
        peaks.append(train(settings, tmp_path / str(count))["peak_memory_bytes"])
    assert peaks[1] - peaks[0] < workers * bytes_a_worker
