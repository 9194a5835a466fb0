"""The processes of a run and what only processes can share: a lock, semaphores, events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import Any

from a3c.asynchrony.children import Child, end
from a3c.asynchrony.comparing import Recorded
from a3c.asynchrony.evaluator import EvaluationAssignment, run_evaluator
from a3c.asynchrony.pausing import CheckpointPlaces
from a3c.asynchrony.serial import run_serial
from a3c.asynchrony.shared import SharedMemory
from a3c.asynchrony.start import process_context
from a3c.asynchrony.synchronous import Rendezvous
from a3c.asynchrony.turnstile import passages
from a3c.asynchrony.worker import Assignment, run_worker
from a3c.settings import Settings


@dataclass(frozen=True)
class Orders:
    """How turns are made, where chance does not decide.

    Attributes:
      histogram: turns by staleness in another run, for an order drawn from it.
      recorded: a run to execute again instead.
      worker_processes: execute it with worker processes behind a turnstile, not in one process.
    """

    histogram: Sequence[int] | None = None
    recorded: Recorded | None = None
    worker_processes: bool = False


class Crew:
    """Workers and the evaluator.

    Attributes:
      workers: processes that take turns.
      evaluator: the process that evaluates, once it has been started.
      gates: one a worker; released after a checkpoint.
    """

    def __init__(self, settings: Settings, memory: SharedMemory, orders: Orders) -> None:
        """Nothing is started yet.

        Args:
          settings: of the run.
          memory: shared.
          orders: how turns are made.
        """
        self._settings, self._memory, self._orders = settings, memory, orders
        self._context = context = process_context()
        recorded = orders.recorded
        self._serial = settings.schedule == "drawn" or (recorded is not None and not orders.worker_processes)
        self._processes = 1 if self._serial else settings.processes
        self._go, self._begin, self._ended = (context.Event() for _ in range(3))
        # Kept here: a semaphore's name goes away with its last reference in this process.
        self._lock = context.Lock()
        waiting = self._processes if settings.schedule == "synchronous" else 1
        self._rendezvous = Rendezvous(context.Semaphore(0), [context.Semaphore(0) for _ in range(waiting)])
        self._turnstile = self._make_turnstile()
        self.gates = [context.Semaphore(0) for _ in range(self._processes)]
        self.workers: list[Child] = []
        self.evaluator: Child | None = None

    @property
    def children(self) -> list[Child]:
        """All processes."""
        return [*self.workers, *([self.evaluator] if self.evaluator else [])]

    @property
    def working(self) -> bool:
        """Whether workers have been let go and none of them has ended."""
        return self._go.is_set() and all(worker.alive for worker in self.workers)

    @property
    def evaluating(self) -> bool:
        """Whether training has ended."""
        return self._ended.is_set()

    def start(self, unfinished: Path | None, source: Path | None, evaluated: int) -> None:
        """Starts all processes; they prepare themselves, say that they are ready, and wait.

        Args:
          unfinished: the folder of checkpoints that are being written; None if there are none.
          source: that of the checkpoint to go on from, if any.
          evaluated: how many evaluation points are behind the run.
        """
        places = None if unfinished is None else CheckpointPlaces(unfinished, source, self.gates)
        orders, shared = self._orders, (self._settings, self._memory, self._lock, self._rendezvous, self._go)
        for worker in range(self._processes):
            here, there = self._context.Pipe(duplex=False)
            more = (places, orders.histogram, orders.recorded, self._turnstile)
            assignment = Assignment(worker, *shared, there, *more)
            target = run_serial if self._serial else run_worker
            self.workers.append(self._spawn(f"worker {worker}", target, assignment, here, there))
        here, there = self._context.Pipe(duplex=False)
        evaluation = EvaluationAssignment(self._settings, self._memory, evaluated, self._begin, self._ended, there)
        self.evaluator = self._spawn("evaluator", run_evaluator, evaluation, here, there)

    def let_go(self, *, evaluate: bool) -> None:
        """Lets the workers begin, and the evaluator too."""
        self._go.set()
        if evaluate:
            self._begin.set()

    def end_training(self) -> None:
        """Tells the evaluator that no more snapshots will come."""
        self._ended.set()
        self._begin.set()

    def end(self) -> None:
        """Ends whatever is still alive."""
        end(self.children)

    def _make_turnstile(self) -> list[Semaphore]:
        """A turnstile's gates, all closed but the first; none where no order is imposed on processes."""
        recorded = self._orders.recorded
        if recorded is None or self._serial or self._settings.schedule == "synchronous":
            return []
        first = passages(recorded.header, recorded.turns)[0]
        return [self._context.Semaphore(int(worker == first)) for worker in range(self._processes)]

    def _spawn(
        self, name: str, target: Callable[[Any], None], assignment: Any, here: Connection, there: Connection
    ) -> Child:
        process = self._context.Process(target=target, args=(assignment,), name=name, daemon=True)
        process.start()
        there.close()
        return Child(name, process, here)
