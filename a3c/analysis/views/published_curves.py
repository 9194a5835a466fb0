"""Our learning curves beside those of Mnih et al. (2016), on the axis of the figure that the study names.

The figure's number stands in the study's `published`. Ours are the study's mean training curves; the paper's are read
off its drawings (see `a3c.analysis.published`), and between two of its points a straight line is taken. A published
point is no mean over seeds: it is one over the best few of 50 learning rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from a3c.analysis import published
from a3c.analysis.captions import number, plural
from a3c.analysis.outputs import groups
from a3c.analysis.published import EPOCH_FRAMES, EXPERIMENTS
from a3c.analysis.reading import Floats
from a3c.analysis.score_tables import Row, column, with_interval
from a3c.analysis.verdicts import with_ends
from a3c.analysis.views.published_curves_figures import SUPPLEMENTS, published_curves
from a3c.analysis.views.published_curves_methods import (
    STAND_INS,
    published_method,
    variants_by_method,
)
from a3c.plan import Study

FIGURES = {"published_curves": published_curves}

# Their captions name the number of threads, their lines do not; DQN had a GPU.
ALL_OF_16_THREADS = ("1", "v1-1")
# Figure S6 is known by its end alone: TORCS, whose scores are on another scale than those of any game here.
RACING = "S6"

_SCORE = ("score_mean", "score_mean_lo", "score_mean_hi")


class Line(NamedTuple):
    """One curve of ours, one published, or both.

    Attributes:
      key: game, variant and workers, which are None where the paper names no number of threads.
      n: seeds; 0 without a curve of ours.
      x: float64 [points], where ours has values, ascending.
      scores: float64 [points, 3], ours and its interval.
      published_x: float64 [published points], ascending.
      published_score: float64 [published points].
    """

    key: Row
    n: int
    x: Floats
    scores: Floats
    published_x: Floats
    published_score: Floats


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the tables `published_curves` and `against_published`.

    Args:
      study: without a sweep, its `published` naming a figure.
      results: unused; everything of ours stands in the standard tables.
      base: the rows of its standard tables.

    Raises:
      ValueError: if the study names no figure.
      InvalidInput: if there is no such figure, or its file is missing or damaged.
    """
    if study.published is None:
        raise ValueError(f"study {study.name}: the view published_curves needs `published`, a figure of the paper")
    racing = study.published == RACING
    points = pd.DataFrame(columns=["game", "method", "threads", "x", "score"]) if racing else _points(study.published)
    unit = axis_of(study.published)
    lines = _lines(study, base, points, unit)
    ours = {run.settings.game for run in study.runs}
    against = [{"unit": unit} | _against_row(line) for line in lines if line.key["game"] in ours]
    return {
        "published_curves": [row for line in lines for row in _curve_rows(line, unit)],
        "against_published": against + (_racing_rows(unit) if racing else []),
    }


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Where ours stand beside the paper's curve at their last points, if the study compares no variants.

    Args:
      study: with the view.
      tables: by name.
    """
    table = tables["against_published"]
    found = table[(table["n"] > 0) & table["difference"].notna()]
    if len(study.variants) > 1 or found.empty:
        return None
    sentences = [
        f"In {row['game']} after {number(row['x'])} {str(row['unit']).replace('_', ' ')}, {row['variant']} with "
        f"{plural(int(row['workers']))} scores {with_ends(row, 'score_mean')} (n = {row['n']}); the paper's curve "
        f"stands at {number(row['published_score'])} there."
        for row in found.to_dict("records")
    ]
    return " ".join(sentences)


def axis_of(figure: str) -> str:
    """What runs along the axis of a published figure: `epochs`, `hours` or `million_training_steps`."""
    return "hours" if figure == RACING else published.FIGURES[figure].x


def _points(figure: str) -> pd.DataFrame:
    names = [figure, *([SUPPLEMENTS[figure]] if figure in SUPPLEMENTS else [])]
    points = pd.concat([published.curves(name, EXPERIMENTS) for name in names])
    if figure in ALL_OF_16_THREADS:
        points.loc[points["method"] != "DQN", "threads"] = 16
    return points


def _lines(study: Study, base: Mapping[str, list[Row]], points: pd.DataFrame, unit: str) -> list[Line]:
    """By game: first our groups, then what only the paper has; without a common game, all of its games as well.

    Other methods than ours are shown where the study has several, and not beside one alone.
    """
    left = {
        (game, method, None if pd.isna(threads) else int(threads)): (curve["x"].to_numpy(), curve["score"].to_numpy())
        for (game, method, threads), curve in points.groupby(["game", "method", "threads"], dropna=False, sort=False)
    }
    names, every = variants_by_method(study), groups(study)
    if len(names) == 1:
        left = {place: curve for place, curve in left.items() if place[1] in names}
    games = list(dict.fromkeys(group.game for group in every))
    found = []
    for game in games if _played(points, games) else [*games, *points["game"].unique()]:
        shown = {place[1:]: curve for place, curve in left.items() if place[0] == STAND_INS.get(game, game)}
        taken = set()
        for group in (group for group in every if group.game == game):
            method = published_method(group.runs[0])
            place = next((p for p in ((method, group.workers), (method, None)) if p in shown), None)
            taken.add(place)
            x, scores, n = _ours(group.key, base, unit, group.runs[0].settings.action_repeat)
            found.append(Line(group.key, n, x, scores, *(shown[place] if place else (np.empty(0), np.empty(0)))))
        for (method, threads), curve in shown.items():
            if (method, threads) not in taken:
                key = {"game": game, "variant": names.get(str(method), method), "workers": threads}
                found.append(Line(key, 0, np.empty(0), np.empty((0, 3)), *curve))
    return found


def _played(points: pd.DataFrame, games: list[str]) -> bool:
    """Whether the paper's figure has one of our games; if not, all of its own are shown beside ours."""
    return bool(points["game"].isin([STAND_INS.get(game, game) for game in games]).any())


def _ours(key: Row, base: Mapping[str, list[Row]], unit: str, action_repeat: int) -> tuple[Floats, Floats, int]:
    """One group's curve where it has values, on the paper's axis: x, scores and the number of seeds."""
    table, axis, divisor = {
        "epochs": ("learning_curves", "frames", float(EPOCH_FRAMES)),
        "million_training_steps": ("learning_curves", "frames", 1e6 * action_repeat),
        "hours": ("learning_curves_time", "seconds", 3600.0),
    }[unit]
    mine = [row for row in base[table] if all(row[name] == value for name, value in key.items())]
    scores = np.stack([column(mine, name) for name in _SCORE], axis=1)
    known = np.isfinite(scores[:, 0])
    return column(mine, axis)[known] / divisor, scores[known], int(str(mine[0]["n"]))


def _curve_rows(line: Line, unit: str) -> list[Row]:
    """Where either curve has a point: ours only at its own points, the published one anywhere in its range."""
    places = np.union1d(line.x, line.published_x)
    ours = np.full((len(places), 3), np.nan)
    ours[np.searchsorted(places, line.x)] = line.scores
    theirs = published_at(line, places)
    return [
        {**line.key, "unit": unit, "x": float(x), "n": line.n}
        | with_interval("score_mean", float(score[0]), (float(score[1]), float(score[2])))
        | {"published_score": float(other)}
        for x, score, other in zip(places, ours, theirs, strict=True)
    ]


def published_at(line: Line, places: Floats) -> Floats:
    """The published score at some x, float64 [places]; NaN outside its range, or without one."""
    if not len(line.published_x):
        return np.full(len(places), np.nan)
    return np.interp(places, line.published_x, line.published_score, left=np.nan, right=np.nan)


def _against_row(line: Line) -> Row:
    """Ours at its last point, or at the last that the published curve reaches, and the published score there."""
    end = float(line.published_x[-1]) if len(line.published_x) else np.nan
    inside = np.flatnonzero(line.x <= end) if np.isfinite(end) else np.arange(len(line.x))
    last = int(inside[-1]) if len(inside) else None
    x = np.nan if last is None else float(line.x[last])
    score = np.full(3, np.nan) if last is None else line.scores[last]
    theirs = float(published_at(line, np.array([x]))[0])
    return {
        **line.key,
        "n": line.n,
        "x": x,
        **with_interval("score_mean", float(score[0]), (float(score[1]), float(score[2]))),
        "published_score": theirs,
        "difference": float(score[0]) - theirs,
        "published_end_x": end,
        "published_end_score": float(line.published_score[-1]) if len(line.published_score) else np.nan,
    }


def _racing_rows(unit: str) -> list[Row]:
    empty = Line({}, 0, np.empty(0), np.empty((0, 3)), np.empty(0), np.empty(0))
    return [
        {"game": f"TORCS, {setting}", "variant": player, "workers": None, "unit": unit}
        | _against_row(empty)
        | {"published_end_score": float(score)}
        for setting, scores in published.racing_scores(EXPERIMENTS).iterrows()
        for player, score in scores.items()
    ]
