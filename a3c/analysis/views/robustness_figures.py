"""Scores of all runs against a swept value, and the learning curves at its best values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from a3c.analysis import style
from a3c.analysis.captions import frame_unit, number, overload, plural, short
from a3c.plan import Study

BEST = 5  # runs in a learning curve, as in the paper's Figures 1 and S8
MARGIN = 0.12  # of a decade, beside the outermost values

RING: Any = {"markerfacecolor": "none", "markersize": 3.2, "markeredgewidth": 0.7}

Place = tuple[str, int, str]


def robustness(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Each run's final score against its value, with a line up to its best point; a panel a game and variant."""
    runs, table, clouds = (tables[name] for name in ("runs", "robustness", "robustness_published"))
    swept = study.sweep.name if study.sweep else ""
    values = [*runs[swept], *clouds["value"]]
    counts = " to ".join(map(str, sorted({int(table["runs"].min()), int(table["runs"].max())})))
    caption = (
        f"A dot a run (n = {counts} a panel): the mean score of its last evaluation point; the line above it ends at "
        "its best point, so a long one is a run that lost what it had learnt. Dashed: within 20% of the range below "
        "the best final score. Dotted: before training."
        + (" Gray rings: the published runs." if len(clouds) else "")
        + (" A value of 0 stands to the left of the others." if 0 in values else "")
        + overload(runs)
    )
    figure, panels = _panels(table, caption, _ring(clouds), 1.75, "final score")
    for ax, place in panels:
        mine, cloud = _at(runs, place), _at(clouds, place)
        ax.plot(_position(cloud["value"], values), cloud["score"], "o", color=style.PALE, **RING)
        color = style.colors(study)[place[2]]
        _dots(ax, mine, _at(table, place).iloc[0], color, _position(mine[swept], values))
        _log_axis(ax, values)
        ax.set_xlabel(f"{study.sweep.label} ({study.sweep.unit})".removesuffix(" ()") if study.sweep else "")
    _share_heights(panels)
    return figure


def best_runs(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The mean evaluation curve at the five values whose final scores are best, and the five themselves."""
    table, curves, scores = tables["robustness"], tables["evaluations"], tables["sweep"]
    swept = study.sweep.name if study.sweep else ""
    caption = (
        f"Evaluation scores at the {BEST} values with the highest final scores, thin, and their mean: chosen by the "
        "scores that are shown, so optimistic, as in Figures 1 and S8 of Mnih et al. (2016)." + overload(tables["runs"])
    )
    figure, panels = _panels(table, caption, [], 1.7, "evaluation score")
    for ax, place in panels:
        best = _at(scores, place).nlargest(BEST, "final_score")[swept]
        lines = _at(curves, place).pivot(index="frames", columns=swept, values="score_mean")[list(best)]
        unit, label = frame_unit(float(lines.index.max()))
        color = style.colors(study)[place[2]]
        ax.plot(lines.index / unit, lines.to_numpy(), color=color, linewidth=0.7, alpha=0.45)
        ax.plot(lines.index / unit, lines.mean(axis=1).to_numpy(), color=color, linewidth=1.8)
        ax.set_xlim(left=0)
        ax.yaxis.set_major_formatter(number)
        ax.set_xlabel(label)
    _share_heights(panels)
    return figure


def _panels(
    table: pd.DataFrame, caption: str, keys: Sequence[Sequence[Line2D]], height: float, label: str
) -> tuple[Figure, list[tuple[Axes, Place]]]:
    """A panel a place, with its heading; a row a variant where each has as many games as another."""
    order, columns = _grid(table)
    size = (2.2 if columns > 2 else 2.9, height)
    figure, axes = style.side_by_side(len(order), caption, keys, size, label=label, columns=columns)
    several_variants, several_counts = (table[name].nunique() > 1 for name in ("variant", "workers"))
    for ax, (game, workers, variant) in zip(axes, order, strict=True):
        more = [*([variant] if several_variants else []), *([plural(workers)] if several_counts else [])]
        ax.set_title(", ".join([short(game, 20), *more]), loc="left")
    return figure, list(zip(axes, order, strict=True))


def _grid(table: pd.DataFrame) -> tuple[list[Place], int]:
    """Places in the order of panels, and how many stand in a row."""
    order = [(str(r["game"]), int(r["workers"]), str(r["variant"])) for r in table.to_dict("records")]
    variants = list(dict.fromkeys(variant for _, _, variant in order))
    grounds = list(dict.fromkeys(place[:2] for place in order))
    if len(grounds) > 1 and len(variants) > 1 and len(order) == len(grounds) * len(variants):
        return sorted(order, key=lambda place: variants.index(place[2])), len(grounds)
    return order, style.beside(len(order))


def _at(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    game, workers, variant = place
    return frame[(frame["game"] == game) & (frame["workers"] == workers) & (frame["variant"] == variant)]


def _ring(clouds: pd.DataFrame) -> list[list[Line2D]]:
    if clouds.empty:
        return []
    return [[Line2D([], [], color=style.PALE, label="published", marker="o", linestyle="none", **RING)]]


def _dots(ax: Axes, runs: pd.DataFrame, row: pd.Series, color: style.Color, x: np.ndarray) -> None:
    final, best = (runs[name].to_numpy(dtype=float) for name in ("final_score", "best_point_score"))
    ax.vlines(x, final, best, color=color, linewidth=1.0, alpha=0.4)
    ax.plot(x, final, "o", color=color, markersize=3.4, markeredgewidth=0, alpha=0.9)
    ax.axhline(row["good_score"], color=color, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    if not np.isnan(row["untrained"]):
        ax.axhline(row["untrained"], color=style.INK, linewidth=0.8, linestyle=":", zorder=1)
    ax.yaxis.set_major_formatter(number)


def _position(values: pd.Series, every: Sequence[float]) -> np.ndarray:
    """The decimal logarithm, and for 0 a third of a decade below the least other value."""
    above = [value for value in every if value > 0]
    zero = np.log10(min(above)) - 1 / 3 if above else 0.0
    given = values.to_numpy(dtype=float)
    return np.where(given > 0, np.log10(np.where(given > 0, given, 1.0)), zero)


def _log_axis(ax: Axes, values: Sequence[float]) -> None:
    """Ticks at 1, 2, 5 of each decade or, from two decades on, at powers of ten; and at 0 if it is a value."""
    places = _position(pd.Series(values), values)
    low, high = float(places.min()) - MARGIN, float(places.max()) + MARGIN
    steps = (1.0,) if high - low > 1.6 else (1.0, 2.0, 5.0)
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    zero = [float(places.min())] if min(values) == 0 else []
    ticks = {float(np.log10(step) + decade): step * 10.0**decade for decade in decades for step in steps}
    kept = {place: value for place, value in ticks.items() if low <= place <= high and not (zero and place < low + 0.3)}
    ax.set_xticks([*zero, *kept], [*("0" for _ in zero), *(number(value) for value in kept.values())])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(low, high)


def _share_heights(panels: Sequence[tuple[Axes, Place]]) -> None:
    """Panels of one game have one vertical axis, so that variants can be compared by eye."""
    limits: dict[str, tuple[float, float]] = {}
    for ax, (game, _, _) in panels:
        low, high = ax.get_ylim()
        before = limits.get(game, (low, high))
        limits[game] = min(low, before[0]), max(high, before[1])
    for ax, (game, _, _) in panels:
        ax.set_ylim(limits[game])
