"""The processes of a run and what only processes can share: a lock and semaphores.

The supervisor itself never waits for any of these, and tells processes what it has to by their pipes: a process that
is stopped or killed with a lock in its hands must not stop who watches it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock, Semaphore
from pathlib import Path
from typing import Any, NamedTuple

from a3c.asynchrony.children import GO, Child, end
from a3c.asynchrony.comparing import Recorded
from a3c.asynchrony.entry import Assigned, enter
from a3c.asynchrony.evaluator import EvaluationAssignment, run_evaluator
from a3c.asynchrony.pausing import CheckpointPlaces
from a3c.asynchrony.serial import run_serial
from a3c.asynchrony.shared import SharedMemory
from a3c.asynchrony.start import process_context
from a3c.asynchrony.synchronous import Rendezvous
from a3c.asynchrony.turnstile import passages
from a3c.asynchrony.worker import Assignment, run_worker
from a3c.records.checkpoints import Checkpoint
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


class _Shared(NamedTuple):
    """What workers wait for each other at."""

    lock: Lock
    rendezvous: Rendezvous
    turnstile: Sequence[Semaphore]


class _Ends(NamedTuple):
    """A child's ends of its pipes: of messages, and of its Python stack."""

    pipe: Connection
    stack: Connection


class Crew:
    """Workers and the evaluator.

    Attributes:
      workers: processes that take turns.
      evaluator: the process that evaluates, once it has been started.
      begun: whether the workers have been let go.
      evaluates: whether the evaluator has.
      evaluating: whether training has ended.
    """

    def __init__(self, settings: Settings, memory: SharedMemory, orders: Orders, *, profile: bool = False) -> None:
        """Nothing is started yet.

        Args:
          settings: of the run.
          memory: shared.
          orders: how turns are made.
          profile: whether workers measure where their time goes.
        """
        self._profile = profile
        self._settings, self._memory, self._orders = settings, memory, orders
        self._context = context = process_context()
        recorded = orders.recorded
        self._serial = settings.schedule == "drawn" or (recorded is not None and not orders.worker_processes)
        self._processes = 1 if self._serial else settings.processes
        waiting = self._processes if settings.schedule == "synchronous" else 1
        rendezvous = Rendezvous(context.Semaphore(0), [context.Semaphore(0) for _ in range(waiting)])
        # Kept until all processes have them: a semaphore's name goes away with its last reference in this process.
        self._shared: _Shared | None = _Shared(context.Lock(), rendezvous, self._make_turnstile())
        self.begun = self.evaluates = self.evaluating = False
        self.workers: list[Child] = []
        self.evaluator: Child | None = None

    @property
    def children(self) -> list[Child]:
        """All processes."""
        return [*self.workers, *([self.evaluator] if self.evaluator else [])]

    @property
    def working(self) -> bool:
        """Whether workers have been let go and none of them has ended."""
        return self.begun and not self.evaluating and all(worker.alive for worker in self.workers)

    def turn_maker(self, worker: int) -> Child:
        """The process that makes a worker's turns."""
        return self.workers[0 if self._serial else worker]

    def start(self, unfinished: Path | None, source: Checkpoint | None, evaluated: int, *, train: bool) -> None:
        """Starts all processes; they prepare themselves, say that they are ready, and wait.

        Args:
          unfinished: the folder of checkpoints that are being written; None if there are none.
          source: the checkpoint to go on from, if any.
          evaluated: how many evaluation points are behind the run.
          train: whether workers are needed; not if the checkpoint was made after training.
        """
        assert self._shared is not None
        places = None if unfinished is None else CheckpointPlaces(unfinished, source)
        orders, shared, target = self._orders, self._shared, run_serial if self._serial else run_worker
        for worker in range(self._processes if train else 0):
            child, there = self._child(f"worker {worker}")
            self.workers.append(child)
            given = (self._settings, self._memory, shared.lock, shared.rendezvous, there.pipe)
            more = (places, orders.histogram, orders.recorded, shared.turnstile, self._profile)
            self._start(child, there, target, Assignment(worker, *given, *more))
        self.evaluator, there = self._child("evaluator")
        evaluation = EvaluationAssignment(self._settings, self._memory, evaluated, there.pipe)
        self._start(self.evaluator, there, run_evaluator, evaluation)

    def let_go(self, *, evaluate: bool) -> None:
        """Lets the workers begin, and the evaluator too."""
        self._shared = None  # everybody has it: from now on no kill can leave a name behind
        self.begun = True
        self.go_on()
        if evaluate:
            self._let_evaluate()

    def go_on(self) -> None:
        """Lets the workers go on."""
        for worker in self.workers:
            worker.tell(GO)

    def end_training(self) -> None:
        """Tells the evaluator that no more snapshots will come."""
        assert self.evaluator is not None
        if not self.evaluates:
            self._let_evaluate()
        self.evaluator.tell(GO)
        self.evaluating = True

    def stand_still(self) -> None:
        """Stops everybody, this process last, until a shell lets it go on."""
        for child in self.children:
            child.interrupt_all(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        for child in self.children:
            child.interrupt_all(signal.SIGCONT)

    def end(self, in_haste: Callable[[], bool]) -> None:
        """Ends whatever is still alive, without a grace period if in haste."""
        end(self.children, in_haste)

    def _make_turnstile(self) -> list[Semaphore]:
        """A turnstile's gates, all closed but the first; none where no order is imposed on processes."""
        recorded = self._orders.recorded
        if recorded is None or self._serial or self._settings.schedule == "synchronous":
            return []
        first = passages(recorded.header, recorded.turns)[0]
        return [self._context.Semaphore(int(worker == first)) for worker in range(self._processes)]

    def _let_evaluate(self) -> None:
        assert self.evaluator is not None
        self.evaluator.tell(GO)
        self.evaluates = True

    def _child(self, name: str) -> tuple[Child, _Ends]:
        """One that is not started yet, and its ends of its pipes."""
        pipe, their_pipe = self._context.Pipe()
        stack, their_stack = self._context.Pipe(duplex=False)
        return Child(name, pipe, stack), _Ends(their_pipe, their_stack)

    def _start(self, child: Child, ends: _Ends, target: Callable[[Any], None], assignment: Assigned) -> None:
        arguments = (target, assignment, ends.stack)
        child.process = self._context.Process(target=enter, args=arguments, name=child.name, daemon=True)
        child.process.start()
        for end_of_pipe in ends:
            end_of_pipe.close()
