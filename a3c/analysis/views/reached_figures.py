"""The share of runs that reached a goal, and the frames that they took, against workers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from a3c.analysis import style
from a3c.analysis.captions import frame_unit, number, overload, seeds, short
from a3c.analysis.turn_figures import marks, points
from a3c.plan import Study

SPREAD = 0.07  # of a doubling, between the series' points at one worker count


def reached(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Above the share of runs, below the median frames to the goal: a column of panels a game."""
    runs = tables["runs"]
    crowded = runs.groupby(["game", "variant", "workers"])["oversubscribed"].max().reset_index()
    table = tables["reached"].merge(crowded, on=["game", "variant", "workers"], validate="many_to_one")
    games = list(dict.fromkeys(table["game"]))
    caption = (
        f"Above: the share of runs ({seeds(table)} a point) of which a training episode reached the goal within the "
        "budget, with Wilson's 95% intervals. Below: the median over runs of the frames to the first such episode, "
        "with its 95% interval between two of the runs (an arrow: beyond the budget); no point where half of the runs "
        "or more never came there." + overload(runs)
    )
    handles = [*_series_legend(study, table), *marks(table)]
    figure, axes = style.panels(style.stacked(2, len(games)), caption, handles, size=(2.9, 1.9))
    for stack, game in zip(style.stacks(axes, 2, len(games)), games, strict=True):
        stack[0].set_title(short(game), loc="left")
        _draw(study, stack, table[table["game"] == game])
        if stack[0].get_subplotspec().is_first_col():
            stack[0].set_ylabel("share of runs")
    return figure


def _color(study: Study, table: pd.DataFrame, variant: str, point: float | None) -> style.Color:
    """A variant's, paler for lower values of a sweep."""
    color = style.colors(study)[variant]
    if point is None or not study.sweep:
        return color
    ordered = sorted(set(table[study.sweep.name]))
    return style.shade(color, ordered.index(point), range(len(ordered)))


def _series(study: Study, table: pd.DataFrame) -> list[tuple[str, float | None, pd.DataFrame]]:
    """What is joined by a line: variant, value of the sweep if there is one, rows by ascending workers."""
    if study.sweep:
        grouped = table.groupby(["variant", study.sweep.name], sort=False)
        return [(str(key[0]), float(key[1]), rows.sort_values("workers")) for key, rows in grouped]
    return [(str(key), None, rows.sort_values("workers")) for key, rows in table.groupby("variant", sort=False)]


def _series_legend(study: Study, table: pd.DataFrame) -> list[list[Line2D]]:
    several = table["variant"].nunique() > 1
    handles = []
    for variant, point in dict.fromkeys((variant, point) for variant, point, _ in _series(study, table)):
        words = [variant] if several or point is None else []
        if point is not None and study.sweep:
            words.append(f"{study.sweep.label} {number(point)}")
        color = _color(study, table, variant, point)
        handles.append(Line2D([], [], color=color, label=", ".join(words), linewidth=2.2))
    return [handles]


def _draw(study: Study, stack: list[Axes], table: pd.DataFrame) -> None:
    series = _series(study, table)
    finite = table["frames_to_reach"].replace(np.inf, np.nan)
    unit, label = frame_unit(float(finite.max()) if finite.notna().any() else 1.0)
    for index, (variant, point, rows) in enumerate(series):
        shift = 2.0 ** (SPREAD * (index - (len(series) - 1) / 2))
        color = _color(study, table, variant, point)
        points(stack[0], rows, "reached", color, rows["workers"].to_numpy(dtype=float) * shift)
        came = rows[np.isfinite(rows["frames_to_reach"])]
        points(stack[1], came, "frames_to_reach", color, came["workers"].to_numpy(dtype=float) * shift, unit)
    for ax in stack:
        style.log2_axis(ax, sorted(set(table["workers"])))
    stack[0].set_ylim(-0.04, 1.04)
    if finite.notna().any():
        stack[1].set_ylim(0, None)
        stack[1].yaxis.set_major_formatter(number)
    else:
        style.empty(stack[1], "nowhere half of the runs")
    stack[1].set_ylabel(f"{label.replace('frames', 'frames to goal')}")
