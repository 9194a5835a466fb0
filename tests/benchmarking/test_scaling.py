"""Limits that a page of arithmetic gives, and a simulation that keeps them."""

from __future__ import annotations

import pytest

from a3c.benchmarking.scaling import CORES, scaling

# A turn of 10 ms, of which 1 ms is pushing and pulling.
PARTS = {"rollout of 1": [5e-3], "gradient of 1": [4e-3], "push": [0.9e-3], "pull": [0.1e-3]}


def test_a_lock_is_full_when_exchanges_fill_the_time() -> None:
    found = scaling(PARTS, 1_000_000)
    assert found["workers_that_fill_one_lock"] == pytest.approx(10.0)
    assert found["workers_that_fill_8_locks"] == pytest.approx(80.0)
    assert found["bytes_per_turn"] == 36_000_000  # 4 bytes, 7 passes of a push and 2 of a pull
    assert found["workers_that_fill_the_memory"] == pytest.approx(200e9 / 36e6 * 0.01)


def test_the_simulation_keeps_the_limits_and_comes_near_them() -> None:
    speeds = scaling(PARTS, 1_000_000)["steps_per_second"]
    alone, most = 5 / 0.01, 5 / 0.001
    for cores, hogwild, locked, synchronous in zip(CORES, *(speeds[s] for s in speeds), strict=True):
        assert hogwild == pytest.approx(cores * alone, rel=0.05)
        assert locked < 1.05 * min(cores * alone, most)
        assert synchronous < 1.05 * hogwild
    assert speeds["locked"][-1] == pytest.approx(most, rel=0.05)
    # A round of 128: the slowest rollout and gradient, then a sum of 128 vectors, each at the cost of a pull.
    round_seconds = 128 * 5 / speeds["synchronous"][-1]
    assert 0.01 + 128 * 0.1e-3 < round_seconds < 1.3 * (0.01 + 128 * 0.1e-3)


def test_nothing_is_said_without_the_parts() -> None:
    assert scaling({"push": [1.0]}, 1) == {}
