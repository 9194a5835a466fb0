"""The parts of one worker's turn, each alone on one thread: seconds a call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle

import torch

from a3c.asynchrony.acting import Actor, make_actor
from a3c.asynchrony.allocation import keep_freed_memory
from a3c.asynchrony.rules import apply_, statistics_names
from a3c.benchmarking.limits import forward_flops
from a3c.benchmarking.rounds import Measure
from a3c.environments import make
from a3c.environments.atari import emulator
from a3c.environments.games import atari_games
from a3c.settings import Settings

CALLS = 60
GAMES = 16  # in lockstep, where a component is measured for a batch


class Parts:
    """One worker's network, optimizer and games, to be measured piece by piece."""

    def __init__(self, settings: Settings) -> None:
        """Makes them.

        Args:
          settings: of a game of Atari; workers and environments are the benchmark's own.
        """
        keep_freed_memory()
        torch.set_num_threads(1)
        self._settings = settings
        self._one, self._many = (_actor(settings, games) for games in (1, GAMES))
        online = self._one.networks.online
        self._shared = online.vector.clone()
        self._statistics = torch.ones(len(statistics_names(settings.optimizer)), len(online.vector))
        self._gradient = torch.full_like(online.vector, 1e-6)

    @property
    def parameters(self) -> int:
        """How many the network has, P."""
        return len(self._shared)

    def flops_per_step(self) -> float:
        """Operations that one decision cannot do without: forward once, and backward at twice that."""
        network = self._one.networks.online
        observation = self._one.collect(0).observation[0]
        with torch.inference_mode():
            once = forward_flops(network.network, lambda: network.act(observation, network.initial_state(1)))
        return 3.0 * once

    def measures(self) -> dict[str, Measure]:
        """By name, seconds a call; each call to a measure makes `CALLS` of them and gives the median."""
        one, many = self._one, self._many
        rollouts = {1: one.collect(0), GAMES: many.collect(0)}
        cases: dict[str, Callable[[], object]] = {
            "emulator": self._emulator(),
            "environment": self._environment(),
            "inference of 1": _inference(one),
            f"inference of {GAMES}": _inference(many),
            "rollout of 1": lambda: one.collect(0),
            f"rollout of {GAMES}": lambda: many.collect(0),
            "gradient of 1": lambda: one.learner.gradient(one.networks.online, rollouts[1]),
            f"gradient of {GAMES}": lambda: many.learner.gradient(many.networks.online, rollouts[GAMES]),
            "push": self._push,
            "pull": lambda: one.networks.online.vector.copy_(self._shared),
        }
        return {name: partial(_median_seconds, case) for name, case in cases.items()}

    def _emulator(self) -> Callable[[], object]:
        """As many frames as one decision takes, without looking at them."""
        ale = emulator(atari_games()[self._settings.game], 0)
        actions, frames = cycle(ale.getMinimalActionSet()), range(self._settings.action_repeat)

        def act() -> None:
            action = next(actions)
            for _ in frames:
                ale.act(action)
            if ale.game_over():
                ale.reset_game()

        return act

    def _environment(self) -> Callable[[], object]:
        game = make(self._settings, 0, 1)
        game.reset()
        actions = cycle(range(game.spec.actions))

        def step() -> None:
            if game.step(next(actions)).last:
                game.reset()

        return step

    def _push(self) -> None:
        optimizer = self._settings.optimizer
        apply_(optimizer, self._shared, self._statistics, self._gradient, learning_rate=1e-9, step=1)


def _actor(settings: Settings, games: int) -> Actor:
    return make_actor(settings.model_copy(update={"workers": 1, "envs_per_worker": games}), 0)


def _inference(actor: Actor) -> Callable[[], object]:
    network, observation = actor.networks.online, actor.collect(0).final_observation
    state = network.initial_state(len(observation))

    def act() -> None:
        with torch.inference_mode():
            network.act(observation, state)

    return act


def _median_seconds(function: Callable[[], object]) -> float:
    seconds = []
    for _ in range(CALLS):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
