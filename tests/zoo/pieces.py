"""Small games, networks and stores that the checks of the zoo are tried on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from a3c.asynchrony.acting import Actor, Networks
from a3c.asynchrony.behaviors import Behavior, Softmax
from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.shared import SharedMemory, allocate
from a3c.asynchrony.store import LockedStore
from a3c.environments.batch import Batch
from a3c.environments.step import Spec, Step
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import Diagnostics
from a3c.learning.policies import Categorical
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

Make = Callable[..., Settings]

SIZE = 16
ACTIONS = 2
NUMBERS = Diagnostics(0.1, 0.2, 0.3, 0.4, 1.0)

EXPLORATION = {
    "final_epsilons": [0.1, 0.01, 0.5],
    "probabilities": [0.4, 0.3, 0.3],
    "annealing_frames": 4_000_000,
    "evaluation_epsilon": 0.05,
}
PLAIN_DESCENT = {"kind": "momentum_sgd", "learning_rate": 1.0, "annealing": "constant", "momentum": 0.0}


class Lane:
    """Observes how many steps were taken; each pays 1 to learn from and 10 as score; ends after `length` of them."""

    def __init__(self, length: int, *, truncated: bool = False, during: Callable[[], None] = lambda: None) -> None:
        """A lane.

        Args:
          length: in steps.
          truncated: whether a frame limit is what ends it, and not a game over.
          during: called in every step.
        """
        self.spec = Spec((1,), "float32", ACTIONS)
        self._length, self._truncated, self._during = length, truncated, during
        self._at = 0

    def reset(self) -> np.ndarray:
        self._at = 0
        return np.zeros(1, np.float32)

    def step(self, action: int) -> Step:
        del action
        self._during()
        self._at += 1
        last = self._at == self._length
        discount = 0.0 if last and not self._truncated else 1.0
        return Step(np.full(1, self._at, np.float32), 1.0, discount, last, 10.0)

    def save(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Linear(nn.Module):
    """Two logits and a value, each a multiple of what is observed, plus a constant."""

    state_size = 0

    def __init__(self, weight: Sequence[float], offset: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))
        self.offset = offset

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        del first
        return self.step(observation, state)

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return (observation + self.offset) @ self.weight, state


def linear(weight: Sequence[float], offset: float = 0.0) -> FlatNetwork:
    """Such a network on one vector."""
    return FlatNetwork(cast(Any, Linear(weight, offset)))


def value_of_observation() -> FlatNetwork:
    """A uniform policy; what is observed is worth 100 times itself, so a return tells which value it ends with."""
    return linear([0.0, 0.0, 100.0])


class OneNetwork(Networks):
    """A given network in place of the one that settings name."""

    def __init__(self, network: FlatNetwork) -> None:
        self.online, self.target = network, None


class Listening(Softmax):
    """Keeps what the network said while it acted."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        self.heard.append(output.copy())
        return super().choose(output, generator, frames)


def actor_of(
    settings: Settings, *games: Lane, network: FlatNetwork | None = None, behavior: Behavior | None = None
) -> Actor:
    """An actor-critic that plays these games; of the settings, what is said of rollouts counts."""
    return Actor(
        settings,
        Batch(cast(Any, games)),
        OneNetwork(network or value_of_observation()),
        ActorCritic(Categorical(ACTIONS), 0.5, 0.01),
        behavior or Softmax(),
        np.random.default_rng(0),
    )


def memory_of(settings: Settings, initial: Tensor | None = None) -> SharedMemory:
    """Shared memory of a run; its parameters are zeros, unless they are given."""
    memory = allocate(settings, torch.zeros(SIZE) if initial is None else initial)
    memory.start_time[0] = 0.0
    return memory


def store_of(memory: SharedMemory, settings: Settings) -> LockedStore:
    """The store that one worker has of it."""
    return LockedStore(memory, cast(Any, threading.Lock()), settings)


def empty_copy() -> LocalCopy:
    """Something to pull into."""
    return LocalCopy(torch.empty(SIZE))


def push_of(gradient: Tensor, *, worker: int = 0, read: int = 0, steps: int = 5) -> Push:
    """A push of this gradient after a rollout of so many steps."""
    column, state = torch.zeros(steps, 1), torch.zeros(1, 0)
    rollout = Rollout(column, column.long(), column, column, torch.zeros(1), torch.zeros(1), state, column)
    numbers = NUMBERS._replace(gradient_norm=float(gradient.norm()))
    return Push(worker, read, gradient.clone(), rollout, numbers, torch.zeros(len(gradient)))


Turns = Sequence[tuple[int, float]]  # the worker, and its gradient in every place
Train = Callable[[Turns], list[float]]  # one parameter after each of the turns


def through_the_store(make: Make, optimizer: dict[str, object]) -> Train:
    """The turns of several workers on shared memory."""

    def train(turns: Turns) -> list[float]:
        settings = make(schedule="locked", workers=4, optimizer=optimizer)
        memory, places = memory_of(settings), []
        for k, (worker, gradient) in enumerate(turns):
            push = push_of(torch.full([SIZE], gradient), worker=worker, read=k)
            store_of(memory, settings).push(push, empty_copy())
            places.append(float(memory.parameters[0]))
        return places

    return train


def steps_of(places: list[float]) -> list[float]:
    """How far each turn went."""
    return [before - after for before, after in zip([0.0, *places], places, strict=False)]
