"""Sarsa takes the action that it has bootstrapped from, whatever chance and pulls lie between."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from scripted import Chance, Clock, Given, Watched, shuffle, table

from a3c.asynchrony.acting import Actor
from a3c.asynchrony.behaviors import EpsilonGreedy
from a3c.learning.action_values import ActionValues

ActorOf = Callable[..., Actor]

STATES, ACTIONS, GAMMA, STEPS = 7, 3, 0.9, 4
SARSA = ActionValues(ACTIONS, "one_step_sarsa")


@pytest.mark.parametrize("games", [1, 3])
def test_the_action_taken_is_the_one_whose_value_was_bootstrapped(actor_of: ActorOf, games: int) -> None:
    """Half of the actions are drawn by chance, and a pull changes the values after every rollout."""
    given = Given(table(STATES, ACTIONS, 0), table(STATES, ACTIONS, 1))
    chances = [Chance(STATES, ACTIONS, seed, ends=False) for seed in range(games)]
    behavior = Watched(EpsilonGreedy(np.full(games, 0.5), 0))
    actor = actor_of(chances, given, SARSA, behavior, rollout_steps=STEPS, gamma=GAMMA)
    bootstrapped: list[list[list[float]]] = [[] for _ in range(games)]
    for number in range(50):
        shuffle(given.online, 2 * number)
        shuffle(given.target, 2 * number + 1)
        values = given.target.tensors[0].tolist()
        rollout = copy.deepcopy(actor.collect(0))
        assert rollout.following_value is not None
        for env in range(games):
            rows = [values[step.following] for step in chances[env].tape[-STEPS:]]
            for row, value in zip(rows, rollout.following_value[:, env].tolist(), strict=True):
                (action,) = [a for a in range(ACTIONS) if row[a] == value]
                bootstrapped[env].append([action])
    greedy = 0
    for env, game in enumerate(chances):
        taken = [step.action for step in game.tape]
        assert [[action] for action in taken[1:]] == bootstrapped[env][:-1]
    for output, actions in zip(behavior.outputs, behavior.actions, strict=True):
        greedy += int((output.argmax(-1) == actions).sum())
    # One choice a step and no more: the last one has not been executed yet.
    assert len(behavior.actions) == 50 * STEPS + 1
    assert 0.55 < greedy / (games * len(behavior.actions)) < 0.78, "two thirds: half, and a third of the other half"


def test_after_the_end_of_an_episode_nothing_is_kept(actor_of: ActorOf) -> None:
    """The action valued at a frame limit was for an observation that is gone."""
    given = Given(table(2, ACTIONS, 0), table(2, ACTIONS, 1))
    behavior = Watched(EpsilonGreedy(np.array([1.0]), 0))
    actor = actor_of([Clock(states=2, length=3, ending="limit")], given, SARSA, behavior, rollout_steps=STEPS)
    for number in range(1, 20):
        rollout = actor.collect(0)
        assert rollout.steps == 3
        assert len(behavior.actions) == 4 * number, "three that were taken, and one that was only valued"
        taken = [int(a[0]) for a in behavior.actions[-4:-1]]
        assert rollout.action[:, 0].tolist() == taken


@pytest.mark.parametrize("method", ["one_step_q", "n_step_q"])
def test_other_methods_choose_nothing_ahead(actor_of: ActorOf, method: str) -> None:
    behavior = Watched(EpsilonGreedy(np.array([0.5]), 0))
    given = Given(table(2, ACTIONS, 0), table(2, ACTIONS, 1))
    actor = actor_of([Clock(2)], given, ActionValues(ACTIONS, method), behavior, rollout_steps=STEPS)
    for _ in range(3):
        actor.collect(0)
    assert len(behavior.actions) == 3 * STEPS


def test_an_action_chosen_ahead_explores_as_the_counter_stands_then(actor_of: ActorOf) -> None:
    """Four frames a step: the fifth action is chosen at the end of the first rollout."""
    behavior = Watched(EpsilonGreedy(np.array([0.5]), 10**6))
    given = Given(table(2, ACTIONS, 0), table(2, ACTIONS, 1))
    actor = actor_of([Clock(2)], given, SARSA, behavior, rollout_steps=STEPS)
    actor.collect(0)
    actor.collect(1_000)
    assert behavior.frames == [0, 4, 8, 12, 16, 1_004, 1_008, 1_012, 1_016]
