"""The rows a run leaves, as CSV files that grow while it trains.

Every row carries both clocks: `frames`, the global frame counter, and `seconds` since the workers were let go.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from a3c.records.run_folder import open_growing, synced_length
from a3c.records.storage import append


class EpisodeRow(NamedTuple):
    """One training episode, from reset to game over or time limit.

    Attributes:
      frames: global frames when the worker that played it had last pulled, plus its own since.
      seconds: wall-clock since the workers were let go.
      worker: who played it.
      env: which of the worker's environments.
      score: unclipped, whole game.
      steps: decisions taken in it.
      truncated: 1 if the time limit ended it.
    """

    frames: int
    seconds: float
    worker: int
    env: int
    score: float
    steps: int
    truncated: int


class IntervalRow(NamedTuple):
    """Means over the turns of one interval of frames.

    Attributes:
      frames: global frames at the interval's end.
      updates: versions applied so far.
      seconds: wall-clock since the workers were let go.
      learning_rate: at the interval's end.
      policy_loss: mean over the interval's turns, per step; empty for an algorithm without a policy. The whole of a
        loss of the user's own.
      value_loss: mean over turns, per step, before `value_weight`; empty for such a loss.
      entropy: mean over turns, per step, nats; likewise.
      value: mean predicted value.
      gradient_norm: mean global norm before clipping.
      staleness_mean: mean over turns, updates.
      staleness_p50: median, updates.
      staleness_p90: 90th percentile, updates.
      staleness_p99: 99th percentile, updates.
      staleness_max: greatest, updates.
      frames_per_second: over the interval.
      episodes: that ended in the interval.
      score_mean: of those episodes; empty if none ended.
    """

    frames: int
    updates: int
    seconds: float
    learning_rate: float
    policy_loss: float | None
    value_loss: float | None
    entropy: float | None
    value: float
    gradient_norm: float
    staleness_mean: float
    staleness_p50: float
    staleness_p90: float
    staleness_p99: float
    staleness_max: int
    frames_per_second: float
    episodes: int
    score_mean: float | None


class SampleRow(NamedTuple):
    """One sampled turn: what its staleness did, and where its time went.

    "Pulled" are the parameters that the gradient was computed with, "pushed onto" those that it was applied to. What
    compares the two is empty in the synchronous schedule, where they are one, and `torn` wherever pulls are locked.

    Attributes:
      turn: its number, from 0: the version it was pushed onto, in asynchronous schedules.
      frames: global frames before it.
      seconds: wall-clock since the workers were let go.
      worker: whose turn it was.
      staleness: updates by others between pull and push.
      steps: of its rollout.
      pull_seconds: to copy the parameters, before the rollout, without waiting for a lock.
      rollout_seconds: to act and to step the environments.
      gradient_seconds: to differentiate.
      lock_wait_seconds: to wait for the lock before the push; for the others, in the synchronous schedule.
      push_seconds: to apply the gradient and record the turn; in the synchronous schedule to hand it in and, for
        worker 0, to apply the average.
      distance: Euclidean, between the parameters pulled and those pushed onto.
      gradient_cosine: between the gradient and the one that the parameters pushed onto give on the same rollout.
      gradient_norm_ratio: norm of the first over norm of the second, both before clipping.
      kl: KL(policy pulled || policy pushed onto), mean over the rollout's steps, nats.
      ratio_max: largest probability ratio, pushed onto over pulled, of the actions taken.
      ratio_min: the smallest.
      torn: 1 if the pull that followed it mixed versions or ran into a write, 0 if not.
    """

    turn: int
    frames: int
    seconds: float
    worker: int
    staleness: int
    steps: int
    pull_seconds: float
    rollout_seconds: float
    gradient_seconds: float
    lock_wait_seconds: float
    push_seconds: float
    distance: float | None
    gradient_cosine: float | None
    gradient_norm_ratio: float | None
    kl: float | None
    ratio_max: float | None
    ratio_min: float | None
    torn: int | None


class EvaluationRow(NamedTuple):
    """One evaluation episode with frozen parameters.

    Attributes:
      point: which of the run's evaluation points, from 1; the last is the final parameters.
      target_frames: the point's place on the grid that all runs of a budget share.
      frames: global frames when these parameters were taken.
      updates: their version.
      seconds: wall-clock of training when they were taken.
      episode: index within the point, from 0.
      score: unclipped, whole game.
      steps: decisions taken.
      truncated: 1 if the time limit ended it.
      digest: first 16 hexadecimal digits of the SHA-256 of the parameters, float32 in the network's order.
    """

    point: int
    target_frames: int
    frames: int
    updates: int
    seconds: float
    episode: int
    score: float
    steps: int
    truncated: int
    digest: str


class RowWriter:
    """Appends rows of one type to one CSV file; its header is the row type's field names."""

    def __init__(self, path: Path, row_type: type[NamedTuple], keep_bytes: int | None = None) -> None:
        """Begins the file, or goes on after its first bytes.

        Args:
          path: of the file.
          row_type: its header.
          keep_bytes: of an existing file, at a row's end; what follows them is cut off. None for a new file.
        """
        self._file = open_growing(path, keep_bytes)
        if keep_bytes is None:
            self._append([row_type._fields])

    def write(self, rows: Iterable[NamedTuple]) -> None:
        """Appends rows and hands them to the operating system, so that a reader sees whole lines.

        Raises:
          StorageError: if they cannot be written.
        """
        self._append([_text(value) for value in row] for row in rows)

    def length(self) -> int:
        """Bytes in the file, which are on the disk by then."""
        return synced_length(self._file)

    def close(self) -> None:
        """Closes the file; writing after it is an error."""
        self._file.close()

    def _append(self, lines: Iterable[Iterable[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        append(self._file, text.getvalue().encode())


def _text(value: object) -> str:
    """Numbers in Python's shortest exact form, a missing value as nothing."""
    return "" if value is None else float.__repr__(value) if isinstance(value, float) else str(value)
