"""The objective's terms and their gradients against formulas worked out by hand, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from a3c.learning.losses import Terms, objective
from a3c.learning.losses import actor_critic_terms as terms_of
from a3c.learning.policies import Categorical

LOGITS = [[0.3, -1.2, 2.0], [0.0, 0.0, 0.0], [-4.0, 1.5, 1.0], [5.0, -5.0, 0.5]]
VALUES = [0.7, -2.0, 0.0, 3.0]
ACTIONS = [2, 0, 1, 1]
RETURNS = [1.5, -2.5, 0.25, 3.0]


def close(expected: object) -> object:
    """A softmax and its logarithm in float64, and sums of a dozen numbers of size 10: rounding stays below 1e-13."""
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def softmax(logits: list[float]) -> list[float]:
    total = math.fsum(math.exp(z) for z in logits)
    return [math.exp(z) / total for z in logits]


def entropy_of(policy: list[float]) -> float:
    return -math.fsum(p * math.log(p) for p in policy)


def actor_critic_terms(
    logits: Tensor, value: Tensor, action: Tensor, returns: Tensor, advantage: Tensor | None = None
) -> Terms:
    """Of softmax policies."""
    return terms_of(*Categorical(logits.shape[-1]).judge(logits, action), value, returns, advantage)


def samples() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits, values, actions and returns; all but the actions ask for gradients."""
    floats = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (LOGITS, VALUES, RETURNS)]
    return floats[0], floats[1], torch.tensor(ACTIONS), floats[2]


def gradients(term: Tensor, *inputs: Tensor) -> list[list[list[float]] | list[float] | None]:
    """∂term/∂input as lists; None where no gradient flows."""
    found = torch.autograd.grad(term, inputs, allow_unused=True)
    return [None if g is None else g.tolist() for g in found]


def test_each_term_is_the_sum_of_the_paper() -> None:
    terms = actor_critic_terms(*samples())
    rows = list(zip(map(softmax, LOGITS), VALUES, ACTIONS, RETURNS, strict=True))
    assert terms.policy.item() == close(-math.fsum(math.log(p[a]) * (g - v) for p, v, a, g in rows))
    assert terms.value.item() == close(math.fsum((g - v) ** 2 for _, v, _, g in rows))
    assert terms.entropy.item() == close(math.fsum(entropy_of(p) for p, *_ in rows))


def test_the_policy_gradient_is_the_advantage_times_policy_minus_choice() -> None:
    """∂(-log π(a) A)/∂zₖ = A (πₖ - [k = a]), and nothing reaches the value through the advantage."""
    logits, value, action, returns = samples()
    to_logits, to_value = gradients(actor_critic_terms(logits, value, action, returns).policy, logits, value)
    assert to_value is None
    assert isinstance(to_logits, list)
    for found, z, v, a, g in zip(to_logits, LOGITS, VALUES, ACTIONS, RETURNS, strict=True):
        expected = [(g - v) * (p - (k == a)) for k, p in enumerate(softmax(z))]
        assert found == close(expected)


def test_the_value_gradient_is_twice_the_error_and_leaves_the_policy_alone() -> None:
    logits, value, action, returns = samples()
    to_logits, to_value = gradients(actor_critic_terms(logits, value, action, returns).value, logits, value)
    assert to_logits is None
    assert to_value == close([-2 * (g - v) for v, g in zip(VALUES, RETURNS, strict=True)])


def test_the_entropy_gradient_is_minus_policy_times_log_policy_plus_entropy() -> None:
    """∂H/∂zₖ = -πₖ (log πₖ + H)."""
    logits, value, action, returns = samples()
    to_logits, to_value = gradients(actor_critic_terms(logits, value, action, returns).entropy, logits, value)
    assert to_value is None
    assert isinstance(to_logits, list)
    for found, z in zip(to_logits, LOGITS, strict=True):
        policy = softmax(z)
        expected = [-p * (math.log(p) + entropy_of(policy)) for p in policy]
        assert found == close(expected)


def test_no_gradient_flows_into_the_targets() -> None:
    logits, value, action, returns = samples()
    loss = objective(actor_critic_terms(logits, value, action, returns), value_weight=0.5, entropy_weight=0.01)
    assert gradients(loss, returns) == [None]


def test_an_advantage_given_weighs_the_policy_alone_and_no_gradient_flows_into_it() -> None:
    logits, value, action, returns = samples()
    given = torch.tensor([2.0, -1.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    found, usual = actor_critic_terms(*samples(), given), actor_critic_terms(logits, value, action, returns)
    rows = list(zip(map(softmax, LOGITS), ACTIONS, given.tolist(), strict=True))
    assert found.policy.item() == close(-math.fsum(math.log(p[a]) * weight for p, a, weight in rows))
    assert torch.equal(found.value, usual.value)
    assert torch.equal(found.entropy, usual.entropy)
    assert gradients(objective(found, value_weight=0.5, entropy_weight=0.01), given) == [None]
    same = actor_critic_terms(logits, value, action, returns, returns - value)
    assert gradients(same.policy, logits, value) == gradients(usual.policy, logits, value)


def test_the_objective_adds_up_with_the_signs_of_descent() -> None:
    terms = Terms(*(torch.tensor(x) for x in (1.0, 10.0, 100.0)))
    assert objective(terms, value_weight=0.5, entropy_weight=0.01).item() == 1.0 + 5.0 - 1.0


@pytest.mark.parametrize("entropy_weight", [1e-3, 1.0])
def test_descending_the_objective_raises_entropy(entropy_weight: float) -> None:
    """Returns equal to the values leave only the entropy: one published pseudocode has its sign wrong."""
    logits, value, action, _ = samples()
    terms = actor_critic_terms(logits, value, action, value.detach())
    (gradient,) = torch.autograd.grad(objective(terms, value_weight=0.0, entropy_weight=entropy_weight), logits)
    stepped = actor_critic_terms(logits - 0.1 * gradient, value, action, value.detach())
    assert stepped.entropy > terms.entropy


@pytest.mark.parametrize(("better", "sign"), [(1.0, 1), (-1.0, -1)])
def test_descending_the_objective_makes_good_actions_likelier(better: float, sign: int) -> None:
    logits, value, action, _ = samples()
    terms = actor_critic_terms(logits, value, action, value.detach() + better)
    (gradient,) = torch.autograd.grad(objective(terms, value_weight=0.0, entropy_weight=0.0), logits)
    chosen = action.unsqueeze(-1)
    before = logits.softmax(-1).gather(-1, chosen)
    after = (logits - 0.1 * gradient).softmax(-1).gather(-1, chosen)
    assert torch.all(sign * (after - before) > 0)


def test_a_uniform_policy_has_the_entropy_of_its_number_of_actions() -> None:
    terms = actor_critic_terms(torch.zeros(3, 18), torch.zeros(3), torch.zeros(3, dtype=torch.int64), torch.zeros(3))
    assert terms.entropy.item() == pytest.approx(3 * math.log(18), rel=1e-6)  # float32


def test_a_policy_that_is_certain_still_has_finite_terms_and_gradients() -> None:
    """π = 1 and π = 0 to the last bit: π log π would be NaN if the logarithm were taken of π."""
    logits = torch.tensor([[1000.0, -1000.0]], requires_grad=True)
    terms = actor_critic_terms(logits, torch.zeros(1), torch.tensor([0]), torch.ones(1))
    assert terms.entropy.item() == 0.0
    (gradient,) = torch.autograd.grad(objective(terms, value_weight=0.5, entropy_weight=0.01), logits)
    assert torch.isfinite(gradient).all()
