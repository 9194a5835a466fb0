"""What a test finds in a study's tables: an effect with its interval in every game, and whether that is as claimed.

An effect is decided by its interval alone: inside the range that the claim names it is `supported`, wholly outside it
`contradicted`, else `undecided`; and with fewer than `FEWEST_SEEDS` runs always undecided. Means are compared by t
intervals at 95% (see `differences`), at 90% where two one-sided tests at 5% decide about equivalence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from a3c.analysis.claim_arms import Pair, Place, Row, Side, crowded_places, derived, pairs, place_of
from a3c.analysis.claim_schema import Difference, Equivalence, Quantity, Ratio, Test
from a3c.analysis.differences import equivalence, paired_mean_difference, ratio_of_means, unpaired_mean_difference
from a3c.analysis.intervals import NOTHING, Estimate, Floats, Interval
from a3c.analysis.verdicts import FEWEST_SEEDS

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
SIGNS = {"higher": (0.0, np.inf), "lower": (-np.inf, 0.0)}


class Effect(NamedTuple):
    """What was measured in one game.

    Attributes:
      game: its name.
      arm: the runs that it is about.
      against: the runs that they are held against; empty if none.
      value: the effect.
      interval: of it; of a quantity that must hold in every run, the least and the greatest.
      n: runs, or pairs of runs, behind it; the fewer of two groups.
      verdict: `SUPPORTED`, `CONTRADICTED` or `UNDECIDED`.
      crowded: whether workers exceeded the cores.
      groups: the scores of both arms, float64 [runs] each, where games can be put together by who wins.
    """

    game: str
    arm: str
    against: str
    value: float
    interval: Interval
    n: int
    verdict: str
    crowded: bool
    groups: tuple[Floats, Floats] | None = None


def judged(interval: Interval, within: Interval, n: int) -> str:
    """What an interval decides about the claim that the truth lies in an open range."""
    if n < FEWEST_SEEDS or np.isnan(interval).any():
        return UNDECIDED
    if within[0] < interval[0] and interval[1] < within[1]:
        return SUPPORTED
    return CONTRADICTED if interval[1] < within[0] or interval[0] > within[1] else UNDECIDED


def effects(test: Test, tables: Mapping[str, Sequence[Row]], swept: str | None) -> list[list[Effect]]:
    """The effects in every game that has what the test needs.

    Args:
      test: of a claim.
      tables: rows of `runs` and of the table that the test names.
      swept: the column of the study's sweep, if it has one.

    Returns:
      A list of games for every arm that the first is held against; one list where it is held against none.
    """
    runs = tables["runs"]
    if isinstance(test, Quantity):
        return [list(_quantity(test, tables[test.table], crowded_places(runs)))]
    rows = tables[test.table] if isinstance(test, Difference) else runs
    return [
        [
            _compared(test, pair, pair.second)
            for pair in pairs(rows, runs, test.arm, against, swept)
            if pair.second and (not isinstance(test, Equivalence) or pair.game in test.margins)
            if rows is not runs or pair.complete(test.column)  # of others, those that have the value would be chosen
        ]
        for against in test.against
    ]


def _compared(test: Difference | Equivalence | Ratio, pair: Pair, second: Side) -> Effect:
    match test:
        case Ratio():
            x, y = pair.first.values(test.column), second.values(test.column)
            estimate, n = ratio_of_means(x, y), min(len(x), len(y))
            within = _ends(test)
        case Equivalence():
            x, y, paired = _groups(pair.first, second, test.column)
            margin = float(test.margins[pair.game])
            found = equivalence(x, y, margin, paired=paired)
            estimate, n, within = Estimate(found.value, found.interval), min(len(x), len(y)), (-margin, margin)
        case Difference():
            within = SIGNS[test.expect]
            if test.table == "runs":
                return _mean_difference(test, pair, second)
            (first, n_first), (other, n_other) = pair.first.estimate(test.column), second.estimate(test.column)
            estimate, n = mover_difference(first, other), min(n_first, n_other)
    return _effect(pair, second.name, estimate, n, judged(estimate.interval, within, n))


def _mean_difference(test: Difference, pair: Pair, second: Side) -> Effect:
    x, y, paired = _groups(pair.first, second, test.column)
    estimate = (paired_mean_difference if paired else unpaired_mean_difference)(x, y)
    n = min(len(x), len(y))
    found = _effect(pair, second.name, estimate, n, judged(estimate.interval, SIGNS[test.expect], n))
    return found._replace(groups=(x, y))


def _effect(pair: Pair, against: str, estimate: Estimate, n: int, verdict: str) -> Effect:
    return Effect(pair.game, pair.first.name, against, estimate.value, estimate.interval, n, verdict, pair.crowded)


def _groups(first: Side, second: Side, column: str) -> tuple[Floats, Floats, bool]:
    """Pairs where any run has one, else the two groups as they are; whether they are pairs."""
    x, y = first.samples(column), second.samples(column)
    shared = sorted(x.keys() & y.keys())
    if not shared:
        return np.array([*x.values()]), np.array([*y.values()]), False
    return np.array([x[key] for key in shared]), np.array([y[key] for key in shared]), True


def mover_difference(first: Estimate, second: Estimate) -> Estimate:
    """The difference of two independent estimates, with an interval made from theirs.

        d - sqrt((x - x_lo)² + (y_hi - y)²)   to   d + sqrt((x_hi - x)² + (y - y_lo)²),   d = x - y

    Sources: Zou and Donner (2008), Construction of confidence limits about effect measures: a general approach; with
    Wilson's intervals of two proportions it is method 10 of Newcombe (1998), Interval estimation for the difference
    between independent proportions.

    Args:
      first: x; an end may be infinite.
      second: y.
    """
    (x, (x_low, x_high)), (y, (y_low, y_high)) = first, second
    if np.isnan([x, y, x_low, x_high, y_low, y_high]).any():
        return Estimate(x - y, NOTHING)
    ends = (x - y - np.hypot(x - x_low, y_high - y), x - y + np.hypot(x_high - x, y - y_low))
    return Estimate(x - y, (float(ends[0]), float(ends[1])))


def _quantity(test: Quantity, rows: Sequence[Row], crowded: Collection[Place]) -> Iterator[Effect]:
    """In `runs` each row is a run, and one that is outside the bounds contradicts; elsewhere each row is a group."""
    low, high = _ends(test)
    for game in dict.fromkeys(row["game"] for row in rows):
        for variant in test.variants:
            mine = [row for row in rows if (row["game"], row["variant"]) == (game, variant)]
            if test.table != "runs":
                known = (row for row in mine if not np.isnan(derived(row, test.column)))
                yield from (_row_quantity(test, row, place_of(row) in crowded) for row in known)
                continue
            values = np.array([derived(row, test.column) for row in mine], dtype=np.float64)
            values = values[~np.isnan(values)]
            if len(values):
                decided = SUPPORTED if low < values.min() and values.max() < high else CONTRADICTED
                verdict = decided if len(values) >= FEWEST_SEEDS else UNDECIDED
                ends = (float(values.min()), float(values.max()))
                over = any(place_of(row) in crowded for row in mine)
                yield Effect(str(game), variant, "", float(values.mean()), ends, len(values), verdict, over)


def _row_quantity(test: Quantity, row: Row, crowded: bool) -> Effect:
    side = Side(f"{row['variant']}, {row['workers']} workers", [row], None)
    estimate, n = side.estimate(test.column, test.counted_by)
    known = estimate.interval if not np.isnan(estimate.interval).any() else (estimate.value, estimate.value)
    verdict = judged(known, _ends(test), n)
    return Effect(str(row["game"]), side.name, "", estimate.value, estimate.interval, n, verdict, crowded)


def _ends(test: Ratio | Quantity) -> Interval:
    low = -np.inf if test.above is None else float(test.above)
    return low, np.inf if test.below is None else float(test.below)
