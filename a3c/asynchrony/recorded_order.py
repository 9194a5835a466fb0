"""The order of turns of a recorded run, checked before it is executed again."""

from __future__ import annotations

import numpy as np

from a3c.asynchrony.order import Turn
from a3c.records.schedule_file import MOST_STALENESS, Header, turn_columns


class ImpossibleTurn(ValueError):
    """A recorded turn that cannot have been: `turn` and `worker` say which, `reason` why."""

    def __init__(self, turn: int, worker: int, reason: str) -> None:
        self.turn, self.worker, self.reason = turn, worker, reason
        super().__init__(f"turn {turn} of worker {worker} is impossible: {reason}")


class RecordedOrder:
    """The order of a recorded run, which is checked at once and as a whole.

    Where workers pull for themselves (`locked`, `hogwild`), a worker computes with the version that it pulled before
    or with what it pulled after its last push; at most N versions are then needed at once. In a `drawn` record a turn
    may read any version that had been made.
    """

    def __init__(self, header: Header, turns: np.ndarray) -> None:
        """Checks the record.

        Args:
          header: of the schedule file.
          turns: [U], dtype `TURN`.

        Raises:
          ImpossibleTurn: for the first turn that cannot have been.
          ValueError: if the schedule is synchronous: its versions are made by N turns each.
        """
        if header.kind == "synchronous":
            raise ValueError("a synchronous schedule is no order of turns: all its workers act at once")
        columns = turn_columns(header, turns)
        self._workers, self._reads = columns["worker"], columns["read"]
        _check_record(header, self._workers, self._reads)
        self._last_turns = np.full(len(turns), -1)
        np.maximum.at(self._last_turns, self._reads, columns["turn"])

    def next(self, version: int) -> Turn | None:
        """The turn that made `version` + 1; None after the last."""
        if version >= len(self._reads):
            return None
        return Turn(int(self._workers[version]), int(self._reads[version]))

    def needs(self, read: int, version: int) -> bool:
        """Whether a turn from `version` on did read `read`."""
        return read < len(self._last_turns) and bool(self._last_turns[read] >= version)


def _check_record(header: Header, workers: np.ndarray, reads: np.ndarray) -> None:
    """Raises ImpossibleTurn for the first turn that cannot have been."""
    turns = np.arange(len(reads))
    before = _turns_before(workers)
    pulled = np.where(before >= 0, reads[before], -1)
    wrong = (workers >= header.workers) | (reads < 0) | (turns - reads >= MOST_STALENESS)
    if header.kind != "drawn":
        # A pull follows a push at once, so between the version that it held and the one that it made there is none.
        wrong |= (reads != pulled) & (reads <= before)
    if not np.any(wrong):
        return
    turn = int(np.argmax(wrong))
    worker, read, staleness = int(workers[turn]), int(reads[turn]), turn - int(reads[turn])
    if worker >= header.workers:
        reason = f"the run has {header.workers} workers, 0 to {header.workers - 1}"
    elif staleness >= MOST_STALENESS:
        reason = f"its staleness was too great to be recorded: {MOST_STALENESS} or more"
    elif read < 0:
        reason = f"its staleness is {staleness}, which reaches back before version 0"
    else:
        reason = f"it reads version {read}, but had pulled version {pulled[turn]} and then made {before[turn] + 1}"
    raise ImpossibleTurn(turn, worker, reason)


def _turns_before(workers: np.ndarray) -> np.ndarray:
    """int64 [U]: the same worker's turn before, or -1."""
    grouped = np.argsort(workers, kind="stable")
    same = workers[grouped[1:]] == workers[grouped[:-1]]
    before = np.full(len(workers), -1)
    before[grouped[1:][same]] = grouped[:-1][same]
    return before
