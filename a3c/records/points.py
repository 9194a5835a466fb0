"""What a run's files say, as points of curves: metric, value, frames, time. Whatever shows a run shows these."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path
from typing import NamedTuple

from a3c.records import run_folder
from a3c.records.manifest import FINISHED
from a3c.records.schedule_file import staleness_counts
from a3c.records.staleness import Staleness

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

EVALUATION_MEAN = "evaluation/score_mean"

# Of the run as a whole, which others are ranked by; as the columns of the table `runs` are called.
FINAL_SCORE, BEST_SCORE = "run/final_score", "run/best_point_score"
STALENESS_MEAN, STALENESS_P99 = "run/staleness_mean", "run/staleness_p99"
SPEED = "run/frames_per_second"

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
    evaluations = _evaluations(folder / run_folder.EVALUATIONS, episodes, ended=ended)
    return points | evaluations | _whole_run(folder, evaluations)


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
        values = {EVALUATION_MEAN: sum(scores) / len(scores)}
        values |= {"evaluation/score_min": min(scores), "evaluation/score_max": max(scores)}
        points |= {point(metric, value, target, _milliseconds(rows[0])) for metric, value in values.items()}
    return points


def _whole_run(folder: Path, evaluations: set[Point]) -> set[Point]:
    """What a finished run came to, at its end; none of a run that did not finish, which may still go on."""
    try:
        manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    except FileNotFoundError:
        return set()
    if manifest["outcome"] != FINISHED:
        return set()
    frames, seconds = int(manifest["frames"]), float(manifest["train_seconds"])
    means = sorted((found.frames, found.value) for found in evaluations if found.metric == EVALUATION_MEAN)
    figures = {SPEED: frames / seconds, **_staleness(folder)}
    if means:
        figures |= {FINAL_SCORE: means[-1][1], BEST_SCORE: max(score for _, score in means)}
    return {point(metric, value, frames, int(1000 * seconds)) for metric, value in figures.items()}


def _staleness(folder: Path) -> dict[str, float]:
    """Over all turns after the warm-up; nothing where no turns were recorded, as of other projects' programs."""
    try:
        staleness = Staleness.of(staleness_counts(folder / run_folder.SCHEDULE))
    except (FileNotFoundError, ValueError):
        return {}
    if not staleness.total:
        return {}
    return {STALENESS_MEAN: staleness.mean(), STALENESS_P99: staleness.quantile(0.99)}


def _milliseconds(row: dict[str, str]) -> int:
    return int(1000 * float(row["seconds"]))


def _rows(path: Path) -> list[dict[str, str]]:
    """The whole lines of a file that may be growing; none if it is not there yet."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))
