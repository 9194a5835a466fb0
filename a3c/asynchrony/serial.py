"""Executes an order of turns in one process: recorded in another run, or drawn.

All workers are logical: each has its own games and random streams, and they share one network, into which the
parameters of each turn are copied. Versions are kept only as long as a later turn may read them.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import torch

from a3c.asynchrony.acting import Actor, Networks, make_actor
from a3c.asynchrony.comparing import Comparison, Examine
from a3c.asynchrony.correcting import make_correction
from a3c.asynchrony.entry import wait_to_begin
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed, PushSeconds
from a3c.asynchrony.order import Order, Turn, make_order
from a3c.asynchrony.pausing import Pause
from a3c.asynchrony.profiling import Profiler
from a3c.asynchrony.recorded_order import ImpossibleTurn, RecordedOrder
from a3c.asynchrony.sampling import Sampler, TurnSeconds
from a3c.asynchrony.store import LockedStore
from a3c.asynchrony.synchronous import SynchronousStore
from a3c.asynchrony.unfit import push_fit
from a3c.asynchrony.worker import (
    Assignment,
    Reporter,
    differentiate,
    make_pause,
    make_sampler,
    profiled,
    reporting_memory,
)
from a3c.environments import make
from a3c.environments.step import Spec
from a3c.records.checkpoints import State
from a3c.settings import Settings

LATEST = -1  # in a checkpoint: the version made last, which no later turn may read, but whose target goes on


class Observation:
    """What looks on while turns are executed: the comparison, the sampler, the reports of finished episodes.

    Attributes:
      examine: called with turn and push before the turn is applied.
      sampler: of all workers.
      profiler: of all workers, if a profile is asked for.
    """

    def __init__(
        self, assignment: Assignment, examine: Examine, sampler: Sampler, profiler: Profiler | None = None
    ) -> None:
        self.examine = examine
        self.sampler = sampler
        self.profiler = profiler
        self._assignment = assignment
        self._reporters: dict[int, Reporter] = {}

    def report(self, worker: int) -> Reporter:
        """The worker's reporter."""
        if worker not in self._reporters:
            start_time = float(self._assignment.memory.start_time)
            self._reporters[worker] = Reporter(worker, self._assignment.pipe, start_time)
        return self._reporters[worker]


class _Version(NamedTuple):
    """Parameters that a later turn may read, and the global frame counter when they were made."""

    copy: LocalCopy
    frames: int


class _Prepared(NamedTuple):
    """A turn that is ready to be pushed."""

    push: Push
    actor: Actor
    place: Pulled
    seconds: TurnSeconds


class Execution:
    """The state of a serial execution: players, versions, and where it stands."""

    def __init__(
        self,
        settings: Settings,
        store: LockedStore | SynchronousStore,
        networks: Networks,
        observe: Observation,
        pause: Pause,
    ) -> None:
        """Begins at version 0, or where a checkpoint was made.

        Args:
          settings: of the run.
          store: that nobody else uses.
          networks: shared by all logical workers.
          observe: what looks on.
          pause: for checkpoints.
        """
        self._settings, self._store, self._networks = settings, store, networks
        self._observe, self._pause = observe, pause
        self._actors: dict[int, Actor] = {}
        self._pushed_frames: dict[int, int] = {}
        first = LocalCopy(torch.empty_like(networks.online.vector))
        store.pull(first)
        self._version, self._frames = 0, 0
        self._latest = first
        self._versions = {0: _Version(first, 0)}
        if (state := pause.restored()) is not None:
            self._restore(state)

    def asynchronous(self, order: Order) -> None:
        """Executes an order, one turn a version, until it or the budget ends."""
        assert isinstance(self._store, LockedStore)
        for version in range(self._version):  # an order is drawn from its beginning, which costs microseconds a turn
            order.next(version)
        over = False
        while not over and (turn := self._next(order)) is not None:
            version = self._version
            prepared = self._prepare(turn, turn_number=version)
            made = replace(self._latest, vector=torch.empty_like(self._latest.vector))  # shares the target
            pushed = push_fit(self._store, prepared.push, prepared.place, prepared.actor, into=made)
            if pushed.applied:
                self._finish_turn(prepared, pushed)
            over, self._latest = pushed.pulled is None, made
            self._version = version = version + 1
            self._versions = {v: kept for v, kept in self._versions.items() if order.needs(v, version)}
            if order.needs(version, version):
                self._versions[version] = _Version(made, self._frames)

    def _next(self, order: Order) -> Turn | None:
        """The next turn; before it is drawn, the run may stand still for a checkpoint."""
        self._pause.keep(self._state)
        return order.next(self._version)

    def synchronous(self) -> None:
        """Executes all workers one after the other, update by update."""
        assert isinstance(self._store, SynchronousStore)
        workers = self._settings.turn_workers
        copy = self._latest
        while True:
            self._pause.keep(self._state)
            version = self._version
            onto, begun = Pulled(version, self._frames), []
            for worker in range(workers):
                prepared = self._prepare(Turn(worker, version), turn_number=version * workers + worker)
                self._store.hand_in(prepared.push)
                begun.append(prepared)
            began = perf_counter()
            self._store.apply_average(version)
            pushed = Pushed(onto, onto, PushSeconds(0.0, perf_counter() - began, 0.0))
            for prepared in begun:
                self._finish_turn(prepared, pushed)
            self._version = version + 1
            if self._store.pull(copy) is None:
                return
            self._versions = {self._version: _Version(copy, self._frames)}

    def _state(self) -> State:
        """All that the workers and the versions they may read are; versions that share a target save it once."""
        kept = {**self._versions, LATEST: _Version(self._latest, self._frames)}
        targets = {str(v.copy.refreshes): v.copy.target.numpy() for v in kept.values() if v.copy.target is not None}
        return {
            "version": self._version,
            "frames": self._frames,
            "pushed_frames": {str(worker): frames for worker, frames in self._pushed_frames.items()},
            "actors": {str(worker): actor.save() for worker, actor in self._actors.items()},
            "sampler": self._observe.sampler.save(),
            "targets": targets,
            "versions": [[v, k.frames, k.copy.refreshes, k.copy.vector.numpy()] for v, k in kept.items()],
        }

    def _restore(self, state: State) -> None:
        self._version, self._frames = int(state["version"]), int(state["frames"])
        self._pushed_frames = {int(worker): int(frames) for worker, frames in state["pushed_frames"].items()}
        self._observe.sampler.restore(state["sampler"])
        for worker, saved in state["actors"].items():
            self._actor(int(worker)).restore(saved)
        targets = {int(refreshes): torch.from_numpy(target) for refreshes, target in state["targets"].items()}
        self._versions = {
            int(v): _Version(LocalCopy(torch.from_numpy(vector), targets.get(int(r)), int(r)), int(frames))
            for v, frames, r, vector in state["versions"]
        }
        self._latest = self._versions.pop(LATEST).copy
        if self._version in self._versions:
            self._latest = self._versions[self._version].copy

    def _actor(self, worker: int) -> Actor:
        """The worker's actor, which is made when it is first needed."""
        if worker not in self._actors:
            self._actors[worker] = actor = make_actor(self._settings, worker, self._networks)
            if self._observe.profiler is not None:
                self._observe.profiler.trace_actor(actor)
        return self._actors[worker]

    def _prepare(self, turn: Turn, turn_number: int) -> _Prepared:
        """The turn's rollout and gradient, with the parameters of the version it reads."""
        began = perf_counter()
        copy, frames = self._versions[turn.read]
        actor = self._actor(turn.worker)
        self._networks.hold(copy)
        pulled = perf_counter() - began
        place = Pulled(turn.read, max(frames, self._pushed_frames.get(turn.worker, 0)))
        push, seconds = differentiate(turn.worker, place, actor, copy.vector, pulled)
        self._observe.examine(turn_number, push)
        return _Prepared(self._observe.sampler.watch(push, self._networks.online), actor, place, seconds)

    def _finish_turn(self, prepared: _Prepared, pushed: Pushed) -> None:
        push = prepared.push
        self._frames += push.rollout.steps * self._settings.action_repeat
        self._pushed_frames[push.worker] = self._frames
        report = self._observe.report(push.worker)
        report.send(prepared.actor, prepared.place)
        self._observe.sampler.report(push, pushed, prepared.seconds, report.start_time)


def run_serial(assignment: Assignment) -> None:
    """The process that executes all workers of a drawn or replayed run."""
    with reporting_memory(assignment.pipe):
        execute(assignment, Comparison(assignment.recorded, assignment.pipe))


def execute(assignment: Assignment, comparison: Comparison) -> None:
    """Executes all workers of a drawn or replayed run in this process.

    Args:
      assignment: whose settings and record say what is executed.
      comparison: looks at every turn before it is applied.

    Raises:
      StopExecution: if the comparison has seen enough.
    """
    settings = assignment.settings
    spec = make(settings, 0, 0).spec
    networks = Networks(settings, spec)
    store = _store(assignment, spec)
    sampler = make_sampler(assignment, spec)
    wait_to_begin(assignment.pipe)
    pause = make_pause(assignment)
    with profiled(assignment) as profiler:
        if profiler is not None:
            profiler.trace_process(networks, store, sampler, pause)
        observe = Observation(assignment, comparison.examine, sampler, profiler)
        execution = Execution(settings, store, networks, observe, pause)
        if settings.schedule == "synchronous":
            execution.synchronous()
            return
        try:
            execution.asynchronous(_order(assignment))
        except ImpossibleTurn as error:
            comparison.impossible(error)


def _store(assignment: Assignment, spec: Spec) -> LockedStore | SynchronousStore:
    memory, lock, settings = assignment.memory, assignment.lock, assignment.settings
    if settings.schedule == "synchronous":
        return SynchronousStore(memory, lock, settings, assignment.rendezvous)
    every_push = settings.model_copy(update={"pull_interval_rollouts": 1})  # here the order says who reads what
    return LockedStore(memory, lock, every_push, make_correction(settings, spec))


def _order(assignment: Assignment) -> Order:
    recorded = assignment.recorded
    if recorded is not None:
        return RecordedOrder(recorded.header, recorded.turns)
    return make_order(assignment.settings, assignment.histogram)
