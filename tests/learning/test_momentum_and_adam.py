"""Momentum SGD and Adam as their papers write them, and what tells each rule from its neighbors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from a3c.learning.optimizers import adam_, momentum_sgd_, rmsprop_

ADAM = {"learning_rate": 1e-3, "decay_mean": 0.9, "decay_square": 0.999, "epsilon": 1e-8}


def drawn(steps: int, size: int = 5, scale: float = 1.0) -> list[list[float]]:
    draws = random.Random(0)
    return [[draws.gauss(0.0, scale) for _ in range(size)] for _ in range(steps)]


def vectors(count: int, size: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    return list(torch.zeros(count, size, dtype=dtype))


def momentum(gradients: list[list[float]], learning_rate: float, momentum: float) -> tuple[Tensor, Tensor]:
    """Parameters, 0 at first, and the momentum after a step with each of the gradients."""
    theta, m = vectors(2, len(gradients[0]))
    for gradient in gradients:
        now = torch.tensor(gradient, dtype=torch.float64)
        momentum_sgd_(theta, m, now, learning_rate=learning_rate, momentum=momentum)
    return theta, m


def adam(gradients: list[list[float]], **options: float) -> tuple[Tensor, Tensor, Tensor]:
    """The same for Adam: parameters, mean and mean square."""
    theta, m, v = vectors(3, len(gradients[0]))
    for step, gradient in enumerate(gradients, start=1):
        adam_(theta, m, v, torch.tensor(gradient, dtype=torch.float64), step=step, **(ADAM | options))
    return theta, m, v


def by_algorithm_1(gradients: list[list[float]], **options: float) -> list[float]:
    """Kingma and Ba's lines one by one, in plain Python."""
    rate, b1, b2, eps = (ADAM | options).values()
    theta, m, v = ([0.0] * len(gradients[0]) for _ in range(3))
    for t, gradient in enumerate(gradients, start=1):
        for i, g in enumerate(gradient):
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = b2 * v[i] + (1 - b2) * g * g
            m_hat, v_hat = m[i] / (1 - b1**t), v[i] / (1 - b2**t)
            theta[i] = theta[i] - rate * m_hat / (math.sqrt(v_hat) + eps)
    return theta


def torchs(make: Callable[[list[Tensor]], torch.optim.Optimizer], gradients: list[list[float]]) -> list[float]:
    theta = torch.zeros(len(gradients[0]), dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])
    for gradient in gradients:
        theta.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return list(theta.tolist())


def close(expected: object) -> object:
    """Some fifty additions of numbers of size 1 in float64."""
    return pytest.approx(expected, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.99])
def test_a_step_with_momentum_is_that_of_the_paper(alpha: float) -> None:
    gradients = drawn(steps=50)
    theta, m = [0.0] * 5, [0.0] * 5
    for gradient in gradients:
        for i, d in enumerate(gradient):
            m[i] = alpha * m[i] + (1 - alpha) * d
            theta[i] = theta[i] - 0.01 * m[i]
    found, mean = momentum(gradients, 0.01, alpha)
    assert found.tolist() == close(theta)
    assert mean.tolist() == close(m)


def test_momentum_is_torchs_with_dampening_after_a_first_gradient_of_zeros() -> None:
    """Torch's first step takes the gradient undampened, so that zeros bring it to where the paper begins."""
    gradients = [[0.0] * 5, *drawn(steps=50)]
    theirs = torchs(lambda x: torch.optim.SGD(x, lr=0.01, momentum=0.9, dampening=0.9), gradients)
    assert momentum(gradients, 0.01, 0.9)[0].tolist() == close(theirs)
    undampened = torchs(lambda x: torch.optim.SGD(x, lr=0.01, momentum=0.9, dampening=0.9), gradients[1:])
    assert momentum(gradients[1:2], 0.01, 0.9)[0].tolist() == close([-0.01 * 0.1 * d for d in gradients[1]])
    assert undampened != pytest.approx(theirs, rel=1e-3)


def test_for_a_steady_gradient_steps_tend_to_rate_times_gradient_and_torchs_undampened_to_ten_times_that() -> None:
    steady = [[2.0]] * 400  # 0.9 ** 400 is 5e-19: the mean has arrived
    ours = [momentum(gradients, 0.01, 0.9)[0].item() for gradients in (steady, steady[:-1])]
    theirs = [torchs(lambda x: torch.optim.SGD(x, lr=0.01, momentum=0.9), g)[0] for g in (steady, steady[:-1])]
    assert ours[0] - ours[1] == pytest.approx(-0.01 * 2.0, rel=1e-9)
    assert theirs[0] - theirs[1] == pytest.approx(-0.1 * 2.0, rel=1e-9)


@pytest.mark.parametrize(("decay_mean", "epsilon"), [(0.9, 1e-8), (0.9, 0.1), (0.0, 1e-3), (0.5, 1.0)])
def test_a_step_of_adam_is_that_of_algorithm_1_and_of_torch(decay_mean: float, epsilon: float) -> None:
    gradients = drawn(steps=50, scale=0.1)
    found, *_ = adam(gradients, decay_mean=decay_mean, epsilon=epsilon)
    theirs = torchs(lambda x: torch.optim.Adam(x, lr=1e-3, betas=(decay_mean, 0.999), eps=epsilon), gradients)
    assert found.tolist() == close(by_algorithm_1(gradients, decay_mean=decay_mean, epsilon=epsilon))
    assert found.tolist() == close(theirs)


def test_the_bias_correction_makes_adams_first_step_the_rate_whatever_the_size_of_the_gradient() -> None:
    """m̂ = Δθ and v̂ = Δθ² at t = 1; uncorrected, the step would be 0.1 / √0.001 = 3.2 times as long."""
    theta, m, v = adam([[1e-3, -1.0, 1e3]], epsilon=0.0)
    assert theta.tolist() == pytest.approx([-1e-3, 1e-3, -1e-3], rel=1e-12)
    assert (1e-3 * m / v.sqrt()).tolist() == pytest.approx([3.16e-3, -3.16e-3, 3.16e-3], rel=1e-3)


def test_the_step_number_is_what_corrects() -> None:
    """A worker of 16 that counted only its own steps would correct for statistics sixteen times as young."""
    steps = []
    for step in (1, 16, 10**6):
        theta, m, v = vectors(3, 1)
        adam_(theta, m, v, torch.ones(1, dtype=torch.float64), step=step, **(ADAM | {"epsilon": 0.0}))
        steps.append(-theta.item())
    corrected = [1e-3 * 0.1 / (1 - 0.9**t) / math.sqrt(0.001 / (1 - 0.999**t)) for t in (1, 16, 10**6)]
    assert steps == pytest.approx(corrected, rel=1e-12)


def test_adams_epsilon_stands_outside_the_root_and_beside_the_corrected_square() -> None:
    """One step with Δθ = 0.01 and ε = 0.1, where m̂ = 0.01 and √v̂ = 0.01."""
    found = adam([[0.01]], learning_rate=1.0, epsilon=0.1)[0].item()
    assert found == pytest.approx(-0.01 / (0.01 + 0.1), rel=1e-12)
    assert found != pytest.approx(-0.01 / math.sqrt(0.01**2 + 0.1), rel=0.5)  # inside
    assert found != pytest.approx(-0.01 / (0.01 + 0.1 / math.sqrt(0.001)), rel=0.5)  # beside the uncorrected root


def test_adam_without_momentum_and_correction_is_rmsprop_where_epsilon_is_nothing() -> None:
    """At a step number that has left the bias behind; with ε = 0.1 the two rules part."""
    gradient, shared = torch.tensor([0.3, -0.02], dtype=torch.float64), torch.tensor([0.5, 0.1], dtype=torch.float64)
    for epsilon, same in ((0.0, True), (0.1, False)):
        one, other, mean = vectors(3, 2)
        rmsprop_(one, shared.clone(), gradient, learning_rate=1e-3, decay=0.99, epsilon=epsilon)
        options = ADAM | {"decay_mean": 0.0, "decay_square": 0.99, "epsilon": epsilon}
        adam_(other, mean, shared.clone(), gradient, step=10**6, **options)
        assert (one.tolist() == pytest.approx(other.tolist(), rel=1e-9)) is same


@pytest.mark.parametrize("step", [0, -1])
def test_adam_refuses_a_step_before_the_first(step: int) -> None:
    vector = torch.zeros(2)
    with pytest.raises(ValueError, match=f"count from 1, not from {step}"):
        adam_(vector, vector.clone(), vector.clone(), torch.ones(2), step=step, **ADAM)
    assert vector.tolist() == [0.0, 0.0]
