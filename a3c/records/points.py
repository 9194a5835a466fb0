"""What a run's files say, as points of curves: metric, value, frames, time. Whatever shows a run shows these."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path
from typing import NamedTuple

from a3c.records import run_folder

# Prefixes before the slash are the chart sections of the user interface.
INTERVAL_METRICS = {
    "score_mean": "train/score",
    "policy_loss": "loss/policy",
    "value_loss": "loss/value",
    "entropy": "loss/entropy",
    "value": "loss/value_predicted",
    "gradient_norm": "loss/gradient_norm",
    "learning_rate": "train/learning_rate",
    "updates": "train/updates",
    "staleness_mean": "staleness/mean",
    "staleness_p50": "staleness/p50",
    "staleness_p90": "staleness/p90",
    "staleness_p99": "staleness/p99",
    "staleness_max": "staleness/max",
    "frames_per_second": "speed/frames_per_second",
    "seconds": "speed/seconds",
}

SAMPLE_METRICS = {
    "distance": "drift/distance",
    "gradient_cosine": "drift/gradient_cosine",
    "kl": "drift/kl",
    "ratio_max": "drift/ratio_max",
    "lock_wait_seconds": "speed/lock_wait_seconds",
}

FILES = (run_folder.INTERVALS, run_folder.SAMPLES, run_folder.EVALUATIONS)

# A NaN differs from every other NaN, but a set finds the same object again.
NAN = math.nan


class Point(NamedTuple):
    """One point of one curve.

    Attributes:
      metric: its name.
      value: as the file has it; an infinity is the largest number of its sign, since SQL stores hold none.
      frames: of the run.
      milliseconds: of training before it.
    """

    metric: str
    value: float
    frames: int
    milliseconds: int


def point(metric: str, value: float, frames: int, milliseconds: int) -> Point:
    """A point that equals any other with the same content, NaN included."""
    largest = sys.float_info.max
    return Point(metric, NAN if math.isnan(value) else min(max(value, -largest), largest), frames, milliseconds)


def points_of(folder: Path, episodes: int, *, ended: bool) -> set[Point]:
    """Every point that the whole lines of a run's files make.

    Args:
      folder: of the run.
      episodes: of one evaluation point: while it has fewer, it is being written and is left out.
      ended: nothing more will be written, so that the last evaluation point is what it is.
    """
    points = _columns(folder / run_folder.INTERVALS, INTERVAL_METRICS)
    points |= _columns(folder / run_folder.SAMPLES, SAMPLE_METRICS)
    return points | _evaluations(folder / run_folder.EVALUATIONS, episodes, ended=ended)


def _columns(path: Path, metrics: dict[str, str]) -> set[Point]:
    """The columns that have a name as a metric, where they are not empty."""
    return {
        point(metric, float(value), int(row["frames"]), _milliseconds(row))
        for row in _rows(path)
        for column, metric in metrics.items()
        if (value := row.get(column))
    }


def _evaluations(path: Path, episodes: int, *, ended: bool) -> set[Point]:
    """Mean, least and greatest score of each evaluation, at its place on the grid that all seeds share."""
    evaluations: dict[int, list[dict[str, str]]] = {}
    for row in _rows(path):
        evaluations.setdefault(int(row["target_frames"]), []).append(row)
    points = set()
    for target, rows in evaluations.items():
        if len(rows) < episodes and not ended:
            continue
        scores = [float(row["score"]) for row in rows]
        values = {"mean": sum(scores) / len(scores), "min": min(scores), "max": max(scores)}
        points |= {point(f"evaluation/score_{k}", v, target, _milliseconds(rows[0])) for k, v in values.items()}
    return points


def _milliseconds(row: dict[str, str]) -> int:
    return int(1000 * float(row["seconds"]))


def _rows(path: Path) -> list[dict[str, str]]:
    """The whole lines of a file that may be growing; none if it is not there yet."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))
