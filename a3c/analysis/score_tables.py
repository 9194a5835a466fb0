"""Rows about runs and their scores. The seed is the unit of every interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from a3c.analysis.intervals import (
    Floats,
    Interval,
    bootstrap_interval,
    generator,
    iqm,
    median,
    student_band,
    student_interval,
)
from a3c.analysis.outputs import Group
from a3c.analysis.reading import RunFolder

LAST_PART = 0.1  # of the budget: the training episodes that `training_score` is the mean of

Row = dict[str, object]
Ends = dict[tuple[str, int], float]  # seconds by game and worker count


def with_interval(name: str, value: float, interval: Interval) -> Row:
    """Three columns: `name`, `name_lo`, `name_hi`."""
    return {name: value, f"{name}_lo": interval[0], f"{name}_hi": interval[1]}


def mean_with_interval(name: str, values: Floats) -> Row:
    """The mean of one value a run, float64 [runs], and its t interval; empty if any run lacks the value."""
    return with_interval(name, float(values.mean()), student_interval(values))


def run_rows(group: Group, runs: Sequence[RunFolder]) -> list[Row]:
    """The table `runs`: one row a run."""
    return [_run_row(group, run) for run in runs]


def _run_row(group: Group, run: RunFolder) -> Row:
    settings, manifest = run.run.settings, run.manifest
    points, scores = run.evaluations
    best = int(scores.argmax())
    late = run.episodes.score[run.episodes.frames > (1.0 - LAST_PART) * settings.budget_frames]
    return {
        **group.key,
        "schedule": settings.schedule,
        "cores": int(manifest["cores"]),
        "oversubscribed": bool(manifest["oversubscribed"]),
        "timing": bool(manifest["timing"]),
        "seed": settings.seed,
        "frames": run.frames,
        "budget_frames": settings.budget_frames,
        "updates": int(manifest["updates"]),
        "train_seconds": run.train_seconds,
        "frames_per_second": run.frames / run.train_seconds,
        "final_score": float(scores[-1]),
        "best_point_score": float(scores[best]),
        "best_point_frames": int(points[best]),
        "mean_score": float(scores.mean()),
        "training_score": float(late.mean()) if len(late) else np.nan,
        "equal_time_score": np.nan,
        "staleness_mean": run.staleness.mean(),
        "staleness_p99": run.staleness.quantile(0.99),
        "settings_id": settings.id,
        "folder": run.run.folder,
    }


def shortest_seconds(runs: Iterable[RunFolder]) -> Ends:
    """The wall-clock of the fastest run of each game and worker count: what all others can be compared at."""
    ends: Ends = {}
    for run in runs:
        place, seconds = (run.run.settings.game, run.run.settings.workers), run.train_seconds
        ends[place] = min(seconds, ends.get(place, seconds))
    return ends


def add_equal_time_scores(rows: Sequence[Row], runs: Mapping[object, RunFolder], ends: Ends) -> None:
    """Fills in `equal_time_score`: what each run scored when the fastest of its game and worker count had finished.

    Scores between two evaluation points are interpolated; before the first there is none.

    Args:
      rows: of the table `runs`, changed.
      runs: by their folder.
      ends: see `shortest_seconds`.
    """
    for row in rows:
        run = runs[row["folder"]]
        end = ends[run.run.settings.game, run.run.settings.workers]
        finished = run.train_seconds <= end  # its last point may have been timed a moment later
        score = np.interp(end, run.evaluation_seconds, run.evaluations[1], left=np.nan)
        row["equal_time_score"] = row["final_score"] if finished else float(score)


def score_row(group: Group, rows: Sequence[Row]) -> Row:
    """One row of the table `scores`, from the group's rows of the table `runs`."""
    final, best, training = (column(rows, name) for name in ("final_score", "best_point_score", "training_score"))
    result: Row = {**group.key, "n": len(rows)}
    result |= mean_with_interval("final_score_mean", final)
    for name, statistic in (("median", median), ("iqm", iqm)):
        interval = bootstrap_interval(final[:, None], statistic, generator())
        result |= with_interval(f"final_score_{name}", float(statistic(final[:, None])), interval)
    result |= mean_with_interval("best_point_score_mean", best)
    return result | {"training_score_mean": float(training.mean())}


def column(rows: Sequence[Row], name: str) -> Floats:
    """One column of some rows, float64 [rows]."""
    return np.array([row[name] for row in rows], dtype=np.float64)


def evaluation_rows(group: Group, runs: Sequence[RunFolder]) -> list[Row]:
    """The table `evaluations`: each evaluation point's mean over runs of the run's mean over episodes.

    The points are those of the settings that the group's runs share.
    """
    points = runs[0].evaluations[0]
    scores = np.array([run.evaluations[1] for run in runs])
    low, high = student_band(scores)
    start: Row = {**group.key, "n": len(runs)}
    return [
        start | {"frames": int(frames)} | with_interval("score_mean", float(value), (float(lo), float(hi)))
        for frames, value, lo, hi in zip(points, scores.mean(axis=0), low, high, strict=True)
    ]
