"""Our intervals against rliable's on random score matrices, recorded and, where its interpreter is named, asked anew.

Two intervals from different resamples differ by chance: of B resamples, the share that lies below an end has a standard
error of sqrt(0.025 * 0.975 / B). So an end of rliable's may be off by so many of our resamples, not by so much score:
between its end and ours there may lie at most 4.5 standard errors of the difference of two such shares. That holds for
any statistic, with ties or without.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.analysis import intervals, profiles

HERE = Path(__file__).parent
RESAMPLES = 5_000
INTERPRETER = "A3C_RLIABLE_PYTHON"

Bootstrap = tuple[np.ndarray, np.ndarray, np.ndarray]  # values [k], ends [2, k], resampled statistics [RESAMPLES, k]


def median_of_means(scores: Any) -> np.ndarray:
    """What rliable calls the median: of the games' means over runs."""
    return np.asarray(np.median(np.mean(scores, axis=-2), axis=-1))


def of_one(statistic: intervals.Statistic) -> Callable[[Any, Any, Any], Bootstrap]:
    def bootstrap(first: Any, second: Any, thresholds: Any) -> Bootstrap:
        ends = intervals.bootstrap_interval(first, statistic, intervals.generator(), RESAMPLES)
        drawn = statistic(intervals.resampled(first, intervals.generator(), RESAMPLES))
        return np.array([statistic(first)]), np.array(ends)[:, None], drawn[:, None]

    return bootstrap


def profile(first: Any, second: Any, thresholds: Any) -> Bootstrap:
    ends = profiles.profile_band(first, thresholds, intervals.generator(), RESAMPLES)
    drawn = profiles.performance_profile(intervals.resampled(first, intervals.generator(), RESAMPLES), thresholds)
    return profiles.performance_profile(first, thresholds), np.array(ends), drawn


def improvement(first: Any, second: Any, thresholds: Any) -> Bootstrap:
    ends = intervals.improvement_interval(first, second, intervals.generator(), RESAMPLES)
    draws = intervals.generator()
    pair = [intervals.resampled(scores, draws, RESAMPLES) for scores in (first, second)]
    drawn = intervals.probability_of_improvement(*pair)
    return np.array([intervals.probability_of_improvement(first, second)]), np.array(ends)[:, None], drawn[:, None]


STATISTICS: dict[str, Callable[[Any, Any, Any], Bootstrap]] = {
    "mean": of_one(intervals.mean),
    "median": of_one(intervals.median),
    "median_of_means": of_one(median_of_means),
    "iqm": of_one(intervals.iqm),
    "profile": profile,
    "probability_of_improvement": improvement,
}


def assert_agreement(answer: dict[str, Any], name: str) -> None:
    """Point estimates to rounding, ends to Monte Carlo error."""
    resamples = answer["improvement_resamples" if name == "probability_of_improvement" else "resamples"]
    tolerance = 4.5 * np.sqrt(0.025 * 0.975 * (1 / RESAMPLES + 1 / resamples))
    for case in answer["matrices"]:
        first, second = np.array(case["first"]), np.array(case["second"])
        values, ends, drawn = STATISTICS[name](first, second, answer["thresholds"])
        theirs = np.array(case["rliable"][name])
        assert values == pytest.approx(theirs[:, 0], rel=1e-12, abs=1e-12)
        for our, their in zip(ends, theirs[:, 1:].T, strict=True):
            rounding = 1e-9  # so that a resample that is an end does not lie between
            lower, upper = np.minimum(our, their) + rounding, np.maximum(our, their) - rounding
            assert ((drawn > lower) & (drawn < upper)).mean(axis=0) == pytest.approx(0.0, abs=tolerance)


@pytest.mark.parametrize("name", STATISTICS)
def test_estimates_and_intervals_agree_with_what_rliable_answered(name: str) -> None:
    answer = json.loads((HERE / "rliable_intervals.json").read_text(encoding="utf-8"))
    assert len(answer["matrices"]) == 20
    assert_agreement(answer, name)


@pytest.mark.slow
def test_estimates_and_intervals_agree_with_what_rliable_answers_now() -> None:
    """Other matrices than the recorded ones; minutes."""
    if INTERPRETER not in os.environ:
        pytest.skip(f"{INTERPRETER} names no interpreter that has rliable; see ask_rliable.py for how to make one")
    command = [os.environ[INTERPRETER], str(HERE / "ask_rliable.py"), "21", "2000", "500"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name in STATISTICS:
        assert_agreement(answer, name)
