"""How stale gradients were, and how throughput grows with workers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, seeds, short
from a3c.analysis.outputs import is_stale
from a3c.analysis.style import INK, PALE
from a3c.plan import Study


def staleness_histograms(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The fraction of turns by staleness: a panel a game and worker count, the exact mean N - 1 dashed."""
    table = tables["staleness_histogram"]
    stale = {run.variant for run in study.runs if is_stale(run)}
    absent = len(stale) < len(study.variants)
    table = table[table["variant"].isin(stale)]
    several = table[table["workers"] > 1]
    table = table if several.empty else several
    places = list(dict.fromkeys(zip(table["game"], table["workers"], strict=True)))
    caption = (
        "Staleness of every turn after each worker's first push, turns of all seeds pooled. Dashed: the number of the "
        "other workers, which the mean must equal whatever their speeds if they pull after each push. A last bin with "
        "a plus holds the rest of the tail."
        + (" Synchronous turns, all of staleness 0, are left out." if absent else "")
        + overload(tables["runs"])
    )
    handles = style.legends(study, table["variant"])
    figure, axes = style.side_by_side(len(places), caption, handles, label="fraction of turns")
    for ax, (game, workers) in zip(axes, places, strict=True):
        one_game = len(set(table["game"])) == 1
        title = plural(workers) if one_game else f"{short(game, 20)}, {plural(workers)}"
        ax.set_title(title, loc="left")
        _histogram(study, ax, table[(table["game"] == game) & (table["workers"] == workers)], workers)
    return figure


def _histogram(study: Study, ax: Axes, table: pd.DataFrame, workers: int) -> None:
    palette = style.colors(study)
    for variant, rows in table.groupby("variant", sort=False):
        edges = np.append(rows["staleness"].to_numpy(), rows["staleness"].max() + 1) - 0.5
        heights = rows["fraction"].to_numpy()
        ax.stairs(heights, edges, color=palette[variant], fill=True, alpha=0.2)
        ax.stairs(heights, edges, color=palette[variant], linewidth=1.2)
    ax.axvline(workers - 1, color=INK, linestyle=(0, (4, 3)), linewidth=0.9)
    last = int(table["staleness"].max())
    ticks = range(0, last + 1, workers)
    tail = set(table["label"])
    ax.set_xticks(ticks, [f"{tick}+" if f"{tick}+" in tail else str(tick) for tick in ticks])
    ax.set_xlim(-0.5, max(last, workers - 1) + 0.5)
    ax.set_ylim(0, None)
    ax.set_xlabel("staleness (updates)")
    ax.grid(visible=False, axis="x")


def throughput(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Frames a second against workers, both axes logarithmic, with the line of perfect speed-up."""
    table = tables["throughput"]
    games = list(dict.fromkeys(table["game"]))
    handles = [*style.legends(study, table["variant"]), *marks(table)]
    caption = (
        f"Emulator frames a second, mean over runs ({seeds(table)} a point) with 95% t intervals; both "
        "axes logarithmic. Thin straight lines: perfect speed-up from the same variant's runs with one worker. "
        "Dotted: number of cores." + _alone(table) + overload(tables["runs"])
    )
    figure, axes = style.side_by_side(len(games), caption, handles, (2.8, 2.3), label="frames per second")
    for ax, game in zip(axes, games, strict=True):
        ax.set_title(short(game), loc="left")
        _speeds(study, ax, table[table["game"] == game])
    return figure


def _alone(table: pd.DataFrame) -> str:
    return "" if (table["timing"] == "yes").all() else " Not all runs had the machine to themselves."


def _speeds(study: Study, ax: Axes, table: pd.DataFrame) -> None:
    palette = style.colors(study)
    workers = sorted(set(table["workers"]))
    for variant, rows in table.groupby("variant", sort=False):
        points(ax, rows, "frames_per_second", palette[variant], rows["workers"].to_numpy(dtype=float))
        single = rows.loc[rows["workers"] == 1, "frames_per_second"]
        if len(single):
            ideal = float(single.iloc[0]) * np.array([1, workers[-1]])
            ax.plot([1, workers[-1]], ideal, color=palette[variant], linewidth=0.6, alpha=0.7, zorder=1)
    style.log2_axis(ax, workers)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(number)
    mark_cores(ax, table)


def mark_cores(ax: Axes, table: pd.DataFrame) -> None:
    """A dotted line at the number of cores, if all of the table's rows had as many and its worker counts reach it."""
    cores, workers = set(table["cores"].dropna()), table["workers"]
    if len(cores) == 1 and workers.min() <= max(cores) <= workers.max():
        ax.axvline(max(cores), color=PALE, linestyle=":", linewidth=1.0, zorder=0)
        place = (max(cores), 0.02)
        ax.annotate(f" {max(cores):.0f} cores", place, xycoords=("data", "axes fraction"), color=INK, fontsize=7)


def marks(table: pd.DataFrame, label: str = "oversubscribed: more workers than cores") -> list[list[Line2D]]:
    """A legend line for hollow points, if the table has oversubscribed rows."""
    if not (table["oversubscribed"] == "yes").any():
        return []
    return [[Line2D([], [], color=INK, marker="o", markerfacecolor="white", linestyle="none", label=label)]]


def points(ax: Axes, rows: pd.DataFrame, name: str, color: style.Color, x: np.ndarray, unit: float = 1.0) -> None:
    """Points with their intervals, joined by a line; hollow where oversubscribed.

    Args:
      ax: where.
      rows: by ascending workers, with the columns `name`, `name_lo` and `name_hi` where there are intervals,
        and `oversubscribed`.
      name: of the column.
      color: of all of it.
      x: where each row stands, float64 [rows].
      unit: what to divide values by.
    """
    y = rows[name].to_numpy(dtype=float) / unit
    ax.plot(x, y, color=color)
    if f"{name}_lo" in rows:
        low, high = (rows[f"{name}_{end}"].to_numpy(dtype=float) / unit for end in ("lo", "hi"))
        ax.vlines(x, low, np.where(np.isinf(high), y, high), color=color, linewidth=1.0)
        for place, value in zip(x[np.isinf(high)], y[np.isinf(high)], strict=True):
            arrow = {"arrowstyle": "->", "color": color, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
            top = ax.get_xaxis_transform()
            ax.annotate("", (place, 1.0), xycoords=top, xytext=(place, value), textcoords="data", arrowprops=arrow)
    for hollow in (False, True):
        chosen = (rows["oversubscribed"] == "yes").to_numpy() == hollow
        face = "white" if hollow else color
        ax.plot(x[chosen], y[chosen], "o", color=color, markerfacecolor=face, markersize=4.5, zorder=3)
