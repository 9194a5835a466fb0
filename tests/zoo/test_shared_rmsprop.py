"""Group A, an RMSProp that all workers share: whose mean it is, which rule it is, and how its rate goes down."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from a3c.learning.optimizers import rmsprop_

from .pieces import (
    PLAIN_DESCENT,
    SIZE,
    Make,
    Train,
    Turns,
    empty_copy,
    memory_of,
    push_of,
    steps_of,
    store_of,
    through_the_store,
)

RATE = 0.01
RMSPROP = {"kind": "shared_rmsprop", "learning_rate": RATE, "annealing": "constant", "decay": 0.9, "epsilon": 0.1}


def test_openai_universe_starter_agent_67_all_workers_share_one_running_mean(cliff: Make) -> None:
    """openai/universe-starter-agent#67: each worker has an optimizer of its own, where the paper's share statistics.

    With shared ones it does not matter to the parameters who brought a gradient.
    """

    def as_it_is_copied(turns: Turns) -> list[float]:
        parameter, places = nn.Parameter(torch.zeros(1)), []
        own = [torch.optim.RMSprop([parameter], lr=RATE, alpha=0.9) for _ in range(4)]
        for worker, gradient in turns:
            parameter.grad = torch.full([1], gradient)
            own[worker].step()
            places.append(parameter.item())
        return places

    def check(train: Train) -> None:
        gradients = [1.0, -2.0, 0.5, 3.0, 1.0, -1.0]
        by_one, by_four = (train([(k % n, g) for k, g in enumerate(gradients)]) for n in (1, 4))
        assert by_one == by_four, "every worker has statistics of its own"

    check(through_the_store(cliff, RMSPROP))
    with pytest.raises(AssertionError, match="statistics of its own"):
        check(as_it_is_copied)


def torchs(turns: Turns) -> list[float]:
    """With ε outside the root."""
    parameter, places = nn.Parameter(torch.zeros(1)), []
    optimizer = torch.optim.RMSprop([parameter], lr=RATE, alpha=0.9, eps=0.1)
    for _, gradient in turns:
        parameter.grad = torch.full([1], gradient)
        optimizer.step()
        places.append(parameter.item())
    return places


def tensorflows(turns: Turns) -> list[float]:
    """With ε inside the root, and a mean square that begins as 1."""
    parameter, square, places = torch.zeros(1), torch.ones(1), []
    for _, gradient in turns:
        rmsprop_(parameter, square, torch.full([1], gradient), learning_rate=RATE, decay=0.9, epsilon=0.1)
        places.append(parameter.item())
    return places


@pytest.mark.parametrize("as_it_is_copied", [torchs, tensorflows])
def test_DLR_RM_stable_baselines3_110_rmsprop_is_that_of_the_paper(cliff: Make, as_it_is_copied: Train) -> None:
    """DLR-RM/stable-baselines3#110 and #708, Officium/RL-Experiments#3, openai/baselines#857, jax-ml/jax#1427.

    Frameworks differ in where ε stands and in what the mean square begins with, and A2C's curves with them. The
    numbers here are equations S2 and S3 by hand.
    """
    turns = [(0, 0.1), (0, -0.2), (0, 0.1)]

    def check(train: Train) -> None:
        square = place = 0.0
        expected = []
        for _, gradient in turns:
            square = 0.9 * square + 0.1 * gradient**2
            place -= RATE * gradient / math.sqrt(square + 0.1)
            expected.append(place)
        assert train(turns) == pytest.approx(expected, rel=1e-5), "another RMSProp"

    check(through_the_store(cliff, RMSPROP))
    with pytest.raises(AssertionError, match="another RMSProp"):
        check(as_it_is_copied)


def test_the_learning_rate_reaches_zero_with_the_budget_whoever_uses_it_up(cliff: Make) -> None:
    """No thread: in a scheduler a process, each counts its own steps, and with N workers 1/N of the way is gone."""
    workers, budget = [0, 0, 0, 0, 0, 1, 0, 0], 40

    def through_the_store() -> list[float]:
        settings = cliff(schedule="locked", workers=2, budget_frames=budget, optimizer=annealed)
        memory, places = memory_of(settings), []
        for worker in workers:
            store_of(memory, settings).push(push_of(torch.ones(SIZE), worker=worker, steps=5), empty_copy())
            places.append(float(memory.parameters[0]))
        return steps_of(places)

    def as_it_is_copied() -> list[float]:
        own, rates = [0, 0], []
        for worker in workers:
            rates.append(1.0 - own[worker] / budget)
            own[worker] += 5
        return rates

    def check(rates: list[float]) -> None:
        assert rates == pytest.approx([1.0 - 5 * k / budget for k in range(8)], abs=1e-6), "not the global counter's"

    annealed = PLAIN_DESCENT | {"annealing": "linear"}
    check(through_the_store())
    with pytest.raises(AssertionError, match="not the global counter's"):
        check(as_it_is_copied())
