"""Group A, a worker's copy of the parameters: equal at first, its own while it plays, and not the only one to learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from a3c.asynchrony.agents import make_network
from a3c.asynchrony.exchange import LocalCopy
from a3c.environments.step import Spec

from .pieces import (
    PLAIN_DESCENT,
    SIZE,
    Lane,
    Listening,
    Make,
    actor_of,
    empty_copy,
    linear,
    memory_of,
    push_of,
    store_of,
)


def test_seungeunrho_minimalRL_9_a_rollout_is_acted_with_one_version(cartpole: Make) -> None:
    """seungeunrho/minimalRL#9 and #10: others' updates change the network in the midst of a rollout.

    Here another worker updates the shared parameters in every step of the game.
    """
    settings = cartpole(schedule="locked", optimizer=PLAIN_DESCENT, learning={"rollout_steps": 4})

    def check(acts_on_the_shared_ones: bool) -> None:
        network, behavior = linear([0.1, 0.2, 0.3], offset=1.0), Listening()
        memory = memory_of(settings, network.vector.clone())

        def others_update() -> None:
            store_of(memory, settings).push(push_of(torch.ones(SIZE), worker=1), empty_copy())
            if acts_on_the_shared_ones:
                network.vector.copy_(memory.parameters)

        actor = actor_of(settings, Lane(9, during=others_update), network=network, behavior=behavior)
        pulled = LocalCopy(network.vector)
        store_of(memory, settings).pull(pulled)
        actor.networks.hold(pulled)
        actor.collect(0)
        as_pulled = linear([0.1, 0.2, 0.3], offset=1.0)
        seen = [as_pulled.act(torch.full([1, 1], float(t)), torch.zeros(1, 0))[0].detach().numpy() for t in range(4)]
        assert np.array_equal(behavior.heard, seen), "parameters changed under the worker"

    check(False)
    with pytest.raises(AssertionError, match="parameters changed under the worker"):
        check(True)


def test_awjuliani_DeepRL_Agents_4_a_workers_gradient_reaches_the_others(cliff: Make) -> None:
    """awjuliani/DeepRL-Agents#4, rlcode/reinforcement-learning-kr#16, osh/kerlym#14: who updates the global network?"""
    settings = cliff(schedule="locked", optimizer=PLAIN_DESCENT)
    memory, local = memory_of(settings), torch.zeros(SIZE)

    def through_the_store(gradient: Tensor) -> None:
        store_of(memory, settings).push(push_of(gradient), empty_copy())

    def as_it_is_copied(gradient: Tensor) -> None:
        local.sub_(gradient)

    def check(apply: Callable[[Tensor], None]) -> None:
        theirs = empty_copy()
        store_of(memory, settings).pull(theirs)
        before = theirs.vector.clone()
        apply(torch.ones(SIZE))
        store_of(memory, settings).pull(theirs)
        assert torch.equal(theirs.vector, before - 1.0), "the gradient stayed with its worker"

    check(through_the_store)
    with pytest.raises(AssertionError, match="stayed with its worker"):
        check(as_it_is_copied)


def test_MorvanZhou_pytorch_A3C_31_all_workers_begin_with_the_same_parameters(cartpole: Make) -> None:
    """MorvanZhou/pytorch-A3C#31: local and global network are initialized apart, and nothing makes them equal."""
    settings, spec = cartpole(), Spec((4,), "float32", 2)

    def check(build: Callable[[], Tensor]) -> None:
        assert torch.equal(build(), build()), "two processes begin with different parameters"

    def as_it_is_copied() -> Tensor:
        network = nn.Linear(4, 3)
        return network.weight.detach()

    check(lambda: make_network(settings, spec).vector)
    with pytest.raises(AssertionError, match="different parameters"):
        check(as_it_is_copied)
