"""The same settings and the same seed, again and again: what comes out the same, to the bit, and what does not."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, short
from a3c.analysis.score_tables import Row
from a3c.analysis.views.of_the_claims import AGREEMENT
from a3c.plan import Run, Study
from a3c.records import run_folder
from a3c.records.schedule_file import read_schedule

ORDER = ["worker", "steps", "staleness"]
JITTER = 0.09  # between the dots of repeats, of the distance between variants


class _Repeat(NamedTuple):
    """One of several runs of the same settings and seed.

    Attributes:
      turns: dtype `TURN`.
      model: digest of its final parameters.
      score: at the last evaluation point.
      replayed: whether it was made again byte for byte; None where it cannot be.
    """

    turns: np.ndarray
    model: str
    score: float
    replayed: bool | None


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the table `reproducibility`: one for each game, variant, worker count and seed.

    Args:
      study: that sweeps `repeat`.
      results: the folder that holds `runs/` and `replays/`.
      base: the rows of its standard tables.

    Raises:
      ValueError: if the study sweeps another setting, whose values would differ in more than chance.
      FileNotFoundError: if a run has not been replayed.
    """
    if study.sweep is None or study.sweep.setting != "repeat":
        raise ValueError(f"study {study.name}: the view `reproducibility` needs `sweep: {{setting: repeat, ...}}`")
    scores = {row["folder"]: row["final_score"] for row in base["runs"]}
    found: dict[tuple[str, int, int, int], list[_Repeat]] = {}
    for run in sorted(study.runs, key=lambda run: run.settings.repeat):
        settings = run.settings
        key = (settings.game, settings.workers, study.variants.index(run.variant), settings.seed)
        found.setdefault(key, []).append(_read(run, results, scores[run.folder]))
    return {"reproducibility": [_row(study, key, found[key]) for key in sorted(found)]}


def _read(run: Run, results: Path, score: Any) -> _Repeat:
    folder = results / "runs" / run.folder
    with (folder / run_folder.EVALUATIONS).open(newline="", encoding="utf-8") as file:
        last = max(csv.DictReader(file), key=lambda row: int(row["point"]))
    replayed = None
    if run.settings.schedule != "hogwild":
        replayed = run_folder.read_json(results / AGREEMENT.format(run=run.folder))["equal"] is True
    return _Repeat(read_schedule(folder / run_folder.SCHEDULE)[1], last["digest"], float(score), replayed)


def _row(study: Study, key: tuple[str, int, int, int], repeats: list[_Repeat]) -> Row:
    game, workers, variant, seed = key
    first, *others = repeats
    parted = [turn for other in others if (turn := parting_turn(first.turns, other.turns)) is not None]
    known = [repeat.replayed for repeat in repeats if repeat.replayed is not None]
    score = np.array([repeat.score for repeat in repeats])
    return {
        "game": game,
        "workers": workers,
        "variant": study.variants[variant],
        "seed": seed,
        "repeats": len(repeats),
        "schedules": len({_digest(repeat.turns[ORDER]) for repeat in repeats}),
        "models": len({repeat.model for repeat in repeats}),
        "median_parting_turn": float(np.median(parted)) if parted else None,
        "replays_equal": sum(known) if known else None,
        "final_score_mean": float(score.mean()),
        "final_score_sd": float(score.std(ddof=1)) if len(score) > 1 else None,
        "final_score_min": float(score.min()),
        "final_score_max": float(score.max()),
    }


def parting_turn(first: np.ndarray, second: np.ndarray) -> int | None:
    """The first turn, from 0, that is not the same in both, dtype `TURN`; None if all are."""
    shared = min(len(first), len(second))
    unequal = np.flatnonzero(first[:shared] != second[:shared])
    if len(unequal):
        return int(unequal[0])
    return None if len(first) == len(second) else shared


def _digest(turns: np.ndarray) -> str:
    columns = b"".join(np.ascontiguousarray(turns[name]).tobytes() for name in ORDER)
    return hashlib.sha256(columns).hexdigest()


def reproducibility(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """The final score of each repeat, side by side by variant, with the number of different models above."""
    table, runs = tables["reproducibility"], tables["runs"]
    places = list(dict.fromkeys(zip(table["game"], table["workers"], table["seed"], strict=True)))
    low, high = int(table["repeats"].min()), int(table["repeats"].max())
    caption = (
        f"A dot a run: {low if low == high else f'{low} to {high}'} runs of the same settings and the same seed for "
        "each variant, the mean score of the last evaluation point. Above: how many different final parameters they "
        "ended with, by their bytes." + overload(runs)
    )
    figure, axes = style.side_by_side(len(places), caption, size=(3.6, 2.3), label="final score")
    seeds = table["seed"].nunique() > 1
    for ax, (game, workers, seed) in zip(axes, places, strict=True):
        ax.set_title(f"{short(game, 20)}, {plural(workers)}{f', seed {seed}' * seeds}", loc="left", pad=14)
        mine, own = (
            frame[(frame["game"] == game) & (frame["workers"] == workers) & (frame["seed"] == seed)]
            for frame in (table, runs)
        )
        _draw(study, ax, mine, own)
    return figure


def _draw(study: Study, ax: Axes, table: pd.DataFrame, runs: pd.DataFrame) -> None:
    palette, shown = style.colors(study), list(dict.fromkeys(table["variant"]))
    for place, variant in enumerate(shown):
        scores = runs[runs["variant"] == variant]["final_score"].to_numpy()
        x = place + JITTER * (np.arange(len(scores)) - (len(scores) - 1) / 2)
        ax.plot(x, scores, "o", color=palette[variant], markersize=4.5, alpha=0.8)
        models = int(table.loc[table["variant"] == variant, "models"].iloc[0])
        text = "1 model" if models == 1 else f"{models} models"
        ax.annotate(text, (place, 1.02), xycoords=("data", "axes fraction"), ha="center", fontsize=7, color=style.INK)
    ax.set_xticks(range(len(shown)), [short(variant, 16) for variant in shown])
    ax.set_xlim(-0.6, len(shown) - 0.4)
    ax.grid(visible=False, axis="x")
    ax.yaxis.set_major_formatter(number)


FIGURES = {"reproducibility": reproducibility}


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """How many schedules and models each variant's repeats had, how far their scores lie apart, and their replays.

    Args:
      study: unused; the table names its variants.
      tables: by name.
    """
    del study
    sentences = []
    for place, mine in tables["reproducibility"].groupby(["game", "workers", "seed"], sort=False):
        clauses = [_clause(row) for row in mine.to_dict("records")]
        sentences.append(f"In {place[0]} with {plural(int(place[1]))}, seed {place[2]}: {'; '.join(clauses)}.")
    return " ".join(sentences) or None


def _clause(row: Mapping[str, Any]) -> str:
    def counted(count: int, thing: str) -> str:
        return f"{count} {thing}" if count == 1 else f"{count} different {thing}s"

    repeats = int(row["repeats"])
    made = f"{counted(int(row['schedules']), 'schedule')} and {counted(int(row['models']), 'model')}"
    scores = f"final scores {number(row['final_score_min'])} to {number(row['final_score_max'])}"
    replayed = "" if pd.isna(row["replays_equal"]) else f", {int(row['replays_equal'])} replayed bit for bit"
    return f"{row['variant']}: {repeats} runs, {made}, {scores}{replayed}"
