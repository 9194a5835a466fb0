"""Rows about a sweep: scores at each value of the swept setting, and by how much they differ from the first's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.analysis.intervals import student_interval
from a3c.analysis.outputs import Group
from a3c.analysis.score_tables import Row, column, mean_with_interval, with_interval

Seeds = dict[int, float]


def sweep_rows(runs: Sequence[dict[str, Any]], groups: Sequence[Group]) -> list[Row]:
    """The table `sweep`, from the table `runs`: a row a group.

    `mean_score` is the mean over a run's evaluation points: the area under its evaluation curve over the budget.
    `difference` is its mean at this value minus that at the first value of the same game, variant and worker count,
    paired over the `n_paired` seeds that both have; empty in the row of the first value itself.
    """
    rows: list[Row] = []
    first: dict[tuple[str, str, int], Seeds] = {}
    for group in groups:  # values ascend
        mine = [run for run in runs if all(run[name] == value for name, value in group.key.items())]
        scores = {run["seed"]: run["mean_score"] for run in mine}
        base = first.setdefault((group.game, group.variant, group.workers), scores)
        row: Row = {**group.key, "n": len(mine)}
        for name in ("final_score", "mean_score"):
            row |= mean_with_interval(name, column(mine, name))
        rows.append(row | _difference(scores, {} if base is scores else base))
    return rows


def _difference(scores: Seeds, base: Seeds) -> Row:
    gains = np.array([scores[seed] - base[seed] for seed in sorted(set(scores) & set(base))], dtype=np.float64)
    value = float(gains.mean()) if len(gains) else np.nan
    return {"n_paired": len(gains) or None} | with_interval("difference", value, student_interval(gains))
