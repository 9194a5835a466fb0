"""A model of the machine that workers share: cores, the scheduler's time slices, the memory's bandwidth.

It knows nothing of turns. A worker on a core asks for a burst: to `compute`, which the scheduler may cut into slices,
or to `copy` memory, which is never cut. `next` moves time to the end of the next burst and says whose it was.

    time slices       one queue for all cores; a worker that others wait for goes to its end after `quantum_seconds`
    switches          a core that takes up another worker first spends `switch_seconds`
    waking            an idle core that is given a worker takes `wake_seconds` before that
    memory            m workers that copy at once each go at speed min(1, B / m), B = `bandwidth_workers`
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from math import inf


class Machine:
    """Cores and memory, and the workers that use them; times in seconds of simulated time.

    Args:
      workers: how many there are; none is on a core before it is woken.
      cores: C.
      quantum_seconds: length of a time slice; without effect while every worker has a core of its own.
      switch_seconds: what it costs to put a worker on a core.
      wake_seconds: what it takes until an idle core begins with that.
      bandwidth_workers: B, how many workers can copy at full speed; None for any number.
    """

    def __init__(
        self,
        workers: int,
        cores: int,
        *,
        quantum_seconds: float,
        switch_seconds: float,
        wake_seconds: float = 0.0,
        bandwidth_workers: float | None = None,
    ) -> None:
        self.now = 0.0
        self._cores = self._free = cores
        self._quantum = quantum_seconds if workers > cores else inf
        self._switch = switch_seconds
        self._wake = wake_seconds
        self._bandwidth = inf if bandwidth_workers is None else bandwidth_workers
        self._left = [0.0] * workers  # compute seconds that remain after the present slice
        self._slice_end = [0.0] * workers
        self._ready: deque[int] = deque()  # woken or cut, waiting for a core
        self._ends: list[tuple[float, int]] = []  # (time, worker): ends of slices and bursts, a heap
        # Copies end in time of their own, which runs at the speed of each of them: a change of speed moves no entry.
        self._copies: list[tuple[float, int]] = []
        self._copy_clock, self._copy_since, self._copy_speed = 0.0, 0.0, 1.0
        self._busy, self._busy_since = 0.0, 0.0

    @property
    def busy_seconds(self) -> float:
        """Core seconds so far in which a core had a worker, switches included."""
        return self._busy + (self._cores - self._free) * (self.now - self._busy_since)

    def wake(self, worker: int, *, first: bool = False) -> None:
        """Makes a sleeping worker ready; `next` returns it once it has a core. `first` puts it before all others."""
        if self._free:
            self._occupy(1)
            self._dispatch(worker, self._wake)
        elif first:
            self._ready.appendleft(worker)
        else:
            self._ready.append(worker)

    def sleep(self, worker: int) -> None:
        """Takes the worker, whose burst has ended, off its core until it is woken."""
        self._left[worker] = 0.0
        if self._ready:
            self._dispatch(self._ready.popleft())
        else:
            self._occupy(-1)

    def compute(self, worker: int, seconds: float) -> None:
        """Starts a burst that needs the core alone, in what is left of the worker's slice."""
        self._left[worker] = seconds
        if self._ready and self.now >= self._slice_end[worker]:
            self._ready.append(worker)
            self._dispatch(self._ready.popleft())
        else:
            self._run(worker, self.now)

    def copy(self, worker: int, seconds: float) -> None:
        """Starts a burst of so many seconds at full memory speed; the worker keeps its core until it ends."""
        if self._bandwidth == inf:
            heappush(self._ends, (self.now + seconds, worker))
            return
        self._set_copy_clock()
        heappush(self._copies, (self._copy_clock + seconds, worker))
        self._set_copy_speed()

    def next(self) -> int:
        """Moves to the end of the next burst and returns its worker, which is on a core."""
        while True:
            if self._copies and (not self._ends or self._next_copy() < self._ends[0][0]):
                return self._end_copy()
            self.now, worker = heappop(self._ends)
            if not self._left[worker]:
                return worker
            if self._ready:
                self._ready.append(worker)
                self._dispatch(self._ready.popleft())
            else:
                self._slice_end[worker] = self.now + self._quantum
                self._run(worker, self.now)

    def _dispatch(self, worker: int, delay: float = 0.0) -> None:
        start = self.now + delay + self._switch
        self._slice_end[worker] = start + self._quantum
        self._run(worker, start)

    def _run(self, worker: int, start: float) -> None:
        """Computes from `start` to the end of the burst or of the slice, whichever is first."""
        left = self._left[worker]
        run = max(0.0, min(left, self._slice_end[worker] - start))
        self._left[worker] = left - run
        heappush(self._ends, (start + run, worker))

    def _occupy(self, change: int) -> None:
        self._busy = self.busy_seconds
        self._busy_since = self.now
        self._free -= change

    def _next_copy(self) -> float:
        return self._copy_since + (self._copies[0][0] - self._copy_clock) / self._copy_speed

    def _end_copy(self) -> int:
        self.now = max(self.now, self._next_copy())
        self._copy_since = self.now
        self._copy_clock, worker = heappop(self._copies)
        self._set_copy_speed()
        return worker

    def _set_copy_clock(self) -> None:
        self._copy_clock += (self.now - self._copy_since) * self._copy_speed
        self._copy_since = self.now

    def _set_copy_speed(self) -> None:
        self._copy_speed = min(1.0, self._bandwidth / max(1, len(self._copies)))
