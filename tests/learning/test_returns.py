"""Returns against the sum that defines them."""

from __future__ import annotations

import math
import random

import pytest
import torch

from a3c.learning.returns import n_step_returns


def written_out(reward: list[float], discount: list[float], bootstrap_value: float) -> list[float]:
    """Gₜ = Σᵢ (Πⱼ dⱼ) rᵢ + (Πⱼ dⱼ) V, every product over t <= j < i (or j < T) formed anew."""
    T = len(reward)
    returns = []
    for t in range(T):
        terms = [math.prod(discount[t:i]) * reward[i] for i in range(t, T)]
        returns.append(math.fsum([*terms, math.prod(discount[t:T]) * bootstrap_value]))
    return returns


def drawn(draws: random.Random, T: int) -> tuple[list[float], list[float], float]:
    """A rollout in which a fifth of the steps lose a life."""
    reward = [draws.gauss(0.0, 1.0) for _ in range(T)]
    discount = [draws.choice([0.0, 0.99, 0.99, 0.99, 1.0]) for _ in range(T)]
    return reward, discount, draws.gauss(0.0, 5.0)


def exact(*values: object) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def test_returns_are_the_sums_of_the_paper() -> None:
    draws = random.Random(0)
    for _ in range(1_000):
        rollout = drawn(draws, T=draws.randint(1, 20))
        found = n_step_returns(*exact(*rollout))
        # Both sum at most 21 numbers of size 10 in float64.
        assert found.tolist() == pytest.approx(written_out(*rollout), rel=1e-12, abs=1e-12)


def test_environments_side_by_side_do_not_touch_each_other() -> None:
    draws = random.Random(1)
    for _ in range(50):
        T, B = draws.randint(1, 12), draws.randint(1, 6)
        rollouts = [drawn(draws, T) for _ in range(B)]
        reward, discount, value = exact(*zip(*rollouts, strict=True))
        found = n_step_returns(reward.T, discount.T, value)
        assert found.shape == (T, B)
        for b, rollout in enumerate(rollouts):
            assert torch.equal(found[:, b], n_step_returns(*exact(*rollout)))
            assert found[:, b].tolist() == pytest.approx(written_out(*rollout), rel=1e-12, abs=1e-12)


def test_a_life_lost_in_the_middle_cuts_the_sum_there_and_the_game_goes_on() -> None:
    reward, discount = [1.0, 2.0, 4.0, 8.0], [0.5, 0.0, 0.5, 0.5]
    #   8 + .5 * 16 = 16     4 + .5 * 16 = 12     2 + 0 = 2     1 + .5 * 2 = 2
    assert n_step_returns(*exact(reward, discount, 16.0)).tolist() == [2.0, 2.0, 12.0, 16.0]


def test_after_a_game_over_the_bootstrap_value_counts_for_nothing() -> None:
    reward, discount = [1.0, 1.0], [0.5, 0.0]
    assert n_step_returns(*exact(reward, discount, 1e30)).tolist() == [1.5, 1.0]


def test_after_a_frame_limit_it_counts() -> None:
    assert n_step_returns(*exact([1.0, 1.0], [0.5, 0.5], 8.0)).tolist() == [3.5, 5.0]


def test_the_value_of_an_endless_reward_is_its_own_return() -> None:
    """With r = 1 forever V = 1 / (1 - γ), and bootstrapping from V gives V at every step."""
    value = 1 / (1 - 0.99)
    found = n_step_returns(*exact([1.0] * 20, [0.99] * 20, value))
    assert found.tolist() == pytest.approx([value] * 20, rel=1e-12)


def test_the_trainers_precision_is_kept_and_close_to_the_exact_sum() -> None:
    rollout = drawn(random.Random(2), T=20)
    found = n_step_returns(*(torch.tensor(value, dtype=torch.float32) for value in rollout))
    assert found.dtype == torch.float32
    # Twenty additions of numbers below 10 in float32, whose spacing there is 1e-6.
    assert found.tolist() == pytest.approx(written_out(*rollout), abs=5e-5)


def test_no_gradient_flows_through_returns_and_nothing_given_is_changed() -> None:
    given = [x.requires_grad_() for x in exact([1.0, 2.0], [0.9, 0.9], 3.0)]
    before = [x.tolist() for x in given]
    assert not n_step_returns(*given).requires_grad
    assert [x.tolist() for x in given] == before


@pytest.mark.parametrize(
    ("reward", "discount", "value"),
    [([3], [2], []), ([3], [3], [1]), ([3, 2], [3, 2], []), ([3, 2], [3, 2], [3]), ([3, 2], [2, 3], [2])],
)
def test_shapes_that_do_not_fit_are_refused(reward: list[int], discount: list[int], value: list[int]) -> None:
    """Broadcasting would turn [3] rewards and [1] values into plausible nonsense."""
    with pytest.raises(ValueError, match="do not fit"):
        n_step_returns(torch.zeros(reward), torch.zeros(discount), torch.zeros(value))
