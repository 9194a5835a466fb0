"""Our learning curves and the published ones, a panel a game and method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from a3c.analysis import published, style
from a3c.analysis.captions import number, overload, seeds, short
from a3c.analysis.views.published_curves_methods import STAND_INS
from a3c.plan import Study

APART = 0.05  # of the published axis: a shorter run would be a smudge in its corner, so it gets a panel of its own
ZOOM = 2.5  # times our own length, where the published axis is much longer than that
DASHES = (0, (3.2, 1.6))

# One-step Sarsa has figures of its own, in the supplement.
SUPPLEMENTS = {"3": "S9", "4": "S10"}

LABELS = {
    "epochs": "epochs (4 million frames)",
    "hours": "training time (h)",
    "million_training_steps": "training steps (millions)",
}


class Panel(NamedTuple):
    """What one panel shows.

    Attributes:
      game: its name.
      variant: the only one, or all of them (None).
      show: whose curves.
    """

    game: str
    variant: str | None
    show: Literal["both", "ours", "published"]


def published_curves(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Ours solid, the paper's dashed, on one axis where ours is long enough, and side by side where it is not."""
    table = tables["published_curves"]
    grid = _grid(study, table)
    counts = sorted({int(workers) for workers in table["workers"].dropna()})
    palette = _colors(study, table)
    keys = _keys(palette, counts, bool(table["published_score"].notna().any()))
    columns = len(grid[0])
    size = (1.75, 1.5) if columns > 3 else (2.5, 1.9)
    caption = _caption(study, tables)
    figure, axes = style.panels((len(grid), columns), caption, keys, size)
    for place, (row, line) in enumerate(zip(axes, grid, strict=True)):
        for ax, panel in zip(row, line, strict=True):
            if panel is None:
                style.hide([ax])
                continue
            _draw(ax, panel, table, palette, counts)
            if place == 0 or panel.variant is None:
                ax.set_title(_title(panel), loc="left")
            if place == len(grid) - 1 or panel.variant is None:
                ax.set_xlabel(LABELS[str(table["unit"].iloc[0])])
            if ax is row[0]:
                ax.set_ylabel(f"{short(panel.variant, 20)}\nscore" if panel.variant else "score")
    return figure


def _grid(study: Study, table: pd.DataFrame) -> list[list[Panel | None]]:
    """Games beside each other; methods below each other if each has several worker counts, else all in one panel."""
    several = int(table.groupby(["game", "variant"])["workers"].nunique().max()) > 1
    variants = _variants(study, table) if several else [None]
    grid: list[list[Panel | None]] = [
        [Panel(game, variant, show) for game in dict.fromkeys(table["game"]) for show in _shows(table, game)]
        for variant in variants
    ]
    if several or len(grid[0]) <= 3:
        return grid
    columns = style.beside(len(grid[0]))
    padded = [*grid[0], *[None] * (-len(grid[0]) % columns)]
    return [padded[start : start + columns] for start in range(0, len(padded), columns)]


def _shows(table: pd.DataFrame, game: str) -> Sequence[Literal["both", "ours", "published"]]:
    mine = table[table["game"] == game]
    ours, theirs = (mine.loc[mine[name].notna(), "x"].max() for name in ("score_mean", "published_score"))
    if np.isnan(ours):
        return ("published",)
    return ("ours", "published") if ours < APART * theirs else ("both",)


def _variants(study: Study, table: pd.DataFrame) -> list[str]:
    """In the study's order; then the methods that only the paper has."""
    shown = list(dict.fromkeys(table["variant"]))
    return [v for v in study.variants if v in shown] + [v for v in shown if v not in study.variants]


def _colors(study: Study, table: pd.DataFrame) -> dict[str, style.Color]:
    ours = style.colors(study)
    return {variant: ours.get(variant, to_rgb(style.PALE)) for variant in _variants(study, table)}


def _keys(palette: Mapping[str, style.Color], counts: Sequence[int], published_too: bool) -> list[list[Line2D]]:
    lines = [[Line2D([], [], color=color, label=variant, linewidth=2.2) for variant, color in palette.items()]]
    ink = to_rgb(style.INK)
    if len(counts) > 1:
        shades = [(f"{count}", style.shade(ink, count, counts)) for count in counts]
        handles = [Line2D([], [], color=color, label=label, linewidth=2.2) for label, color in shades]
        handles[-1].set_label(f"{counts[-1]} workers")
        lines.append(handles)
    whose = [Line2D([], [], color=ink, label="ours")]
    if published_too:
        whose.append(Line2D([], [], color=ink, linestyle=DASHES, linewidth=1.0, label="published"))
    return [*lines, whose]


def _draw(
    ax: Axes, panel: Panel, table: pd.DataFrame, palette: Mapping[str, style.Color], counts: Sequence[int]
) -> None:
    mine = table[table["game"] == panel.game]
    if panel.variant is not None:
        mine = mine[mine["variant"] == panel.variant]
    ours, theirs = (mine[mine[name].notna()] for name in ("score_mean", "published_score"))
    if panel.show != "published":
        _lines(ax, ours, "score_mean", palette, counts)
    if panel.show != "ours":
        _lines(ax, theirs, "published_score", palette, counts)
    if panel.show == "both" and theirs.empty and ax.lines:
        box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.0}
        ax.text(0.98, 0.04, "not published", transform=ax.transAxes, ha="right", color=style.PALE, bbox=box)
    if not ax.lines:
        style.empty(ax, "not in this study" if panel.show != "published" else "not published")
        return
    if panel.show == "ours" and (limits := style.score_limits(ours)):
        ax.set_ylim(*limits)
    ax.set_xlim(0, _end(table, panel))
    ax.xaxis.set_major_locator(MaxNLocator(4 if panel.show == "published" else 3))
    ax.xaxis.set_major_formatter(number)
    ax.yaxis.set_major_formatter(number)


def _end(table: pd.DataFrame, panel: Panel) -> float:
    """Where the axis ends: one place for all panels of a game that show the same."""
    mine = table[table["game"] == panel.game]
    ours, theirs = (float(mine.loc[mine[name].notna(), "x"].max()) for name in ("score_mean", "published_score"))
    if panel.show != "both" or np.isnan(theirs):
        return theirs if panel.show == "published" else ours
    return max(ours, min(theirs, ZOOM * ours))


def _title(panel: Panel) -> str:
    game = STAND_INS.get(panel.game, panel.game) if panel.show == "published" else panel.game
    return short(game, 20) + {"both": "", "ours": ", ours", "published": ", paper"}[panel.show]


def _lines(ax: Axes, table: pd.DataFrame, name: str, palette: Mapping[str, style.Color], counts: Sequence[int]) -> None:
    ours = name == "score_mean"
    for (variant, workers), rows in table.groupby(["variant", "workers"], sort=False, dropna=False):
        color = palette[variant] if np.isnan(workers) else style.shade(palette[variant], int(workers), counts)
        x = rows["x"].to_numpy()
        line: dict[str, Any] = {"linewidth": 1.4} if ours else {"linestyle": DASHES, "linewidth": 1.0, "zorder": 1.9}
        ax.plot(x, rows[name].to_numpy(), color=color, solid_capstyle="round", **line)
        if ours:
            low, high = (rows[f"score_mean_{end}"].to_numpy() for end in ("lo", "hi"))
            ax.fill_between(x, low, high, where=np.isfinite(low), color=color, alpha=0.18, linewidth=0)


def _caption(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    ours = tables["published_curves"].dropna(subset="score_mean")
    small = " Where ours are a small part of the published axis, they have a panel of their own, on the same unit."
    apart = any("ours" in _shows(tables["published_curves"], game) for game in ours["game"].unique())
    return (
        f"{_of_ours(ours)} {_of_the_paper(study, tables)}{small if apart else ''}"
        + _beyond(tables["published_curves"])
        + overload(tables["runs"])
    )


def _of_ours(ours: pd.DataFrame) -> str:
    if ours.empty:
        return "None of ours: no training episode has ended."
    band = "bands are 95% t intervals" if int(ours["n"].max()) > 1 else "one seed has no interval"
    return (
        "Solid: ours, the mean over seeds of the score of the training episodes that ended in the stretch "
        f"before each point, 5% of the frames or of the fastest run's time; {band}; {seeds(ours)} a line."
    )


def _beyond(table: pd.DataFrame) -> str:
    """Says so where an axis that both share leaves out the rest of the paper's curves."""
    both = [game for game in dict.fromkeys(table["game"]) if _shows(table, game) == ("both",)]
    ends = {game: table.loc[(table["game"] == game) & table["published_score"].notna(), "x"].max() for game in both}
    cut = any(end > _end(table, Panel(game, None, "both")) for game, end in ends.items())
    return " The paper's curves go on beyond the axis." if cut else ""


def _of_the_paper(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    figure, against = str(study.published), tables["against_published"]
    if figure in published.FIGURES:
        version, _, plain = figure.rpartition("-")
        number_of = f"Figures {plain} and {SUPPLEMENTS[figure]}" if figure in SUPPLEMENTS else f"Figure {plain}"
        where = f"{number_of} of Mnih et al. (2016){', first version' if version else ''}"
        shown = set(against["game"])
        other = "".join(f" {ours} stands in for {game}." for ours, game in STAND_INS.items() if ours in shown)
        return f"Dashed: {where}: {published.FIGURES[figure].statistic}; read off its drawing.{other}"
    ends = against[against["game"].str.startswith("TORCS")].pivot(
        index="game", columns="variant", values="published_end_score"
    )
    settings = [
        f"{number(a3c)} of the human tester's {number(human)} ({game.removeprefix('TORCS, ')})"
        for game, a3c, human in ends.itertuples()
    ]
    return (
        f"The paper's racing game was TORCS (Figure {figure}), whose scores are on another scale; there A3C came to "
        f"{', '.join(settings)}."
    )
