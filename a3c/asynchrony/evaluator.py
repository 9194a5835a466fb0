"""Evaluation with frozen parameters, on a process of its own and at low priority."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from a3c import seeding
from a3c.asynchrony.agents import make_evaluation_behavior, make_network
from a3c.asynchrony.entry import wait_to_begin, wait_to_go_on
from a3c.asynchrony.shared import SNAPSHOTS, SharedMemory
from a3c.asynchrony.store import evaluation_targets
from a3c.environments import make
from a3c.environments.step import Environment, Spec
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.records.rows import EvaluationRow
from a3c.settings import Settings

EVALUATED = "evaluated"
POLL_SECONDS = 0.05
NICENESS = 10
BATCH_GAMES = 64  # a game of Atari takes 7 MiB


class Game(NamedTuple):
    """The outcome of one evaluation episode: unclipped score, decisions taken, whether the time limit ended it."""

    score: float
    steps: int
    truncated: bool


@dataclass(frozen=True)
class EvaluationAssignment:
    """What the evaluation process is given.

    Attributes:
      settings: of the run.
      memory: shared; its snapshots are evaluated in order.
      first: index of the first point that has not been evaluated yet.
      pipe: to the supervisor; sends (EVALUATED, [EvaluationRow]) a point. The supervisor lets it begin, at the end of
        training if evaluation must not disturb a timing, and sends another word when no more snapshots will come.
    """

    settings: Settings
    memory: SharedMemory
    first: int
    pipe: Connection


class _Table:
    """One game that is being played."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.spec = environment.spec
        self.observation = np.asarray(environment.reset())
        self._score, self._steps = 0.0, 0

    def step(self, action: Any) -> Game | None:
        """Takes one decision; the outcome, if it was the last."""
        step = self._environment.step(action)
        self.observation = np.asarray(step.observation)
        self._score += step.score
        self._steps += 1
        if not step.last:
            return None
        self._environment.close()
        return Game(self._score, self._steps, truncated=step.discount > 0.0)


def play(
    network: FlatNetwork,
    settings: Settings,
    *place: int,
    progress: Callable[[Collection[Game], int], None] | None = None,
) -> list[Game]:
    """Whole games with the network as it is, side by side: one batch of inference a step, of at most `BATCH_GAMES`.

    Every game has streams of its own, so the outcomes depend on the parameters, the settings and the place.

    Args:
      network: with the parameters to evaluate.
      settings: of the run; `settings.evaluation` says how many games and whether actions are sampled or greedy.
      place: of the random streams: the evaluation point, from 1, of a run that trains.
      progress: called after each step with the games that are over, and the steps taken by all.
    """
    waiting = iter(range(settings.evaluation.episodes))

    def start(indices: Iterable[int]) -> dict[int, _Table]:
        return {i: _Table(make(settings, *place, i, use="evaluation")) for i in indices}

    playing = start(islice(waiting, BATCH_GAMES))
    player = Player(network, settings, playing[0].spec, seeding.generator(settings.seed, "evaluation", *place))
    over: dict[int, Game] = {}
    steps = 0
    while playing:
        actions = player.choose(player.output({i: table.observation for i, table in playing.items()}))
        steps += len(actions)
        for i, action in zip(list(playing), actions, strict=True):
            game = playing[i].step(action)
            if game is not None:
                over[i] = game
                del playing[i]
                playing |= start(islice(waiting, 1))
        if progress is not None:
            progress(over.values(), steps)
    return [game for _, game in sorted(over.items())]


class Player:
    """Chooses the actions of games that are played side by side, each with a recurrent state of its own."""

    def __init__(self, network: FlatNetwork, settings: Settings, spec: Spec, generator: np.random.Generator) -> None:
        """Nothing is played yet.

        Args:
          network: with the parameters that play.
          settings: of the run; `settings.evaluation` says whether actions are sampled or greedy.
          spec: of the games.
          generator: of all chance in choosing actions.
        """
        self._network, self._generator = network, generator
        self._behavior = make_evaluation_behavior(settings, spec)
        self._greedy = settings.evaluation.policy == "greedy"
        self._states: dict[int, Tensor] = {}

    def output(self, observations: dict[int, np.ndarray]) -> np.ndarray:
        """The network's output for one observation of each game, float32 [games, K]; the recurrent states go on."""
        state = torch.cat([self._states.get(i, self._network.initial_state(1)) for i in observations])
        with torch.inference_mode():
            output, state = self._network.act(torch.from_numpy(np.stack(list(observations.values()))), state)
        self._states = dict(zip(observations, torch.split(state, 1), strict=True))
        return output.numpy()

    def choose(self, output: np.ndarray) -> list[Any]:
        """One action for each row of the output: an int, or float32 [D] where actions are continuous.

        Raises:
          NonFiniteError: if the output is not finite; the greatest of NaNs would be played like any other.
        """
        if not np.isfinite(output).all():
            raise NonFiniteError(f"the network's output is not finite: {output}")
        chosen = self.greedy(output) if self._greedy else self._behavior.choose(output, self._generator, 0)
        return list(chosen) if chosen.ndim > 1 else chosen.tolist()

    def greedy(self, output: np.ndarray) -> np.ndarray:
        """What a greedy player would choose, int64 [games] or float32 [games, D]."""
        return self._behavior.greedy(output)


def run_evaluator(assignment: EvaluationAssignment) -> None:
    """The evaluation process: evaluates every snapshot in order, until training has ended and none is left."""
    os.nice(NICENESS)
    settings, memory, pipe = assignment.settings, assignment.memory, assignment.pipe
    network = make_network(settings, make(settings, 0, 0, use="evaluation").spec)
    targets = evaluation_targets(settings)
    wait_to_begin(pipe)
    ended = False
    for index, target in list(enumerate(targets))[assignment.first :]:
        while int(memory.counters[SNAPSHOTS]) <= index:
            if ended:
                return
            if pipe.poll(POLL_SECONDS):
                wait_to_go_on(pipe)
                ended = True
        network.vector.copy_(memory.snapshots[index])
        pipe.send((EVALUATED, _rows(network, assignment, index, target)))


def _rows(network: FlatNetwork, assignment: EvaluationAssignment, index: int, target: int) -> list[EvaluationRow]:
    memory = assignment.memory
    frames, updates = (int(x) for x in memory.snapshot_places[index])
    seconds = float(memory.snapshot_seconds[index])
    digest = hashlib.sha256(memory.snapshots[index].numpy().tobytes()).hexdigest()[:16]
    return [
        EvaluationRow(index + 1, target, frames, updates, seconds, episode, *game[:2], int(game.truncated), digest)
        for episode, game in enumerate(play(network, assignment.settings, index + 1))
    ]
