"""Normalized scores game by game, and the share of games beyond each score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from a3c.analysis import style
from a3c.analysis.captions import number, overload, seeds
from a3c.plan import Study

LINEAR_PERCENT = 10.0  # up to here the axis is linear, so that scores below random play have a place
TICKS = (-1000, -100, -10, 0, 10, 100, 1_000, 10_000, 100_000)


def human_normalized(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A line a game from 0 to its normalized score, games sorted by it; published scores are rings."""
    table = tables["human_normalized"]
    order = table.groupby("game")["normalized"].mean().sort_values()
    agents = list(dict.fromkeys(zip(table["variant"], table["workers"], strict=True)))
    caption = (
        "Mean score of the last evaluation point: 0 is random play, 100 the human tester, both from starts with "
        f"no-ops; games by the mean over agents. Bars: 95% intervals over seeds ({seeds(table)}). Rings: "
        "published scores, from human starts and so near but not the same measure. The axis is linear up to 10 and "
        "logarithmic beyond." + overload(tables["runs"])
    )
    handles = [*style.legends(study, table["variant"], sorted(set(table["workers"]))), [_ring()]]
    figure, axes = style.panels((1, 1), caption, handles, size=(5.6, 0.5 + (0.07 + 0.04 * len(agents)) * len(order)))
    ax = axes[0, 0]
    place = {game: float(index) for index, game in enumerate(order.index)}
    counts = sorted(set(table["workers"]))
    for index, (variant, workers) in enumerate(agents):
        mine = table[(table["variant"] == variant) & (table["workers"] == workers)]
        shift = 0.7 * ((len(agents) - 1) / 2 - index) / len(agents)
        y = np.array([place[game] + shift for game in mine["game"]])
        _bars(ax, mine, y, style.shade(style.colors(study)[variant], workers, counts))
    _percent_axis(ax, table)
    ax.set_yticks(list(place.values()), list(place))
    ax.set_ylim(-0.7, len(place) - 0.3)
    ax.grid(visible=False, axis="y")
    return figure


def _ring() -> Line2D:
    label = "published, human starts"
    return Line2D([], [], color=style.INK, label=label, marker="o", markerfacecolor="none", linestyle="none")


def _bars(ax: Axes, rows: pd.DataFrame, y: np.ndarray, color: style.Color) -> None:
    x, low, high, theirs = (
        rows[name].to_numpy(dtype=float)
        for name in ("normalized", "normalized_lo", "normalized_hi", "published_normalized")
    )
    ax.hlines(y, 0, x, color=color, linewidth=2.2, alpha=0.45)
    ax.hlines(y, low, high, color=color, linewidth=1.0)
    ax.plot(x, y, "o", color=color, markersize=3.2, markeredgewidth=0)
    ax.plot(theirs, y, "o", color=color, markerfacecolor="white", markersize=3.2, markeredgewidth=0.8)


def _percent_axis(ax: Axes, table: pd.DataFrame) -> None:
    names = [name for name in table if name.removesuffix("_lo").removesuffix("_hi").endswith("normalized")]
    values = table[names].to_numpy(dtype=float)
    low, high = min(0.0, float(np.nanmin(values))), max(100.0, float(np.nanmax(values)))
    ax.set_xscale("symlog", linthresh=LINEAR_PERCENT, linscale=0.5)
    ax.set_xlim(1.4 * low if low else -1.0, 1.4 * high)
    ticks = [tick for tick in TICKS if 1.4 * low <= tick <= 1.4 * high]
    ax.set_xticks(ticks, [number(tick) for tick in ticks])
    ax.minorticks_off()
    ax.axvline(100.0, color=style.INK, linewidth=0.8, linestyle=":", zorder=0)
    ax.set_xlabel("human-normalized score (%)")


def performance_profiles(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The share of games and runs above each normalized score, a line an agent; published ones dashed."""
    table = tables["performance_profile"]
    ours = table[table["source"] == "ours"]
    caption = (
        f"Share of a line's runs and games whose score exceeds a threshold; bands: 95% bootstrap intervals over "
        f"seeds, stratified by game ({seeds(ours)}). Dashed: the published scores of the same games, from human "
        "starts, normalized by the reference scores of those." + overload(tables["runs"])
    )
    handles = [
        *style.legends(study, ours["agent"]),
        [Line2D([], [], color=style.INK, linestyle="--", label="published")],
    ]
    figure, axes = style.panels((1, 1), caption, handles, size=(4.2, 2.6))
    ax, palette = axes[0, 0], style.colors(study)
    for (agent, _, source), line in table.groupby(["agent", "training", "source"], sort=False):
        x, y, low, high = (line[name].to_numpy(dtype=float) for name in ("threshold", "share", "share_lo", "share_hi"))
        if source == "ours":
            ax.fill_between(x, low, high, step="post", color=palette[agent], alpha=0.2, linewidth=0)
        look = {"linestyle": "--", "linewidth": 1.0} if source == "published" else {}
        ax.step(x, y, where="post", color=palette[agent], **look)
    ax.set_xscale("log")
    ax.set_xticks([1, 10, 100, 1000, 10_000], ["1", "10", "100", "1,000", "10,000"])
    ax.minorticks_off()
    ax.set_xlim(1, 10_000)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("human-normalized score τ (%)")
    ax.set_ylabel("share of runs above τ")
    return figure
