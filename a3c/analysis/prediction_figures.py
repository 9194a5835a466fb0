"""Throughput and staleness as the simulator predicts them for more workers and cores, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from a3c.analysis import style
from a3c.analysis.captions import number, overload, short
from a3c.analysis.style import INK, PALE
from a3c.plan import Study

QUANTILES = {"p50": (0, (1, 1.2)), "p99": "solid"}


def prediction(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Frames a second (above) and staleness (below) against workers: a column a game and variant."""
    table = tables["prediction"]
    places = list(dict.fromkeys(zip(table["game"], table["variant"], strict=True)))
    caption = (
        "Lines: a simulation that starts from the sampled times of turns, with no more workers than cores; darker for "
        "more cores. Points: measured, hollow where their own turns' times were simulated. Below the staleness of "
        "turns, solid the 99th percentile, dotted the median (measured: points and short dashes); dashed: the number "
        "of the other workers, which the mean must equal. The simulation knows no caches, clocks or memory traffic of "
        "computing: it is more often too fast than too slow." + overload(tables["runs"])
    )
    figure, axes = style.panels(style.stacked(2, len(places)), caption, _legend(table), size=(2.5, 1.9))
    for (above, below), (game, variant) in zip(style.stacks(axes, 2, len(places)), places, strict=True):
        above.set_title(f"{short(game, 16)}, {short(variant, 16)}", loc="left")
        mine, measured = (t[(t["game"] == game) & (t["variant"] == variant)] for t in (table, tables["staleness"]))
        color = style.colors(study)[variant]
        _throughput(above, mine, color)
        _staleness(below, mine, measured, color)
        if above.get_subplotspec().is_first_col():
            above.set_ylabel("frames per second")
            below.set_ylabel("staleness (updates)")
    return figure


def _legend(table: pd.DataFrame) -> list[list[Line2D]]:
    """How dark the lines of each number of cores are."""
    cores = sorted(set(table["cores"]))
    shades = [(f"{count} cores", style.shade(to_rgb(INK), count, cores)) for count in cores]
    return [[Line2D([], [], color=color, label=label, linewidth=2.2) for label, color in shades]] if shades else []


def _throughput(ax: Axes, table: pd.DataFrame, color: style.Color) -> None:
    counts = sorted(set(table["cores"]))
    for cores, rows in table.groupby("cores"):
        x = rows["workers"].to_numpy()
        ax.plot(x, rows["frames_per_second_predicted"].to_numpy(), color=style.shade(color, int(cores), counts))
    measured = table[table["frames_per_second"].notna()]
    for own in (False, True):
        rows = measured[(measured["measured_in"] == "yes") == own]
        face = "white" if own else INK
        values = rows["frames_per_second"].to_numpy()
        ax.plot(rows["workers"].to_numpy(), values, "o", color=INK, markerfacecolor=face, markersize=4.0, zorder=3)
    _axes(ax, table)
    ax.yaxis.set_major_locator(LogLocator(10, numticks=6))


def _staleness(ax: Axes, table: pd.DataFrame, measured: pd.DataFrame, color: style.Color) -> None:
    measured = measured[measured["staleness_p99"] > 0]
    if not (table["staleness_p99_predicted"] > 0).any():
        style.empty(ax, "synchronous: never stale")
        return
    counts = sorted(set(table["cores"]))
    for cores, rows in table.groupby("cores"):
        shade, x = style.shade(color, int(cores), counts), rows["workers"].to_numpy()
        for name, line in QUANTILES.items():
            values = rows[f"staleness_{name}_predicted"]
            ax.plot(x, values.where(values > 0).to_numpy(), color=shade, linestyle=line)
    workers = np.array([count for count in sorted(set(table["workers"])) if count > 1])
    ax.plot(workers, workers - 1, color=PALE, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
    for name, marker in (("staleness_p50", "_"), ("staleness_p99", "o")):
        values = measured[name].where(measured[name] > 0).to_numpy()  # 0 has no place on the axis
        ax.plot(measured["workers"].to_numpy(), values, marker, color=INK, markersize=4.0, zorder=3)
    _axes(ax, table)
    ax.yaxis.set_major_locator(LogLocator(10, numticks=5))


def _axes(ax: Axes, table: pd.DataFrame) -> None:
    """Both logarithmic; a tick at every fourth power of two, since there are many."""
    counts = sorted(set(table["workers"]))
    style.log2_axis(ax, counts)
    ticks = [count for count in (1, 4, 16, 64, 256, 1024) if counts[0] <= count <= counts[-1]]
    ax.set_xticks(ticks, [str(count) for count in ticks])
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(number)
