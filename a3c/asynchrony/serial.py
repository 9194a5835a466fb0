"""Executes an order of turns in one process: recorded in another run, or drawn.

All workers are logical: each has its own games and random streams, and they share one network, into which the
parameters of each turn are copied. Versions are kept only as long as a later turn may read them.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

import torch
from torch import Tensor

from a3c.asynchrony.acting import Actor
from a3c.asynchrony.comparing import Comparison, Examine, StopExecution
from a3c.asynchrony.order import ImpossibleTurn, Order, RecordedOrder, Turn, make_order
from a3c.asynchrony.store import LockedStore, Pulled, Push, SynchronousStore, make_store
from a3c.asynchrony.worker import FAILED, READY, Assignment, Reporter, enter_process, make_actor, make_network
from a3c.environments import make
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import rollout_gradient
from a3c.settings import Settings


class Execution:
    """The state of a serial execution: players, versions, and where it stands."""

    def __init__(
        self,
        settings: Settings,
        store: LockedStore | SynchronousStore,
        network: FlatNetwork,
        report: Callable[[int, Actor, Pulled], None],
        examine: Examine,
    ) -> None:
        """Begins at version 0.

        Args:
          settings: of the run.
          store: that nobody else uses.
          network: shared by all logical workers.
          report: called with worker, actor and place after each turn.
          examine: called with turn, push, rollout and parameters read, before the turn is applied.
        """
        self._settings, self._store, self._network = settings, store, network
        self._report, self._examine = report, examine
        self._actors: dict[int, Actor] = {}
        self._pushed_frames: dict[int, int] = {}
        first = torch.empty_like(network.vector)
        pulled = store.pull(first)
        self._frames = 0
        self._versions: dict[int, tuple[Tensor, int]] = {0: (first, 0)} if pulled else {}

    def asynchronous(self, order: Order) -> None:
        """Executes an order, one turn a version, until it or the budget ends."""
        assert isinstance(self._store, LockedStore)
        version, over = 0, False
        while not over and (turn := order.next(version)) is not None:
            push, actor, place = self._prepare(turn, turn_number=version)
            made = torch.empty_like(self._network.vector)
            pushed = self._store.push(push, into=made)
            if pushed.applied:
                self._finish_turn(push, actor, place)
            over = pushed.pulled is None
            version += 1
            self._versions = {v: kept for v, kept in self._versions.items() if order.needs(v, version)}
            if order.needs(version, version):
                self._versions[version] = (made, self._frames)

    def synchronous(self) -> None:
        """Executes all workers one after the other, update by update."""
        assert isinstance(self._store, SynchronousStore)
        workers = self._settings.turn_workers
        version, vector = 0, self._versions[0][0]
        while True:
            begun = []
            for worker in range(workers):
                prepared = self._prepare(Turn(worker, version), turn_number=version * workers + worker)
                self._store.hand_in(prepared[0])
                begun.append(prepared)
            self._store.apply_average(version)
            for push, actor, place in begun:
                self._finish_turn(push, actor, place)
            version += 1
            if self._store.pull(vector) is None:
                return
            self._versions = {version: (vector, self._frames)}

    def _prepare(self, turn: Turn, turn_number: int) -> tuple[Push, Actor, Pulled]:
        """The turn's rollout and gradient, with the parameters of the version it reads."""
        vector, frames = self._versions[turn.read]
        if turn.worker not in self._actors:
            self._actors[turn.worker] = make_actor(self._settings, turn.worker, self._network)
        actor = self._actors[turn.worker]
        self._network.vector.copy_(vector)
        rollout = actor.collect()
        learning = self._settings.learning
        gradient, diagnostics = rollout_gradient(
            self._network, rollout, value_weight=learning.value_weight, entropy_weight=learning.entropy_weight
        )
        push = Push(turn.worker, turn.read, gradient, rollout.steps, diagnostics)
        self._examine(turn_number, push, rollout, vector)
        place = Pulled(turn.read, max(frames, self._pushed_frames.get(turn.worker, 0)))
        return push, actor, place

    def _finish_turn(self, push: Push, actor: Actor, place: Pulled) -> None:
        self._frames += push.steps * self._settings.action_repeat
        self._pushed_frames[push.worker] = self._frames
        self._report(push.worker, actor, place)


def run_serial(assignment: Assignment) -> None:
    """The process that executes all workers of a drawn or replayed run."""
    enter_process()
    try:
        settings = assignment.settings
        network = make_network(settings, make(settings, 0, 0).spec)
        every_push = settings.model_copy(update={"pull_interval_rollouts": 1})  # here the order says who reads what
        store = make_store(assignment.memory, assignment.lock, assignment.barrier, every_push)
        assert isinstance(store, LockedStore | SynchronousStore)
        comparison = Comparison(assignment.recorded, assignment.pipe)
        assignment.pipe.send((READY, None))
        assignment.go.wait()
        _execute(assignment, network, store, comparison)
    except StopExecution:
        pass
    except BaseException:
        assignment.pipe.send((FAILED, traceback.format_exc()))
        sys.exit(1)


def _execute(
    assignment: Assignment, network: FlatNetwork, store: LockedStore | SynchronousStore, comparison: Comparison
) -> None:
    settings, reporters = assignment.settings, dict[int, Reporter]()

    def report(worker: int, actor: Actor, place: Pulled) -> None:
        if worker not in reporters:
            reporters[worker] = Reporter(worker, assignment.pipe, float(assignment.memory.start_time))
        reporters[worker].send(actor, place)

    execution = Execution(settings, store, network, report, comparison.examine)
    if settings.schedule == "synchronous":
        execution.synchronous()
        return
    recorded = assignment.recorded
    try:
        order = RecordedOrder(recorded.header, recorded.turns) if recorded else make_order(settings)
        execution.asynchronous(order)
    except ImpossibleTurn as error:
        comparison.impossible(error)
