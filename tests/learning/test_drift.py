"""Divergences, ratios and angles against sums in plain Python."""

from __future__ import annotations

import math
import random

import pytest
import torch

from a3c.learning.drift import PolicyShift, gradient_shift
from a3c.learning.drift import policy_shift as shift_of
from a3c.learning.policies import Categorical

Rows = list[list[float]]


def policy_shift(then: torch.Tensor, now: torch.Tensor, action: torch.Tensor) -> PolicyShift:
    """Of softmax policies, whose columns are logits."""
    return shift_of(Categorical(then.shape[-1]), then, now, action)


def softmax(logits: list[float]) -> list[float]:
    total = math.fsum(math.exp(z) for z in logits)
    return [math.exp(z) / total for z in logits]


def written_out(then: Rows, now: Rows, action: list[int]) -> tuple[float, float, float]:
    """The mean divergence and the extreme ratios, from probabilities rather than their logarithms."""
    policies = [(softmax(x), softmax(y)) for x, y in zip(then, now, strict=True)]
    kl = math.fsum(p * math.log(p / q) for x, y in policies for p, q in zip(x, y, strict=True)) / len(then)
    ratios = [y[a] / x[a] for (x, y), a in zip(policies, action, strict=True)]
    return kl, max(ratios), min(ratios)


def drawn(seed: int, N: int, A: int, move: float) -> tuple[Rows, Rows, list[int]]:
    """Logits and actions; multiples of 2^-20 below 16, which float32 holds exactly."""
    draws = random.Random(seed)
    then = [[round(draws.gauss(0.0, 2.0) * 2**20) / 2**20 for _ in range(A)] for _ in range(N)]
    now = [[z + round(draws.gauss(0.0, move) * 2**20) / 2**20 for z in row] for row in then]
    return then, now, [draws.randrange(A) for _ in range(N)]


@pytest.mark.parametrize("move", [1e-3, 0.1, 3.0])
def test_the_shift_of_a_policy_is_that_of_its_probabilities(move: float) -> None:
    for seed in range(20):
        then, now, action = drawn(seed, N=1 + seed, A=2 + seed % 5, move=move)
        found = policy_shift(torch.tensor(then), torch.tensor(now), torch.tensor(action))
        assert all(type(number) is float for number in found)
        # A divergence is a sum of terms of size `move` that cancel to its square: 1e-16 of 1e-3 in 1e-6.
        assert found == pytest.approx(written_out(then, now, action), rel=1e-9)


def test_the_divergence_is_of_the_present_policy_from_the_one_that_acted() -> None:
    """By hand: then (1/2, 1/2), now (1/4, 3/4). KL(then || now) = ½ ln 2 + ½ ln ⅔ = 0.1438, the other way 0.1308."""
    then, now = torch.zeros(1, 2), torch.tensor([[1.0, 3.0]]).log()
    kl, ratio_max, ratio_min = policy_shift(then.expand(2, 2), now.expand(2, 2), torch.tensor([0, 1]))
    assert kl == pytest.approx(0.5 * math.log(4 / 3), rel=1e-6)  # the logarithms were float32
    assert (ratio_max, ratio_min) == pytest.approx((1.5, 0.5), rel=1e-6)


def test_of_equal_logits_the_shift_is_nothing_to_the_last_bit() -> None:
    logits = 3 * torch.randn(500, 6, generator=torch.Generator().manual_seed(0))
    action = torch.arange(500) % 6
    assert policy_shift(logits, logits.clone(), action) == (0.0, 1.0, 1.0)


def test_logits_moved_together_are_the_same_policy_and_no_divergence_is_negative() -> None:
    """A softmax does not see what is added to all of a row; rounding left to itself gives some -1e-17."""
    for seed in range(50):
        logits = torch.randn(1, 4, generator=torch.Generator().manual_seed(seed))
        kl, ratio_max, ratio_min = policy_shift(logits, logits.double() + seed / 7, torch.zeros(1, dtype=torch.int64))
        assert 0.0 <= kl < 1e-14
        assert (ratio_max, ratio_min) == pytest.approx((1.0, 1.0), abs=1e-14)


def test_policies_that_are_certain_shift_by_finite_numbers() -> None:
    """In float32 the softmax of these is 1 and 0, and a ratio of probabilities 0 / 0."""
    then, now = torch.tensor([[200.0, 0.0]]), torch.tensor([[0.0, 200.0]])
    found = policy_shift(then, now, torch.tensor([1]))
    assert found.kl == pytest.approx(200.0, rel=1e-12)
    assert found.ratio_max == found.ratio_min == pytest.approx(math.exp(200.0), rel=1e-12)


def test_a_logit_that_is_not_a_number_shows() -> None:
    then, now = torch.zeros(2, 3), torch.zeros(2, 3)
    now[1, 2] = math.nan
    assert all(math.isnan(number) for number in policy_shift(then, now, torch.tensor([0, 1])))


@pytest.mark.parametrize(
    ("then", "now", "action"), [([3, 2], [1, 2], [3]), ([3, 2], [3, 2], [1]), ([3, 2], [3, 3], [3])]
)
def test_logits_and_actions_that_do_not_fit_are_refused(then: list[int], now: list[int], action: list[int]) -> None:
    with pytest.raises(ValueError, match="then, now and action do not fit"):
        policy_shift(torch.zeros(then), torch.zeros(now), torch.zeros(action, dtype=torch.int64))


def test_the_shift_of_a_gradient_is_an_angle_and_a_quotient_of_lengths() -> None:
    draws = random.Random(0)
    for size in (1, 2, 10, 1000):
        stale, fresh = ([float(draws.randrange(-99, 99)) or 1.0 for _ in range(size)] for _ in range(2))
        product = math.fsum(a * b for a, b in zip(stale, fresh, strict=True))
        lengths = [math.sqrt(math.fsum(a * a for a in x)) for x in (stale, fresh)]
        found = gradient_shift(torch.tensor(stale), torch.tensor(fresh))
        assert all(type(number) is float for number in found)
        assert found.cosine == pytest.approx(product / lengths[0] / lengths[1], rel=1e-12, abs=1e-14)
        assert found.norm_ratio == pytest.approx(lengths[0] / lengths[1], rel=1e-12)


def test_the_ratio_is_that_of_the_stale_gradient_to_the_fresh_one() -> None:
    assert gradient_shift(torch.tensor([0.0, 6.0]), torch.tensor([2.0, 0.0])) == (0.0, 3.0)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15])
def test_the_cosine_of_equal_gradients_is_one_and_of_opposite_ones_minus_one_and_never_beyond(scale: float) -> None:
    """Float32 squares of 1e-30 and of 1e30 would be 0 and infinite."""
    for seed in range(20):
        gradient = scale * torch.randn(1 + 197 * seed, generator=torch.Generator().manual_seed(seed))
        assert gradient_shift(gradient, gradient.clone()) == (1.0, 1.0)
        assert gradient_shift(-gradient, gradient) == (-1.0, 1.0)
        shifted = gradient_shift(gradient * 3.7, gradient)
        assert 1.0 - 1e-12 < shifted.cosine <= 1.0
        assert shifted.norm_ratio == pytest.approx(3.7, rel=1e-6)  # 3.7 * g is rounded to float32


def test_gradients_of_zeros_have_no_direction() -> None:
    zeros, ones = torch.zeros(3), torch.ones(3)
    stale, fresh, both = gradient_shift(zeros, ones), gradient_shift(ones, zeros), gradient_shift(zeros, zeros)
    assert all(math.isnan(found.cosine) for found in (stale, fresh, both))
    assert stale.norm_ratio == 0.0
    assert math.isnan(fresh.norm_ratio)
    assert math.isnan(both.norm_ratio)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_has_no_cosine(number: float) -> None:
    assert math.isnan(gradient_shift(torch.tensor([1.0, number]), torch.ones(2)).cosine)


def test_gradients_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"stale \[3\], fresh \[1\]"):
        gradient_shift(torch.zeros(3), torch.zeros(1))
