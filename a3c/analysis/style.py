"""How every figure looks: colors, sizes, captions, axes in readable units.

A schedule has one color everywhere, from the palette of Okabe and Ito (2008), which color-blind readers can tell apart.
Fewer workers are paler. What a band is, and n, stand in words under each figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from a3c.analysis.captions import plural
from a3c.plan import Study

Color = tuple[float, float, float]
Size = tuple[float, float]

SCHEDULE_COLORS = {"hogwild": "#D55E00", "locked": "#0072B2", "synchronous": "#009E73", "drawn": "#CC79A7"}
SPARE_COLORS = ("#E69F00", "#56B4E9", "#7F6A3F", "#5E4FA2", "#A6761D", "#444444")
INK, PALE = "#333333", "#999999"

RC: Any = mpl.rcParamsDefault | {
    "backend": "agg",
    "svg.hashsalt": "a3c",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.borderaxespad": 0.1,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,
}


def colors(study: Study) -> dict[str, Color]:
    """A color for each variant: its schedule's, or a spare one if an earlier variant has that schedule already."""
    schedules = {run.variant: run.settings.schedule for run in reversed(study.runs)}
    found: dict[str, str] = {}
    for variant in study.variants:
        color = SCHEDULE_COLORS[schedules[variant]] if variant in schedules else PALE
        if color in found.values():
            color = next((spare for spare in SPARE_COLORS if spare not in found.values()), PALE)
        found[variant] = color
    return {variant: to_rgb(color) for variant, color in found.items()}


def shade(color: Color, workers: int, counts: Sequence[int]) -> Color:
    """The color of a line by its worker count: full for the most workers, paler for fewer."""
    ordered = sorted(counts)
    pale = 0.72 * (1.0 - (ordered.index(workers) + 1) / len(ordered)) if len(ordered) > 1 else 0.0
    red, green, blue = (part + (1.0 - part) * pale for part in color)
    return red, green, blue


def panels(
    number_of: tuple[int, int], caption: str, keys: Sequence[Sequence[Line2D]] = (), size: Size = (2.5, 1.9)
) -> tuple[Figure, Any]:
    """A figure with legends above its panels and its caption below.

    Args:
      number_of: rows and columns of panels.
      caption: one paragraph; it is wrapped to the figure's width.
      keys: what the legends explain, a line each; a line too long for the figure is broken.
      size: width and height of one panel, inches.

    Returns:
      The figure and its axes, object [rows, columns].
    """
    rows, columns = number_of
    width = max(columns * size[0] + 0.3, 4.0)
    caption_lines = textwrap.wrap(caption, int(width * 17.5))
    legend_lines = [line for handles in keys for line in _broken(handles, width)]
    top, bottom = 0.19 * len(legend_lines) + 0.08, 0.15 * len(caption_lines) + 0.12
    height = rows * size[1] + top + bottom
    place = (0, bottom / height, 1, 1 - (top + bottom) / height)
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(rect=place), facecolor="white")
    text = "\n".join(caption_lines)
    figure.text(0.012, 0.06 / height, text, fontsize=7.5, color=INK, va="bottom", linespacing=1.3)
    for index, line in enumerate(legend_lines):
        anchor = (0.5, 1 - 0.19 * index / height)
        figure.legend(handles=line, loc="upper center", bbox_to_anchor=anchor, ncols=len(line))
    return figure, figure.subplots(rows, columns, squeeze=False)


def side_by_side(
    count: int,
    caption: str,
    keys: Sequence[Sequence[Line2D]] = (),
    size: Size = (2.5, 1.9),
    *,
    label: str,
    columns: int | None = None,
) -> tuple[Figure, list[Axes]]:
    """As `panels`, for panels that have one vertical axis.

    Args:
      count: of panels.
      caption: one paragraph.
      keys: what the legends explain.
      size: width and height of one panel, inches.
      label: of the vertical axis, written once a row.
      columns: how many panels stand in a row; None for as many as `beside` says.
    """
    columns = columns or beside(count)
    figure, axes = panels((max(1, -(-count // columns)), columns), caption, keys, size)
    flat = list(axes.flat)
    hide(flat[count:])
    for ax in flat[:count:columns]:
        ax.set_ylabel(label)
    return figure, flat[:count]


def _broken(handles: Sequence[Line2D], width: float) -> list[list[Line2D]]:
    """Legend handles in lines that fit `width` inches, by the number of letters."""
    lines: list[list[Line2D]] = []
    free = 0.0
    for handle in handles:
        need = 0.5 + 0.068 * len(str(handle.get_label()))
        if not lines or need > free:
            lines.append([])
            free = width
        lines[-1].append(handle)
        free -= need
    return lines


def beside(count: int) -> int:
    """How many of `count` panels stand beside each other."""
    return 2 if count == 4 else max(1, min(3, count))


def legends(study: Study, variants: Iterable[str], counts: Sequence[int] = ()) -> list[list[Line2D]]:
    """A line with the variants by color and, if there are several, one with the worker counts by how pale they are."""
    palette, gray, shown = colors(study), to_rgb(INK), set(variants)
    lines = [[Line2D([], [], color=palette[v], label=v, linewidth=2.2) for v in study.variants if v in shown]]
    if len(counts) > 1:
        shades = [(plural(c), shade(gray, c, counts)) for c in sorted(counts)]
        lines.append([Line2D([], [], color=color, label=label, linewidth=2.2) for label, color in shades])
    return lines


def line_legend(styles: Mapping[str, Any]) -> list[list[Line2D]]:
    """A line that explains kinds of lines, whatever their color, by label and Matplotlib's line style."""
    return [[Line2D([], [], color=INK, linestyle=line, label=label) for label, line in styles.items()]]


def stacks(axes: Any, height: int, count: int) -> list[list[Any]]:
    """The panels of each of `count` places, `height` below each other; takes away those that are too many.

    Args:
      axes: object [height * k, columns], from `panels` with `stacked(height, count)`.
      height: panels of a place.
      count: of places.
    """
    columns = axes.shape[1]
    found = [
        list(axes[top : top + height, column]) for top in range(0, axes.shape[0], height) for column in range(columns)
    ]
    hide([ax for stack in found[count:] for ax in stack])
    return found[:count]


def stacked(height: int, count: int) -> tuple[int, int]:
    """Rows and columns of panels for `count` places of `height` panels each."""
    columns = beside(count)
    return height * -(-max(1, count) // columns), columns


def score_limits(table: pd.DataFrame, name: str = "score_mean") -> tuple[float, float] | None:
    """Where an axis of scores ends that leaves its lines half of the height or more; nothing without a number.

    The bands of two or three seeds can be many times as high as all lines together.

    Args:
      table: with `name`, `name_lo` and `name_hi`.
      name: of the column that lines show.
    """
    lines = table[name].to_numpy(dtype=float)
    if not np.isfinite(lines).any():
        return None
    ends = table[[name, f"{name}_lo", f"{name}_hi"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(lines)), float(np.nanmax(lines))
    spare = 0.5 * (high - low) or 1.0
    low, high = max(low - spare, float(np.nanmin(ends))), min(high + spare, float(np.nanmax(ends)))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def hide(axes: Sequence[Axes]) -> None:
    """Takes away the panels that a grid has too many."""
    for ax in axes:
        ax.set_axis_off()


def empty(ax: Axes, text: str) -> None:
    """Says in a panel why nothing is in it."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=PALE)
    ax.set_xticks([])
    ax.set_yticks([])


def log2_axis(ax: Axes, workers: Sequence[int]) -> None:
    """A logarithmic axis of worker counts with a tick at each."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(workers), [str(count) for count in sorted(workers)])
    ax.set_xlim(min(workers) / 1.35, max(workers) * 1.35)
    ax.set_xlabel("workers")
