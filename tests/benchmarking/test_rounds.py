"""Measuring in turn, and what is made of it."""

from __future__ import annotations

import pytest

from a3c.benchmarking.goals import Goal, goals, outcomes
from a3c.benchmarking.rounds import Spread, interleaved, ratio, spread


def test_rounds_go_to_and_fro() -> None:
    seen: list[str] = []

    def case(name: str) -> float:
        seen.append(name)
        return float(len(seen))

    values = interleaved({name: lambda name=name: case(name) for name in "abc"}, 3, lambda _: None)  # type: ignore[misc]
    assert "".join(seen) == "abccbaabc"
    assert values == {"a": [1.0, 6.0, 7.0], "b": [2.0, 5.0, 8.0], "c": [3.0, 4.0, 9.0]}


def test_a_ratio_is_taken_within_rounds() -> None:
    """The machine was half as fast in the second round: the ratio does not notice."""
    assert ratio([4.0, 2.0, 4.0], [2.0, 1.0, 2.0]) == Spread(2.0, 2.0, 2.0, 3)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        ratio([1.0, 2.0], [1.0])


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    assert spread([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0, 5)


def test_a_goal_without_its_cases_is_left_out() -> None:
    speed = Goal("speed", ("ours", "theirs"), ratio, 3.0)
    start = Goal("start", ("start",), spread, 6.0, at_most=True)
    assert [outcome.what for outcome in outcomes([speed, start], {"start": [1.0], "ours": [1.0]})] == ["start"]
    found = outcomes([speed, start], {"start": [7.0], "ours": [6.0], "theirs": [2.0]})
    assert [outcome.met for outcome in found] == [True, False]


def test_the_limit_is_the_emulator_and_the_products_at_peak() -> None:
    """2 cores, 0.2 ms of emulator and 10 MFLOP at 100 GFLOP/s, 0.1 ms: at best 2 / 0.3 ms = 6,667 steps a second."""
    every = goals(2, flops_per_step=1e7, peak_flops=1e11)
    found = outcomes(every, {"a3c, 2 workers of 16 games": [10_000 / 3], "emulator": [2e-4]})
    assert [outcome.found.median for outcome in found] == [pytest.approx(0.5)]


def test_efficiency_is_per_worker() -> None:
    found = outcomes(goals(4, 1.0, 1.0), {"a3c, 4 workers": [3_600.0], "a3c, 1 worker": [1_000.0]})
    assert [outcome.found.median for outcome in found] == [pytest.approx(0.9)]
