"""Score against frames and against wall-clock, a panel a game."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a3c.analysis import style
from a3c.analysis.captions import frame_unit, overload, second_unit, seeds, short
from a3c.plan import Study

MOST_LINES = 6  # in a panel; more, and each variant gets a panel of its own


def learning_curves(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Small multiples: for each game the training score against frames and, below it, against wall-clock."""
    frames, time = tables["learning_curves"], tables["learning_curves_time"]
    apart = (
        int(frames.groupby("game")[["variant", "workers"]].apply(lambda g: len(g.drop_duplicates())).max()) > MOST_LINES
    )
    places = list(
        dict.fromkeys((g, v if apart else "") for g, v in zip(frames["game"], frames["variant"], strict=True))
    )
    columns = style.beside(len(places))
    counts = sorted(set(frames["workers"]))
    shape = (2 * -(-len(places) // columns), columns)
    handles = style.legends(study, frames["variant"], counts)
    figure, axes = style.panels(shape, _caption(frames, tables["runs"]), handles)
    for index in range(shape[0] // 2 * columns):
        pair = axes[2 * (index // columns) : 2 * (index // columns) + 2, index % columns]
        if index >= len(places):
            style.hide(pair)
            continue
        game, variant = places[index]
        pair[0].set_title(f"{short(game, 20)}, {variant}" if variant else short(game), loc="left")
        for ax, table, axis in zip(pair, (frames, time), ("frames", "seconds"), strict=True):
            whole = table[table["game"] == game]
            rows = whole[whole["variant"] == variant] if variant else whole
            draw_lines(study, ax, rows, axis, axis_unit(whole, axis))
            if variant:
                _same_scale(ax, whole, axis)
            if index % columns == 0:
                ax.set_ylabel("training score")
    return figure


def _same_scale(ax: Axes, table: pd.DataFrame, axis: str) -> None:
    """One scale for all variants of a game, so that their panels can be compared."""
    ax.set_xlim(0, float(table[axis].max()) / axis_unit(table, axis)[0])
    if limits := style.score_limits(table):
        ax.set_ylim(*limits)


def _caption(frames: pd.DataFrame, runs: pd.DataFrame) -> str:
    band = "bands are 95% t intervals over seeds" if int(frames["n"].max()) > 1 else "one seed has no interval"
    return (
        "Mean score of the training episodes, of all workers together, that ended in a stretch before each point: "
        "5% of the frames or, on the wall-clock axis, of the time of the fastest run that they can be compared with. "
        f"Lines are means over seeds, {band}; {seeds(frames)} a line. A line has values where every seed "
        "has; on the wall-clock axis it ends with its fastest run." + overload(runs)
    )


def axis_unit(table: pd.DataFrame, axis: str) -> tuple[float, str]:
    """The unit and the label of an axis, `frames` or `seconds`, that ends with the table's greatest value."""
    unit = frame_unit if axis == "frames" else second_unit
    return unit(float(table[axis].max()))


def draw_lines(study: Study, ax: Axes, frame: pd.DataFrame, axis: str, unit: tuple[float, str]) -> None:
    """A line a group, with its band.

    Args:
      study: whose colors.
      ax: where.
      frame: rows of one game from `learning_curves` or `learning_curves_time`.
      axis: `frames` or `seconds`.
      unit: what to divide the axis by, and its label.
    """
    divisor, label = unit
    palette, counts = style.colors(study), sorted(set(frame["workers"]))
    ax.set_xlabel(label)
    if frame["score_mean"].isna().all():
        style.empty(ax, "too few episodes ended")
        return
    for (variant, workers), rows in frame.groupby(["variant", "workers"], sort=False):
        color = style.shade(palette[variant], workers, counts)
        x = rows[axis].to_numpy() / divisor
        ax.plot(x, rows["score_mean"].to_numpy(), color=color, solid_capstyle="round")
        low, high = rows["score_mean_lo"].to_numpy(), rows["score_mean_hi"].to_numpy()
        ax.fill_between(x, low, high, where=np.isfinite(low), color=color, alpha=0.18, linewidth=0)
    if limits := style.score_limits(frame):
        ax.set_ylim(*limits)
    ax.set_xlim(0, float(frame[axis].max()) / divisor)
