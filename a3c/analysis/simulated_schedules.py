"""The schedules as a simulated machine sees them: who computes, who copies, who waits for whom.

A worker's turn is a rollout with its gradient, which needs a core, and memory traffic:

    hogwild       compute -> copy (push, pull)                                       version + 1 at the copy's end
    locked        compute -> lock -> copy (push, pull) -> unlock                     version + 1 at the copy's end
    synchronous   copy (pull) -> compute -> copy (gradient) -> all meet -> worker 0 applies the sum, wakes the others

In the first two a worker reads the version that its own push made, so staleness counts the others' pushes since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from a3c.analysis.simulated_machine import Machine

STARTING, PULLING, COMPUTING, COPYING, WAITING, APPLYING = range(6)


class TurnTimes(NamedTuple):
    """What turns can take, one entry a sampled turn; a turn draws one row of all. Seconds, but for steps."""

    compute: list[float]
    pull: list[float]
    push: list[float]
    steps: list[float]


class Simulation:
    """What all schedules do alike; `go_on` says what a worker does after a burst.

    Args:
      machine: with `workers` workers, all asleep.
      workers: N.
      times: of turns.
      rows: which row of `times` each new turn takes, without end.

    Attributes:
      staleness: of every turn so far, updates.
      steps: taken in these turns.
      waited_seconds: by all workers for the lock or for others at the barriers; added when a wait ends.
    """

    def __init__(self, machine: Machine, workers: int, times: TurnTimes, rows: Iterator[int]) -> None:
        self.staleness: list[int] = []
        self.steps = 0.0
        self.waited_seconds = 0.0
        self._machine = machine
        self._workers = workers
        self._times = times
        self._rows = rows
        self._row = [0] * workers
        self._stage = [STARTING] * workers
        for worker in range(workers):
            machine.wake(worker)

    def run(self, turns: int) -> None:
        """Goes on until there are that many turns in all."""
        while len(self.staleness) < turns:
            self.go_on(self._machine.next())

    def go_on(self, worker: int) -> None:
        """Starts the next burst of a worker whose last one has ended, or puts it to sleep."""
        raise NotImplementedError

    def _compute(self, worker: int) -> None:
        self._stage[worker] = COMPUTING
        self._machine.compute(worker, self._times.compute[self._row[worker]])

    def _copy(self, worker: int, stage: int, seconds: float) -> None:
        self._stage[worker] = stage
        self._machine.copy(worker, seconds)

    def _end_turn(self, worker: int, staleness: int) -> None:
        self.staleness.append(staleness)
        self.steps += self._times.steps[self._row[worker]]


class Hogwild(Simulation):
    """Workers that never wait."""

    def __init__(self, machine: Machine, workers: int, times: TurnTimes, rows: Iterator[int]) -> None:
        super().__init__(machine, workers, times, rows)
        self._read = [0] * workers

    def go_on(self, worker: int) -> None:
        """From the gradient to its push, from the push to the next rollout."""
        stage, row = self._stage[worker], self._row[worker]
        if stage == COMPUTING:
            self._copy(worker, COPYING, self._times.push[row] + self._times.pull[row])
            return
        if stage == COPYING:
            version = len(self.staleness)
            self._end_turn(worker, version - self._read[worker])
            self._read[worker] = version + 1
        self._row[worker] = next(self._rows)
        self._compute(worker)


class Locked(Hogwild):
    """Push and pull under one lock.

    Whoever runs when the lock is free takes it. A release wakes the worker that has slept longest, which may come too
    late and sleep again, like a waiter on a semaphore.
    """

    def __init__(self, machine: Machine, workers: int, times: TurnTimes, rows: Iterator[int]) -> None:
        super().__init__(machine, workers, times, rows)
        self._held = False
        self._sleepers: deque[int] = deque()
        self._asked: dict[int, float] = {}

    def go_on(self, worker: int) -> None:
        """As without a lock, but for the waiting."""
        if self._stage[worker] == COMPUTING and not self._take_lock(worker):
            return
        if self._stage[worker] == COPYING:
            self._held = False
            if self._sleepers:
                self._machine.wake(self._sleepers.popleft(), first=True)
        super().go_on(worker)

    def _take_lock(self, worker: int) -> bool:
        asked = self._asked.setdefault(worker, self._machine.now)
        if self._held:
            self._sleepers.append(worker)
            self._machine.sleep(worker)
            return False
        self._held = True
        self.waited_seconds += self._machine.now - asked
        del self._asked[worker]
        return True


class Synchronous(Simulation):
    """All pull, all hand in a gradient, worker 0 applies the average; N turns a round, staleness 0.

    To hand a gradient in and to add one to the sum are each taken to cost what a pull costs: one pass over as many
    numbers.
    """

    def __init__(self, machine: Machine, workers: int, times: TurnTimes, rows: Iterator[int]) -> None:
        super().__init__(machine, workers, times, rows)
        self._arrivals: dict[int, float] = {}

    def go_on(self, worker: int) -> None:
        """From stage to stage of a round."""
        stage = self._stage[worker]
        if stage == STARTING:
            self._row[worker] = next(self._rows)
            self._copy(worker, PULLING, self._times.pull[self._row[worker]])
        elif stage == PULLING:
            self._compute(worker)
        elif stage == COMPUTING:
            self._copy(worker, COPYING, self._times.pull[self._row[worker]])
        elif stage == COPYING:
            self._arrive(worker)
        elif stage == WAITING:
            self._apply()
        else:
            self._end_round()

    def _arrive(self, worker: int) -> None:
        """Sleeps until the round's end; worker 0 only until all are there."""
        self._arrivals[worker] = self._machine.now
        complete = len(self._arrivals) == self._workers
        if complete and worker == 0:
            self._apply()
            return
        self._stage[worker] = WAITING
        self._machine.sleep(worker)
        if complete:
            self._machine.wake(0, first=True)

    def _apply(self) -> None:
        row = self._row[0]
        self.waited_seconds += self._machine.now - self._arrivals.pop(0)
        self._copy(0, APPLYING, self._times.push[row] + self._workers * self._times.pull[row])

    def _end_round(self) -> None:
        """Counts a turn for every worker and starts the next round; worker 0 is awake already."""
        self.waited_seconds += sum(self._machine.now - arrival for arrival in self._arrivals.values())
        self._arrivals.clear()
        for worker in range(self._workers):
            self._end_turn(worker, 0)
            self._stage[worker] = STARTING
            if worker:
                self._machine.wake(worker)
        self.go_on(0)
