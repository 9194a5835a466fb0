"""Distributions over actions against torch's own, and their derivatives against formulas worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions

from a3c.learning.actor_critic import ActorCritic
from a3c.learning.losses import Terms, actor_critic_terms, objective
from a3c.learning.policies import LEAST_VARIANCE, Categorical, Gaussian, Policy

SIZES = [1, 2, 6]


def drawn(seed: int, D: int, N: int = 40) -> tuple[Tensor, Tensor]:
    """Outputs float64 [N, D + 1] whose variances reach from 1e-3 to 8, and actions float64 [N, D]."""
    draws = torch.Generator().manual_seed(seed)
    output = torch.randn(N, D + 1, generator=draws, dtype=torch.float64)
    output[:, -1] = torch.linspace(-7.0, 8.0, N, dtype=torch.float64)
    return output, 2 * torch.randn(N, D, generator=draws, dtype=torch.float64)


def theirs(output: Tensor) -> distributions.MultivariateNormal:
    """N(μ, σ²I) with a whole covariance matrix."""
    variance = torch.log1p(output[:, -1].exp()) + LEAST_VARIANCE
    identity = torch.eye(output.shape[1] - 1, dtype=output.dtype)
    return distributions.MultivariateNormal(output[:, :-1], variance[:, None, None] * identity)


@pytest.mark.parametrize("D", SIZES)
def test_the_log_density_and_entropy_of_a_gaussian_are_torchs(D: int) -> None:
    output, action = drawn(0, D)
    log_density, entropy = Gaussian(D).judge(output, action)
    assert log_density.shape == entropy.shape == (40,)
    torch.testing.assert_close(log_density, theirs(output).log_prob(action), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(entropy, theirs(output).entropy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("D", SIZES)
def test_the_divergence_of_gaussians_is_torchs_and_of_the_present_one_from_the_older(D: int) -> None:
    (then, _), (now, _) = drawn(1, D), drawn(2, D)
    now[:, -1] = now[:, -1].flip(0)
    found = Gaussian(D).divergence(then, now)
    expected = distributions.kl_divergence(theirs(then), theirs(now))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(Gaussian(D).divergence(now, then), expected, rtol=0.1)
    assert not Gaussian(D).divergence(then, then.clone()).any()


def test_the_log_probability_entropy_and_divergence_of_a_softmax_are_torchs() -> None:
    draws = torch.Generator().manual_seed(0)
    then, now = 3 * torch.randn(2, 50, 6, generator=draws, dtype=torch.float64)
    action = torch.randint(6, (50,), generator=draws)
    log_policy, entropy = Categorical(6).judge(then, action)
    before, after = (distributions.Categorical(logits=logits) for logits in (then, now))
    torch.testing.assert_close(log_policy, before.log_prob(action), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(entropy, before.entropy(), rtol=1e-12, atol=1e-12)
    found = Categorical(6).divergence(then, now)
    torch.testing.assert_close(found, distributions.kl_divergence(before, after), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_variance_is_never_zero(dtype: torch.dtype) -> None:
    """The softplus of -200 is 0 in float32; the density would be infinite."""
    output = torch.tensor([[0.5, -200.0], [0.5, -1e30], [0.5, 1e30]], dtype=dtype)
    mean, variance = Gaussian(1).moments(output)
    assert mean.tolist() == [[0.5]] * 3
    assert variance.tolist() == pytest.approx([LEAST_VARIANCE, LEAST_VARIANCE, 1e30], rel=1e-6)
    judged = Gaussian(1).judge(output.requires_grad_(), mean.detach() + 1e-3)
    assert all(torch.isfinite(x).all() for x in judged)
    (gradient,) = torch.autograd.grad(judged[0].sum() + judged[1].sum(), output)
    assert torch.isfinite(gradient).all()


def samples(D: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Outputs and values that ask for gradients, actions, returns that do."""
    output, action = drawn(3, D, N=7)
    draws = torch.Generator().manual_seed(4)
    value, returns = torch.randn(2, 7, generator=draws, dtype=torch.float64)
    return output.requires_grad_(), value.requires_grad_(), action, returns.requires_grad_()


def terms_of(policy: Policy, output: Tensor, value: Tensor, action: Tensor, returns: Tensor) -> Terms:
    return actor_critic_terms(*policy.judge(output, action), value, returns)


@pytest.mark.parametrize("D", SIZES)
def test_the_policy_gradient_of_a_gaussian_is_that_worked_out_by_hand(D: int) -> None:
    """∂(-A log π)/∂μ = -A (a - μ) / σ² and ∂/∂s = -A (|a - μ|² / σ² - D) σ(s) / (2σ²), with σ² = softplus(s) + ε."""
    output, value, action, returns = samples(D)
    (to_output,) = torch.autograd.grad(terms_of(Gaussian(D), output, value, action, returns).policy, output)
    for n in range(7):
        *mean, s = output[n].tolist()
        A, a = returns[n].item() - value[n].item(), action[n].tolist()
        variance = math.log1p(math.exp(s)) + LEAST_VARIANCE
        square = sum((x - m) ** 2 for x, m in zip(a, mean, strict=True))
        expected = [-A * (x - m) / variance for x, m in zip(a, mean, strict=True)]
        slope = 1 / (1 + math.exp(-s))
        expected.append(-A * (square / variance - D) * slope / (2 * variance))
        assert to_output[n].tolist() == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("D", SIZES)
def test_the_entropy_gradient_of_a_gaussian_is_that_worked_out_by_hand(D: int) -> None:
    """∂H/∂μ = 0 and ∂H/∂s = D σ(s) / (2σ²)."""
    output, value, action, returns = samples(D)
    (to_output,) = torch.autograd.grad(terms_of(Gaussian(D), output, value, action, returns).entropy, output)
    for n in range(7):
        s = output[n, -1].item()
        slope = D / (1 + math.exp(-s)) / (2 * (math.log1p(math.exp(s)) + LEAST_VARIANCE))
        assert to_output[n].tolist() == pytest.approx([*[0.0] * D, slope], rel=1e-8, abs=1e-8)


def test_each_term_of_a_gaussian_reaches_what_it_is_about_and_nothing_else() -> None:
    output, value, action, returns = samples(2)
    terms = terms_of(Gaussian(2), output, value, action, returns)
    reached = [
        [
            g is not None
            for g in torch.autograd.grad(term, (output, value, returns), allow_unused=True, retain_graph=True)
        ]
        for term in terms
    ]
    assert reached == [[True, False, False], [False, True, False], [True, False, False]]


def test_descending_the_objective_widens_a_gaussian_that_is_good_everywhere() -> None:
    output, value, action, _ = samples(2)
    terms = terms_of(Gaussian(2), output, value, action, value.detach())
    (gradient,) = torch.autograd.grad(objective(terms, value_weight=0.0, entropy_weight=0.1), output)
    before, after = (Gaussian(2).moments(x)[1] for x in (output.detach(), output.detach() - gradient))
    assert torch.all(after > before)


@pytest.mark.parametrize(("policy", "columns"), [(Categorical(6), 6), (Gaussian(6), 7)])
def test_a_network_has_the_policys_columns_and_one_for_the_value(policy: Policy, columns: int) -> None:
    assert policy.columns == columns
    assert ActorCritic(policy, 0.5, 0.01).outputs == columns + 1
