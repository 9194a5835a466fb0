"""A rollout's gradient is a value: the k-th call gives the k-th gradient, and nothing stays behind."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, Rollout, rollout_gradient
from a3c.learning.losses import actor_critic_terms
from a3c.learning.networks import MLP, Table, build
from a3c.learning.returns import n_step_returns

WEIGHTS = {"value_weight": 0.5, "entropy_weight": 0.01}
STATES, ACTIONS = 3, 4


def network(seed: int = 0) -> FlatNetwork:
    return FlatNetwork(build("mlp", observation_shape=(5,), actions=ACTIONS, states=None, hidden=(7,), seed=seed))


def table() -> FlatNetwork:
    """A table with other policies than the uniform one, and values other than 0."""
    flat = FlatNetwork(Table(STATES, ACTIONS))
    with torch.no_grad():
        for tensor in flat.tensors:
            tensor.copy_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(3)))
    return flat


def rollout(seed: int, T: int = 6, B: int = 2, observation: Tensor | None = None) -> Rollout:
    draws = torch.Generator().manual_seed(seed)
    seen = torch.randn(T, B, 5, generator=draws) if observation is None else observation
    return Rollout(
        observation=seen,
        action=torch.randint(ACTIONS, (T, B), generator=draws),
        reward=torch.randn(T, B, generator=draws),
        discount=0.99 * (torch.rand(T, B, generator=draws) > 0.2),
        bootstrap_value=torch.randn(B, generator=draws),
        final_observation=seen[-1],
    )


def table_rollout(seed: int, T: int = 6, B: int = 2) -> Rollout:
    states = torch.randint(STATES, (T, B), generator=torch.Generator().manual_seed(100 + seed))
    return rollout(seed, T, B, observation=states)


def the_gradient(module: MLP) -> Tensor:
    assert module.output.weight.grad is not None
    return module.output.weight.grad.clone()


def by_hand(flat: FlatNetwork, seen: Rollout) -> tuple[list[list[float]], list[float]]:
    """The gradient to a table's rows, by the formulas of the paper: summed over T, averaged over B."""
    actor, critic = flat.tensors[0].tolist(), flat.tensors[1].tolist()
    T, B = seen.action.shape
    to_actor, to_critic = [[0.0] * ACTIONS for _ in range(STATES)], [0.0] * STATES
    for b in range(B):
        R = float(seen.bootstrap_value[b])
        for t in reversed(range(T)):
            R = float(seen.reward[t, b]) + float(seen.discount[t, b]) * R
            s, a = int(seen.observation[t, b]), int(seen.action[t, b])
            total = sum(math.exp(z) for z in actor[s])
            policy = [math.exp(z) / total for z in actor[s]]
            H = -sum(p * math.log(p) for p in policy)
            for k, p in enumerate(policy):
                up = (R - critic[s]) * ((k == a) - p) - WEIGHTS["entropy_weight"] * p * (math.log(p) + H)
                to_actor[s][k] -= up / B
            to_critic[s] -= WEIGHTS["value_weight"] * 2 * (R - critic[s]) / B
    return to_actor, to_critic


@pytest.mark.parametrize("B", [1, 3])
def test_the_gradient_is_that_of_algorithm_s3_worked_out_by_hand(B: int) -> None:
    flat, seen = table(), table_rollout(seed=1, B=B)
    gradient, _ = rollout_gradient(flat, seen, **WEIGHTS)
    to_actor, to_critic = by_hand(flat, seen)
    found = flat.named(gradient)
    # Float32 against float64: sums of at most 18 numbers of size 10.
    torch.testing.assert_close(found["actor"], torch.tensor(to_actor), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found["critic"], torch.tensor(to_critic), rtol=1e-5, atol=1e-5)


def test_several_environments_give_the_mean_of_their_gradients() -> None:
    flat, seen = network(), rollout(seed=2, B=3)
    together, _ = rollout_gradient(flat, seen, **WEIGHTS)
    apart = []
    for b in range(3):
        o, a, r, d = (x[:, b : b + 1] for x in (seen.observation, seen.action, seen.reward, seen.discount))
        v, f = seen.bootstrap_value[b : b + 1], seen.final_observation[b : b + 1]
        apart.append(rollout_gradient(flat, Rollout(o, a, r, d, v, f), **WEIGHTS)[0])
    torch.testing.assert_close(together, torch.stack(apart).mean(0), rtol=1e-5, atol=1e-6)  # float32 sums


def test_the_numbers_told_are_means_per_step_and_the_norm_before_clipping() -> None:
    flat, seen = table(), table_rollout(seed=4)
    gradient, told = rollout_gradient(flat, seen, **WEIGHTS)
    logits, value = flat(seen.observation.flatten())
    returns = n_step_returns(seen.reward, seen.discount, seen.bootstrap_value)
    terms = actor_critic_terms(logits, value, seen.action.flatten(), returns.flatten())
    expected = [float(term.detach()) / 12 for term in terms] + [float(value.detach().mean()), float(gradient.norm())]
    assert seen.steps == 12
    assert list(told) == pytest.approx(expected, rel=1e-5)
    assert all(type(number) is float for number in told)


def test_the_kth_call_gives_the_kth_gradient_and_leaves_none_behind() -> None:
    flat = network()
    before = flat.vector.clone()
    found = [rollout_gradient(flat, rollout(seed=k), **WEIGHTS)[0] for k in range(5)]
    for k, gradient in enumerate(found):
        alone, _ = rollout_gradient(network(), rollout(seed=k), **WEIGHTS)
        assert torch.equal(gradient, alone), k
        assert not gradient.requires_grad
    assert len({gradient.data_ptr() for gradient in found}) == 5
    assert all(tensor.grad is None for tensor in flat.tensors)
    assert torch.equal(flat.vector, before)


def test_the_handover_copied_from_code_base_to_code_base_gives_the_first_gradient_for_ever() -> None:
    """Why gradients are values here: since torch 2.0 `zero_grad` sets `.grad` to None instead of to zeros."""
    shared, local, observation = MLP(5, (7,), ACTIONS), MLP(5, (7,), ACTIONS), torch.randn(4, 5)
    pushed, meant = [], []
    for k in range(3):
        local.zero_grad()
        logits, value = local(observation)
        ((k + 1) * (logits.sum() + value.sum())).backward()
        for theirs, ours in zip(shared.parameters(), local.parameters(), strict=True):
            if theirs.grad is None:
                theirs.grad = ours.grad
        pushed.append(the_gradient(shared))
        meant.append(the_gradient(local))
    assert torch.equal(pushed[0], meant[0])
    assert torch.equal(pushed[1], meant[0])
    assert torch.equal(pushed[2], meant[0])
    assert not torch.equal(meant[1], meant[0])


def test_gradients_left_by_somebody_else_are_not_added() -> None:
    flat, clean = network(), network()
    for tensor in flat.tensors:
        tensor.grad = torch.full_like(tensor, 1e6)
    found, expected = (rollout_gradient(f, rollout(seed=0), **WEIGHTS)[0] for f in (flat, clean))
    assert torch.equal(found, expected)


def test_with_only_entropy_a_step_down_the_gradient_raises_it() -> None:
    """Through network, returns, objective and sign: advantages are 0, so entropy is all there is."""
    flat, seen = network(), rollout(seed=0)
    with torch.no_grad():
        values = flat(seen.observation.flatten(0, 1))[1].view_as(seen.reward)
    still = replace(seen, reward=values, discount=torch.zeros_like(values))
    gradient, before = rollout_gradient(flat, still, value_weight=0.0, entropy_weight=0.01)
    flat.vector.sub_(gradient)
    assert rollout_gradient(flat, still, value_weight=0.0, entropy_weight=0.01)[1].entropy > before.entropy


@pytest.mark.parametrize(
    ("where", "number"),
    [("observation", math.nan)]  # the tanh of an infinite observation is 1
    + [(where, n) for where in ("reward", "discount", "bootstrap_value") for n in (math.nan, math.inf, -math.inf)],
)
def test_a_rollout_that_is_not_finite_raises(where: str, number: float) -> None:
    seen = rollout(seed=0)
    seen.discount.fill_(0.99)
    getattr(seen, where).view(-1)[-1] = number
    with pytest.raises(NonFiniteError, match="not finite"):
        rollout_gradient(network(), seen, **WEIGHTS)


def test_a_parameter_that_is_not_finite_raises() -> None:
    flat = network()
    flat.vector[0] = math.nan
    with pytest.raises(NonFiniteError):
        rollout_gradient(flat, rollout(seed=0), **WEIGHTS)


def test_a_gradient_whose_norm_overflows_raises() -> None:
    seen = rollout(seed=0)
    seen.reward.fill_(1e30)  # finite, but its square is not in float32
    with pytest.raises(NonFiniteError):
        rollout_gradient(network(), seen, **WEIGHTS)
