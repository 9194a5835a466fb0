"""From games to targets: what each algorithm learns of a rollout, against sums over what the games wrote down.

Rewards, states and ends come by chance, so that lives, game overs and frame limits fall on every place of a rollout;
online and target network differ, and both change between rollouts, as they do at a pull.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from scripted import Chance, Given, OfOutput, Transition, shuffle, table

from a3c.asynchrony.acting import Actor
from a3c.asynchrony.agents import Learner
from a3c.learning.action_values import ActionValues
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.policies import Categorical
from a3c.learning.returns import lambda_returns, n_step_returns, one_step_returns
from a3c.learning.rollouts import Rollout

ActorOf = Callable[..., Actor]
Rows = list[list[float]]

STATES, ACTIONS, GAMMA, STEPS, ROLLOUTS = 11, 3, 0.9, 6, 150
LEARNERS: dict[str, Learner] = {
    "actor_critic": ActorCritic(Categorical(ACTIONS), 0.5, 0.01),
    "actor_critic, lambda 0.8": ActorCritic(Categorical(ACTIONS), 0.5, 0.01, 0.8),
    "one_step_q": ActionValues(ACTIONS, "one_step_q"),
    "one_step_sarsa": ActionValues(ACTIONS, "one_step_sarsa"),
    "n_step_q": ActionValues(ACTIONS, "n_step_q"),
}


def targets_by_hand(name: str, tape: Sequence[Transition], next_action: int, online: Rows, target: Rows) -> list[float]:
    """One environment's targets, from its steps in a rollout and the action taken after the last of them."""

    def value(t: int) -> float:
        """Of what step t led to."""
        state = tape[t].following
        if name.startswith("actor_critic"):
            return online[state][-1]
        if name != "one_step_sarsa":
            return max(target[state])
        if tape[t].event == "limit":
            return target[state][OfOutput().of(torch.tensor(online[state]))]  # the action it would have taken
        return target[state][tape[t + 1].action if t + 1 < len(tape) else next_action]

    share = {"actor_critic, lambda 0.8": 0.8, "actor_critic": 1.0, "n_step_q": 1.0}.get(name, 0.0)

    def target_of(t: int) -> float:
        step = tape[t]
        if step.event in ("over", "life"):
            return step.reward
        if step.event == "limit" or t + 1 == len(tape):
            return step.reward + GAMMA * value(t)
        return step.reward + GAMMA * ((1 - share) * value(t) + share * target_of(t + 1))

    return [target_of(t) for t in range(len(tape))]


def targets_of(learner: Learner, rollout: Rollout, online: Rows) -> torch.Tensor:
    """What its gradient is taken towards."""
    if isinstance(learner, ActorCritic):
        value = torch.tensor(online)[rollout.observation][..., -1]
        return lambda_returns(rollout.reward, rollout.discount, value, rollout.bootstrap_value, learner.gae_lambda)
    if rollout.following_value is not None:
        return one_step_returns(rollout.reward, rollout.discount, rollout.following_value)
    return n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)


def rows_of(given: Given) -> tuple[Rows, Rows]:
    return given.online.tensors[0].tolist(), given.bootstrapping.tensors[0].tolist()


def played(actor: Actor, given: Given, learner: Learner) -> list[dict[str, Any]]:
    """Rollouts with the parameters they were acted with, both networks changing in between."""
    found = []
    for number in range(ROLLOUTS):
        shuffle(given.online, 2 * number)
        if given.target is not None:
            shuffle(given.target, 2 * number + 1)
        rollout = copy.deepcopy(actor.collect(0))
        _, told = learner.gradient(given.online, rollout)
        found.append({"rollout": rollout, "rows": rows_of(given), "value_loss": told.value_loss})
    return found


@pytest.mark.parametrize("games", [1, 3])
@pytest.mark.parametrize("name", LEARNERS)
def test_targets_are_the_sums_over_what_the_games_wrote_down(actor_of: ActorOf, name: str, games: int) -> None:
    learner, chances = LEARNERS[name], [Chance(STATES, ACTIONS, seed) for seed in range(games)]
    own = isinstance(learner, ActorCritic)
    given = Given(table(STATES, learner.outputs, 0), None if own else table(STATES, learner.outputs, 1))
    actor = actor_of(chances, given, learner, OfOutput(), rollout_steps=STEPS, gamma=GAMMA)
    met, begin = set(), 0
    for turn in played(actor, given, learner)[:-1]:  # what was done after the last one is not known
        rollout, (online, target) = turn["rollout"], turn["rows"]
        T, error = len(rollout.reward), 0.0
        found = targets_of(learner, rollout, online)
        for env, game in enumerate(chances):
            tape = game.tape[begin : begin + T]
            assert rollout.observation[:, env].tolist() == [step.state for step in tape]
            assert rollout.action[:, env].tolist() == [step.action for step in tape]
            expected = targets_by_hand(name, tape, game.tape[begin + T].action, online, target)
            assert found[:, env].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-5)  # float32
            values = [online[step.state][-1 if own else step.action] for step in tape]
            error += sum((y - v) ** 2 for y, v in zip(expected, values, strict=True))
            met |= {(t, step.event) for t, step in enumerate(tape)}
        assert turn["value_loss"] == pytest.approx(error / rollout.steps, rel=1e-4)
        begin += T
    assert met == {(t, event) for t in range(STEPS) for event in ("play", "life", "over", "limit")}


@pytest.mark.parametrize("name", [name for name in LEARNERS if not name.startswith("actor_critic")])
def test_targets_come_from_the_target_network_and_actions_from_the_online_one(actor_of: ActorOf, name: str) -> None:
    """With either in the other's place, other numbers come out."""
    learner = LEARNERS[name]
    found = []
    for online, target in [(0, 1), (0, 2), (3, 1)]:
        given = Given(table(STATES, ACTIONS, online), table(STATES, ACTIONS, target))
        actor = actor_of([Chance(STATES, ACTIONS, 5, ends=False)], given, learner, OfOutput(), rollout_steps=STEPS)
        rollout = copy.deepcopy(actor.collect(0))
        found.append((rollout.action.tolist(), targets_of(learner, rollout, rows_of(given)[0]).tolist()))
    (actions, targets), (same_actions, other_targets), (other_actions, _) = found
    assert actions == same_actions != other_actions
    assert targets != other_targets
