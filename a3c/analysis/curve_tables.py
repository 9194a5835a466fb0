"""Rows about learning: mean score against frames and against wall-clock, and how soon a score is reached.

A run's curve is the mean score of the training episodes, of all its workers, that ended in a trailing window. A group's
curve is the mean over its runs where every run has a value and empty elsewhere: a mean over those runs that happen to
have finished an episode would move when its members change, not when they learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from a3c.analysis.intervals import NOTHING, Interval, generator, mean_curves, student_band
from a3c.analysis.outputs import Group
from a3c.analysis.reading import Floats, RunFolder

POINTS = 50
MOST_POINTS = 500  # of a curve against seconds that goes on much longer than the shortest
WINDOW = 0.05  # of the frames, or of the shortest run's time; more than 1 / POINTS, so that neighbors share episodes

Row = dict[str, object]


class Curves(NamedTuple):
    """The curves of one group's runs on a common grid of frames.

    Attributes:
      group: whose.
      frames: float64 [points].
      seconds: float64 [runs, points], when each run had taken so many frames.
      scores: float64 [runs, points], NaN where no episode ended in the window.
    """

    group: Group
    frames: Floats
    seconds: Floats
    scores: Floats

    @property
    def mean(self) -> Floats:
        """Mean over runs, float64 [points]; NaN where any run is."""
        return np.asarray(self.scores.mean(axis=0))


def grid(end: float) -> Floats:
    """`POINTS` equally spaced places from end / POINTS to end."""
    return end * np.arange(1, POINTS + 1) / POINTS


def time_grid(end: float, shared_end: float) -> Floats:
    """Equally spaced places up to `end`, of which every one up to `shared_end` is there: 50, or fewer in long runs.

    Args:
      end: of this group's curve.
      shared_end: of the shortest that it is compared with, at most `end`.
    """
    step = shared_end / POINTS
    step *= np.ceil(end / (step * MOST_POINTS))
    return np.arange(1, int(end / step * (1.0 + 1e-9)) + 1, dtype=np.float64) * float(step)


def trailing_means(place: Floats, score: Floats, points: Floats, window: float) -> Floats:
    """The mean score of the episodes in (p - window, p] for each point p.

    Args:
      place: [episodes], where on the axis each ended, ascending.
      score: [episodes].
      points: [points], the grid.
      window: its length, in the axis's unit.

    Returns:
      float64 [points]; NaN where the window holds no episode.
    """
    total = np.append(0.0, np.cumsum(score))
    last = np.searchsorted(place, points, side="right")
    first = np.searchsorted(place, points - window, side="right")
    number = (last - first).astype(np.float64)
    return np.where(number > 0, (total[last] - total[first]) / np.maximum(number, 1.0), np.nan)


def frame_curves(group: Group, runs: Sequence[RunFolder]) -> Curves:
    """The group's curves against frames, up to the budget that its runs share."""
    budget = float(group.runs[0].settings.budget_frames)
    points = grid(budget)
    scores = [trailing_means(r.episodes.frames, r.episodes.score, points, WINDOW * budget) for r in runs]
    seconds = [np.interp(points, *run.clock) for run in runs]
    return Curves(group, points, np.array(seconds), np.array(scores))


def curve_rows(curves: Curves) -> list[Row]:
    """The table `learning_curves`: one row a point, with the mean wall-clock at which the runs came there."""
    band = _band_rows(curves.group, curves.scores)
    clock = curves.seconds.mean(axis=0)
    return [{"frames": round(f), "seconds_mean": s} | r for f, s, r in zip(curves.frames, clock, band, strict=True)]


def time_curve_rows(group: Group, runs: Sequence[RunFolder], shared_end: float) -> list[Row]:
    """The table `learning_curves_time`: against seconds, up to the end of the group's shortest run.

    Args:
      group: whose.
      runs: of it.
      shared_end: seconds that the shortest run took of all that it may be compared with: the step between two points
        and the window are parts of that, so that at one second everybody is judged by the same stretch of time.
    """
    points = time_grid(min(run.train_seconds for run in runs), shared_end)
    scores = []
    for run in runs:
        order = np.argsort(run.episodes.seconds, kind="stable")
        seconds, score = run.episodes.seconds[order], run.episodes.score[order]
        scores.append(trailing_means(seconds, score, points, WINDOW * shared_end))
    return [{"seconds": s} | row for s, row in zip(points, _band_rows(group, np.array(scores)), strict=True)]


def _band_rows(group: Group, scores: Floats) -> list[Row]:
    low, high = student_band(scores)
    columns = zip(scores.mean(axis=0), low, high, strict=True)
    start: Row = {**group.key, "n": len(scores)}
    return [start | {"score_mean": m, "score_mean_lo": lo, "score_mean_hi": hi} for m, lo, hi in columns]


def time_to_score_rows(curves: Sequence[Curves]) -> list[Row]:
    """The table `time_to_score`: when a group's mean curve first reaches a score that all of its game do.

        threshold = min over the game's groups of (max over points of the group's mean curve)

    So it is the best that the worst group ever did, with nothing taken off. It is taken from the same curves it is
    applied to: where one group learns nothing it is a score that all have at the start, and the rows say little.
    `seconds_to_score` is the mean wall-clock at which the runs had taken `frames_to_score` frames, so that it is data
    efficiency times throughput exactly. The interval is of frames, over seeds drawn again, with the threshold held
    fixed; its end is `inf` where the mean of more than 2.5% of the draws never comes there. `n_reached` counts the runs
    whose own curve does. A group without a curve has an empty row and no say in the threshold.
    """
    rows = []
    for game in dict.fromkeys(c.group.game for c in curves):
        mine = [c for c in curves if c.group.game == game]
        best = [float(np.nanmax(c.mean)) for c in mine if np.isfinite(c.mean).any()]
        rows += [_time_to_score(c, min(best) if best else np.nan) for c in mine]
    return rows


def _time_to_score(curves: Curves, threshold: float) -> Row:
    reached = np.flatnonzero(curves.mean >= threshold)
    frames = float(curves.frames[reached[0]]) if len(reached) else np.nan
    seconds = float(curves.seconds[:, reached[0]].mean()) if len(reached) else np.nan
    low, high = _frames_interval(curves, threshold)
    return {
        **curves.group.key,
        "threshold_score": threshold,
        "frames_to_score": frames,
        "frames_to_score_lo": low,
        "frames_to_score_hi": high,
        "seconds_to_score": seconds,
        "n_reached": int((curves.scores >= threshold).any(axis=1).sum()),
        "n": len(curves.scores),
    }


def _frames_interval(curves: Curves, threshold: float) -> Interval:
    if len(curves.scores) < 2 or not np.isfinite(curves.mean).any():
        return NOTHING
    hit = mean_curves(curves.scores, generator()) >= threshold
    first = np.where(hit.any(axis=1), curves.frames[hit.argmax(axis=1)], np.inf)
    # No interpolation: between a frame count and infinity there is nothing.
    low, high = np.quantile(first, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)
