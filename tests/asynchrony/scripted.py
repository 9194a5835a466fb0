"""Games and networks that do what they are told; worker processes import them as `scripted:Clock`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from a3c.environments.step import Spec, Step
from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Table

Event = Literal["play", "life", "over", "limit"]

EVENTS: tuple[Event, ...] = ("play", "life", "over", "limit")
DISCOUNT: dict[Event, float] = {"play": 1.0, "life": 0.0, "over": 0.0, "limit": 1.0}


class Game:
    """What tests never need of a game."""

    def save(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Clock(Game):
    """Reward 1 a step, whatever is done; observes the step modulo `states`, and every `length` steps comes an `ending`.

    A game over, a frame limit, or a life lost, with which the game goes on; without a length it is endless.
    """

    def __init__(self, states: int = 1, length: int | None = None, ending: Event = "over") -> None:
        self.spec = Spec((), "int64", 2, states=states)
        self._length, self._ending, self._at = length, ending, 0

    def reset(self) -> np.ndarray:
        self._at = 0
        return self._seen()

    def step(self, action: Any) -> Step:
        del action
        self._at += 1
        event = self._ending if self._length and self._at % self._length == 0 else "play"
        return Step(self._seen(), 1.0, DISCOUNT[event], event in ("over", "limit"), 1.0)

    def _seen(self) -> np.ndarray:
        return np.array(self._at % self.spec.states, np.int64)


class Transition(NamedTuple):
    """One step as a game knows it; `following` is what it led to, before any reset."""

    state: int
    action: int
    reward: float
    event: Event
    following: int


class Chance(Game):
    """States, rewards and ends by chance alone, all of them written down on a tape.

    A state is observed as its index, or as a vector with a 1 in its place.
    """

    def __init__(self, states: int, actions: int, seed: int, ends: bool = True, vector: bool = False) -> None:
        self.spec = Spec((states,), "float32", actions) if vector else Spec((), "int64", actions, states=states)
        self.tape: list[Transition] = []
        self._draws, self._ends, self._state = np.random.default_rng(seed), ends, 0
        self._seen = np.eye(states, dtype=np.float32) if vector else np.arange(states)

    def reset(self) -> np.ndarray:
        self._state = int(self._draws.integers(len(self._seen)))
        return np.array(self._seen[self._state])

    def step(self, action: Any) -> Step:
        before, reward = self._state, float(self._draws.normal())
        drawn = self._draws.choice(4, p=[0.7, 0.1, 0.1, 0.1])
        event = EVENTS[drawn] if self._ends else "play"
        observation = self.reset()
        self.tape.append(Transition(before, int(action), reward, event, self._state))
        return Step(observation, reward, DISCOUNT[event], event in ("over", "limit"), reward)


@dataclass
class Given:
    """Networks as an actor sees them."""

    online: FlatNetwork
    target: FlatNetwork | None = None

    @property
    def bootstrapping(self) -> FlatNetwork:
        return self.target or self.online


def table(states: int, outputs: int, seed: int) -> FlatNetwork:
    """A table of random numbers."""
    flat = FlatNetwork(Table(states, outputs))
    shuffle(flat, seed)
    return flat


def shuffle(flat: FlatNetwork, seed: int) -> None:
    """Other random numbers, as after a pull."""
    draws = torch.Generator().manual_seed(seed)
    flat.vector.copy_(flat.flatten([torch.randn(tensor.shape, generator=draws) for tensor in flat.tensors]))


@dataclass
class Watched:
    """A behavior that writes down what it was asked: outputs, frames, and what it answered."""

    behavior: Any
    outputs: list[np.ndarray] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    actions: list[np.ndarray] = field(default_factory=list)

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        chosen: np.ndarray = self.behavior.choose(output, generator, frames)
        self.outputs.append(output.copy())
        self.frames.append(frames)
        self.actions.append(chosen.copy())
        return chosen


class OfOutput:
    """Takes the action that a network's output decides, but not always the best: the same for the same output."""

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        del generator, frames
        return np.array([self.of(row) for row in output])

    def of(self, row: np.ndarray | Tensor) -> int:
        return int(abs(float(row[0])) * 1e4) % 3
