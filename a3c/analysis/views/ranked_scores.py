"""Runs sorted by score: how much luck with a swept setting each variant asks for.

Figure S5 of Mnih et al. (2016): the best run at the left, the worst at the right. Ranks are fractions here, so that
different numbers of runs can be held against each other. The mean over all runs is the area under the curve. Runs of
two variants with the same value and seed make a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from a3c.analysis import published
from a3c.analysis.captions import number
from a3c.analysis.differences import paired_mean_difference
from a3c.analysis.published import EXPERIMENTS
from a3c.analysis.score_tables import Row, column, mean_with_interval, with_interval
from a3c.analysis.verdicts import verdict, with_ends
from a3c.analysis.views.ranked_scores_figures import ranked_scores
from a3c.analysis.views.robustness import by_place
from a3c.analysis.views.robustness_published import method_of
from a3c.plan import Study

FIGURES = {"ranked_scores": ranked_scores}

FIGURE = "S5"

Ranked = dict[tuple[str, str, str], pd.DataFrame]  # of a game, method and optimizer


def rows(study: Study, results: object, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The tables `ranked_area`, a row a game, worker count and variant, and `ranked_scores`, a row a run.

    `difference` is a variant's mean minus that of the study's first variant of the same method.

    Raises:
      InvalidInput: if the file of the published figure is damaged.
    """
    swept = study.sweep.name if study.sweep else ""
    curves = _published(study)
    kinds = {run.variant: method_of(run.settings) for run in study.runs}
    areas: list[Row] = []
    ranks: list[Row] = []
    first: dict[tuple[str, int, str], tuple[str, list[Row]]] = {}
    for (game, workers, variant), mine in by_place(study, base["runs"]).items():
        method, optimizer = kinds[variant]
        key: Row = {"game": game, "workers": workers, "method": method, "optimizer": optimizer, "variant": variant}
        against, others = first.setdefault((game, workers, method), (variant, mine))
        area: Row = {**key, "runs": len(mine)} | mean_with_interval("area", column(mine, "final_score"))
        areas.append(area | _gain(mine, [] if against == variant else others, against, swept))
        areas[-1] |= _of_published(curves, game, method, optimizer, kinds[against][1])
        ranks += [key | row for row in _ranked(column(mine, "final_score"), "ours")]
        if (game, method, optimizer) in curves:
            scores = curves[game, method, optimizer]["score"].to_numpy(dtype=np.float64)
            ranks += [key | row for row in _ranked(scores, "published")]
    return {"ranked_area": areas, "ranked_scores": ranks}


def _ranked(scores: np.ndarray, source: str) -> list[Row]:
    """Scores from the best to the worst; the k-th of n stands at (k - 1/2) / n."""
    ordered = np.sort(scores)[::-1]
    return [
        {"source": source, "rank": k, "rank_fraction": (k - 0.5) / len(ordered), "score": float(score)}
        for k, score in enumerate(ordered, start=1)
    ]


def _gain(mine: Sequence[Row], others: Sequence[Row], against: str, swept: str) -> Row:
    """The mean over pairs of a run's score minus that of the run with the same value and seed."""
    x, y = ({(run[swept], run["seed"]): run["final_score"] for run in runs} for runs in (mine, others))
    pairs = [pair for pair in x if pair in y]
    if not pairs:
        nothing = with_interval("difference", np.nan, (np.nan, np.nan))
        return {"against": against if others else None, "n_paired": None} | nothing
    ours, theirs = (np.array([scores[pair] for pair in pairs], dtype=np.float64) for scores in (x, y))
    found = paired_mean_difference(ours, theirs)
    return {"against": against, "n_paired": len(pairs)} | with_interval("difference", *found)


def _published(study: Study) -> Ranked:
    if study.published != FIGURE:
        return {}
    every = published.ranked_scores(EXPERIMENTS)
    return {
        (str(game), str(m), str(o)): curve for (game, m, o), curve in every.groupby(["game", "method", "optimizer"])
    }


def _of_published(curves: Ranked, game: str, method: str, optimizer: str, against: str) -> Row:
    """The published area, and by how much it exceeds that of the optimizer which ours is held against."""
    area, other = (
        float(curves[game, method, name]["score"].mean()) if (game, method, name) in curves else np.nan
        for name in (optimizer, against)
    )
    return {"published_area": area, "published_difference": np.nan if optimizer == against else area - other}


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """By how much the mean score of each variant differs from that of the first of its method.

    Args:
      study: with a sweep.
      tables: `ranked_area`.
    """
    table = tables["ranked_area"]
    held = table[table["n_paired"].notna()]
    if held.empty:
        return None
    sentences = []
    for (game, method), mine in held.groupby(["game", "method"], sort=False):
        clauses = "; ".join(map(_clause, mine.to_dict("records")))
        sentences.append(f"{method} in {game}, mean over all learning rates: {clauses}.")
    return " ".join(sentences)


def _clause(row: Mapping[str, Any]) -> str:
    found = verdict(row, "difference", 0.0, "n_paired")
    text = f"{row['variant']} against {row['against']} is {found} (difference {with_ends(row, 'difference')}"
    if not pd.isna(row["published_difference"]):
        text += f"; published {number(row['published_difference'])}"
    return f"{text})"
