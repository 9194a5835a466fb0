"""A benchmark as a figure: goals, whole trainers, the parts of a turn, and what more cores would do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import StrMethodFormatter

from a3c.analysis import style
from a3c.analysis.figures import save

OURS, PEER, MISSED = style.SCHEDULE_COLORS["locked"], style.PALE, style.SCHEDULE_COLORS["hogwild"]
WHOLE_COMMANDS = ("first update", "help")  # seconds, which stand among the goals
CAPTION = (
    "Medians over {rounds} interleaved rounds, lines: quartiles. Goals: what was reached, in multiples of the goal "
    "(vertical line), so that right of it is better; beside it what was measured, and the goal. Decisions are "
    "those of all workers together; gray: other projects. Parts: one call, alone on one thread; an emulator and an "
    "environment take one decision, the other parts a turn of 5. Simulated: workers of one game, from the medians of "
    "the parts, each worker as fast as if it were alone; dotted: where memory of {memory} GB/s is full. {machine}, "
    "commit {commit}."
)


def write_benchmark_figure(document: Mapping[str, Any], path: Path) -> None:
    """Draws a benchmark's document as SVG, PNG and PDF.

    Args:
      document: as `a3c bench` writes it.
      path: of one of the files; the others stand beside it.
    """
    with mpl.rc_context(style.RC):
        save(benchmark_figure(document), path)


def benchmark_figure(document: Mapping[str, Any]) -> Figure:
    """Four panels, of which those are empty that were not measured."""
    rounds = max(map(len, [*document["seconds"].values(), *document["steps_per_second"].values()]), default=0)
    machine = f"{document['cpu']}, {document['cores']} cores"
    memory = f"{document['scaling'].get('memory_bytes_per_second', 0.0) / 1e9:.0f}"
    caption = CAPTION.format(rounds=rounds, machine=machine, commit=document["commit"][:10], memory=memory)
    figure, axes = style.panels((2, 2), caption, size=(4.0, 3.4))
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.12)  # the PNG's letters are wider than the SVG's, by which long labels are laid out
    goals, trainers, parts, more_cores = axes.flat
    _goals(goals, document["goals"])
    _rows(trainers, "decisions a second", document["steps_per_second"])
    seconds = {name: values for name, values in document["seconds"].items() if name not in WHOLE_COMMANDS}
    _rows(parts, "milliseconds a call", {name: [1e3 * x for x in values] for name, values in seconds.items()}, log=True)
    _more_cores(more_cores, document["scaling"])
    return figure


def _more_cores(ax: Axes, scaling: Mapping[str, Any]) -> None:
    ax.set_title("simulated decisions a second", loc="left")
    if not scaling:
        style.empty(ax, "not measured")
        return
    cores = scaling["cores"]
    for schedule, speeds in scaling["steps_per_second"].items():
        color = style.SCHEDULE_COLORS[schedule]
        ax.plot(cores, speeds, "o-", markersize=3, color=color)
        _beside(ax, (cores[-1], speeds[-1]), schedule, color)
    ax.axvline(scaling["workers_that_fill_the_memory"], color=style.INK, linewidth=0.8, linestyle=":")
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    style.log2_axis(ax, cores)
    ax.set_xlim(min(cores) / 1.35, max(cores) * 3.2)
    ax.set_xlabel("workers and cores")


def _goals(ax: Axes, goals: Sequence[Mapping[str, Any]]) -> None:
    ax.set_title("goals", loc="left")
    if not goals:
        style.empty(ax, "not measured")
        return
    for place, goal in enumerate(goals):
        low, middle, high = sorted(_multiple(goal, goal[name]) for name in ("low", "median", "high"))
        color = OURS if goal["met"] else MISSED
        ax.plot([low, high], [place, place], color=color, linewidth=2.2, solid_capstyle="butt")
        ax.plot(middle, place, "o", color=color, markerfacecolor=color if goal["met"] else "white", markersize=5)
        _beside(ax, (high, place), f"{goal['median']:.2f} ({'≤' if goal['at_most'] else '≥'} {goal['bound']:g})")
    ax.axvline(1.0, color=style.INK, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
    ax.minorticks_off()
    ax.set_xlim(0.2, 11.0)
    ax.set_xlabel("multiples of the goal (hollow: missed)")
    _names(ax, [textwrap.fill(goal["what"], 30, break_on_hyphens=False) for goal in goals])


def _multiple(goal: Mapping[str, Any], value: float) -> float:
    """How many times as good as asked."""
    many = goal["bound"] / value if goal["at_most"] else value / goal["bound"]
    return float(np.clip(many, 0.2, 5.0))


def _rows(ax: Axes, title: str, values: Mapping[str, Sequence[float]], *, log: bool = False) -> None:
    """Largest first: bars, or points on a logarithmic axis, where a bar would have no beginning."""
    ax.set_title(title, loc="left")
    if not values:
        style.empty(ax, "not measured")
        return
    found = {name: np.quantile(np.asarray(each), [0.25, 0.5, 0.75]).tolist() for name, each in values.items()}
    found = dict(sorted(found.items(), key=lambda item: -item[1][1]))
    for place, (name, (low, middle, high)) in enumerate(found.items()):
        color = OURS if _is_ours(name) else PEER
        if log:
            ax.plot(middle, place, "o", color=color, markersize=5)
        else:
            ax.barh(place, middle, height=0.62, color=color)
        ax.plot([low, high], [place, place], color=style.INK, linewidth=1.2)
        label = f"{middle:,.0f}" if middle >= 100 else f"{middle:.2g}" if middle < 1 else f"{middle:.1f}"
        _beside(ax, (high, place), label)
    middles = [middle for _, middle, _ in found.values()]
    ax.set_xscale("log" if log else "linear")
    if log:
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlim(*((0.5 * min(middles), 3.0 * max(middles)) if log else (0.0, 1.2 * max(middles))))
    _names(ax, list(found))


def _beside(ax: Axes, place: tuple[float, float], text: str, color: str = style.INK) -> None:
    """Text to the right of a point."""
    ax.annotate(text, place, (6, 0), textcoords="offset points", va="center", fontsize=7, color=color)


def _is_ours(name: str) -> bool:
    return not name.startswith(("pfrl", "sb3"))


def _names(ax: Axes, names: Sequence[str]) -> None:
    """Labels of rows, the first on top."""
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
