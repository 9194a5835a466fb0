"""An actor-learner: the loop of Algorithm S3, and the process that runs it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock, Semaphore
from time import perf_counter
from typing import Protocol

from torch import Tensor

from a3c.asynchrony.acting import Actor, make_actor
from a3c.asynchrony.comparing import Comparison, Recorded, StopExecution
from a3c.asynchrony.correcting import make_correction
from a3c.asynchrony.entry import wait_to_begin
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Store, restore_copy, save_copy
from a3c.asynchrony.hogwild import HogwildStore
from a3c.asynchrony.pausing import CheckpointPlaces, Pause
from a3c.asynchrony.profiling import PROFILE, Profiler
from a3c.asynchrony.sampling import Sampler, TurnSeconds
from a3c.asynchrony.shared import SharedMemory
from a3c.asynchrony.store import LockedStore
from a3c.asynchrony.synchronous import Rendezvous, SynchronousStore
from a3c.asynchrony.turnstile import TurnstileStore
from a3c.asynchrony.unfit import UNFIT, UnfitTurnError, push_fit, unfit_turn
from a3c.environments.step import Spec
from a3c.learning.gradients import NonFiniteError
from a3c.records.checkpoints import State
from a3c.records.rows import EpisodeRow, SampleRow
from a3c.settings import Settings

EPISODES, SAMPLED, MEMORY = "episodes", "sampled", "memory"


@dataclass(frozen=True)
class Assignment:
    """What a worker process is given.

    Attributes:
      worker: its number, from 0.
      settings: of the run.
      memory: shared with all others.
      lock: the one lock.
      rendezvous: for the synchronous schedule.
      pipe: to and from the supervisor; sends (READY, None), (EPISODES, [EpisodeRow]), (SAMPLED, SampleRow),
        (SAVED, None), at the end (MEMORY, bytes that the process held at most) or (FAILED, traceback).
      checkpoints: where to save and what to go on from; None for a run that makes none.
      histogram: turns by staleness in another run, for an order drawn from it.
      recorded: the run to execute again and to compare with, if any.
      gates: of the turnstile that lets worker processes through in the recorded order, if any.
      profile: whether to measure where the time goes, and to send (PROFILE, Profile) at the end.
    """

    worker: int
    settings: Settings
    memory: SharedMemory
    lock: Lock
    rendezvous: Rendezvous
    pipe: Connection
    checkpoints: CheckpointPlaces | None = None
    histogram: Sequence[int] | None = None
    recorded: Recorded | None = None
    gates: Sequence[Semaphore] = ()
    profile: bool = False


def work(
    worker: int,
    store: Store,
    actor: Actor,
    *,
    examine: Callable[[Push], None],
    sampler: Sampler,
    report: Reporter,
    pause: Pause,
) -> None:
    """One worker's share of A3C (Algorithm S3 in Mnih et al., 2016)."""
    copy = LocalCopy(actor.networks.online.vector)
    parts: dict[str, _Part] = {"actor": actor, "store": store, "sampler": sampler}
    pulled, pull_seconds = _begin(copy, store, parts, pause.restored())
    while pulled is not None:
        pause.keep(partial(_state, copy, pulled, parts))
        actor.networks.hold(copy)
        push, seconds = differentiate(worker, pulled, actor, copy.vector, pull_seconds)
        examine(push)
        push = sampler.watch(push, actor.networks.online)
        pushed = push_fit(store, push, pulled, actor, into=copy)
        if pushed.applied:
            report.send(actor, pulled)
            sampler.report(push, pushed, seconds, report.start_time)
        pulled, pull_seconds = pushed.pulled, pushed.seconds.pull


class _Part(Protocol):
    """What a worker is made of."""

    def save(self) -> State: ...

    def restore(self, state: State) -> None: ...


def _begin(
    copy: LocalCopy, store: Store, parts: Mapping[str, _Part], state: State | None
) -> tuple[Pulled | None, float]:
    """The first pull, or the one that was held at a checkpoint, and the seconds it took."""
    began = perf_counter()
    if state is None:
        return store.pull(copy), perf_counter() - began
    for name, part in parts.items():
        part.restore(state[name])
    restore_copy(copy, state["copy"])
    return Pulled(*state["pulled"]), perf_counter() - began


def _state(copy: LocalCopy, pulled: Pulled, parts: Mapping[str, _Part]) -> State:
    """All that a worker is between two turns."""
    return {"copy": save_copy(copy), "pulled": list(pulled), **{name: part.save() for name, part in parts.items()}}


def differentiate(
    worker: int, pulled: Pulled, actor: Actor, parameters: Tensor, pull_seconds: float
) -> tuple[Push, TurnSeconds]:
    """A rollout and its gradient, with the parameters that the actor's networks hold.

    Args:
      worker: whose turn it is.
      pulled: the version of the parameters, and the global frame counter at the pull.
      actor: the worker's.
      parameters: float32 [P], of that version.
      pull_seconds: what pulling them took.

    Raises:
      UnfitTurnError: if a number in it is not finite.
    """
    began, rollout = perf_counter(), None
    try:
        rollout = actor.collect(pulled.frames)
        acted = perf_counter()
        gradient, diagnostics = actor.learner.gradient(actor.networks.online, rollout)
    except NonFiniteError as error:
        raise unfit_turn(error, worker, pulled, actor, parameters, rollout) from None
    seconds = TurnSeconds(pull_seconds, acted - began, perf_counter() - acted)
    return Push(worker, pulled.version, gradient, rollout, diagnostics, parameters), seconds


class Reporter:
    """Sends a worker's finished episodes to the supervisor.

    Attributes:
      start_time: monotonic clock when the workers were let go.
    """

    def __init__(self, worker: int, pipe: Connection, start_time: float) -> None:
        self._worker = worker
        self._pipe = pipe
        self.start_time = start_time

    def send(self, actor: Actor, pulled: Pulled) -> None:
        """Sends and clears the actor's finished episodes; `pulled` places them on the global frame counter."""
        if not actor.episodes:
            return
        seconds = time.monotonic() - self.start_time
        rows = [
            EpisodeRow(
                pulled.frames + e.frames_after_pull, seconds, self._worker, e.env, e.score, e.steps, int(e.truncated)
            )
            for e in actor.episodes
        ]
        actor.episodes.clear()
        self._pipe.send((EPISODES, rows))


def run_worker(assignment: Assignment) -> None:
    """The worker process: prepares, says so, waits for everybody, works."""
    with reporting_memory(assignment.pipe):
        worker, settings = assignment.worker, assignment.settings
        actor = make_actor(settings, worker)
        store = _store(assignment, actor)
        examine = Comparison(assignment.recorded, assignment.pipe).of_worker(worker)
        sampler = make_sampler(assignment, actor.spec)
        pause = make_pause(assignment)
        wait_to_begin(assignment.pipe)
        report = Reporter(worker, assignment.pipe, float(assignment.memory.start_time))
        with profiled(assignment) as profiler:
            if profiler is not None:
                profiler.trace_process(actor.networks, store, sampler, pause)
                profiler.trace_actor(actor)
            work(worker, store, actor, examine=examine, sampler=sampler, report=report, pause=pause)


def make_sampler(assignment: Assignment, spec: Spec) -> Sampler:
    """A sampler whose samples go to the supervisor."""

    def send(row: SampleRow) -> None:
        assignment.pipe.send((SAMPLED, row))

    return Sampler(assignment.settings, spec, send)


def make_pause(assignment: Assignment) -> Pause:
    """This process's part in checkpoints."""
    agreed = assignment.settings.schedule == "synchronous"
    return Pause(assignment.checkpoints, assignment.memory, assignment.pipe, assignment.worker, agreed=agreed)


@contextmanager
def profiled(assignment: Assignment) -> Iterator[Profiler | None]:
    """A profiler, if one is asked for, whose profile is sent at the end."""
    profiler = Profiler(assignment.worker) if assignment.profile else None
    yield profiler
    if profiler is not None:
        assignment.pipe.send((PROFILE, profiler.profile()))


@contextmanager
def reporting_memory(pipe: Connection) -> Iterator[None]:
    """Sends the memory that the process came to need, unless the execution was stopped; or the turn that was unfit."""
    try:
        yield
    except StopExecution:
        return
    except UnfitTurnError as error:
        pipe.send((UNFIT, error.batch))
        raise
    pipe.send((MEMORY, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def _store(assignment: Assignment, actor: Actor) -> Store:
    memory, lock, settings, recorded = assignment.memory, assignment.lock, assignment.settings, assignment.recorded
    if settings.schedule == "synchronous":
        return SynchronousStore(memory, lock, settings, assignment.rendezvous)
    correction = make_correction(settings, actor.spec)
    if settings.schedule == "hogwild":
        return HogwildStore(memory, lock, settings, correction)
    if recorded is None:
        return LockedStore(memory, lock, settings, correction)
    gates = assignment.gates
    return TurnstileStore(memory, lock, settings, correction, worker=assignment.worker, recorded=recorded, gates=gates)
