"""Scores along a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, seeds, short
from a3c.plan import Study

SPREAD = 0.1  # of a doubling, between the variants' points at one value
SCORES = {"final_score": "final score", "mean_score": "mean score"}


def sweep(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The final score (above) and the mean over all evaluation points (below) against the swept value."""
    table, runs = tables["sweep"], tables["runs"]
    places = list(dict.fromkeys(zip(table["game"], table["workers"], strict=True)))
    caption = (
        "Above the mean score of the last evaluation point, below that of all points, the area under the evaluation "
        f"curve. A pale dot a seed ({seeds(table)} a value); means over seeds with 95% t intervals"
        f"{'; one seed has no interval' if int(table['n'].min()) == 1 else ''}. The axis is logarithmic, with 0 one "
        "doubling below the least other value." + overload(runs)
    )
    handles = style.legends(study, table["variant"])
    figure, axes = style.panels(style.stacked(len(SCORES), len(places)), caption, handles, size=(2.9, 1.9))
    for stack, (game, workers) in zip(style.stacks(axes, len(SCORES), len(places)), places, strict=True):
        mine, own = (frame[(frame["game"] == game) & (frame["workers"] == workers)] for frame in (table, runs))
        apart = len({count for name, count in places if name == game}) > 1
        stack[0].set_title(f"{short(game, 20)}, {plural(workers)}" if apart else short(game), loc="left")
        for ax, (name, label) in zip(stack, SCORES.items(), strict=True):
            draw_along(study, ax, mine, own, name)
            if ax.get_subplotspec().is_first_col():
                ax.set_ylabel(label)
        stack[-1].set_xlabel(swept_label(study))
    return figure


def positions(points: Sequence[float]) -> dict[float, float]:
    """Where each value stands: at its logarithm to base 2, and 0 one doubling below the least other.

    Values of which one is negative stand equally far apart.
    """
    ordered = sorted(set(points))
    above = [point for point in ordered if point > 0]
    if ordered[0] < 0 or not above:
        return {point: float(place) for place, point in enumerate(ordered)}
    return {point: float(np.log2(point if point > 0 else above[0] / 2)) for point in ordered}


def swept_label(study: Study) -> str:
    """What an axis of swept values is called, with its unit."""
    if not study.sweep:
        return ""
    return f"{study.sweep.label} ({study.sweep.unit})" if study.sweep.unit else study.sweep.label


def draw_along(study: Study, ax: Axes, table: pd.DataFrame, runs: pd.DataFrame, name: str) -> None:
    """A line a variant along the sweep, with intervals and a pale dot a seed.

    Args:
      study: whose colors, and whose sweep.
      ax: where.
      table: rows of one game and worker count from `sweep`.
      runs: the same from `runs`.
      name: of the score, one of `SCORES`.
    """
    swept = study.sweep.name if study.sweep else ""
    place, palette = positions(table[swept].tolist()), style.colors(study)
    variants = list(dict.fromkeys(table["variant"]))
    for index, variant in enumerate(variants):
        shift = SPREAD * (index - (len(variants) - 1) / 2)
        rows, dots = table[table["variant"] == variant], runs[runs["variant"] == variant]
        x, near = (np.array([place[point] + shift for point in frame[swept]]) for frame in (rows, dots))
        color = palette[variant]
        ax.plot(near, dots[name].to_numpy(), "o", color=color, alpha=0.35, markersize=2.5, markeredgewidth=0)
        ax.plot(x, rows[name].to_numpy(), "-", color=color, zorder=2.5)
        ax.vlines(x, rows[f"{name}_lo"].to_numpy(), rows[f"{name}_hi"].to_numpy(), color=color, linewidth=1.6)
        ax.plot(x, rows[name].to_numpy(), "D", color=color, markersize=4.0, markeredgecolor="white", zorder=3)
    ax.set_xticks(list(place.values()), [number(point) for point in place])
    ax.set_xlim(min(place.values()) - 0.4, max(place.values()) + 0.4)
    ax.yaxis.set_major_formatter(number)
