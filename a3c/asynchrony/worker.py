"""An actor-learner: the loop of Algorithm S3, and the process that runs it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier, Event, Lock, Semaphore

import torch

from a3c import seeding
from a3c.asynchrony.acting import Actor
from a3c.asynchrony.comparing import Comparison, Recorded, StopExecution
from a3c.asynchrony.shared import SharedMemory
from a3c.asynchrony.store import Pulled, Push, Store, make_store
from a3c.asynchrony.turnstile import TurnstileStore
from a3c.environments import make
from a3c.environments.batch import Batch
from a3c.environments.step import Spec
from a3c.learning import networks
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import rollout_gradient
from a3c.records.rows import EpisodeRow
from a3c.settings import MLPSettings, Settings

READY, EPISODES, FAILED = "ready", "episodes", "failed"


@dataclass(frozen=True)
class Assignment:
    """What a worker process is given.

    Attributes:
      worker: its number, from 0.
      settings: of the run.
      memory: shared with all others.
      lock: the one lock.
      barrier: for the synchronous schedule.
      go: set when everybody is ready.
      pipe: to the supervisor; sends (READY, None), (EPISODES, [EpisodeRow]) and (FAILED, traceback).
      recorded: the run to execute again and to compare with, if any.
      gates: of the turnstile that lets worker processes through in the recorded order, if any.
    """

    worker: int
    settings: Settings
    memory: SharedMemory
    lock: Lock
    barrier: Barrier
    go: Event
    pipe: Connection
    recorded: Recorded | None = None
    gates: Sequence[Semaphore] = ()


def work(
    worker: int, store: Store, actor: Actor, settings: Settings, report: Reporter, examine: Callable[..., None]
) -> None:
    """One worker's share of A3C (Algorithm S3 in Mnih et al., 2016)."""
    learning, parameters = settings.learning, actor.network.vector
    pulled = store.pull(parameters)
    while pulled is not None:
        rollout = actor.collect()
        gradient, diagnostics = rollout_gradient(
            actor.network, rollout, value_weight=learning.value_weight, entropy_weight=learning.entropy_weight
        )
        push = Push(worker, pulled.version, gradient, rollout.steps, diagnostics)
        examine(push, rollout, parameters)
        pushed = store.push(push, into=parameters)
        if pushed.applied:
            report.send(actor, pulled)
        pulled = pushed.pulled


class Reporter:
    """Sends a worker's finished episodes to the supervisor."""

    def __init__(self, worker: int, pipe: Connection, start_time: float) -> None:
        self._worker = worker
        self._pipe = pipe
        self._start_time = start_time

    def send(self, actor: Actor, pulled: Pulled) -> None:
        """Sends and clears the actor's finished episodes; `pulled` places them on the global frame counter."""
        if not actor.episodes:
            return
        seconds = time.monotonic() - self._start_time
        rows = [
            EpisodeRow(
                pulled.frames + e.frames_after_pull, seconds, self._worker, e.env, e.score, e.steps, int(e.truncated)
            )
            for e in actor.episodes
        ]
        actor.episodes.clear()
        self._pipe.send((EPISODES, rows))


def make_network(settings: Settings, spec: Spec) -> FlatNetwork:
    """The run's network with its initial parameters: the same in every process, since the seed is the run's."""
    hidden = settings.network.hidden if isinstance(settings.network, MLPSettings) else ()
    network = networks.build(
        settings.network.kind,
        observation_shape=spec.observation_shape,
        actions=spec.actions,
        states=spec.states,
        hidden=hidden,
        seed=seeding.integer(settings.seed, "initialization"),
    )
    return FlatNetwork(network)


def make_actor(settings: Settings, worker: int, network: FlatNetwork | None = None) -> Actor:
    """The worker's actor: its games, its copy of the network (or the one given), its random streams."""
    games = [make(settings, worker, env) for env in range(settings.envs_per_turn)]
    batch = Batch(games)
    return Actor(
        network or make_network(settings, batch.spec),
        batch,
        seeding.generator(settings.seed, "policy", worker),
        rollout_steps=settings.learning.rollout_steps,
        gamma=settings.learning.gamma,
        action_repeat=settings.action_repeat,
    )


def run_worker(assignment: Assignment) -> None:
    """The worker process: prepares, says so, waits for everybody, works; a fault is sent with its traceback."""
    enter_process()
    try:
        actor = make_actor(assignment.settings, assignment.worker)
        store = _store(assignment)
        comparison = Comparison(assignment.recorded, assignment.pipe)
        assignment.pipe.send((READY, None))
        assignment.go.wait()
        report = Reporter(assignment.worker, assignment.pipe, float(assignment.memory.start_time))
        work(assignment.worker, store, actor, assignment.settings, report, comparison.of_worker(assignment.worker))
    except StopExecution:
        pass
    except BaseException:
        assignment.pipe.send((FAILED, traceback.format_exc()))
        sys.exit(1)


def _store(assignment: Assignment) -> Store:
    memory, lock, settings, recorded = assignment.memory, assignment.lock, assignment.settings, assignment.recorded
    if not assignment.gates or recorded is None:
        return make_store(memory, lock, assignment.barrier, settings)
    return TurnstileStore(memory, lock, settings, worker=assignment.worker, recorded=recorded, gates=assignment.gates)


def enter_process() -> None:
    """What every child does first: one thread, no Ctrl-C of its own, and death with its parent.

    One thread is set here and asserted because a workflow engine may export OMP_NUM_THREADS as it likes: two workers
    with two threads each run about a hundred times slower than with one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_supervisor, daemon=True).start()
    torch.set_num_threads(1)
    if torch.get_num_threads() != 1:
        raise RuntimeError("torch did not accept one thread per worker")


def _die_with_supervisor() -> None:
    """Waits for the supervisor's end, however it came.

    A signal on the parent's death would not do: the parent is the server that forked this process, and it lives on as
    long as one of its children does.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGKILL)
