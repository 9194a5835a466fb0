"""Measuring several things in turn, so that a machine that drifts drifts under all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Measure = Callable[[], float]


class Spread(NamedTuple):
    """What rounds of one thing gave.

    Attributes:
      median: of the rounds.
      low: their lower quartile.
      high: their upper quartile.
      rounds: how many there were.
    """

    median: float
    low: float
    high: float
    rounds: int


def interleaved(cases: Mapping[str, Measure], rounds: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Measures every case once a round, every other round backwards: a steady drift then favors nobody.

    Args:
      cases: by name.
      rounds: how many.
      say: is told what is being measured.
    """
    values: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        for name in list(cases)[:: 1 if number % 2 == 0 else -1]:
            say(f"round {number + 1} of {rounds}: {name}")
            values[name].append(cases[name]())
    return values


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles."""
    low, median, high = np.quantile(np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75])
    return Spread(float(median), float(low), float(high), len(values))


def ratio(first: Sequence[float], second: Sequence[float]) -> Spread:
    """Of the ratios first / second within each round.

    Raises:
      ValueError: if there are not as many rounds of one as of the other.
    """
    return spread([x / y for x, y in zip(first, second, strict=True)])
