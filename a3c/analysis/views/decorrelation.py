"""How alike consecutive updates are, in gradient and in data, against the number of workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, seeds, short
from a3c.analysis.outputs import groups
from a3c.analysis.score_tables import Row, mean_with_interval
from a3c.analysis.turn_figures import marks, points
from a3c.analysis.verdicts import FEWEST_SEEDS, with_ends
from a3c.analysis.views.of_the_claims import CORRELATIONS
from a3c.plan import Study

QUANTITIES = (
    "gradient_cosine", "gradient_cosine_own", "observation_correlation", "observation_correlation_own",
    "within_correlation", "between_correlation",
)  # fmt: skip


DASHES = (0, (3, 2))
LINES: dict[str, Any] = {"consecutive updates": "-", "own update before, or within an update": DASHES}


class Panel(NamedTuple):
    """A row of panels: its axis, the column drawn in full, the one drawn dashed."""

    label: str
    full: str
    dashed: str


PANELS = (
    Panel("gradient cosine", "gradient_cosine", "gradient_cosine_own"),
    Panel("correlation of\nmean observations", "observation_correlation", "observation_correlation_own"),
    Panel("correlation of\nsuccessive observations", "between_correlation", "within_correlation"),
)


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the table `decorrelation`, from what `a3c measure` wrote about each run.

    Args:
      study: of runs that their recorded schedule determines.
      results: the folder that holds `measurements/`.
      base: unused, since no standard table has gradients.

    Raises:
      ValueError: if the study has a hogwild run.
      FileNotFoundError: if a run has not been measured.
    """
    del base
    if any(run.settings.schedule == "hogwild" for run in study.runs):
        raise ValueError(f"study {study.name}: `decorrelation` cannot measure hogwild runs, which no record determines")
    found = []
    for group in groups(study):
        measured = pd.DataFrame([_measured(results / CORRELATIONS.format(run=run.folder)) for run in group.runs])
        row: Row = {**group.key, "n": len(group.runs), "turns": int(measured["turns"].sum())}
        for name in QUANTITIES:
            row |= mean_with_interval(name, measured[name].to_numpy(dtype=np.float64))
        found.append(row)
    return {"decorrelation": found}


def _measured(path: Path) -> dict[str, float]:
    """A run's turns, and the mean of each quantity over its blocks, weighted by turns; NaN if no block has it."""
    blocks = pd.read_csv(path, dtype="float64")
    found = {"turns": float(blocks["turns"].sum())}
    for name in QUANTITIES:
        known = blocks[blocks[name].notna()]
        found[name] = float(np.average(known[name], weights=known["turns"])) if len(known) else np.nan
    return found


def decorrelation(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Gradient cosine, correlation of mean observations and of successive ones against workers; a column a game."""
    runs = tables["runs"]
    crowded = runs.groupby(["game", "variant", "workers"])["oversubscribed"].max().reset_index()
    table = tables["decorrelation"].merge(crowded, on=["game", "variant", "workers"], validate="many_to_one")
    games = list(dict.fromkeys(table["game"]))
    alone = "; one run has no interval" if int(table["n"].min()) == 1 else ""
    caption = (
        "Consecutive updates in the order in which they were applied. Above and in the middle, full lines: an update "
        "against the update before, whoever made it; dashed: against the same worker's own update before. Below, full "
        "lines: the last observation of an update against the first of the next; dashed: successive observations "
        f"within an update. Means over runs ({seeds(table)} a point) with 95% t intervals{alone}. Dotted: no "
        "correlation." + overload(runs)
    )
    handles = [*style.legends(study, table["variant"]), *style.line_legend(LINES), *marks(table)]
    figure, axes = style.panels(style.stacked(len(PANELS), len(games)), caption, handles, size=(2.9, 1.7))
    for stack, game in zip(style.stacks(axes, len(PANELS), len(games)), games, strict=True):
        stack[0].set_title(short(game), loc="left")
        for ax, panel in zip(stack, PANELS, strict=True):
            _draw(study, ax, table[table["game"] == game], panel)
            if ax.get_subplotspec().is_first_col():
                ax.set_ylabel(panel.label)
            if ax is not stack[-1]:
                ax.set_xlabel("")
    return figure


def _draw(study: Study, ax: Axes, table: pd.DataFrame, panel: Panel) -> None:
    palette = style.colors(study)
    ax.axhline(0.0, color=style.PALE, linestyle=":", linewidth=1.0, zorder=0)
    for variant, mine in table.groupby("variant", sort=False):
        x = mine["workers"].to_numpy(dtype=float)
        dashed: dict[str, Any] = {"linestyle": DASHES, "linewidth": 1.0, "marker": "D", "markersize": 2.5}
        ax.plot(x, mine[panel.dashed].to_numpy(), color=palette[variant], **dashed)
        points(ax, mine, panel.full, palette[variant], x)
    style.log2_axis(ax, sorted(set(table["workers"])))
    ax.yaxis.set_major_formatter(number)


FIGURES = {"decorrelation": decorrelation}


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Each quantity with the most workers against that with the fewest, of each game and variant.

    Args:
      study: unused; the table names its variants.
      tables: by name.
    """
    del study
    sentences = []
    for (game, variant), mine in tables["decorrelation"].groupby(["game", "variant"], sort=False):
        ordered = mine.sort_values("workers").to_dict("records")
        if len(ordered) > 1:
            sentences.append(f"{variant} in {game}: {_against(ordered[0], ordered[-1])}.")
    return " ".join(sentences) or None


def _against(fewest: Mapping[str, Any], most: Mapping[str, Any]) -> str:
    counts = f"with {plural(int(most['workers']))} against {plural(int(fewest['workers']))}"
    clauses = [_compared(fewest, most, name) for name in ("gradient_cosine", "observation_correlation")]
    return f"{counts}, of consecutive updates {'; '.join(clauses)}"


def _compared(fewest: Mapping[str, Any], most: Mapping[str, Any], name: str) -> str:
    """Intervals that do not overlap are decided; that is stricter than a test of the difference."""
    n = int(min(most["n"], fewest["n"]))
    words, found = name.replace("_", " "), f"undecided at n = {n}"
    values = f"{with_ends(most, name)} against {with_ends(fewest, name)}"
    if n >= FEWEST_SEEDS and most[f"{name}_hi"] < fewest[f"{name}_lo"]:
        found = "lower"
    if n >= FEWEST_SEEDS and most[f"{name}_lo"] > fewest[f"{name}_hi"]:
        found = "higher"
    return f"the {words} is {found} ({values}, n = {n})" if n >= FEWEST_SEEDS else f"the {words} is {found} ({values})"
