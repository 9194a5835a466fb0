"""Actors of scripted games, and whole runs in the test's own process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from a3c.asynchrony.acting import Actor, Networks
from a3c.asynchrony.agents import Learner
from a3c.asynchrony.behaviors import Behavior, Softmax
from a3c.asynchrony.correcting import make_correction
from a3c.asynchrony.exchange import Push
from a3c.asynchrony.order import make_order
from a3c.asynchrony.pausing import Pause
from a3c.asynchrony.sampling import Sampler
from a3c.asynchrony.serial import Execution, Observation
from a3c.asynchrony.shared import allocate
from a3c.asynchrony.store import LockedStore
from a3c.environments import make
from a3c.environments.batch import Batch
from a3c.environments.step import Environment
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.policies import Categorical
from a3c.records.rows import SampleRow
from a3c.settings import Settings

# Tests, and the worker processes that they start, import `scripted` by this name.
sys.path.append(str(Path(__file__).parent))

Make = Callable[..., Settings]

TWO_ACTIONS = ActorCritic(Categorical(2), value_weight=0.5, entropy_weight=0.01)
EXPLORATION = {"final_epsilons": [0.5], "probabilities": [1.0], "annealing_frames": 1, "evaluation_epsilon": 0.0}


@pytest.fixture(scope="session")
def actor_of(cliff: Make, pong: Make) -> Callable[..., Actor]:
    """`actor_of(games, networks, learner=..., behavior=..., rollout_steps=5, gamma=0.9, seed=0, another=...)`.

    Actions are repeated 4 times, as Pong's settings have it; once where a rollout is a whole episode.
    """

    def actor(
        games: Sequence[Environment],
        networks: Networks,
        learner: Learner = TWO_ACTIONS,
        behavior: Behavior | None = None,
        rollout_steps: int | None = 5,
        gamma: float = 0.9,
        seed: int = 0,
        another: Callable[[int, int], Environment] | None = None,
    ) -> Actor:
        below = cliff if rollout_steps is None else pong
        settings = below(learning={"rollout_steps": rollout_steps, "gamma": gamma})
        generator = np.random.default_rng(seed)
        return Actor(settings, Batch(games), networks, learner, behavior or Softmax(), generator, another)

    return actor


@pytest.fixture(scope="session")
def scripted_settings(cliff: Make) -> Make:
    """`scripted_settings(game, options, **changes)`: settings of a table that plays `scripted:<game>`."""

    def settings(game: str = "Clock", options: dict[str, Any] | None = None, **changes: Any) -> Settings:
        environment = {"kind": "custom", "reward_scale": 1.0, "options": options or {}}
        return cliff(game=f"scripted:{game}", environment=environment, **changes)

    return settings


@pytest.fixture(scope="session")
def valuing() -> Callable[..., dict[str, Any]]:
    """`valuing(kind, target_interval_frames=100, **exploration)`: an algorithm of action values."""
    return lambda kind, target_interval_frames=100, **exploration: {
        "kind": kind,
        "target_interval_frames": target_interval_frames,
        "exploration": EXPLORATION | exploration,
    }


@pytest.fixture(scope="session")
def execute() -> Callable[..., SimpleNamespace]:
    """`execute(settings, watch=...)`: a whole drawn run here; `watch(turn, push, networks, memory)` before each push.

    Returns the shared memory, the networks, and the samples and the messages that a supervisor would have been sent.
    """

    def run(settings: Settings, watch: Callable[..., None] | None = None) -> SimpleNamespace:
        spec = make(settings, 0, 0).spec
        networks = Networks(settings, spec)
        memory = allocate(settings, networks.online.vector)
        memory.start_time[0] = 0.0
        store = LockedStore(memory, threading.Lock(), settings, make_correction(settings, spec))
        sent: list[tuple[str, Any]] = []
        samples: list[SampleRow] = []
        pipe = SimpleNamespace(send=sent.append)

        def examine(turn: int, push: Push) -> None:
            if watch is not None:
                watch(turn, push, networks, memory)

        assignment = SimpleNamespace(memory=memory, pipe=pipe)
        observation = Observation(assignment, examine, Sampler(settings, spec, samples.append))
        pause = Pause(None, memory, pipe, 0, agreed=False)
        Execution(settings, store, networks, observation, pause).asynchronous(make_order(settings))
        return SimpleNamespace(memory=memory, networks=networks, samples=samples, sent=sent)

    return run
