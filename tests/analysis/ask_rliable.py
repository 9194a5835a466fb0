"""Asks rliable about random score matrices; run by an interpreter that has it, which needs no `a3c`.

    python -m venv /tmp/rliable && /tmp/rliable/bin/pip install rliable 'pandas<3'
    /tmp/rliable/bin/python tests/analysis/ask_rliable.py > tests/analysis/rliable_intervals.json

It prints matrices, rliable's point estimates and intervals, and the versions that made them.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from typing import Any

import numpy as np
from rliable import library, metrics

MATRICES = 20
THRESHOLDS = [0.0, 0.5, 1.0]


def matrices(draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two matrices [runs, games] with games of unlike scale, ties in some, and runs that are good at all games."""
    games = int(draws.integers(1, 5))
    scale = draws.uniform(0.5, 2.0, size=games)
    digits = int(draws.choice([0, 3]))
    pair = []
    for shift in (0.3, 0.0):
        runs = int(draws.integers(3, 11))
        scores = draws.gamma(2.0, 0.5, size=(runs, games)) + draws.normal(shift, 0.5, size=(runs, 1))
        pair.append(np.round(scores * scale, digits))
    return pair[0], pair[1]


def answers(first: np.ndarray, second: np.ndarray, resamples: int, improvement_resamples: int) -> dict[str, Any]:
    """Rows (value, low, high) for each statistic; one row a threshold for the profile."""
    one = {
        "mean": metrics.aggregate_mean,
        "median": np.median,
        "median_of_means": metrics.aggregate_median,
        "iqm": metrics.aggregate_iqm,
        "profile": lambda scores: library.score_distributions(scores, THRESHOLDS),
    }
    found = {name: estimate(statistic, first, resamples) for name, statistic in one.items()}
    improvement = estimate(metrics.probability_of_improvement, (first, second), improvement_resamples)
    return found | {"probability_of_improvement": improvement}


def estimate(statistic: Any, scores: Any, resamples: int) -> list[list[float]]:
    values, ends = library.get_interval_estimates(
        {"x": scores}, lambda *x: np.atleast_1d(statistic(*x)), reps=resamples
    )
    return np.vstack([values["x"], ends["x"]]).T.tolist()


def main(seed: int = 20, resamples: int = 10_000, improvement_resamples: int = 2_000) -> None:
    draws = np.random.default_rng(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator that rliable draws from
    asked = [matrices(draws) for _ in range(MATRICES)]
    versions = {name: version(name) for name in ("rliable", "arch", "numpy", "scipy")}
    print("{")
    print(f'"command": "python tests/analysis/ask_rliable.py {seed} {resamples} {improvement_resamples}",')
    print(f'"versions": {json.dumps({"python": platform.python_version()} | versions)},')
    print(f'"resamples": {resamples}, "improvement_resamples": {improvement_resamples}, "thresholds": {THRESHOLDS},')
    print('"matrices": [')
    for place, (x, y) in enumerate(asked):
        case = {"first": x.tolist(), "second": y.tolist(), "rliable": answers(x, y, resamples, improvement_resamples)}
        print(json.dumps(case) + ("," if place < MATRICES - 1 else ""))
    print("]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
