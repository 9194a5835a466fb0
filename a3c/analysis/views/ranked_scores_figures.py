"""Scores against rank, a line a variant."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, short
from a3c.plan import Study

LINE_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#444444")  # Okabe and Ito (2008)


def ranked_scores(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Scores by rank, a line an optimizer, a panel a game and method; published ones dashed."""
    table, areas = tables["ranked_scores"], tables["ranked_area"]
    places = sorted(dict.fromkeys(zip(table["method"], table["game"], table["workers"], strict=True)))
    labels = _labels(areas)
    palette = dict(zip(dict.fromkeys(labels.values()), map(to_rgb, LINE_COLORS), strict=False))
    grounds = {place[1:] for place in places}
    grid = len(grounds) > 1 and len(places) == len(grounds) * areas["method"].nunique()
    columns = len(grounds) if grid else style.beside(len(places))
    size = (2.2 if columns > 2 else 2.9, 1.8)
    keys = _legends(palette, table)
    figure, axes = style.side_by_side(len(places), _caption(tables), keys, size, label="final score", columns=columns)
    several = areas["workers"].nunique() > 1
    for index, (ax, (method, game, workers)) in enumerate(zip(axes, places, strict=True)):
        mine = table[(table["method"] == method) & (table["game"] == game) & (table["workers"] == workers)]
        _lines(ax, mine, {variant: palette[label] for variant, label in labels.items()})
        ax.set_title(f"{short(game, 18)}, {method}{f', {plural(workers)}' if several else ''}", loc="left")
        if index + columns >= len(places):
            ax.set_xlabel("rank, as a share of the runs")
    return figure


def _caption(tables: Mapping[str, pd.DataFrame]) -> str:
    runs = tables["ranked_area"]["runs"].astype(int)
    counts = " to ".join(map(str, sorted({runs.min(), runs.max()})))
    dashed = (tables["ranked_scores"]["source"] == "published").any()
    return (
        f"Final scores of all runs of a variant, the best at the left (n = {counts} runs a line, by swept value and "
        "seed); the area under a line is the mean over its runs."
        + (" Dashed: the published runs, 50 a line." if dashed else "")
        + overload(tables["runs"])
    )


def _legends(palette: Mapping[str, style.Color], table: pd.DataFrame) -> list[list[Line2D]]:
    lines = [[Line2D([], [], color=color, label=label, linewidth=2.2) for label, color in palette.items()]]
    if (table["source"] == "published").any():
        lines.append([Line2D([], [], color=style.INK, linestyle="--", linewidth=1.0, label="published")])
    return lines


def _labels(areas: pd.DataFrame) -> dict[str, str]:
    """What the legend calls each variant: its optimizer, where no two variants of a method share one."""
    kinds = areas.drop_duplicates("variant")
    clear = not kinds.duplicated(["method", "optimizer"]).any()
    return dict(zip(kinds["variant"], kinds["optimizer" if clear else "variant"], strict=True))


def _lines(ax: Axes, table: pd.DataFrame, palette: Mapping[str, style.Color]) -> None:
    for (variant, source), curve in table.groupby(["variant", "source"], sort=False):
        x, y = (curve[name].to_numpy(dtype=float) for name in ("rank_fraction", "score"))
        if source == "published":
            ax.plot(x, y, linestyle=(0, (3, 2)), linewidth=1.0, color=palette[variant], alpha=0.8, zorder=1.5)
        else:
            ax.plot(x, y, "o-", markersize=2.4, linewidth=1.4, color=palette[variant])
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_formatter(number)
