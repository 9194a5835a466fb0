"""Rows that hold one variant against another: by how much, and how often, its final score is higher."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.analysis.differences import paired_mean_difference, unpaired_mean_difference
from a3c.analysis.intervals import Floats, generator, improvement_interval, probability_of_improvement
from a3c.analysis.power import pooled_deviation, smallest_detectable_difference
from a3c.analysis.score_tables import Row, with_interval

ALL_GAMES = "all games"
EQUAL_FRAMES, EQUAL_TIME = "equal frames", "equal wall-clock"
SCORES = {EQUAL_FRAMES: "final_score", EQUAL_TIME: "equal_time_score"}

Seeds = dict[int, float]


def comparison_rows(runs: Sequence[dict[str, Any]], variants: Sequence[str]) -> list[Row]:
    """The table `comparison`: `variant` against `against` in score, from the table `runs`.

    `at` equal frames it is the final score that is compared, of variants whose runs have equal budgets; at equal
    wall-clock, if runs were timed, their score when the fastest had finished. A variant that lacks the score in any of
    its runs is compared with none: those that have it are its fastest. One row for each game, worker count and pair of
    variants, in the study's order. Where a
    pair shares several games, with equally many seeds in each, a row `all games` gives the probability of improvement
    over them, stratified by game; their scores have different scales, so it has no difference.
    """
    rows = []
    for at, score in SCORES.items():
        lacking = {_group(run) for run in runs if np.isnan(run[score])}
        scored = [run for run in runs if _group(run) not in lacking]
        rows += [{"at": at} | row for row in _rows(scored, score, variants, at == EQUAL_FRAMES)]
    order = {game: place for place, game in enumerate([*sorted({run["game"] for run in runs}), ALL_GAMES])}
    return sorted(rows, key=lambda row: order[str(row["game"])])


def _group(run: dict[str, Any]) -> tuple[str, int, str]:
    return run["game"], run["workers"], run["variant"]


def _rows(runs: Sequence[dict[str, Any]], score: str, variants: Sequence[str], equal_budgets: bool) -> list[Row]:
    finals: dict[tuple[str, int, str], Seeds] = {}
    budgets = {_group(run): run["budget_frames"] for run in runs}
    for run in runs:
        finals.setdefault(_group(run), {})[run["seed"]] = run[score]
    games = sorted({game for game, _, _ in finals})
    rows = []
    for workers, (variant, against) in itertools.product(
        sorted({workers for _, workers, _ in finals}), itertools.combinations(variants, 2)
    ):
        shared = [g for g in games if (g, workers, variant) in finals and (g, workers, against) in finals]
        if equal_budgets:
            shared = [g for g in shared if budgets[g, workers, variant] == budgets[g, workers, against]]
        names: Row = {"workers": workers, "variant": variant, "against": against}
        pairs = [(finals[g, workers, variant], finals[g, workers, against]) for g in shared]
        rows += [{"game": g} | names | _one_game(x, y) for g, (x, y) in zip(shared, pairs, strict=True)]
        if len(shared) > 1 and len({(len(x), len(y)) for x, y in pairs}) == 1:
            rows.append({"game": ALL_GAMES} | names | _all_games(pairs))
    return rows


def _one_game(x: Seeds, y: Seeds) -> Row:
    """Paired by seed over the seeds that both have; with none in common, the difference of two independent means."""
    seeds = sorted(set(x) & set(y))
    first = np.array([x[seed] for seed in seeds or x])
    second = np.array([y[seed] for seed in seeds or y])
    n, deviation = min(len(first), len(second)), pooled_deviation(first, second)
    start: Row = {"n": n, "paired": bool(seeds), "detectable_difference": smallest_detectable_difference(deviation, n)}
    difference = (paired_mean_difference if seeds else unpaired_mean_difference)(first, second)
    return start | with_interval("difference", *difference) | _improvement(first[:, None], second[:, None])


def _all_games(pairs: Sequence[tuple[Seeds, Seeds]]) -> Row:
    """The probability of improvement over games, every seed of both; matrices [runs, games]."""
    first = np.array([list(x.values()) for x, _ in pairs]).T
    second = np.array([list(y.values()) for _, y in pairs]).T
    start: Row = {"n": min(len(first), len(second)), "paired": False, "detectable_difference": np.nan}
    return start | with_interval("difference", np.nan, (np.nan, np.nan)) | _improvement(first, second)


def _improvement(first: Floats, second: Floats) -> Row:
    value = float(probability_of_improvement(first, second))
    return with_interval("probability_of_improvement", value, improvement_interval(first, second, generator()))
