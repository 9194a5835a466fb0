"""From outputs to actions: the distributions that are drawn from, and how much chance that takes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from a3c.asynchrony.agents import make_behavior, make_evaluation_behavior
from a3c.asynchrony.behaviors import EpsilonGreedy, GaussianNoise, Softmax, policy_probabilities, sample
from a3c.environments.step import Spec
from a3c.learning.gradients import NonFiniteError
from a3c.learning.policies import LEAST_VARIANCE
from a3c.settings import Settings

SPEC = Spec((), "int64", 4, states=48)
Make = Callable[..., Settings]


@pytest.fixture
def exploring(cliff: Make) -> Make:
    """Settings of n-step Q with the paper's exploration."""
    exploration = {"final_epsilons": [0.1, 0.01, 0.5], "probabilities": [0.4, 0.3, 0.3],
                   "annealing_frames": 4_000_000, "evaluation_epsilon": 0.05}  # fmt: skip
    algorithm = {"kind": "n_step_q", "target_interval_frames": 40_000, "exploration": exploration}
    return lambda **changes: cliff(algorithm=algorithm, **changes)


def final_epsilons(settings: Settings, worker: int) -> list[float]:
    behavior = make_behavior(settings, SPEC, worker)
    assert isinstance(behavior, EpsilonGreedy)
    return [round(epsilon, 12) for epsilon in behavior.epsilon(2**53).tolist()]


# Softmax


def test_actions_are_drawn_with_the_policys_probabilities() -> None:
    """The last column is the value, whatever it is."""
    logits = np.log([[0.5, 0.2, 0.2, 0.1]]).astype(np.float32)
    output = np.tile(np.append(logits, [[50.0]], 1), (40_000, 1))
    actions = Softmax().choose(output, np.random.default_rng(1), 0)
    shares = np.bincount(actions, minlength=5) / len(actions)
    assert shares == pytest.approx([0.5, 0.2, 0.2, 0.1, 0.0], abs=0.01)  # four standard errors
    assert Softmax().greedy(output[:2]).tolist() == [0, 0]


def test_one_uniform_number_is_drawn_per_game_and_step() -> None:
    """Streams stay aligned whatever the policy: a replay draws the same numbers."""
    a, b = np.random.default_rng(2), np.random.default_rng(2)
    sample(policy_probabilities(np.array([[9.0, 0.0, 0.0]], np.float32)), a)
    b.random(1)
    assert a.random() == b.random()


def test_a_non_finite_policy_is_refused() -> None:
    with pytest.raises(NonFiniteError):
        policy_probabilities(np.array([[0.0, np.nan]], np.float32))


# Gaussian noise


def test_continuous_actions_have_the_mean_and_the_one_variance_of_the_output() -> None:
    """Columns: two means, the variance before softplus, the value."""
    N, before = 40_000, 0.7
    output = np.tile(np.array([[3.0, -5.0, before, 99.0]], np.float32), (N, 1))
    actions = GaussianNoise().choose(output, np.random.default_rng(3), 0)
    assert (actions.shape, actions.dtype) == ((N, 2), np.float32)
    variance = math.log1p(math.exp(before)) + LEAST_VARIANCE
    # Four standard errors: σ/√N of a mean, σ²√(2/N) of a variance.
    assert actions.mean(0) == pytest.approx([3.0, -5.0], abs=4 * math.sqrt(variance / N))
    assert actions.var(0) == pytest.approx([variance] * 2, abs=4 * variance * math.sqrt(2 / N))
    assert abs(np.corrcoef(actions.T)[0, 1]) < 4 / math.sqrt(N)
    share = (np.abs(actions[:, 0] - 3.0) < math.sqrt(variance)).mean()
    assert share == pytest.approx(0.6827, abs=4 * math.sqrt(0.68 * 0.32 / N))


def test_the_greedy_continuous_action_is_the_mean() -> None:
    output = np.array([[3.0, -5.0, 0.7, 99.0], [1.0, 2.0, -9.0, 0.0]], np.float32)
    assert GaussianNoise().greedy(output).tolist() == [[3.0, -5.0], [1.0, 2.0]]


def test_noise_never_vanishes_and_its_stream_does_not_depend_on_the_output() -> None:
    output = np.array([[1.0, -1e30, 0.0], [1.0, 30.0, 0.0]], np.float32)
    a, b = np.random.default_rng(4), np.random.default_rng(4)
    actions = GaussianNoise().choose(output, a, 0)
    assert 0.0 < abs(actions[0, 0] - 1.0) < 5 * math.sqrt(LEAST_VARIANCE)
    b.standard_normal((2, 1))
    assert a.random() == b.random()


@pytest.mark.filterwarnings("ignore:invalid value")  # infinity less itself, on the way to the refusal
@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("behavior", [Softmax(), GaussianNoise(), EpsilonGreedy(np.array([0.1]), 0)])
def test_an_output_that_is_not_finite_is_refused(behavior: Softmax, number: float) -> None:
    output = np.array([[0.0, number, 0.0, 1.0]], np.float32)
    with pytest.raises(NonFiniteError):
        behavior.choose(output, np.random.default_rng(0), 0)


# Epsilon-greedy


def test_with_probability_epsilon_any_action_is_taken_and_else_the_most_valued() -> None:
    N = 40_000
    output = np.tile(np.array([[0.0, 9.0, 1.0, 2.0]], np.float32), (N, 1))
    actions = EpsilonGreedy(np.array([0.4]), 0).choose(output, np.random.default_rng(5), 0)
    shares = np.bincount(actions, minlength=4) / N
    assert shares == pytest.approx([0.1, 0.7, 0.1, 0.1], abs=0.01)  # more than four standard errors
    assert (EpsilonGreedy(np.array([0.0]), 0).choose(output, np.random.default_rng(5), 0) == 1).all()


def test_epsilon_goes_in_a_straight_line_from_one_to_its_final_value_and_stays_there() -> None:
    behavior = EpsilonGreedy(np.array([0.1, 0.5]), 1_000)
    for frames, expected in [(0, [1.0, 1.0]), (250, [0.775, 0.875]), (1_000, [0.1, 0.5]), (10**9, [0.1, 0.5])]:
        assert behavior.epsilon(frames).tolist() == pytest.approx(expected, rel=1e-12)


def test_each_environment_explores_by_its_own_epsilon() -> None:
    behavior, draws = EpsilonGreedy(np.array([0.0, 1.0]), 0), np.random.default_rng(6)
    output = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    actions = np.array([behavior.choose(output, draws, 0) for _ in range(2_000)])
    assert actions[:, 0].min() == 1
    assert actions[:, 1].mean() == pytest.approx(0.5, abs=0.05)  # more than four standard errors


def test_as_much_is_drawn_whether_a_step_explores_or_not() -> None:
    a, b = np.random.default_rng(7), np.random.default_rng(7)
    EpsilonGreedy(np.array([1.0]), 0).choose(np.zeros((3, 4), np.float32), a, 0)
    EpsilonGreedy(np.array([0.0]), 0).choose(np.eye(3, 4, dtype=np.float32), b, 0)
    assert a.random() == b.random()


def test_workers_draw_their_final_epsilons_with_the_papers_probabilities(exploring: Make) -> None:
    """A chi-square test with two degrees of freedom, passed by 999 of 1,000 streams; the seed is fixed."""
    N, settings = 1_000, exploring()
    found = [epsilon for worker in range(N) for epsilon in final_epsilons(settings, worker)]
    counts = [found.count(epsilon) for epsilon in (0.1, 0.01, 0.5)]
    assert sum(counts) == N
    statistic = sum((count - N * p) ** 2 / (N * p) for count, p in zip(counts, (0.4, 0.3, 0.3), strict=True))
    assert statistic < 13.8


def test_adding_workers_changes_nobodys_epsilon(exploring: Make) -> None:
    few, many = ([final_epsilons(exploring(workers=n), worker) for worker in range(3)] for n in (3, 16))
    assert few == many
    seeds = {
        tuple(final_epsilons(settings, w)[0] for w in range(16)) for settings in (exploring(seed=s) for s in range(5))
    }
    assert len(seeds) == 5


def test_each_of_a_workers_environments_draws_its_own(exploring: Make) -> None:
    several = final_epsilons(exploring(envs_per_worker=64), 0)
    assert set(several) == {0.1, 0.01, 0.5}
    batched = exploring(workers=32, schedule="synchronous", executor="batched")
    assert len(final_epsilons(batched, 0)) == 32


def test_annealing_follows_the_global_counter_of_the_settings(exploring: Make) -> None:
    behavior = make_behavior(exploring(), SPEC, 0)
    assert isinstance(behavior, EpsilonGreedy)
    final = behavior.epsilon(4_000_000)
    assert behavior.epsilon(0).tolist() == [1.0]
    assert behavior.epsilon(1_000_000).tolist() == pytest.approx((0.75 + 0.25 * final).tolist(), rel=1e-12)


def test_evaluation_uses_one_small_epsilon_from_the_start(exploring: Make, cliff: Make) -> None:
    behavior = make_evaluation_behavior(exploring(workers=8), SPEC)
    assert isinstance(behavior, EpsilonGreedy)
    assert behavior.epsilon(0).tolist() == pytest.approx([0.05], rel=1e-12)
    assert behavior.choose(np.zeros((30, 4), np.float32), np.random.default_rng(0), 0).shape == (30,)
    assert isinstance(make_evaluation_behavior(cliff(), SPEC), Softmax)
    assert isinstance(make_behavior(cliff(), Spec((), "int64", 2, states=48, continuous=True), 0), GaussianNoise)
