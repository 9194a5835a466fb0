"""Rows that hold one variant against another: by how much, and how often, its final score is higher."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.analysis.intervals import (
    Floats,
    bootstrap_interval,
    generator,
    improvement_interval,
    mean,
    percentile_interval,
    probability_of_improvement,
    resampled,
)
from a3c.analysis.score_tables import Row, with_interval

ALL_GAMES = "all games"

Seeds = dict[int, float]


def comparison_rows(runs: Sequence[dict[str, Any]], variants: Sequence[str]) -> list[Row]:
    """The table `comparison`: `variant` against `against` in final score, from the table `runs`.

    One row for each game, worker count and pair of variants, in the study's order. Where a pair shares several games,
    with equally many seeds in each, a row `all games` gives the probability of improvement over them, stratified by
    game; their scores have different scales, so it has no difference.
    """
    finals: dict[tuple[str, int, str], Seeds] = {}
    for run in runs:
        finals.setdefault((run["game"], run["workers"], run["variant"]), {})[run["seed"]] = run["final_score"]
    games = sorted({game for game, _, _ in finals})
    rows = []
    for workers, (variant, against) in itertools.product(
        sorted({workers for _, workers, _ in finals}), itertools.combinations(variants, 2)
    ):
        shared = [g for g in games if (g, workers, variant) in finals and (g, workers, against) in finals]
        names: Row = {"workers": workers, "variant": variant, "against": against}
        pairs = [(finals[g, workers, variant], finals[g, workers, against]) for g in shared]
        rows += [{"game": g} | names | _one_game(x, y) for g, (x, y) in zip(shared, pairs, strict=True)]
        if len(shared) > 1 and len({(len(x), len(y)) for x, y in pairs}) == 1:
            rows.append({"game": ALL_GAMES} | names | _all_games(pairs))
    order = {game: place for place, game in enumerate([*games, ALL_GAMES])}
    return sorted(rows, key=lambda row: order[str(row["game"])])


def _one_game(x: Seeds, y: Seeds) -> Row:
    """Paired by seed over the seeds that both have; with none in common, the difference of two independent means."""
    seeds = sorted(set(x) & set(y))
    if seeds:
        first, second = _matrix([x[s] for s in seeds]), _matrix([y[s] for s in seeds])
        interval = bootstrap_interval(first - second, mean, generator())
    else:
        first, second = _matrix(list(x.values())), _matrix(list(y.values()))
        interval = (np.nan, np.nan)
        if min(len(first), len(second)) > 1:
            draws = generator()
            interval = percentile_interval(mean(resampled(first, draws)) - mean(resampled(second, draws)))
    start: Row = {"n": min(len(first), len(second)), "paired": bool(seeds)}
    return (
        start | with_interval("difference", float(mean(first) - mean(second)), interval) | _improvement(first, second)
    )


def _all_games(pairs: Sequence[tuple[Seeds, Seeds]]) -> Row:
    """The probability of improvement over games, every seed of both; matrices [runs, games]."""
    first = np.array([list(x.values()) for x, _ in pairs]).T
    second = np.array([list(y.values()) for _, y in pairs]).T
    start: Row = {"n": min(len(first), len(second)), "paired": False}
    return start | with_interval("difference", np.nan, (np.nan, np.nan)) | _improvement(first, second)


def _improvement(first: Floats, second: Floats) -> Row:
    value = float(probability_of_improvement(first, second))
    return with_interval("probability_of_improvement", value, improvement_interval(first, second, generator()))


def _matrix(scores: Sequence[float]) -> Floats:
    return np.array(scores, dtype=np.float64)[:, None]
