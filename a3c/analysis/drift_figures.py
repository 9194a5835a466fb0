"""What staleness does to gradients and policies, by how stale the turn was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from a3c.analysis import style
from a3c.analysis.captions import number, overload, short
from a3c.analysis.sample_tables import BIN_LABELS, BINS
from a3c.analysis.style import PALE
from a3c.plan import Study

FEWEST_SAMPLES = 10  # in a bin; the mean of fewer is no point on a curve


class Quantity(NamedTuple):
    """A row of panels: a column of `drift_by_staleness`, its label, its value for fresh gradients, how it is scaled."""

    column: str
    label: str
    fresh: float
    scale: str


QUANTITIES = (
    Quantity("gradient_cosine", "gradient cosine", 1.0, "linear"),
    Quantity("gradient_norm_ratio", "norm ratio", 1.0, "linear"),
    Quantity("kl", "policy KL (nats)", 0.0, "log"),
)


def drift(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Gradient cosine, gradient norm ratio and KL against staleness: a row a quantity, a column a game."""
    table = tables["drift_by_staleness"]
    games = list(dict.fromkeys(tables["drift"]["game"]))
    pooled = _pooled(table)
    caption = (
        "Sampled turns: the gradient as applied against the one that the parameters it was applied to give on the "
        "same rollout (cosine; ratio of norms, stale over fresh), and the KL divergence from the policy that acted to "
        f"the one that it was applied to, in nats a step. Means over the samples of {_over(study, table)}; bins with "
        f"fewer than {FEWEST_SAMPLES} samples are left out. Dotted: no drift. No intervals: samples of one run are "
        "not independent." + overload(tables["runs"])
    )
    handles = style.legends(study, table["variant"])
    shape = style.stacked(len(QUANTITIES), len(games))
    figure, axes = style.panels(shape, caption, handles, size=(2.6, 1.6))
    for stack, game in zip(style.stacks(axes, len(QUANTITIES), len(games)), games, strict=True):
        stack[0].set_title(short(game), loc="left")
        for ax, quantity in zip(stack, QUANTITIES, strict=True):
            _against_staleness(study, ax, pooled[pooled["game"] == game], quantity)
            if ax.get_subplotspec().is_first_col():
                ax.set_ylabel(quantity.label)
            ax.tick_params(labelbottom=ax is stack[-1])
        stack[-1].set_xlabel("staleness (updates)")
    return figure


def _over(study: Study, table: pd.DataFrame) -> str:
    """What a point of the figure lumps together."""
    counts = (table.groupby("game")["workers"].nunique() > 1).any()
    parts = {"all runs": True, "worker counts": counts, "values of the sweep": study.sweep}
    return " and ".join(name for name, lumped in parts.items() if lumped)


def _pooled(table: pd.DataFrame) -> pd.DataFrame:
    """One row a game, variant and bin: means weighted by samples, bins with too few of them dropped."""
    rows = []
    for (game, variant, staleness), mine in table.groupby(["game", "variant", "staleness"], sort=False):
        if mine["samples"].sum() < FEWEST_SAMPLES:
            continue
        row: dict[str, object] = {"game": game, "variant": variant, "place": BINS.index(int(staleness))}
        for quantity in QUANTITIES:
            known = mine[mine[quantity.column].notna()]
            weights = known["samples"]
            row[quantity.column] = np.average(known[quantity.column], weights=weights) if len(known) else np.nan
        rows.append(row)
    return pd.DataFrame(rows, columns=["game", "variant", "place", *(quantity.column for quantity in QUANTITIES)])


def _against_staleness(study: Study, ax: Axes, table: pd.DataFrame, quantity: Quantity) -> None:
    if table[quantity.column].isna().all():
        style.empty(ax, "too few samples")
        return
    palette = style.colors(study)
    ax.axhline(quantity.fresh, color=PALE, linestyle=":", linewidth=1.0, zorder=0)
    for variant, rows in table.groupby("variant", sort=False):
        ordered = rows.sort_values("place")
        values = ordered[quantity.column].to_numpy(dtype=float)
        if quantity.scale == "log":  # no drift at all has no place on the axis
            values = np.where(values > 0, values, np.nan)
        ax.plot(ordered["place"].to_numpy(), values, "o-", color=palette[variant], markersize=3.5)
    last = int(table["place"].max())
    ax.set_xticks(range(last + 1), BIN_LABELS[: last + 1], rotation=45 if last > 5 else 0)
    ax.set_xlim(-0.4, last + 0.4)
    ax.yaxis.set_major_formatter(number)
    if quantity.scale == "log":
        _whole_decades(ax, table[quantity.column].to_numpy(dtype=float))


def _whole_decades(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis that ends at powers of ten, so that at least two are on it; linear if nothing is above 0."""
    above = values[values > 0]
    if not len(above):
        return
    low, high = np.floor(np.log10(above.min())), np.ceil(np.log10(above.max()))
    ax.set_yscale("log")
    ax.set_ylim(10.0**low, 10.0 ** max(high, low + 1))
    ax.yaxis.set_major_locator(LogLocator(10, numticks=5))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(lambda value, _: np.format_float_positional(value, trim="-"))
