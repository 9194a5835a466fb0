"""How soon a score is reached with more workers, and the final scores side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a3c.analysis import style
from a3c.analysis.captions import frame_unit, number, overload, plural, second_unit, seeds, short
from a3c.analysis.turn_figures import marks, points
from a3c.plan import Study

SPREAD = 0.07  # of a doubling, between the variants' points at one worker count


def time_to_score(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Frames (above) and seconds (below) to the game's threshold score, against workers."""
    speeds = tables["throughput"][["game", "variant", "workers", "oversubscribed"]]
    table = tables["time_to_score"].merge(speeds, on=["game", "variant", "workers"], validate="one_to_one")
    games = list(dict.fromkeys(table["game"]))
    columns = style.beside(len(games))
    handles = [*style.legends(study, table["variant"]), *marks(table)]
    caption = (
        "Where the mean training curve first reaches the score in the title: the best that the worst group ever "
        f"reached. Above in frames, with 95% bootstrap intervals over seeds ({seeds(table)} a point; an arrow: beyond "
        "the budget); below the wall-clock at which the runs came to the same frame. Less is better."
        + overload(tables["runs"])
    )
    figure, axes = style.panels((2 * -(-len(games) // columns), columns), caption, handles, size=(2.8, 1.9))
    for place in range(axes.shape[0] // 2 * columns):
        row, column = divmod(place, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        if place >= len(games):
            style.hide([above, below])
            continue
        mine = table[table["game"] == games[place]]
        if mine["n"].max() < 2 and mine["frames_to_score"].notna().any():
            above.set_title(short(games[place], 20), loc="left")
            for ax in (above, below):
                style.empty(ax, "one seed says nothing")
            continue
        threshold = mine["threshold_score"].iloc[0]
        score = "no score" if np.isnan(threshold) else f"score {number(threshold)}"
        above.set_title(f"{short(games[place], 20)}: {score}", loc="left")
        _against_workers(study, above, mine, "frames_to_score")
        _against_workers(study, below, mine, "seconds_to_score")
    return figure


def _against_workers(study: Study, ax: Axes, table: pd.DataFrame, name: str) -> None:
    if table[name].isna().all():
        style.empty(ax, "too few episodes ended")
        return
    ends = table.filter(items=[name, f"{name}_hi"]).to_numpy(dtype=float)
    greatest = float(ends[np.isfinite(ends)].max())
    unit, label = (frame_unit if name == "frames_to_score" else second_unit)(greatest)
    palette = style.colors(study)
    variants = list(dict.fromkeys(table["variant"]))
    for index, variant in enumerate(variants):
        rows = table[table["variant"] == variant]
        x = rows["workers"].to_numpy(dtype=float) * 2.0 ** (SPREAD * (index - (len(variants) - 1) / 2))
        points(ax, rows, name, palette[variant], x, unit)
    style.log2_axis(ax, sorted(set(table["workers"])))
    ax.set_ylim(0, 1.15 * greatest / unit)
    ax.yaxis.set_major_formatter(number)
    ax.set_ylabel(label)


def comparison(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Final scores: a dot a seed, and beside them the mean with its interval; a panel a game."""
    scores, runs = tables["scores"], tables["runs"]
    games = list(dict.fromkeys(scores["game"]))
    places = int(scores.groupby("game").size().max())
    caption = (
        f"Mean score of the last evaluation point: a pale dot a seed ({seeds(scores)}), the mean over seeds with "
        f"its 95% t interval beside them{'; one seed has no interval' if int(scores['n'].min()) == 1 else ''}."
        + overload(runs)
    )
    size = (max(2.4, 0.24 * places + 0.8), 2.2)
    handles = style.legends(study, scores["variant"])
    figure, axes = style.side_by_side(len(games), caption, handles, size, label="final score")
    for ax, game in zip(axes, games, strict=True):
        ax.set_title(short(game), loc="left")
        _final_scores(study, ax, scores[scores["game"] == game], runs[runs["game"] == game])
    return figure


def _final_scores(study: Study, ax: Axes, scores: pd.DataFrame, runs: pd.DataFrame) -> None:
    palette = style.colors(study)
    places, x, before = [], -1.0, ""
    for row in scores.to_dict("records"):
        x += 1.6 if before not in ("", row["variant"]) else 1.0  # a gap between variants
        before = row["variant"]
        mine = runs[(runs["variant"] == row["variant"]) & (runs["workers"] == row["workers"])]
        values = mine["final_score"].to_numpy(dtype=float)
        spread = np.linspace(-0.1, 0.1, len(values)) if len(values) > 1 else np.zeros(1)
        color = palette[row["variant"]]
        ax.plot(x - 0.15 + spread, values, "o", color=color, alpha=0.45, markersize=3.5, markeredgewidth=0)
        ax.vlines(x + 0.22, row["final_score_mean_lo"], row["final_score_mean_hi"], color=color, linewidth=2.0)
        ax.plot(x + 0.22, row["final_score_mean"], "D", color=color, markersize=4.5, markeredgecolor="white")
        places.append(x)
    counts = list(dict.fromkeys(scores["workers"]))
    ticks = dict(zip(places, scores["workers"].astype(str), strict=True)) if len(counts) > 1 else {}
    ax.set_xticks(list(ticks), list(ticks.values()))  # with one worker count, the legend names all there is to name
    ax.set_xlim(-0.7, x + 0.7)
    ax.set_xlabel("workers" if len(counts) > 1 else plural(counts[0]))
    ax.yaxis.set_major_formatter(number)
    ax.grid(visible=False, axis="x")
