"""Notices a process that makes no progress: stopped, hung in its environment, or waiting for what never comes.

Silence is measured by a clock that stands still while the supervisor does (a suspended machine, Ctrl-Z, a disk that
takes its time), against a limit that follows from the process's own pace. A process that uses the processor is given
ten times as long: a whole episode of a slow game can be one rollout.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

STALL_SECONDS = 300.0
SLOWEST_TIMES = 10.0  # the limit is at least so many times the longest silence that ended
BUSY_TIMES = 10.0  # and so many times as long for a process that uses the processor
BUSY_SHARE = 0.01  # of one core
LONGEST_TICK_SECONDS = 1.0


class Activity(NamedTuple):
    """What a process has done.

    Attributes:
      cpu_seconds: processor time that it has used; None if nobody knows.
      runnable: whether it would use more at this moment if it got it, or waits for a disk.
    """

    cpu_seconds: float | None
    runnable: bool


@dataclass
class _Pace:
    """One process's progress.

    Attributes:
      since: when it was last made, by the watchdog's clock.
      slowest: the longest time between two signs of it, in seconds.
      marked: when the processor time that it had used was looked up; every half limit while it is silent.
      cpu: that time, in seconds; None if nobody knows.
    """

    since: float
    slowest: float = 0.0
    marked: float | None = None
    cpu: float | None = None


class Watchdog:
    """Whether processes go on."""

    def __init__(
        self,
        stall_seconds: float | None,
        activity: Callable[[int], Activity],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is watched yet.

        Args:
          stall_seconds: the shortest silence that may be too long; None if none is.
          activity: looks up what a process has done, by its number.
          clock: monotonic, in seconds.
        """
        self._floor = math.inf if stall_seconds is None else stall_seconds
        self._activity, self._clock = activity, clock
        self._now, self._before = 0.0, clock()
        self._paces: dict[str, _Pace] = {}

    def tick(self) -> None:
        """Lets the clock go on; to be called often. Whatever is longer than a second was not the processes' fault."""
        now = self._clock()
        self._now += min(now - self._before, LONGEST_TICK_SECONDS)
        self._before = now

    def progressed(self, name: str, *, regular: bool = True) -> None:
        """A process has made progress.

        Args:
          name: whose.
          regular: by itself, so that the time since the last one tells of its pace; else it was let go on by others.
        """
        pace = self._paces.setdefault(name, _Pace(self._now))
        if regular:
            pace.slowest = max(pace.slowest, self._now - pace.since)
        pace.since, pace.marked = self._now, None

    def silence(self, name: str) -> float:
        """Seconds since its last progress."""
        pace = self._paces.get(name)
        return 0.0 if pace is None else self._now - pace.since

    def is_late(self, name: str, pid: int, *, patient_if_busy: bool = False) -> bool:
        """Whether it is silent for longer than can be explained.

        Args:
          name: of the process.
          pid: its number.
          patient_if_busy: however long it takes, if it uses the processor.
        """
        pace = self._paces.setdefault(name, _Pace(self._now))
        limit = max(self._floor, SLOWEST_TIMES * pace.slowest)
        silence = self._now - pace.since
        if silence < limit / 2:
            return False
        if pace.marked is None:
            pace.marked, pace.cpu = self._now, self._activity(pid).cpu_seconds
        if self._now - pace.marked < limit / 2:
            return False
        found = self._activity(pid)
        busy = found.runnable or self._has_used(pace, found.cpu_seconds)
        pace.marked, pace.cpu = self._now, found.cpu_seconds
        return not busy or (silence >= BUSY_TIMES * limit and not patient_if_busy)

    def _has_used(self, pace: _Pace, cpu: float | None) -> bool:
        """Whether it has used the processor since the mark, or nobody knows."""
        if cpu is None or pace.cpu is None or pace.marked is None:
            return True
        return cpu - pace.cpu >= BUSY_SHARE * (self._now - pace.marked)
