"""RMSProp as the paper writes it, and the place of its epsilon."""

from __future__ import annotations

import math
import random

import pytest
import torch

from a3c.learning.optimizers import annealed, rmsprop_

PAPER = {"learning_rate": 7e-4, "decay": 0.99, "epsilon": 0.1}


def ours(gradients: list[list[float]], **options: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Parameters (0 at first) and statistics after a step with each of the gradients, in float64."""
    parameters, mean_square = torch.zeros(2, len(gradients[0]), dtype=torch.float64)
    for gradient in gradients:
        rmsprop_(parameters, mean_square, torch.tensor(gradient, dtype=torch.float64), **options)
    return parameters, mean_square


def torchs(gradients: list[list[float]], **options: float) -> torch.Tensor:
    """The same with `torch.optim.RMSprop`, whose epsilon stands outside the root."""
    parameters = torch.zeros(len(gradients[0]), dtype=torch.float64, requires_grad=True)
    rate, alpha, eps = (options[name] for name in ("learning_rate", "decay", "epsilon"))
    optimizer = torch.optim.RMSprop([parameters], lr=rate, alpha=alpha, eps=eps)
    for gradient in gradients:
        parameters.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return parameters.detach()


def drawn(steps: int, size: int, scale: float = 1.0) -> list[list[float]]:
    draws = random.Random(0)
    return [[draws.gauss(0.0, scale) for _ in range(size)] for _ in range(steps)]


def test_a_step_is_that_of_equations_s2_and_s3() -> None:
    gradients = drawn(steps=50, size=5)
    theta, g = [0.0] * 5, [0.0] * 5
    for gradient in gradients:
        for i, d in enumerate(gradient):
            g[i] = 0.99 * g[i] + (1 - 0.99) * d * d
            theta[i] = theta[i] - 7e-4 * d / math.sqrt(g[i] + 0.1)
    parameters, mean_square = ours(gradients, **PAPER)
    assert parameters.tolist() == pytest.approx(theta, rel=1e-12)
    assert mean_square.tolist() == pytest.approx(g, rel=1e-12)


def test_epsilon_stands_inside_the_root_and_torchs_outside() -> None:
    """One step with Δθ = 0.01: g = 1e-6, so inside 0.01 / √(1e-6 + 0.1), outside 0.01 / (√1e-6 + 0.1)."""
    inside, _ = ours([[0.01]], learning_rate=1.0, decay=0.99, epsilon=0.1)
    outside = torchs([[0.01]], learning_rate=1.0, decay=0.99, epsilon=0.1)
    assert inside.item() == pytest.approx(-0.01 / math.sqrt(1e-6 + 0.1), rel=1e-12)
    assert outside.item() == pytest.approx(-0.01 / (math.sqrt(1e-6) + 0.1), rel=1e-12)
    assert outside.item() / inside.item() > 3


def test_for_steady_small_gradients_torchs_steps_are_about_three_times_as_long() -> None:
    """What the docstring says: the ratio is 10 / √10 = 3.16 for vanishing gradients and 2.9 at 0.01."""
    for size, ratio in ((1e-4, 3.16), (1e-2, 2.88)):
        steps = [[size]] * 2000  # 0.99 ** 2000 is 2e-9: g has arrived at the square
        last = [f(steps, **PAPER) - f(steps[:-1], **PAPER) for f in (torchs, lambda s, **o: ours(s, **o)[0])]
        assert (last[0] / last[1]).item() == pytest.approx(ratio, abs=0.01)


def test_without_epsilon_both_are_the_same() -> None:
    gradients, options = drawn(steps=50, size=5), PAPER | {"epsilon": 0.0}
    assert ours(gradients, **options)[0].tolist() == pytest.approx(torchs(gradients, **options).tolist(), rel=1e-12)


def test_statistics_are_changed_in_place_so_that_workers_can_share_them() -> None:
    parameters, shared, gradient = torch.zeros(3), torch.zeros(3), torch.tensor([1.0, 2.0, 3.0])
    addresses = parameters.data_ptr(), shared.data_ptr()
    rmsprop_(parameters, shared, gradient, **PAPER)
    rmsprop_(torch.zeros(3), shared, gradient, **PAPER)  # another worker, the same statistics
    assert (parameters.data_ptr(), shared.data_ptr()) == addresses
    assert shared.tolist() == pytest.approx([(1 - 0.99**2) * d * d for d in (1.0, 2.0, 3.0)], rel=1e-5)  # float32
    assert gradient.tolist() == [1.0, 2.0, 3.0]


def test_a_gradient_of_zeros_moves_nothing_and_lets_the_statistics_decay() -> None:
    parameters, mean_square = torch.ones(2), torch.full((2,), 4.0)
    rmsprop_(parameters, mean_square, torch.zeros(2), **PAPER)
    assert parameters.tolist() == [1.0, 1.0]
    assert mean_square.tolist() == pytest.approx([3.96, 3.96], rel=1e-6)  # float32


@pytest.mark.parametrize(
    ("frames", "share"), [(0, 1.0), (250, 0.75), (500, 0.5), (999, 0.001), (1000, 0.0), (1001, 0.0), (5000, 0.0)]
)
def test_linear_annealing_reaches_zero_at_the_budget_and_stays_there(frames: int, share: float) -> None:
    """The last rollouts overshoot the budget: a negative rate would climb the loss."""
    assert annealed(7e-4, "linear", frames, 1000) == pytest.approx(7e-4 * share, rel=1e-9, abs=0.0)
    assert annealed(7e-4, "linear", frames, 1000) >= 0.0


@pytest.mark.parametrize("frames", [0, 500, 1000, 5000])
def test_a_constant_rate_stays(frames: int) -> None:
    assert annealed(7e-4, "constant", frames, 1000) == 7e-4
