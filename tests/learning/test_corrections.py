"""Corrections for staleness against the sums of their papers, written out in plain Python."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from a3c.learning.corrections import delay_compensated, scaled_by_staleness, truncated_ratios, vtrace_targets
from a3c.learning.returns import n_step_returns

MISFITS = [([3], [1]), ([1], [3]), ([3], []), ([], [3]), ([3, 2], [2]), ([3, 1], [3, 2])]
FITTING = {"reward": [3, 2], "discount": [3, 2], "value": [3, 2], "bootstrap_value": [2], "ratio": [3, 2]}


class Rollout(NamedTuple):
    reward: list[float]
    discount: list[float]
    value: list[float]
    bootstrap_value: float
    ratio: list[float]


def drawn(draws: random.Random, T: int) -> Rollout:
    """A rollout in which a fifth of the steps lose a life, and ratios from 1/20 to 20."""
    return Rollout(
        reward=[draws.gauss(0.0, 1.0) for _ in range(T)],
        discount=[draws.choice([0.0, 0.99, 0.99, 0.99, 1.0]) for _ in range(T)],
        value=[draws.gauss(0.0, 5.0) for _ in range(T)],
        bootstrap_value=draws.gauss(0.0, 5.0),
        ratio=[math.exp(draws.uniform(-3.0, 3.0)) for _ in range(T)],
    )


def written_out(rollout: Rollout, rho_limit: float, c_limit: float) -> tuple[list[float], list[float]]:
    """Equation 1 as a sum, every product over s <= i < t formed anew; then the advantages."""
    r, d, V = rollout.reward, rollout.discount, [*rollout.value, rollout.bootstrap_value]
    rho, c = ([min(limit, x) for x in rollout.ratio] for limit in (rho_limit, c_limit))
    T = len(r)
    delta = [rho[t] * (r[t] + d[t] * V[t + 1] - V[t]) for t in range(T)]
    terms = [[math.prod(d[i] * c[i] for i in range(s, t)) * delta[t] for t in range(s, T)] for s in range(T)]
    v = [*(V[s] + math.fsum(terms[s]) for s in range(T)), V[T]]
    return v[:T], [rho[s] * (r[s] + d[s] * v[s + 1] - V[s]) for s in range(T)]


def tensors(*values: object, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    return [torch.tensor(value, dtype=dtype) for value in values]


@pytest.mark.parametrize(("staleness", "rate"), [(0, 0.012), (1, 0.012), (2, 0.006), (3, 0.004), (15, 0.0008)])
def test_the_learning_rate_is_divided_by_the_staleness_but_never_by_zero(staleness: int, rate: float) -> None:
    assert scaled_by_staleness(0.012, staleness) == pytest.approx(rate, rel=1e-12)


def test_a_compensated_gradient_is_that_of_the_paper() -> None:
    """By hand: 2 + .5 * 4 * (3 - 1) = 6, -2 + .5 * 4 * (3 - 1) = 2, 2 + .5 * 4 * (1 - 3) = -2, and 0 stays 0."""
    given = tensors([2.0, -2.0, 2.0, 0.0], [3.0, 3.0, 1.0, 9.0], [1.0, 1.0, 3.0, 1.0])
    assert delay_compensated(*given, strength=0.5).tolist() == [6.0, 2.0, -2.0, 0.0]
    draws = random.Random(0)
    g, now, then = ([draws.gauss(0.0, 1.0) for _ in range(100)] for _ in range(3))
    expected = [a + 1.7 * a * a * (b - c) for a, b, c in zip(g, now, then, strict=True)]
    assert delay_compensated(*tensors(g, now, then), strength=1.7).tolist() == pytest.approx(expected, rel=1e-12)


def error_of_compensation(move: float, strength: float) -> float:
    """For the loss -Σ log θ, whose gradient -1/θ has the Hessian diagonal 1/θ² = g ⊙ g, exactly."""
    pulled = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    now = (pulled.detach() + move * torch.tensor([1.0, -1.0, 2.0])).requires_grad_()
    at_pulled, at_now = (torch.autograd.grad(-x.log().sum(), x)[0] for x in (pulled, now))
    found = delay_compensated(at_pulled, now.detach(), pulled.detach(), strength=strength)
    return (found - at_now).abs().max().item()


@pytest.mark.parametrize(("strength", "share"), [(1.0, 0.01), (0.0, 0.1), (-1.0, 0.1)])
def test_where_the_squared_gradient_is_the_hessian_the_error_is_of_second_order(strength: float, share: float) -> None:
    """A tenth of the move leaves a hundredth of the error; uncompensated or with the wrong sign, a tenth."""
    found = error_of_compensation(1e-4, strength) / error_of_compensation(1e-3, strength)
    assert found == pytest.approx(share, rel=0.01)  # the next order is move / θ <= 0.002 of the leading one


def test_for_a_log_likelihood_it_holds_in_the_mean_over_the_model() -> None:
    """Coin flips with p = σ(θ): the gradient of -log p(y) is p - y, and the mean of (p - y)² is p (1 - p) = dp/dθ."""
    pulled = torch.tensor([-1.5, 0.3, 2.0], dtype=torch.float64)
    p, now = pulled.sigmoid(), pulled + 1e-3
    heads, tails = (delay_compensated(p - y, now, pulled, strength=1.0) for y in (1.0, 0.0))
    # The gradient at `now` has the mean σ(now) - p > 1e-5; the second order is dp/dθ (1 - 2p) 1e-6 / 2 < 1e-7.
    assert torch.allclose(p * heads + (1 - p) * tails, now.sigmoid() - p, rtol=0.0, atol=1e-7)


def test_compensation_changes_nothing_that_it_is_given() -> None:
    """The parameters are the shared ones: writing to them would be an update."""
    given = tensors([1.0, 2.0], [3.0, 4.0], [5.0, 7.0], dtype=torch.float32)
    before = [x.clone() for x in given]
    for strength in (1.0, 0.0):
        found = delay_compensated(*given, strength=strength)
        assert found.dtype == torch.float32
        found.zero_()
        assert all(torch.equal(x, y) for x, y in zip(given, before, strict=True))


def test_at_staleness_zero_everything_keeps_its_bits() -> None:
    gradient, now, pulled = torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
    assert scaled_by_staleness(7e-4, 0) == 7e-4
    assert torch.equal(delay_compensated(gradient, now, now.clone(), strength=2.0), gradient)
    assert torch.equal(delay_compensated(gradient, now, pulled, strength=0.0), gradient)
    assert torch.equal(truncated_ratios(now, now.clone(), 1.0), torch.ones(100))


def test_ratios_are_quotients_of_probabilities_cut_off_above_and_not_below() -> None:
    now, then = (x.log() for x in tensors([0.5, 0.2, 0.9, 0.001], [0.25, 0.4, 0.1, 0.5]))
    assert truncated_ratios(now, then, 1.5).tolist() == pytest.approx([1.5, 0.5, 1.5, 0.002], rel=1e-12)
    assert truncated_ratios(now, then, math.inf).tolist() == pytest.approx([2.0, 0.5, 9.0, 0.002], rel=1e-12)


def test_ratios_beyond_float32_are_the_limit_and_those_of_what_is_not_a_number_stay_visible() -> None:
    now, then = tensors([0.0, -200.0, -200.0, math.nan], [-200.0, 0.0, -200.0, 0.0], dtype=torch.float32)
    found = truncated_ratios(now, then, 1.5)
    assert found.dtype == torch.float32
    assert found.tolist() == pytest.approx([1.5, 0.0, 1.0, math.nan], abs=0.0, nan_ok=True)


@pytest.mark.parametrize(("rho_limit", "c_limit"), [(1.0, 1.0), (2.0, 0.5), (1.0, 0.0), (10.0, 1.0), (2.0, 1.5)])
def test_targets_and_advantages_are_the_sums_of_the_paper(rho_limit: float, c_limit: float) -> None:
    draws = random.Random(1)
    for _ in range(50):
        rollout = drawn(draws, T=draws.randint(1, 20))
        found = vtrace_targets(*tensors(*rollout), rho_limit=rho_limit, c_limit=c_limit)
        for ours, theirs in zip(found, written_out(rollout, rho_limit, c_limit), strict=True):
            # Products of up to 20 factors below 1.5 carry rounding of 1e-15 to at most 1e-15 * 1.5 ** 20 * 1000.
            assert ours.tolist() == pytest.approx(theirs, rel=1e-12, abs=4e-9)


def test_targets_and_advantages_by_hand() -> None:
    """ρ = 1, .5, .25 and c = .5, .5, .25, every number a sum of powers of two and so exact.

    t  ρ (r + d V' - V)                   v                                  A = ρ (r + d v' - V)
    2  .25 (4 + .5 * 16 - 8) = 1    8 + 1                      = 9       .25 (4 + .5 * 16   - 8) = 1
    1  .5  (2 + .5 *  8 - 4) = 1    4 + 1 + .5 * .5 (9 - 8)    = 5.25    .5  (2 + .5 * 9    - 4) = 1.25
    0  1   (1 + .5 *  4 - 2) = 1    2 + 1 + .5 * .5 (5.25 - 4) = 3.3125      (1 + .5 * 5.25 - 2) = 1.625
    """
    given = tensors([1.0, 2.0, 4.0], [0.5] * 3, [2.0, 4.0, 8.0], 16.0, [2.0, 0.5, 0.25])
    targets, advantages = vtrace_targets(*given, rho_limit=1.0, c_limit=0.5)
    assert targets.tolist() == [3.3125, 5.25, 9.0]
    assert advantages.tolist() == [1.625, 1.25, 1.0]


@pytest.mark.parametrize("limits", [(1.0, 1.0), (10.0, 1.0), (math.inf, math.inf)])
def test_of_one_policy_the_targets_are_the_n_step_returns_to_the_last_bit(limits: tuple[float, float]) -> None:
    draws = random.Random(2)
    for _ in range(50):
        given = tensors(*drawn(draws, T=20)._replace(ratio=[1.0] * 20), dtype=torch.float32)
        targets, advantages = vtrace_targets(*given, rho_limit=limits[0], c_limit=limits[1])
        assert targets.dtype == advantages.dtype == torch.float32
        assert torch.equal(targets, n_step_returns(given[0], given[1], given[3]))
        assert torch.equal(advantages, targets - given[2])


def test_environments_side_by_side_do_not_touch_each_other() -> None:
    draws = random.Random(3)
    rollouts = [drawn(draws, T=12) for _ in range(6)]
    reward, discount, value, last, ratio = tensors(*zip(*rollouts, strict=True))
    together = vtrace_targets(reward.T, discount.T, value.T, last, ratio.T, rho_limit=2.0, c_limit=1.0)
    for b, rollout in enumerate(rollouts):
        alone = vtrace_targets(*tensors(*rollout), rho_limit=2.0, c_limit=1.0)
        assert all(torch.equal(x[:, b], y) for x, y in zip(together, alone, strict=True))


def test_no_gradient_flows_through_ratios_targets_or_advantages_and_nothing_given_is_changed() -> None:
    given = [x.requires_grad_() for x in tensors([1.0, 2.0], [0.9, 0.9], [3.0, 4.0], 5.0, [0.5, 2.0])]
    before = [x.tolist() for x in given]
    targets, advantages = vtrace_targets(*given, rho_limit=1.0, c_limit=1.0)
    assert not targets.requires_grad
    assert not advantages.requires_grad
    targets.zero_()
    assert not truncated_ratios(given[0], given[1], 10.0).requires_grad  # weights, held constant
    assert [x.tolist() for x in given] == before


@pytest.mark.parametrize(("one", "other"), MISFITS)
def test_vectors_that_differ_in_shape_are_refused_by_name(one: list[int], other: list[int]) -> None:
    x, y = torch.zeros(one), torch.zeros(other)
    with pytest.raises(ValueError, match=r"log_policy_now .*, log_policy_then "):
        truncated_ratios(x, y, 1.0)
    for given in ((y, x, x), (x, y, x), (x, x, y)):
        with pytest.raises(ValueError, match=r"gradient .*, parameters .*, pulled "):
            delay_compensated(*given, strength=1.0)


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.parametrize("shape", [[], [1], [3], [3, 1], [1, 2], [2, 3], [4, 2]])
def test_a_rollout_with_one_shape_that_does_not_fit_is_refused(name: str, shape: list[int]) -> None:
    given = {key: torch.zeros(shape if key == name else fitting) for key, fitting in FITTING.items()}
    with pytest.raises(ValueError, match="do not fit"):
        vtrace_targets(**given, rho_limit=1.0, c_limit=1.0)
    with pytest.raises(ValueError, match="do not fit"):
        vtrace_targets(**dict.fromkeys(FITTING, torch.zeros([])), rho_limit=1.0, c_limit=1.0)
