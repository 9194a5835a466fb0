"""Plays one game with the frozen parameters of a finished run and keeps what it looked like from inside and outside.

The game is the one that `a3c evaluate RUN --episodes 1` plays with the same policy and seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from a3c import seeding
from a3c.environments import make
from a3c.frozen import OWN_PLACE, Frozen
from a3c.problems import InvalidInput, Problem
from a3c.settings import ActionValueSettings

if TYPE_CHECKING:
    from a3c.asynchrony.evaluator import Player
    from a3c.environments.step import Environment, Spec
    from a3c.settings import Settings

GOES_ON = "the game goes on"
PROBABILITIES, ACTION_VALUES, MEANS = "action probabilities", "action values", "action means"


class Picture(NamedTuple):
    """A picture, compressed: a minute of them would not fit into small memories otherwise."""

    shape: tuple[int, ...]
    content: bytes

    @classmethod
    def of(cls, pixels: np.ndarray) -> Picture:
        """Keeps uint8 [H, W, 3]."""
        return cls(pixels.shape, zlib.compress(pixels.tobytes(), 1))

    def pixels(self) -> np.ndarray:
        """Uint8 [H, W, 3]."""
        return np.frombuffer(zlib.decompress(self.content), np.uint8).reshape(self.shape)


class Thought(NamedTuple):
    """What the network's output says about one observation.

    Attributes:
      value: of the state: V, or the greatest action value.
      actions: float64 [A], probabilities or values; or [D], the means of continuous actions.
      spread: standard deviation of continuous actions, else 0.
    """

    value: float
    actions: np.ndarray
    spread: float


class Moment(NamedTuple):
    """One decision.

    Attributes:
      picture: what was there before it.
      score: what had been scored before it.
      thought: what the network said.
      action: what was done: an index, or float32 [D].
      explores: whether that is not what a greedy player would have done, by epsilon-greedy chance.
    """

    picture: Picture
    score: float
    thought: Thought
    action: Any
    explores: bool


@dataclass(frozen=True)
class Recording:
    """One game, or its beginning.

    Attributes:
      title: the game.
      lines: what else is to be said about it.
      kind: of `Thought.actions`, one of `PROBABILITIES`, `ACTION_VALUES`, `MEANS`.
      names: of the actions, or of the numbers in a continuous one.
      moments: one a decision, at least one.
      last_picture: what was there in the end.
      score: unclipped, of all that was recorded.
      ending: `game over`, `time limit`, or `GOES_ON`.
    """

    title: str
    lines: list[str]
    kind: str
    names: list[str]
    moments: list[Moment]
    last_picture: Picture
    score: float
    ending: str


def record(frozen: Frozen, seed: int, most_steps: int, progress: Callable[[int], None] | None = None) -> Recording:
    """Plays one game.

    Args:
      frozen: the parameters, see `a3c.frozen.load`.
      seed: of the game, >= 0.
      most_steps: the recording ends after so many decisions, if the game has not.
      progress: called after each decision with their number.

    Raises:
      InvalidInput: if the environment cannot be drawn.
    """
    from a3c.asynchrony.evaluator import Player

    settings = frozen.settings
    environment = make(settings, OWN_PLACE, seed, 0, use="evaluation")
    if not callable(getattr(environment, "render", None)):  # a user's own, which can be trained on without
        raise InvalidInput([Problem("game", f"{settings.game} has no render() and cannot be drawn")])
    generator = seeding.generator(settings.seed, "evaluation", OWN_PLACE, seed)
    player = Player(frozen.network, settings, environment.spec, generator)
    moments: list[Moment] = []
    observation, score, ending = environment.reset(), 0.0, ""
    while not ending:
        moments.append(_decide(player, environment, observation, score, settings))
        step = environment.step(moments[-1].action)
        observation, score = step.observation, score + step.score
        if step.last:
            ending = "time limit" if step.discount > 0.0 else "game over"
        elif len(moments) == most_steps:
            ending = GOES_ON
        if progress is not None:
            progress(len(moments))
    last_picture = Picture.of(environment.render())
    environment.close()
    kind, names = _kind(settings, environment.spec), action_names(environment)
    return Recording(settings.game, _lines(frozen, seed), kind, names, moments, last_picture, score, ending)


def _decide(
    player: Player, environment: Environment, observation: np.ndarray, score: float, settings: Settings
) -> Moment:
    picture = Picture.of(environment.render())
    output = player.output({0: np.asarray(observation)})
    (action,) = player.choose(output)
    kind = _kind(settings, environment.spec)
    explores = kind == ACTION_VALUES and bool(action != player.greedy(output)[0])
    return Moment(picture, score, think(output[0], kind), action, explores)


def _kind(settings: Settings, spec: Spec) -> str:
    if isinstance(settings.algorithm, ActionValueSettings):
        return ACTION_VALUES
    return MEANS if spec.continuous else PROBABILITIES


def think(output: np.ndarray, kind: str) -> Thought:
    """One row of the network's output, float32 [K], read as the algorithm reads it."""
    import torch

    from a3c.asynchrony.behaviors import policy_probabilities
    from a3c.learning.policies import Gaussian

    if kind == ACTION_VALUES:
        return Thought(float(output.max()), output.astype(np.float64), 0.0)
    value = float(output[-1])
    if kind == PROBABILITIES:
        return Thought(value, policy_probabilities(output[:-1]), 0.0)
    mean, variance = Gaussian(len(output) - 2).moments(torch.from_numpy(output[:-1]).double())
    return Thought(value, mean.numpy(), float(variance.sqrt()))


def action_names(environment: Environment) -> list[str]:
    """What the environment calls its actions, or their numbers."""
    names = getattr(environment, "action_names", None)
    return list(names or (f"action {index}" for index in range(environment.spec.actions)))


def _lines(frozen: Frozen, seed: int) -> list[str]:
    algorithm = frozen.settings.algorithm
    policy: str = frozen.settings.evaluation.policy
    if policy == "sampled" and isinstance(algorithm, ActionValueSettings):
        policy = f"epsilon-greedy ({algorithm.exploration.evaluation_epsilon:g})"
    return [f"seed {frozen.settings.seed}: {frozen.description}", f"{policy} policy, evaluation seed {seed}"]
