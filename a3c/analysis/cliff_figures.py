"""The cliff world: the return of its episodes, and the policy that was learnt, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, seeds
from a3c.analysis.curve_figures import axis_unit, draw_lines
from a3c.analysis.outputs import POLICY_TABLE
from a3c.environments.cliff_world import ACTIONS, COLUMNS, GOAL, ROWS, START
from a3c.environments.games import CLIFF_WORLD
from a3c.plan import Study

SHORTEST = -(COLUMNS + 1)  # up, along the cliff, down


def cliff_world_returns(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The undiscounted return of the training episodes of all workers together; a panel a worker count."""
    table = tables["learning_curves"]
    table = table[table["game"] == CLIFF_WORLD]
    counts = sorted(set(table["workers"]))
    caption = (
        "Undiscounted return of training episodes, of all workers together: the mean over seeds of each seed's mean "
        f"over the 5% of the budget before each point, with 95% t intervals; {seeds(table)} a line. The "
        f"scale is logarithmic in the return's size. Dashed: {number(SHORTEST)}, the shortest path."
    )
    caption += overload(tables["runs"])
    handles = style.legends(study, table["variant"])
    figure, axes = style.side_by_side(len(counts), caption, handles, (2.8, 2.3), label="return")
    for ax, workers in zip(axes, counts, strict=True):
        ax.set_title(plural(workers), loc="left")
        draw_lines(study, ax, table[table["workers"] == workers], "frames", axis_unit(table, "frames"))
        _return_axis(ax, table)
    return figure


def _return_axis(ax: Axes, table: pd.DataFrame) -> None:
    if table["score_mean"].isna().all():
        return
    ax.axhline(SHORTEST, color=style.INK, linestyle=(0, (4, 3)), linewidth=0.9)
    lowest = float(np.nanmin(table[["score_mean", "score_mean_lo"]].to_numpy()))
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(min(1.3 * lowest, -30.0), -10.0)
    exponents = range(1, int(np.log10(max(-lowest, 10.0))) + 1)
    ax.set_yticks([-(10.0**e) for e in exponents])
    ax.yaxis.set_major_formatter(number)


def cliff_world_policy(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The final policy: a row a variant, at its greatest worker count, and a panel an action."""
    table = tables[POLICY_TABLE]
    greatest = table.groupby("variant", sort=False)["workers"].max()
    caption = (
        f"Probability of each action in each cell with the final parameters, mean over seeds ({seeds(table)}), "
        "of each variant's runs with the most workers. S start, G goal, hatched the cliff." + overload(tables["runs"])
    )
    figure, axes = style.panels((len(greatest), len(ACTIONS)), caption, size=(1.8, 0.95))
    image = None
    for row, (variant, workers) in enumerate(greatest.items()):
        mine = table[(table["variant"] == variant) & (table["workers"] == workers)]
        for action, ax in enumerate(axes[row]):
            cells = mine[mine["action"] == action].sort_values("state")["probability_mean"].to_numpy()
            grid = cells.reshape(ROWS, COLUMNS)
            seaborn.heatmap(grid, vmin=0, vmax=1, cmap="viridis", ax=ax, cbar=False, square=True, rasterized=True)
            image = ax.collections[0]
            _landmarks(ax)
            if row == 0:
                ax.set_title(ACTIONS[action], loc="left")
        axes[row, 0].set_ylabel(f"{variant}\n{plural(int(workers))}")
    if image is not None:
        figure.colorbar(image, ax=list(axes.flat), label="probability", shrink=0.9, aspect=12 * len(greatest), pad=0.01)
    return figure


def _landmarks(ax: Axes) -> None:
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    top, left = divmod(START + 1, COLUMNS)
    width = GOAL - START - 1
    ax.add_patch(Rectangle((left, top), width, 1, facecolor="#D9D9D9", edgecolor="#888888", hatch="////", linewidth=0))
    for text, state in (("S", START), ("G", GOAL)):
        row, column = divmod(state, COLUMNS)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6.5, bbox=box)
