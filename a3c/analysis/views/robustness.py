"""How much a swept setting matters: how many of its runs come close to the best, and which lose what they had learnt.

Figures 2 and S11 of Mnih et al. (2016), Figure 9 of its first version: a dot a run, its score against the value that
it was trained with. Where the study names one of these figures, every published cloud over the same setting stands
beside ours; a published point is one run, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from a3c.analysis.captions import number
from a3c.analysis.intervals import Floats
from a3c.analysis.outputs import groups
from a3c.analysis.profiles import proportion
from a3c.analysis.reading import read_run
from a3c.analysis.score_tables import Row, column, mean_with_interval, with_interval
from a3c.analysis.sweep_answers import sweep_answer
from a3c.analysis.verdicts import percent
from a3c.analysis.views.robustness_figures import best_runs, robustness
from a3c.analysis.views.robustness_published import Place, published_clouds, runs_of
from a3c.plan import Study
from a3c.records import run_folder

FIGURES = {"robustness": robustness, "best_runs": best_runs}

NEAR_BEST = 0.8  # of the range from the worst run to the best
LOST = 0.5  # of what was learnt at the best evaluation point


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The tables of the view: a row a game, worker count and variant; one a value of those; one a published run.

    Raises:
      InvalidInput: if the study names a published figure that there is not, or whose file is damaged.
    """
    swept = study.sweep.name if study.sweep else ""
    clouds = published_clouds(study)
    starts = untrained_scores(study, results)
    table, collapses, points = [], [], []
    for place, mine in by_place(study, base["runs"]).items():
        cloud = clouds.get(place)
        key: Row = {"game": place[0], "workers": place[1], "variant": place[2]}
        ours = _summary(column(mine, swept), column(mine, "final_score"), starts[place])
        lost = int(collapsed(mine, starts[place]).sum())
        table.append(key | ours | {"n_collapsed": lost} | _of_cloud(cloud))
        collapses += [key | row for row in _collapses(mine, swept, starts[place])]
        if cloud is not None:
            points += [key | {"value": x, "score": y} for x, y in zip(cloud["x"], cloud["score"], strict=True)]
    return {"robustness": table, "collapses": collapses, "robustness_published": points}


def by_place(study: Study, runs: Sequence[Row]) -> dict[Place, list[Row]]:
    """Rows of the table `runs`, by game, then workers, then variant in the study's order: all values together."""
    found: dict[Place, list[Row]] = {}
    for group in sorted(groups(study), key=lambda g: (g.game, g.workers, study.variants.index(g.variant))):
        found.setdefault((group.game, group.workers, group.variant), [])
    for run in runs:
        found[str(run["game"]), int(str(run["workers"])), str(run["variant"])].append(run)
    return found


def untrained_scores(study: Study, results: Path) -> dict[Place, float]:
    """The score before learning: the mean, over runs, of the first training episodes of each of their environments.

    The first to end would be the shortest; the first of each environment are not chosen by how long they last. They
    begin with the first parameters and, in a short game, end with them. NaN if no episode ended.
    """
    found = {}
    for place, runs in runs_of(study).items():
        means = []
        for run in runs:
            path = read_run(run, results).path / run_folder.EPISODES
            episodes = pd.read_csv(path, usecols=["worker", "env", "score"])
            means.append(episodes.groupby(["worker", "env"])["score"].first().mean())
        known = np.array(means, dtype=np.float64)
        found[place] = float(np.nanmean(known)) if np.isfinite(known).any() else np.nan
    return found


def _summary(values: Floats, scores: Floats, untrained: float) -> Row:
    """What runs come to, from each one's value and final score, both float64 [runs].

    A run is good if  score >= min + 0.8 (max - min)  over these runs, and above the untrained level where it is known.
    """
    least = float(scores.min() + NEAR_BEST * (scores.max() - scores.min()))
    good = (scores >= least) & ((scores > untrained) | np.isnan(untrained))
    share, interval = proportion(int(good.sum()), len(scores))
    near = values[good] if good.any() else np.array([np.nan])
    return {
        "runs": len(scores),
        "untrained": untrained,
        "best": float(scores.max()),
        "best_value": float(values[scores.argmax()]),
        "good_score": least,
        **with_interval("share_good", share, interval),
        "good_from": float(near.min()),
        "good_to": float(near.max()),
        **mean_with_interval("area", scores),
    }


def collapsed(runs: Sequence[Row], untrained: float) -> NDArray[np.bool_]:
    """Which runs ended with less than half of what they had learnt at their best evaluation point; [runs].

        best > untrained  and  final - untrained < (best - untrained) / 2

    Args:
      runs: rows of the table `runs`.
      untrained: the score before training; nobody is known to have learnt anything if it is NaN.
    """
    best, final = column(runs, "best_point_score"), column(runs, "final_score")
    return np.asarray((best > untrained) & (final - untrained < LOST * (best - untrained)))


def _collapses(mine: Sequence[Row], swept: str, untrained: float) -> list[dict[str, Any]]:
    """The table `collapses` of one place: a row a value, ascending."""
    found = []
    for value in sorted(set(column(mine, swept))):
        runs = [run for run in mine if run[swept] == value]
        count = int(collapsed(runs, untrained).sum())
        share = with_interval("share_collapsed", *proportion(count, len(runs)))
        found.append({swept: value, "runs": len(runs), "n_collapsed": count} | share)
    return found


def _of_cloud(cloud: pd.DataFrame | None) -> Row:
    names = ("runs", "best", "share_good", "good_from", "good_to", "area")
    if cloud is None:
        return {f"published_{name}": None for name in names}
    found = _summary(cloud["x"].to_numpy(), cloud["score"].to_numpy(), np.nan)
    return {f"published_{name}": found[name] for name in names}


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    """How many runs are good, and where; if values share seeds, the difference they make and what is lost at each.

    Args:
      study: with a sweep.
      tables: `robustness`, `sweep` and `runs`.
    """
    name = study.sweep.label if study.sweep else ""
    records = tables["robustness"].to_dict("records")
    if tables["sweep"]["n_paired"].isna().all():
        return " ".join(_sentence(row, name) for row in records)
    swept = study.sweep.name if study.sweep else ""
    return " ".join([sweep_answer(study, tables["sweep"]), *(_losses(row, tables["runs"], swept) for row in records)])


def _losses(row: Mapping[str, Any], runs: pd.DataFrame, swept: str) -> str:
    same = (runs["game"] == row["game"]) & (runs["workers"] == row["workers"]) & (runs["variant"] == row["variant"])
    counted = _collapses(runs[same].to_dict("records"), swept, row["untrained"])
    counts = ", ".join(f"{one['n_collapsed']} of {one['runs']} at {number(one[swept])}" for one in counted)
    return f"Runs of {row['variant']} in {row['game']} that lost more than half of what they had learnt: {counts}."


def _sentence(row: Mapping[Any, Any], name: str) -> str:
    where = f"{row['variant']} in {row['game']}"
    if row["share_good"] == 0:
        return f"{where}: no run of {row['runs']} ends above the level before training."
    text = (
        f"{where}: {percent(row['share_good'])} of {row['runs']} runs end within {percent(1 - NEAR_BEST)} of the range "
        f"below the best, at {name} {_range(row, 'good')}"
    )
    text += f"; {int(row['n_collapsed'])} lost more than half of what they had learnt"
    if not pd.isna(row["published_share_good"]):
        share = percent(row["published_share_good"])
        text += f" (published: {share} of {int(row['published_runs'])}, {_range(row, 'published_good')})"
    return f"{text}."


def _range(row: Mapping[Any, Any], name: str) -> str:
    """`0.001 to 0.004`, or the one value."""
    return " to ".join(dict.fromkeys(number(row[f"{name}_{end}"]) for end in ("from", "to")))
