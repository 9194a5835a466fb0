"""Killed anywhere and any number of times, the same command goes on: nothing hangs, lives on, is lost or done twice."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from a3c.settings import Settings

Make = Callable[..., Settings]

KILLS = int(os.environ.get("A3C_KILLS", "0"))  # of each kind; 20 say more, in half an hour
SCHEDULES = ("locked", "hogwild", "synchronous", "drawn")
DRAWN = {"order": {"kind": "geometric", "mean": 3.0, "max_lag": 9}}


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    cartpole: Make, pong: Make, tmp_path: Path
) -> None:
    from kill_matrix import VICTIMS, Case, Matrix, spread

    games = {"CartPole": (cartpole, 20_000, SCHEDULES), "Pong": (pong, 6_000, SCHEDULES)}
    if not KILLS:  # the rest is in the full matrix
        games = {"CartPole": (cartpole, 6_000, ("drawn", "locked"))}
    draw, matrix = random.Random(1), Matrix()
    cases = [(name, schedule) for name, (_, _, schedules) in games.items() for schedule in schedules]
    victims = spread(VICTIMS, KILLS or 1, len(cases), draw)
    for (name, schedule), suffered in zip(cases, victims, strict=True):
        make, budget, _ = games[name]
        more = DRAWN if schedule == "drawn" else {}
        settings = make(schedule=schedule, workers=3, budget_frames=budget, **more)
        Case(f"{name}, {schedule}", settings, tmp_path / name / schedule, matrix, draw).suffer(suffered)
        if KILLS:
            print(f"\n{name}, {schedule}\n{matrix.table()}", flush=True)
    print(f"\n{matrix.table()}")
    assert not matrix.wrong, matrix.table()
    assert all(not (t.hangs or t.orphans or t.unclear) for t in matrix.tallies.values()), matrix.table()
    assert sum(t.kills for t in matrix.tallies.values()) == (KILLS or 1) * len(VICTIMS)
