"""Group B, the state of an LSTM: when it is reset, what it begins with, and how far a gradient reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Architecture, build
from a3c.learning.policies import Categorical
from a3c.learning.rollouts import Rollout

from .pieces import ACTIONS, Lane, Listening, Make, actor_of

Alter = Callable[[Rollout], Rollout]


def lstm() -> FlatNetwork:
    architecture = Architecture("mlp", hidden=(8,), lstm_cells=4)
    return FlatNetwork(build(architecture, observation_shape=(1,), outputs=ACTIONS + 1, states=None, seed=1))


def as_it_is(rollout: Rollout) -> Rollout:
    return rollout


@pytest.mark.parametrize("games", [1, 2])
def test_greydanus_baby_a3c_10_the_state_is_reset_where_an_episode_begins(cartpole: Make, games: int) -> None:
    """greydanus/baby-a3c#10, ikostrikov/pytorch-a2c-ppo-acktr-gail#206, edbeeching/3d_control_deep_rl#3."""
    network = lstm()

    def check(alter: Alter) -> None:
        settings = cartpole(learning={"rollout_steps": 3})
        actor = actor_of(settings, *(Lane(2) for _ in range(games)), network=network)
        begun = [output for _ in range(4) for output in first_outputs(network, alter(actor.collect(0)))]
        assert len(begun) >= 4
        assert all(torch.allclose(output, begun[0], atol=1e-6) for output in begun), "an older episode is remembered"

    carried = network.initial_state(games)

    def as_it_is_copied(rollout: Rollout) -> Rollout:
        never_reset = replace(rollout, state=carried.clone(), first=torch.zeros_like(rollout.first))
        carried.copy_(network.unroll(never_reset)[1].detach())
        return never_reset

    check(as_it_is)
    with pytest.raises(AssertionError, match="an older episode is remembered"):
        check(as_it_is_copied)


def first_outputs(network: FlatNetwork, rollout: Rollout) -> list[Tensor]:
    """What is said of every episode's first observation."""
    output, _ = network.unroll(rollout)
    return [x.detach() for x in output[rollout.observation[..., 0] == 0]]


def test_dgriff777_rl_a3c_pytorch_19_what_is_learnt_from_is_what_was_acted_with(cartpole: Make) -> None:
    """dgriff777/rl_a3c_pytorch#19: the state goes on from rollout to rollout; if learning begins each one with zeros,
    it learns about another policy than the one that acted. Episodes are longer than rollouts here, and end."""
    network = lstm()

    def check(alter: Alter) -> None:
        behavior = Listening()
        actor = actor_of(cartpole(learning={"rollout_steps": 3}), Lane(5), network=network, behavior=behavior)
        learnt = [network.unroll(alter(actor.collect(0)))[0].detach().numpy() for _ in range(5)]
        heard, learnt_from = np.stack(behavior.heard), np.concatenate(learnt)
        assert np.allclose(learnt_from, heard, atol=1e-6), "acting and learning begin with other states"

    check(as_it_is)
    with pytest.raises(AssertionError, match="begin with other states"):
        check(lambda rollout: replace(rollout, state=torch.zeros_like(rollout.state)))


def test_ikostrikov_pytorch_a3c_76_a_gradient_reaches_back_to_the_rollouts_first_step(cartpole: Make) -> None:
    """ikostrikov/pytorch-a3c#76: if the state is detached in every step, nothing is learnt about remembering."""
    network = lstm()

    def check(unroll: Callable[[Tensor], Tensor]) -> None:
        observation = torch.ones(4, 1, 1, requires_grad=True)
        (gradient,) = torch.autograd.grad(unroll(observation)[-1].sum(), observation)
        assert (gradient != 0).all(), "the last step does not depend on the first"

    def whole(observation: Tensor) -> Tensor:
        return network(observation, network.initial_state(1), torch.zeros(4, 1))[0]

    def as_it_is_copied(observation: Tensor) -> Tensor:
        state, outputs = network.initial_state(1), []
        for now in observation:
            output, state = network.act(now, state.detach())
            outputs.append(output)
        return torch.stack(outputs)

    check(whole)
    with pytest.raises(AssertionError, match="does not depend on the first"):
        check(as_it_is_copied)


def test_dgriff777_rl_a3c_pytorch_8_a_gradient_ends_at_the_rollouts_first_step(cartpole: Make) -> None:
    """dgriff777/rl_a3c_pytorch#8: are these lines to detach the previous states? Without them the second update fails,
    for it leads back through the graph of the first one."""
    network, learner = lstm(), ActorCritic(Categorical(ACTIONS), 0.5, 0.01)
    actor = actor_of(cartpole(learning={"rollout_steps": 3}), Lane(99), network=network)
    rollout = actor.collect(0)

    def check(goes_on: Callable[[Tensor], Tensor]) -> None:
        state = network.initial_state(1)
        for _ in range(2):
            following = replace(rollout, state=state)
            learner.gradient(network, following)
            output, state = network.unroll(following)
            torch.autograd.grad(output.sum(), network.tensors)
            state = goes_on(state)

    check(lambda state: rollout.state)
    with pytest.raises(RuntimeError, match="second time"):
        check(lambda state: state)
