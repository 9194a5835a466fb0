"""Speed-up in time, and the two factors that it is the product of, against workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from a3c.analysis import style
from a3c.analysis.captions import number, overload, seeds, short
from a3c.analysis.turn_figures import marks, points
from a3c.plan import Study

SPREAD = 0.06  # of a doubling, between the variants' points at one worker count
DASHES = (0, (3.2, 1.6))
LABELS = {"speed_up": "speed-up in time", "throughput": "throughput", "data_efficiency": "data efficiency"}

CAPTION = (
    "How many times as good as one worker: in seconds to the reference score (left), which is in frames a second on "
    "the way to it (middle) times in frames to it (right). "
)
FRAMES_ALONE = (
    "Data efficiency: how many times fewer frames than one worker to the reference score. The study does not time its "
    "runs, so nothing is shown of seconds. "
)
RULE = (
    "The reference score is 75% of the way from the start to the best that all worker counts of the variant reached. "
    "Both axes logarithmic; 95% bootstrap intervals over seeds (an arrow: beyond the budget; {seeds}). Thin line: "
    "ideal. Dashed: Table 2 of Mnih et al. (2016), a mean over 7 games with other reference scores; its split into two "
    "factors rests on the throughput that its figures imply for 5 of them."
)


def speed_up(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """A row of panels a game, the mean over games above; data efficiency alone if the study does not time its runs."""
    table, means = tables["speed_up"], tables["speed_up_means"]
    names = list(LABELS) if study.timing else ["data_efficiency"]
    several = table[table["n"] > 1]
    games = list(dict.fromkeys((table if several.empty else several)["game"]))  # one seed has no more than a row
    places = [*games] if len(games) == 1 else ["", *games]
    cells = [(place, name) for place in places for name in names]
    columns = len(names) if study.timing else style.beside(len(places))
    rows = -(-len(cells) // columns)
    figure, axes = style.panels((rows, columns), _caption(study, tables), _keys(study, tables), size=(2.35, 1.95))
    style.hide(list(axes.flat)[len(cells) :])
    for ax, (place, name) in zip(axes.flat, cells, strict=False):
        ours = table[table["game"] == place] if place else means[means["speed_up"].notna()]
        shown = means if place == places[0] else means.iloc[:0]
        draw_ratio(study, ax, ours, shown, name)
        where = short(place, 20) if place else "mean of games"
        ax.set_title(f"{where}: {LABELS[name]}" if study.timing else where, loc="left")
        if ax.get_subplotspec().is_first_col():
            ax.set_ylabel("times one worker's")
    return figure


def _caption(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    table = tables["speed_up"]
    alone = (
        "" if not study.timing or (table["timing"] == "yes").all() else " Not all runs had the machine to themselves."
    )
    first = CAPTION if study.timing else FRAMES_ALONE
    return f"{first}{RULE.format(seeds=seeds(table))}{alone}{overload(tables['runs'])}"


def _keys(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[list[Line2D]]:
    drawn = [*tables["speed_up"]["variant"], *tables["speed_up_means"]["variant"]]
    others = [name for name in dict.fromkeys(drawn) if name not in study.variants]
    ours, *more = style.legends(study, drawn)
    alone = [
        Line2D([], [], color=color, linestyle=DASHES, linewidth=1.0, label=f"{name} (published)")
        for name, color in zip(others, _others(others), strict=True)
    ]
    published = Line2D([], [], color=style.INK, linestyle=DASHES, linewidth=1.0, label="published")
    return [[*ours, *alone, published], *more, *marks(tables["speed_up"])]


def _others(names: list[str]) -> list[Any]:
    """Grays for what only the paper has."""
    return [str(0.45 + 0.3 * index / max(1, len(names) - 1)) for index in range(len(names))]


def draw_ratio(study: Study, ax: Axes, ours: pd.DataFrame, means: pd.DataFrame, name: str) -> None:
    """A line a variant against workers, with intervals and the ideal; what was published, dashed.

    Args:
      study: whose colors.
      ax: where.
      ours: rows of one game from `speed_up`, or of the mean over games from `speed_up_means`; those of one seed are
        not drawn.
      means: rows of `speed_up_means`, of which only the published values are drawn; no row for none.
      name: one of `LABELS`.
    """
    palette: dict[str, Any] = dict(style.colors(study))
    others = [variant for variant in dict.fromkeys(means["variant"]) if variant not in palette]
    palette |= dict(zip(others, _others(others), strict=True))
    known = means[means[f"published_{name}"].notna()]
    for variant, rows in known.groupby("variant", sort=False):
        line: dict[str, Any] = {"linestyle": DASHES, "linewidth": 1.0, "zorder": 1.8}
        ax.plot(rows["workers"].to_numpy(), rows[f"published_{name}"].to_numpy(), color=palette[variant], **line)
    ours = ours[ours[name].notna() & (ours["n"] > 1)]
    variants = [variant for variant in study.variants if variant in set(ours["variant"])]
    for index, variant in enumerate(variants):
        rows = ours[ours["variant"] == variant]
        shift = 2.0 ** (SPREAD * (index - (len(variants) - 1) / 2))
        points(ax, rows, name, palette[variant], rows["workers"].to_numpy(dtype=float) * shift)
    counts = sorted({int(workers) for table in (ours, known) for workers in table["workers"]})
    if len(counts) < 2:
        style.empty(ax, "one seed says nothing")
        return
    _axes(
        ax,
        counts,
        name,
        np.concatenate([ours[name], ours[f"{name}_lo"], ours[f"{name}_hi"], known[f"published_{name}"]]),
    )


def _axes(ax: Axes, counts: list[int], name: str, values: np.ndarray) -> None:
    """Doublings on both axes, and what n workers would come to at best: n times as fast, with as many frames."""
    style.log2_axis(ax, counts)
    ideal = [1.0, 1.0] if name == "data_efficiency" else [1.0, float(counts[-1])]
    ax.plot([1, counts[-1]], ideal, color=style.PALE, linewidth=0.7, zorder=1)
    finite = np.append(values[np.isfinite(values) & (values > 0)], ideal)
    low, high = np.floor(np.log2(finite.min()) - 0.1), np.ceil(np.log2(finite.max()) + 0.1)
    ax.set_yscale("log", base=2)
    step = max(1, int(np.ceil((high - low) / 6)))
    ax.yaxis.set_major_locator(FixedLocator([2.0**power for power in range(int(low), int(high) + 1, step)]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(number)
    ax.set_ylim(2.0**low, 2.0**high)
