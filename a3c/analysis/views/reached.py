"""Which share of the runs ever reached a goal, and after how many frames, against the number of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from a3c.analysis.captions import number, plural
from a3c.analysis.intervals import NOTHING, Interval
from a3c.analysis.outputs import groups
from a3c.analysis.profiles import proportion
from a3c.analysis.reading import Floats, RunFolder, read_run
from a3c.analysis.score_tables import Row, with_interval
from a3c.analysis.verdicts import FEWEST_SEEDS, with_ends
from a3c.analysis.views.reached_figures import reached
from a3c.plan import Study

FIGURES = {"reached": reached}

# The score of an episode that got there: of CartPole, what Gymnasium calls solved.
GOAL_SCORES = {"CartPole-v1": 475.0, "Corridor": 1.0, "SparseGrid": 1.0}


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the table `reached`.

    Args:
      study: of games whose goal is known.
      results: the folder that holds `runs/`.
      base: unused, since only episodes say when the goal was reached.

    Raises:
      ValueError: if a game has no goal here.
    """
    del base
    unknown = {group.game for group in groups(study)} - set(GOAL_SCORES)
    if unknown:
        names, known = ", ".join(sorted(unknown)), ", ".join(GOAL_SCORES)
        raise ValueError(f"study {study.name}: `reached` knows no goal of {names}, but only of {known}")
    found = []
    for group in groups(study):
        goal = GOAL_SCORES[group.game]
        runs = [read_run(run, results) for run in group.runs]
        found.append({**group.key, "n": len(runs), "goal_score": goal, **_reached(runs, goal)})
    return {"reached": found}


def _reached(runs: Sequence[RunFolder], goal: float) -> Row:
    first = np.array([_first_frames(run, goal) for run in runs])
    reached_runs = int(np.isfinite(first).sum())
    mastered_runs = sum(bool((run.evaluations[1] >= goal).any()) for run in runs)
    return {
        "n_reached": reached_runs,
        **with_interval("reached", *proportion(reached_runs, len(runs))),
        **with_interval("frames_to_reach", float(np.median(first)), median_interval(first)),
        "n_mastered": mastered_runs,
        **with_interval("mastered", *proportion(mastered_runs, len(runs))),
    }


def _first_frames(run: RunFolder, goal: float) -> float:
    """Frames at the end of the first training episode that reached the goal; infinity if none did."""
    reaching = run.episodes.frames[run.episodes.score >= goal]
    return float(reaching[0]) if len(reaching) else np.inf


def median_interval(values: Floats) -> Interval:
    """The median's interval between two order statistics, which holds for any distribution and with censored values.

        (x_(j), x_(n + 1 - j)),   the greatest j with  P(B < j) <= 2.5%,   B ~ Binomial(n, 1/2)

    It covers the median in 95% of cases or more. Source: Thompson (1936), On confidence ranges for the median.

    Args:
      values: [n], infinite where a run ended first.

    Returns:
      Lower and upper end, which may be infinite; NaN twice with fewer than six values, of which no two do.
    """
    ordered, below, rank = np.sort(values), 0.0, 0
    while (below := below + comb(len(ordered), rank) / 2 ** len(ordered)) <= 0.025:
        rank += 1
    return (float(ordered[rank - 1]), float(ordered[-rank])) if rank else NOTHING


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """The share with the most workers against that with the fewest, of each game, variant and value of a sweep.

    Args:
      study: whose tables.
      tables: by name.
    """
    keys = ["game", "variant", *([study.sweep.name] if study.sweep else [])]
    sentences = []
    for key, mine in tables["reached"].groupby(keys, sort=False):
        ordered = mine.sort_values("workers").to_dict("records")
        if len(ordered) > 1:
            where = f"{key[1]} in {key[0]}"
            if study.sweep:
                where += f", {study.sweep.label} {number(key[2])}"
            sentences.append(f"{where}: {_against(ordered[0], ordered[-1])}.")
    return " ".join(sentences) or None


def _against(fewest: Mapping[str, Any], most: Mapping[str, Any]) -> str:
    """Intervals that do not overlap are decided; that is stricter than a test, and needs none."""
    said = ", ".join(
        f"with {plural(int(row['workers']))} {int(row['n_reached'])} of {int(row['n'])} runs reach the goal "
        f"({with_ends(row, 'reached')})"
        for row in (most, fewest)
    )
    enough = min(most["n"], fewest["n"]) >= FEWEST_SEEDS
    if enough and most["reached_lo"] > fewest["reached_hi"]:
        return f"{said}: more"
    if enough and most["reached_hi"] < fewest["reached_lo"]:
        return f"{said}: fewer"
    return f"{said}: undecided at n = {int(min(most['n'], fewest['n']))}"
