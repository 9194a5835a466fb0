"""Says while a run trains that it has begun to diverge: a line an episode of trouble, on standard error and in a file.

Two signs are looked for in the rows of intervals.

    gradient_norm   the mean norm exceeds `NORM_BEGINS` times the median of the `NORM_ROWS` means before it; over when
                    it is below `NORM_ENDS` times the median that it began from. Rows are put together until they have
                    `NORM_UPDATES`: a rollout that was paid has a gradient a hundred times that of one that was not, and
                    in short rows it would be chance that is warned of
    entropy         the mean entropy is below `ENTROPY_BEGINS` of the first row's, which is nearly that of choosing
                    blindly; over when it is above `ENTROPY_ENDS` of it

The thresholds are ours. A policy that is sure of everything explores nothing more; one that has learnt a game may be
so, too, which is why this warns and never stops a run. Continuous policies have entropies below 0: they are judged by
their gradients alone, as action values are.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from a3c.records.rows import IntervalRow
from a3c.records.run_folder import INTERVALS, WARNINGS
from a3c.records.storage import write_text

NORM_BEGINS, NORM_ENDS, NORM_ROWS, NORM_FEWEST = 50.0, 5.0, 20, 5
NORM_UPDATES = 50
ENTROPY_BEGINS, ENTROPY_ENDS = 0.01, 0.05


class Trouble(NamedTuple):
    """The beginning of an episode of trouble.

    Attributes:
      frames: global frames at the end of the interval.
      seconds: wall-clock since the workers were let go.
      kind: `gradient_norm` or `entropy`.
      number: what was measured.
      threshold: what it passed.
    """

    frames: int
    seconds: float
    kind: str
    number: float
    threshold: float

    def sentence(self) -> str:
        """For people."""
        if self.kind == "entropy":
            what = f"the policy's entropy has collapsed to {self.number:.3g} nats (below {self.threshold:.3g})"
        else:
            what = f"the gradient's norm has jumped to {self.number:.3g} (above {self.threshold:.3g})"
        return f"frame {self.frames:,}: {what}; the run goes on"


def norm_jumped(norm: float, before: Iterable[float]) -> float | None:
    """The threshold that a norm exceeds, given those of the rows before; None if it does not, or they are too few."""
    known = list(before)
    if len(known) < NORM_FEWEST:
        return None
    threshold = NORM_BEGINS * statistics.median(known)
    return threshold if 0.0 < threshold < norm else None


def entropy_collapsed(entropy: float | None, first: float | None) -> float | None:
    """The threshold that an entropy is below, given the first row's; None if it is not, or none can be judged by."""
    if entropy is None or first is None or first <= 0.0:
        return None
    threshold = ENTROPY_BEGINS * first
    return threshold if entropy < threshold else None


class Watch:
    """Looks at the rows of a run in order; a sign is told once, until it has gone away and come back."""

    def __init__(self) -> None:
        self._norms: deque[float] = deque(maxlen=NORM_ROWS)
        self._norm_limit: float | None = None  # below which an episode is over
        self._updates, self._pooled_updates, self._pooled_norms = 0, 0, 0.0
        self._first_entropy: float | None = None
        self._collapsed = False

    def look(self, rows: Iterable[IntervalRow]) -> list[Trouble]:
        """The troubles that begin in these rows."""
        return [trouble for row in rows for trouble in (*self._norm(row), *self._entropy(row))]

    def _norm(self, row: IntervalRow) -> Iterable[Trouble]:
        norm = self._pooled_norm(row)
        if norm is None:
            return
        if self._norm_limit is not None:
            if norm >= self._norm_limit:
                return
            self._norm_limit = None
        threshold = norm_jumped(norm, self._norms)
        if threshold is None:
            self._norms.append(norm)
            return
        self._norm_limit = threshold / NORM_BEGINS * NORM_ENDS
        yield Trouble(row.frames, row.seconds, "gradient_norm", norm, threshold)

    def _pooled_norm(self, row: IntervalRow) -> float | None:
        """The mean norm of the last rows together, once they have enough updates."""
        updates, self._updates = row.updates - self._updates, row.updates
        self._pooled_updates += updates
        self._pooled_norms += updates * row.gradient_norm
        if self._pooled_updates < NORM_UPDATES:
            return None
        norm = self._pooled_norms / self._pooled_updates
        self._pooled_updates, self._pooled_norms = 0, 0.0
        return norm

    def _entropy(self, row: IntervalRow) -> Iterable[Trouble]:
        if row.entropy is None:
            return
        if self._first_entropy is None:
            self._first_entropy = row.entropy
        if self._collapsed:
            self._collapsed = row.entropy <= ENTROPY_ENDS * self._first_entropy
            return
        if (threshold := entropy_collapsed(row.entropy, self._first_entropy)) is not None:
            self._collapsed = True
            yield Trouble(row.frames, row.seconds, "entropy", row.entropy, threshold)


class Log:
    """A run's troubles in its file, which is there once there is one."""

    def __init__(self, folder: Path) -> None:
        """Begins with the rows that the run has already, if it goes on from a checkpoint.

        Args:
          folder: of the run, with the file of interval rows.

        Raises:
          StorageError: if the file cannot be written.
        """
        self._path = folder / WARNINGS
        self._watch = Watch()
        self._troubles = self._watch.look(_rows(folder / INTERVALS))
        self._write()

    def look(self, rows: Iterable[IntervalRow]) -> list[str]:
        """A sentence for each trouble that begins in these rows, all of which are in the file by then.

        Raises:
          StorageError: if it cannot be written.
        """
        found = self._watch.look(rows)
        if found:
            self._troubles += found
            self._write()
        return [trouble.sentence() for trouble in found]

    def _write(self) -> None:
        if not self._troubles:  # or what an interrupted run had warned of after its checkpoint would stay
            self._path.unlink(missing_ok=True)
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Trouble._fields)
        writer.writerows(self._troubles)
        write_text(self._path, text.getvalue(), durable=False)


def _rows(path: Path) -> list[IntervalRow]:
    with path.open(newline="", encoding="utf-8") as file:
        plain: list[dict[str, Any]] = [
            {name: float(text) if text else None for name, text in row.items()} for row in csv.DictReader(file)
        ]
    return [IntervalRow(**row)._replace(frames=int(row["frames"])) for row in plain]
