"""What a worker remembers: through a game, across its rollouts, and not beyond its end."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from scripted import Chance, Given, Watched
from torch import Tensor

from a3c.asynchrony.acting import Actor
from a3c.asynchrony.behaviors import Softmax
from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Architecture, build

ActorOf = Callable[..., Actor]

STATES, CELLS, STEPS, ROLLOUTS = 5, 6, 4, 40


def recurrent(separate: bool = False) -> FlatNetwork:
    architecture = Architecture("mlp", hidden=(8,), lstm_cells=CELLS, separate=separate)
    return FlatNetwork(build(architecture, observation_shape=(STATES,), outputs=3, states=None, seed=0))


@torch.no_grad()
def remembered(network: FlatNetwork, game: Chance) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Step by step and game by game: outputs, states before each step, and values of what each led to."""
    outputs, states, values = [], [], []
    seen, state = torch.eye(STATES), network.initial_state(1)
    for step in game.tape:
        states.append(state)
        output, state = network.act(seen[step.state : step.state + 1], state)
        outputs.append(output)
        values.append(network.act(seen[step.following : step.following + 1], state)[0][0, -1])
        if step.event in ("over", "limit"):
            state = network.initial_state(1)
    return outputs, states, values


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("games", [1, 3])
def test_a_worker_remembers_a_game_across_its_rollouts_and_nothing_of_the_one_before(
    actor_of: ActorOf, games: int, separate: bool
) -> None:
    network, behavior = recurrent(separate), Watched(Softmax())
    chances = [Chance(STATES, 2, seed, vector=True) for seed in range(games)]
    actor = actor_of(chances, Given(network), behavior=behavior, rollout_steps=STEPS)
    rollouts = [copy.deepcopy(actor.collect(0)) for _ in range(ROLLOUTS)]
    close = {"rtol": 1e-5, "atol": 1e-6}  # float32
    for env, game in enumerate(chances):
        outputs, states, values = remembered(network, game)
        acted = [torch.from_numpy(output[env : env + 1]) for output in behavior.outputs]
        torch.testing.assert_close(acted, outputs, **close)
        begins = [1.0] + [float(step.event in ("over", "limit")) for step in game.tape[:-1]]
        at = 0
        for rollout in rollouts:
            T = len(rollout.reward)
            assert rollout.first[:, env].tolist() == begins[at : at + T]
            torch.testing.assert_close(rollout.state[env : env + 1], states[at], **close)
            if game.tape[at + T - 1].event == "play":
                torch.testing.assert_close(rollout.bootstrap_value[env], values[at + T - 1], **close)
            at += T
        assert at == len(game.tape)
        assert not all(rollout.first[0, env] for rollout in rollouts), "games do go on from one rollout to the next"


@pytest.mark.parametrize("games", [1, 3])
def test_a_gradient_sees_what_was_acted_on(actor_of: ActorOf, games: int) -> None:
    """Unrolled at once from the rollout's own state, with games that begin inside it."""
    network, behavior = recurrent(), Watched(Softmax())
    chances = [Chance(STATES, 2, seed, vector=True) for seed in range(games)]
    actor = actor_of(chances, Given(network), behavior=behavior, rollout_steps=STEPS)
    for _ in range(ROLLOUTS):
        before = len(behavior.outputs)
        rollout = actor.collect(0)
        acted = torch.stack([torch.from_numpy(output) for output in behavior.outputs[before:]])
        torch.testing.assert_close(network.unroll(rollout)[0].detach(), acted, rtol=1e-5, atol=1e-6)  # float32


@pytest.mark.parametrize("games", [1, 3])
def test_a_frame_limit_is_valued_with_the_memory_of_the_game_that_it_ends(actor_of: ActorOf, games: int) -> None:
    network = recurrent()
    chances = [Chance(STATES, 2, seed, vector=True) for seed in range(games)]
    actor = actor_of(chances, Given(network), rollout_steps=STEPS, gamma=1.0)
    rollouts = [copy.deepcopy(actor.collect(0)) for _ in range(ROLLOUTS)]
    met = 0
    for env, game in enumerate(chances):
        _, _, values = remembered(network, game)
        at = 0
        for rollout in rollouts:
            for t in range(len(rollout.reward)):
                if game.tape[at].event == "limit":
                    met += 1
                    bonus = rollout.bootstrap_value[0] if games == 1 else rollout.reward[t, env] - game.tape[at].reward
                    torch.testing.assert_close(bonus, values[at], rtol=1e-4, atol=1e-5)  # a difference in float32
                at += 1
    assert met > 5


def test_a_pull_between_two_rollouts_keeps_what_was_remembered(actor_of: ActorOf) -> None:
    """The state made by older parameters is what the newer ones go on from, as in the agents of the paper."""
    network = recurrent()
    actor = actor_of([Chance(STATES, 2, 0, ends=False, vector=True)], Given(network), rollout_steps=STEPS)
    rollout = copy.deepcopy(actor.collect(0))
    with torch.no_grad():
        _, state = network.unroll(rollout)
    network.vector.mul_(2.0)
    torch.testing.assert_close(actor.collect(0).state, state, rtol=1e-5, atol=1e-6)


def test_without_cells_there_is_no_state(actor_of: ActorOf) -> None:
    architecture = Architecture("mlp", hidden=(8,))
    network = FlatNetwork(build(architecture, observation_shape=(STATES,), outputs=3, states=None, seed=0))
    actor = actor_of([Chance(STATES, 2, 0, vector=True)], Given(network))
    assert actor.collect(0).state.shape == (1, 0)
