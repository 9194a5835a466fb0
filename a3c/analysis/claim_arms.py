"""Which rows of a study's tables the arms of a test are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from a3c.analysis.captions import plural
from a3c.analysis.claim_schema import Arm
from a3c.analysis.intervals import Estimate, Floats

Row = dict[str, Any]
Place = tuple[str, str, int]
Samples = dict[tuple[Any, ...], float]  # one value a run, by what makes it the pair of a run of the other arm


class Side(NamedTuple):
    """One arm in one game.

    Attributes:
      name: variant, workers and value.
      rows: of the table tested.
      swept: the column of the study's sweep, if the arm leaves its value open.
    """

    name: str
    rows: list[Row]
    swept: str | None

    def samples(self, column: str) -> Samples:
        """The values of a column, without empty ones; those of two arms with the same key make a pair."""
        keys = ("seed", self.swept) if self.swept else ("seed",)
        found = {tuple(row[key] for key in keys): float(derived(row, column)) for row in self.rows}
        return {key: value for key, value in found.items() if not np.isnan(value)}

    def values(self, column: str) -> Floats:
        """The values of a column, float64 [rows], without empty ones."""
        return np.array([*self.samples(column).values()], dtype=np.float64)

    def estimate(self, column: str, counted_by: str = "n") -> tuple[Estimate, int]:
        """The column of the last row with its interval, NaN where it has none, and the runs behind it."""
        row = self.rows[-1]
        ends = (float(row.get(f"{column}_lo", np.nan)), float(row.get(f"{column}_hi", np.nan)))
        return Estimate(derived(row, column), ends), int(row[counted_by])


class Pair(NamedTuple):
    """Two arms in one game.

    Attributes:
      game: its name.
      first: the arm that the claim is about.
      second: what it is held against; None where there is but one.
      crowded: whether workers of either exceeded the cores.
    """

    game: str
    first: Side
    second: Side | None
    crowded: bool

    def complete(self, column: str) -> bool:
        """Whether every row of both sides has the value."""
        sides = [self.first, *([self.second] if self.second else [])]
        return not any(np.isnan(derived(row, column)) for side in sides for row in side.rows)


def derived(row: Row, column: str) -> float:
    """A column's number, or one that follows from several.

    `lost_score` is best_point_score - final_score: how far below its best point a run ends.
    `staleness_error` is staleness_mean / (workers - 1) - 1; NaN for one worker, whom nobody makes stale.
    `replays_unequal`, of the table `reproducibility`, is repeats - replays_equal.
    """
    if column == "lost_score":
        return float(row["best_point_score"] - row["final_score"])
    if column == "replays_unequal":
        return float(row["repeats"] - row["replays_equal"])
    if column == "staleness_error":
        return float(row["staleness_mean"] / (row["workers"] - 1) - 1.0) if row["workers"] > 1 else float("nan")
    return float(row[column])


# What those are made of.
DERIVED = {
    "lost_score": ("best_point_score", "final_score"),
    "staleness_error": ("staleness_mean",),
    "replays_unequal": ("repeats", "replays_equal"),
}


def pairs(rows: Sequence[Row], runs: Sequence[Row], arm: Arm, against: Arm | None, swept: str | None) -> Iterator[Pair]:
    """The two arms in every game that has both.

    Args:
      rows: of the table tested.
      runs: of the table `runs`, which says what was oversubscribed.
      arm: the first.
      against: the second, if there is one.
      swept: the column of the study's sweep, if it has one.
    """
    crowded = crowded_places(runs)
    for game in dict.fromkeys(row["game"] for row in rows):
        mine = [[r for r in rows if (r["game"], r["variant"]) == (game, a.variant)] for a in (arm, against) if a]
        words = {a.workers for a in (arm, against) if a}
        if len(words) == 1:  # one word means one number, so that nothing else differs
            shared = set.intersection(*({row["workers"] for row in part} for part in mine))
            mine = [[row for row in part if row["workers"] in shared] for part in mine]
        sides = [_side(a, part, crowded, swept) for a, part in zip([arm, against], mine, strict=False) if a]
        if all(side.rows for side in sides) and len({side.name for side in sides}) == len(sides):
            over = any(place_of(row) in crowded for side in sides for row in side.rows)
            first, second = _up_to_one_time(sides) if len(sides) > 1 else (sides[0], None)
            yield Pair(str(game), first, second, over)


def crowded_places(runs: Sequence[Row]) -> set[Place]:
    """Where workers exceeded the cores, by the table `runs`."""
    return {place_of(run) for run in runs if run["oversubscribed"] == "yes"}


def place_of(row: Row) -> Place:
    """Whose row it is: game, variant, workers."""
    return row["game"], row["variant"], row["workers"]


def _side(arm: Arm, rows: Sequence[Row], crowded: set[Place], swept: str | None) -> Side:
    counts = {row["workers"] for row in rows}
    if arm.workers == "most_within_cores":
        counts = {row["workers"] for row in rows if place_of(row) not in crowded}
    if not counts:
        return Side(arm.variant, [], None)
    workers = {"fewest": min, "most": max, "most_within_cores": max}
    count = workers[arm.workers](counts) if isinstance(arm.workers, str) else arm.workers
    found = [row for row in rows if row["workers"] == count]
    name = f"{arm.variant}, {plural(int(count))}"
    if swept and arm.value is not None and found:
        point = _point(arm.value, sorted({float(row[swept]) for row in found}), count)
        found = [row for row in found if np.isclose(row[swept], point, rtol=1e-6, atol=0.0)]
        name += f", {swept} {point:g}"
    return Side(name, found, swept if arm.value is None else None)


def _point(value: float | str, points: Sequence[float], workers: int) -> float:
    match value:
        case "least":
            return points[0]
        case "greatest":
            return points[-1]
        case "natural":
            return min(reversed(points), key=lambda point: abs(point - (workers - 1)))
    return float(value)


def _up_to_one_time(sides: Sequence[Side]) -> tuple[Side, Side]:
    """Rows of a curve against seconds end with the last that both arms reach; others stay."""
    first, second = sides
    if "seconds" not in first.rows[0]:
        return first, second
    end = min(side.rows[-1]["seconds"] for side in sides)
    first, second = (s._replace(rows=[r for r in s.rows if r["seconds"] <= end] or s.rows[:1]) for s in sides)
    return first, second
