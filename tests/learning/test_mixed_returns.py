"""Returns between the one-step and the n-step one, and one-step targets, against the sums that define them."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from a3c.learning.returns import lambda_returns, n_step_returns, one_step_returns


class Sequence(NamedTuple):
    reward: list[float]
    discount: list[float]
    value: list[float]
    bootstrap_value: float


def drawn(draws: random.Random) -> Sequence:
    """A rollout of up to 20 steps, a fifth of which lose a life or end the game."""
    T = draws.randint(1, 20)
    discount = [draws.choice([0.0, 0.99, 0.99, 0.99, 1.0]) for _ in range(T)]
    reward, value = ([draws.gauss(0.0, scale) for _ in range(T)] for scale in (1.0, 5.0))
    return Sequence(reward, discount, value, draws.gauss(0.0, 5.0))


def tensors(sequence: Sequence, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    reward, discount, value, last = (torch.tensor(x, dtype=dtype) for x in sequence)
    return reward, discount, value, last


def generalized_advantages(seen: Sequence, gae_lambda: float) -> list[float]:
    """Equation 16 of Schulman et al.: Σₗ (Π d λ) δₜ₊ₗ, every product formed anew."""
    r, d, V = seen.reward, seen.discount, [*seen.value, seen.bootstrap_value]
    T = len(r)
    delta = [r[t] + d[t] * V[t + 1] - V[t] for t in range(T)]
    return [
        math.fsum(math.prod(d[i] * gae_lambda for i in range(t, k)) * delta[k] for k in range(t, T)) for t in range(T)
    ]


def mixture(seen: Sequence, gae_lambda: float) -> list[float]:
    """The λ-return as it is usually defined: n-step returns G⁽ⁿ⁾ in the shares (1 - λ) λⁿ⁻¹, the rest the longest."""
    r, d, V = seen.reward, seen.discount, [*seen.value, seen.bootstrap_value]
    T = len(r)

    def of_steps(t: int, n: int) -> float:
        rewards = math.fsum(math.prod(d[t:i]) * r[i] for i in range(t, t + n))
        return rewards + math.prod(d[t : t + n]) * V[t + n]

    found = []
    for t in range(T):
        longest = T - t
        shorter = math.fsum((1 - gae_lambda) * gae_lambda ** (n - 1) * of_steps(t, n) for n in range(1, longest))
        found.append(shorter + gae_lambda ** (longest - 1) * of_steps(t, longest))
    return found


@pytest.mark.parametrize("gae_lambda", [0.0, 0.5, 0.95, 1.0])
def test_a_return_less_the_value_is_the_generalized_advantage(gae_lambda: float) -> None:
    draws = random.Random(0)
    for _ in range(1_000):
        seen = drawn(draws)
        advantage = lambda_returns(*tensors(seen), gae_lambda) - torch.tensor(seen.value, dtype=torch.float64)
        # Both sum at most 20 numbers of size 10 in float64.
        assert advantage.tolist() == pytest.approx(generalized_advantages(seen, gae_lambda), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("gae_lambda", [0.0, 0.3, 0.9])
def test_a_return_is_the_mixture_of_shorter_ones(gae_lambda: float) -> None:
    draws = random.Random(1)
    for _ in range(300):
        seen = drawn(draws)
        found = lambda_returns(*tensors(seen), gae_lambda)
        assert found.tolist() == pytest.approx(mixture(seen, gae_lambda), rel=1e-11, abs=1e-11)


def test_lambda_one_is_the_n_step_return_and_lambda_zero_the_one_step_return_to_the_last_bit() -> None:
    draws = random.Random(2)
    for _ in range(200):
        reward, discount, value, last = tensors(drawn(draws), torch.float32)
        long = lambda_returns(reward, discount, value, last, 1.0)
        assert long.dtype == torch.float32
        assert torch.equal(long, n_step_returns(reward, discount, last))
        following = torch.cat([value[1:], last.unsqueeze(0)])
        short = lambda_returns(reward, discount, value, last, 0.0)
        assert torch.equal(short, one_step_returns(reward, discount, following))


def test_lambda_tends_to_the_n_step_return_as_it_tends_to_one() -> None:
    """The shortcut for 1 is no other algorithm than what lies beside it."""
    reward, discount, value, last = tensors(drawn(random.Random(3)))
    near = lambda_returns(reward, discount, value, last, 1 - 1e-9)
    torch.testing.assert_close(near, n_step_returns(reward, discount, last), rtol=0.0, atol=1e-6)


def test_one_step_targets_are_the_reward_and_the_discounted_value_of_what_follows() -> None:
    draws = random.Random(4)
    for _ in range(1_000):
        seen = drawn(draws)
        following = [*seen.value[1:], seen.bootstrap_value]
        found = one_step_returns(*(torch.tensor(x, dtype=torch.float64) for x in (*seen[:2], following)))
        expected = [r + d * v for r, d, v in zip(seen.reward, seen.discount, following, strict=True)]
        assert found.tolist() == expected


def test_environments_side_by_side_do_not_touch_each_other() -> None:
    draws = random.Random(5)
    for _ in range(50):
        apart = [drawn(draws) for _ in range(4)]
        T = min(len(seen.reward) for seen in apart)
        columns = [tensors(Sequence(*(x[:T] for x in seen[:3]), seen.bootstrap_value)) for seen in apart]
        reward, discount, value = (torch.stack([column[i] for column in columns], 1) for i in range(3))
        last = torch.stack([column[3] for column in columns])
        found = lambda_returns(reward, discount, value, last, 0.8)
        assert found.shape == (T, 4)
        for b, column in enumerate(columns):
            assert torch.equal(found[:, b], lambda_returns(*column, 0.8))


def test_no_gradient_flows_through_them_and_nothing_given_is_changed() -> None:
    given = [x.requires_grad_() for x in tensors(Sequence([1.0, 2.0], [0.9, 0.9], [4.0, 5.0], 3.0))]
    before = [x.tolist() for x in given]
    for gae_lambda in (0.0, 0.5, 1.0):
        assert not lambda_returns(given[0], given[1], given[2], given[3], gae_lambda).requires_grad
    assert not one_step_returns(*given[:3]).requires_grad
    assert [x.tolist() for x in given] == before


@pytest.mark.parametrize(
    ("reward", "discount", "value", "last"),
    [
        ([3], [2], [3], []),
        ([3], [3], [2], []),
        ([3], [3], [1], []),
        ([3], [3], [3], [1]),
        ([3, 2], [3, 2], [3], [2]),
        ([3, 2], [3, 2], [3, 2], []),
        ([3, 2], [3, 2], [3, 2], [3]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    reward: list[int], discount: list[int], value: list[int], last: list[int]
) -> None:
    """Broadcasting would turn them into plausible nonsense."""
    given = [torch.zeros(shape) for shape in (reward, discount, value, last)]
    with pytest.raises(ValueError, match="do not fit"):
        lambda_returns(given[0], given[1], given[2], given[3], 0.9)
    if not reward == discount == value:
        with pytest.raises(ValueError, match="do not fit"):
            one_step_returns(*given[:3])
