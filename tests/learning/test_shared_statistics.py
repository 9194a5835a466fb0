"""The rules see whatever gradients come: one worker's, or those of all who share the statistics."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from a3c.learning.optimizers import adam_, momentum_sgd_, rmsprop_

RULES = ("rmsprop", "momentum_sgd", "adam")
ADAM = {"learning_rate": 0.01, "decay_mean": 0.9, "decay_square": 0.999, "epsilon": 1e-8}


def zeros(count: int, size: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    return list(torch.zeros(count, size, dtype=dtype))


def apply(rule: str, parameters: Tensor, statistics: Sequence[Tensor], gradient: Tensor, step: int) -> None:
    if rule == "rmsprop":
        rmsprop_(parameters, statistics[0], gradient, learning_rate=0.01, decay=0.9, epsilon=0.1)
    elif rule == "momentum_sgd":
        momentum_sgd_(parameters, statistics[0], gradient, learning_rate=0.01, momentum=0.9)
    else:
        adam_(parameters, statistics[0], statistics[1], gradient, step=step, **ADAM)


def apart_or_together(rule: str, shared: bool, gradients: list[list[float]]) -> list[float]:
    """Two workers in turn on the same parameters, with one set of statistics or with two."""
    theta = torch.zeros(len(gradients[0]), dtype=torch.float64)
    statistics = [zeros(2, len(gradients[0])) for _ in range(2)]
    for turn, gradient in enumerate(gradients):
        worker, step = (0, turn + 1) if shared else (turn % 2, turn // 2 + 1)
        apply(rule, theta, statistics[worker], torch.tensor(gradient, dtype=torch.float64), step)
    return list(theta.tolist())


def slow_twin(rule: str, shared: bool, gradients: list[list[float]]) -> list[float]:
    """Statistics as the weighted sums that they are, over the gradients that each has seen."""
    theta = [0.0] * len(gradients[0])
    for turn in range(len(gradients)):
        seen = gradients[: turn + 1] if shared else gradients[turn % 2 : turn + 1 : 2]
        n = len(seen)
        for i in range(len(theta)):
            mean = math.fsum(0.1 * 0.9 ** (n - 1 - k) * g[i] for k, g in enumerate(seen))
            if rule == "momentum_sgd":
                theta[i] -= 0.01 * mean
            elif rule == "rmsprop":
                square = math.fsum(0.1 * 0.9 ** (n - 1 - k) * g[i] ** 2 for k, g in enumerate(seen))
                theta[i] -= 0.01 * seen[-1][i] / math.sqrt(square + 0.1)
            else:
                square = math.fsum(0.001 * 0.999 ** (n - 1 - k) * g[i] ** 2 for k, g in enumerate(seen))
                root = math.sqrt(square / (1 - 0.999**n))
                theta[i] -= 0.01 * mean / (1 - 0.9**n) / (root + 1e-8)
    return theta


@pytest.mark.parametrize("rule", RULES)
def test_statistics_shared_by_two_workers_are_not_two_workers_statistics(rule: str) -> None:
    """The second worker's gradients are ten times as large: shared statistics carry its scale to the first."""
    draws = random.Random(0)
    drawn = [[draws.gauss(0.0, 1.0) for _ in range(5)] for _ in range(40)]
    gradients = [[(1 + 9 * (turn % 2)) * d for d in gradient] for turn, gradient in enumerate(drawn)]
    together, apart = (apart_or_together(rule, shared, gradients) for shared in (True, False))
    assert together == pytest.approx(slow_twin(rule, True, gradients), rel=1e-10)
    assert apart == pytest.approx(slow_twin(rule, False, gradients), rel=1e-10)
    assert all(abs(a - b) > 0.01 * abs(b) for a, b in zip(together, apart, strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_a_step_is_taken_in_place_in_the_trainers_precision_and_leaves_the_gradient_as_it_was(rule: str) -> None:
    theta, *statistics = zeros(3, 3, torch.float32)
    exact, *exact_statistics = zeros(3, 3)
    gradient = torch.tensor([1.0, -2.0, 0.0])
    addresses = [x.data_ptr() for x in (theta, *statistics)]
    for step in range(1, 21):
        apply(rule, theta, statistics, gradient, step)
        apply(rule, exact, exact_statistics, gradient.double(), step)
    assert [x.data_ptr() for x in (theta, *statistics)] == addresses
    assert gradient.tolist() == [1.0, -2.0, 0.0]
    assert theta.dtype == torch.float32
    # Twenty steps with some roundings of 6e-8 each; where the gradient is 0, as in the padding, nothing moves.
    assert theta.tolist() == pytest.approx(exact.tolist(), rel=1e-5)
    assert theta[2] == 0.0
