"""From the shared ring to the run's files: turns in order, and their means over intervals of frames."""

from __future__ import annotations

import math

import numpy as np

from a3c.asynchrony.shared import DRAINED, NUMBERS, RING_TURNS, TURNS, SharedMemory
from a3c.learning.optimizers import annealed
from a3c.records.checkpoints import State
from a3c.records.rows import EpisodeRow, IntervalRow
from a3c.records.schedule_file import TURN
from a3c.settings import Settings

SECONDS = NUMBERS.index("seconds")


class Drain:
    """Reads the ring and makes room in it; the supervisor alone holds one.

    Attributes:
      frames: global frames of the turns drained so far.
      updates: versions of the turns drained so far.
      seconds: when the last of them was applied.
    """

    def __init__(self, memory: SharedMemory, settings: Settings) -> None:
        self.frames = 0
        self.updates = 0
        self.seconds = 0.0
        self._memory = memory
        self._counters = memory.counters.numpy()
        self._settings = settings
        self._turns_per_update = settings.turn_workers if settings.schedule == "synchronous" else 1
        self._intervals = _Intervals(settings)

    def take(self) -> tuple[np.ndarray, list[IntervalRow]]:
        """The turns since the last call, dtype `TURN`, and the rows of the intervals that they completed."""
        begin, end = int(self._counters[DRAINED]), int(self._counters[TURNS])
        if begin == end:
            return np.empty(0, TURN), []
        slots = np.arange(begin, end) % RING_TURNS
        turns = self._memory.turn_records[slots]
        numbers = self._memory.numbers.numpy()[slots]
        self._counters[DRAINED] = end
        frames = self.frames + np.cumsum(turns["steps"].astype(np.int64)) * self._settings.action_repeat
        updates = np.arange(begin, end) // self._turns_per_update + 1
        self.frames, self.updates, self.seconds = int(frames[-1]), int(updates[-1]), float(numbers[-1, SECONDS])
        return turns, self._intervals.add(frames, updates, turns["staleness"], numbers)

    def save(self) -> State:
        """What has been drained, and the turns of the interval that is not complete."""
        return {"place": [self.frames, self.updates, self.seconds], "intervals": self._intervals.save()}

    def restore(self, state: State) -> None:
        """Continues where `save` was called."""
        frames, updates, seconds = state["place"]
        self.frames, self.updates, self.seconds = int(frames), int(updates), float(seconds)
        self._intervals.restore(state["intervals"])

    def add_episodes(self, rows: list[EpisodeRow]) -> None:
        """Books finished episodes into the interval they are reported in."""
        self._intervals.scores.extend(row.score for row in rows)

    def finish(self) -> list[IntervalRow]:
        """The row of the last, incomplete interval, if it has any turn."""
        return self._intervals.flush()


class _Intervals:
    """Collects turns until they cross the next multiple of the interval's frames."""

    def __init__(self, settings: Settings) -> None:
        self.scores: list[float] = []
        self._settings = settings
        self._length = math.ceil(settings.budget_frames / settings.records.intervals)
        self._next = self._length
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._begin = (0, 0.0)

    def add(
        self, frames: np.ndarray, updates: np.ndarray, staleness: np.ndarray, numbers: np.ndarray
    ) -> list[IntervalRow]:
        rows, begin = [], 0
        while begin < len(frames):
            end = int(np.searchsorted(frames, self._next)) + 1
            part = slice(begin, end)
            self._parts.append((frames[part], updates[part], staleness[part], numbers[part]))
            if end > len(frames):
                break
            rows += self.flush()
            self._next = (int(frames[end - 1]) // self._length + 1) * self._length
            begin = end
        return rows

    def save(self) -> State:
        return {
            "scores": list(self.scores),
            "next": self._next,
            "parts": [list(part) for part in self._parts],
            "begin": list(self._begin),
        }

    def restore(self, state: State) -> None:
        self.scores = [float(score) for score in state["scores"]]
        self._next = int(state["next"])
        self._parts = [(frames, updates, stale, numbers) for frames, updates, stale, numbers in state["parts"]]
        self._begin = (int(state["begin"][0]), float(state["begin"][1]))

    def flush(self) -> list[IntervalRow]:
        if not self._parts:
            return []
        frames, updates, staleness, numbers = (np.concatenate(p) for p in zip(*self._parts, strict=True))
        self._parts.clear()
        scores, self.scores = self.scores, []
        means = dict(zip(NUMBERS, numbers.mean(axis=0).tolist(), strict=True))
        end = (int(frames[-1]), float(numbers[-1, SECONDS]))
        elapsed = max(end[1] - self._begin[1], 1e-9)
        quantiles = np.quantile(staleness, [0.5, 0.9, 0.99]).tolist()
        optimizer, whole = self._settings.optimizer, self._settings.annealing_frames
        row = IntervalRow(
            frames=end[0],
            updates=int(updates[-1]),
            seconds=end[1],
            learning_rate=annealed(optimizer.learning_rate, optimizer.annealing, end[0], whole),
            policy_loss=_number(means["policy_loss"]),
            value_loss=_number(means["value_loss"]),
            entropy=_number(means["entropy"]),
            value=means["value"],
            gradient_norm=means["gradient_norm"],
            staleness_mean=float(staleness.mean()),
            staleness_p50=quantiles[0],
            staleness_p90=quantiles[1],
            staleness_p99=quantiles[2],
            staleness_max=int(staleness.max()),
            frames_per_second=(end[0] - self._begin[0]) / elapsed,
            episodes=len(scores),
            score_mean=float(np.mean(scores)) if scores else None,
        )
        self._begin = end
        return [row]


def _number(mean: float) -> float | None:
    """None for what the algorithm does not have."""
    return None if math.isnan(mean) else mean
