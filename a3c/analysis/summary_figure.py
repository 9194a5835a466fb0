"""One figure that answers three questions beside each other, from the tables of the studies that ask them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from a3c.analysis import style
from a3c.analysis.captions import overload, plural, seeds
from a3c.analysis.curve_figures import axis_unit, draw_lines
from a3c.analysis.figures import save
from a3c.analysis.outputs import SUMMARY_GAME, SUMMARY_TABLES, summarized, summary_path, table_path
from a3c.analysis.sweep_figures import draw_along, swept_label
from a3c.analysis.tables import read_table
from a3c.analysis.turn_figures import mark_cores, marks
from a3c.analysis.views.speed_up_figures import draw_ratio
from a3c.plan import Study

PANEL = (3.1, 2.7)  # inches: three of them are as wide as a page of a repository shows
LINE = 12.0  # points that a line of a panel's legend takes

Tables = Mapping[str, pd.DataFrame]


class Panel(NamedTuple):
    """What the summary shows of one study.

    Attributes:
      question: its heading.
      draw: draws it, with the labels of its axes.
      words: says what is drawn, and of how many seeds.
      lines: the table whose variants are drawn.
    """

    question: str
    draw: Callable[[Study, Axes, Tables], None]
    words: Callable[[Tables], str]
    lines: str


def write_summary(studies: Sequence[Study], results: Path, name: str) -> bool:
    """Draws the summary of the studies of a report as SVG, PNG and PDF, the same bytes from the same tables.

    Args:
      studies: of one scale; the tables of those that have a panel are written.
      results: the folder that holds `tables/`; `figures/<scale>/<name>_summary.*` is made in it.
      name: of the report.

    Returns:
      Whether any of the studies has a panel. Without one nothing is drawn.

    Raises:
      FileNotFoundError: if a table is missing.
    """
    shown = summarized(studies)
    if not shown:
        return False
    tables = [_tables(study, results) for study in shown]
    with mpl.rc_context(style.RC):
        save(summary(shown, tables), summary_path(shown[0].scale, results, name))
    return True


def summary(shown: Sequence[Study], tables: Sequence[Tables]) -> Figure:
    """A panel a study beside each other, each with a legend of its own, since variants differ from study to study.

    Args:
      shown: as `summarized` gives them.
      tables: those of `SUMMARY_TABLES` of each, by name.
    """
    figure, axes = style.panels((1, len(shown)), _caption(shown, tables), size=PANEL)
    keys = [_key(study, own) for study, own in zip(shown, tables, strict=True)]
    height = LINE * max(-(-len(key) // 2) for key in keys)
    for ax, letter, study, own, key in zip(axes.flat, "abc", shown, tables, keys, strict=False):
        panel = PANELS[study.name]
        panel.draw(study, ax, own)
        ax.set_title(f"{letter}  {panel.question}", loc="left", pad=height + 6, fontsize=9.5)
        ax.legend(handles=key, loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2)
    return figure


def _tables(study: Study, results: Path) -> Tables:
    """Those of the panel; of tables about games, the rows of the summary's game."""
    read = {name: read_table(table_path(study, results, name)) for name in SUMMARY_TABLES[study.name]}
    return {name: table[table["game"] == SUMMARY_GAME] for name, table in read.items()}


def _key(study: Study, tables: Tables) -> list[Line2D]:
    panel = PANELS[study.name]
    table = tables[panel.lines]
    counts = sorted(set(table["workers"])) if panel.draw is _curves else []
    hollow = marks(table, "oversubscribed") if panel.draw is _speeds else []
    return [line for lines in (*style.legends(study, table["variant"], counts), *hollow) for line in lines]


def _caption(shown: Sequence[Study], tables: Sequence[Tables]) -> str:
    runs = pd.concat([own["runs"] for own in tables])
    cores = " or ".join(str(int(count)) for count in sorted(set(runs["cores"].dropna())))
    parts = [
        f"{letter}: {PANELS[study.name].words(own)}." for letter, study, own in zip("abc", shown, tables, strict=False)
    ]
    return f"{SUMMARY_GAME} on {cores} cores. {' '.join(parts)}{overload(runs)}"


def _curves(study: Study, ax: Axes, tables: Tables) -> None:
    table = tables["learning_curves"]
    draw_lines(study, ax, table, "frames", axis_unit(table, "frames"))
    ax.set_ylabel("training score")


def _curves_words(tables: Tables) -> str:
    table = tables["learning_curves"]
    workers = " and ".join(plural(count) for count in sorted(set(table["workers"])))
    return (
        f"score of the training episodes of {workers} in the 5% of the axis before each point, means over seeds with "
        f"{_spread(table, 't')}"
    )


def _fall(study: Study, ax: Axes, tables: Tables) -> None:
    draw_along(study, ax, _most_workers(tables["sweep"]), _most_workers(tables["runs"]), "mean_score")
    ax.set_xlabel(swept_label(study))
    ax.set_ylabel("mean score")


def _fall_words(tables: Tables) -> str:
    table = _most_workers(tables["sweep"])
    return (
        f"mean score over all evaluation points where each gradient of {plural(int(table['workers'].iloc[0]))} is "
        f"computed with the parameters of so many updates ago; pale dots are seeds, means have {_spread(table, 't')}"
    )


def _most_workers(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["workers"] == table["workers"].max()]


def _speeds(study: Study, ax: Axes, tables: Tables) -> None:
    table = tables["speed_up"]
    draw_ratio(study, ax, table, tables["speed_up_means"].iloc[:0], "throughput")
    several = table[table["n"] > 1]
    if several["workers"].nunique() > 1:  # else the panel says that it is empty
        mark_cores(ax, several)
        most = several["workers"].max()
        ax.annotate("ideal ", (most, most), ha="right", va="bottom", color=style.INK, fontsize=7)
    ax.set_ylabel("speed-up in frames a second")


def _speeds_words(tables: Tables) -> str:
    return (
        "frames a second on the way to the reference score, against one worker of the same variant, with "
        f"{_spread(tables['speed_up'], 'bootstrap')}; hollow: more workers than cores; gray: ideal; both axes "
        "logarithmic"
    )


def _spread(table: pd.DataFrame, kind: str) -> str:
    """What a panel's intervals are, and n."""
    several = int(table["n"].max()) > 1
    return f"95% {kind} intervals ({seeds(table)})" if several else "no interval (one seed)"


PANELS = {
    "a3c_vs_a2c": Panel("Does A3C score higher than A2C?", _curves, _curves_words, "learning_curves"),
    "staleness_prescribed": Panel("Does staleness cost score?", _fall, _fall_words, "sweep"),
    "thread_scaling": Panel("What do more workers buy?", _speeds, _speeds_words, "speed_up"),
}
