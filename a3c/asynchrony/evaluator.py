"""Evaluation with frozen parameters, on a process of its own and at low priority."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from a3c import seeding
from a3c.asynchrony.agents import make_evaluation_behavior, make_network
from a3c.asynchrony.shared import SNAPSHOTS, SharedMemory
from a3c.asynchrony.store import evaluation_targets
from a3c.asynchrony.worker import FAILED, READY, enter_process
from a3c.environments import make
from a3c.environments.step import Spec
from a3c.learning.flat import FlatNetwork
from a3c.records.rows import EvaluationRow
from a3c.settings import Settings

EVALUATED = "evaluated"
POLL_SECONDS = 0.05
NICENESS = 10


class Game(NamedTuple):
    """The outcome of one evaluation episode: unclipped score, decisions taken, whether the frame limit ended it."""

    score: float
    steps: int
    truncated: bool


@dataclass(frozen=True)
class EvaluationAssignment:
    """What the evaluation process is given.

    Attributes:
      settings: of the run.
      memory: shared; its snapshots are evaluated in order.
      begin: set when it may begin; set only at the end of training if evaluation must not disturb a timing.
      ended: set when training has ended: no more snapshots will come.
      pipe: to the supervisor; sends (EVALUATED, [EvaluationRow]) a point.
    """

    settings: Settings
    memory: SharedMemory
    begin: Event
    ended: Event
    pipe: Connection


def play(network: FlatNetwork, settings: Settings, point: int) -> list[Game]:
    """Whole games with the network as it is, all side by side in one batch of inference.

    Every episode has streams of its own, so the games of a point depend on the parameters, the seed and the point.

    Args:
      network: with the parameters to evaluate.
      settings: of the run; `settings.evaluation` says how many games and whether actions are sampled or greedy.
      point: of evaluation, from 1.
    """
    games = [make(settings, point, i, use="evaluation") for i in range(settings.evaluation.episodes)]
    player = Player(network, settings, games[0].spec, seeding.generator(settings.seed, "evaluation", point))
    observations = {i: np.asarray(game.reset()) for i, game in enumerate(games)}
    scores, steps = [0.0] * len(games), [0] * len(games)
    truncated = [False] * len(games)
    while observations:
        playing = list(observations)
        for i, action in zip(playing, player.actions(observations), strict=True):
            step = games[i].step(action)
            observations[i] = np.asarray(step.observation)
            scores[i] += step.score
            steps[i] += 1
            if step.last:
                truncated[i] = step.discount > 0.0
                del observations[i]
    for game in games:
        game.close()
    return [Game(*outcome) for outcome in zip(scores, steps, truncated, strict=True)]


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

    def actions(self, observations: dict[int, np.ndarray]) -> list[Any]:
        """One action for each game that is still being played, in the order of its key."""
        output = self.output(observations)
        chosen = self._behavior.greedy(output) if self._greedy else self._behavior.choose(output, self._generator, 0)
        return list(chosen) if chosen.ndim > 1 else chosen.tolist()

    def output(self, observations: dict[int, np.ndarray]) -> np.ndarray:
        """The network's output for the observations, float32 [games, K]; the recurrent states go on."""
        state = torch.cat([self._states.get(i, self._network.initial_state(1)) for i in observations])
        with torch.inference_mode():
            output, state = self._network.act(torch.from_numpy(np.stack(list(observations.values()))), state)
        self._states = dict(zip(observations, torch.split(state, 1), strict=True))
        return output.numpy()


def run_evaluator(assignment: EvaluationAssignment) -> None:
    """The evaluation process: evaluates every snapshot in order, until training has ended and none is left."""
    enter_process()
    os.nice(NICENESS)
    try:
        settings, memory = assignment.settings, assignment.memory
        network = make_network(settings, make(settings, 0, 0, use="evaluation").spec)
        targets = evaluation_targets(settings)
        assignment.pipe.send((READY, None))
        assignment.begin.wait()
        for index, target in enumerate(targets):
            while int(memory.counters[SNAPSHOTS]) <= index:
                if assignment.ended.is_set() and int(memory.counters[SNAPSHOTS]) <= index:
                    return
                time.sleep(POLL_SECONDS)
            network.vector.copy_(memory.snapshots[index])
            assignment.pipe.send((EVALUATED, _rows(network, assignment, index, target)))
    except BaseException:
        assignment.pipe.send((FAILED, traceback.format_exc()))
        sys.exit(1)


def _rows(network: FlatNetwork, assignment: EvaluationAssignment, index: int, target: int) -> list[EvaluationRow]:
    memory = assignment.memory
    frames, updates = (int(x) for x in memory.snapshot_places[index])
    seconds = float(memory.snapshot_seconds[index])
    digest = hashlib.sha256(memory.snapshots[index].numpy().tobytes()).hexdigest()[:16]
    return [
        EvaluationRow(index + 1, target, frames, updates, seconds, episode, *game[:2], int(game.truncated), digest)
        for episode, game in enumerate(play(network, assignment.settings, index + 1))
    ]
