"""A rollout's gradient is a value: the k-th call gives the k-th gradient, and nothing stays behind."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.learning.losses import actor_critic_terms
from a3c.learning.networks import Architecture, FeedForward, FullyConnected, Table, build
from a3c.learning.policies import Categorical, Gaussian
from a3c.learning.returns import n_step_returns
from a3c.learning.rollouts import Rollout

STATES, ACTIONS = 3, 4
LEARNER = ActorCritic(Categorical(ACTIONS), value_weight=0.5, entropy_weight=0.01)


def network(seed: int = 0) -> FlatNetwork:
    architecture = Architecture("mlp", hidden=(7,))
    return FlatNetwork(build(architecture, observation_shape=(5,), outputs=ACTIONS + 1, states=None, seed=seed))


def table() -> FlatNetwork:
    """A table with other policies than the uniform one, and values other than 0."""
    flat = FlatNetwork(Table(STATES, ACTIONS + 1))
    with torch.no_grad():
        flat.tensors[0].copy_(torch.randn(STATES, ACTIONS + 1, generator=torch.Generator().manual_seed(3)))
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
        state=torch.zeros(B, 0),
        first=torch.zeros(T, B),
    )


def table_rollout(seed: int, T: int = 6, B: int = 2) -> Rollout:
    states = torch.randint(STATES, (T, B), generator=torch.Generator().manual_seed(100 + seed))
    return rollout(seed, T, B, observation=states)


def module() -> FeedForward:
    return FeedForward(FullyConnected(5, (7,), "tanh"), ACTIONS + 1)


def the_gradient(network: FeedForward) -> Tensor:
    assert network.output.weight.grad is not None
    return network.output.weight.grad.clone()


def by_hand(flat: FlatNetwork, seen: Rollout) -> list[list[float]]:
    """The gradient to a table's rows, by the formulas of the paper: summed over T, averaged over B."""
    actor, critic = flat.tensors[0][:, :-1].tolist(), flat.tensors[0][:, -1].tolist()
    T, B = seen.action.shape
    to_rows = [[0.0] * (ACTIONS + 1) for _ in range(STATES)]
    for b in range(B):
        R = float(seen.bootstrap_value[b])
        for t in reversed(range(T)):
            R = float(seen.reward[t, b]) + float(seen.discount[t, b]) * R
            s, a = int(seen.observation[t, b]), int(seen.action[t, b])
            total = sum(math.exp(z) for z in actor[s])
            policy = [math.exp(z) / total for z in actor[s]]
            H = -sum(p * math.log(p) for p in policy)
            for k, p in enumerate(policy):
                up = (R - critic[s]) * ((k == a) - p) - LEARNER.entropy_weight * p * (math.log(p) + H)
                to_rows[s][k] -= up / B
            to_rows[s][-1] -= LEARNER.value_weight * 2 * (R - critic[s]) / B
    return to_rows


@pytest.mark.parametrize("B", [1, 3])
def test_the_gradient_is_that_of_algorithm_s3_worked_out_by_hand(B: int) -> None:
    flat, seen = table(), table_rollout(seed=1, B=B)
    gradient, _ = LEARNER.gradient(flat, seen)
    # Float32 against float64: sums of at most 18 numbers of size 10.
    expected = torch.tensor(by_hand(flat, seen))
    torch.testing.assert_close(flat.named(gradient)["rows"], expected, rtol=1e-5, atol=1e-5)


def test_several_environments_give_the_mean_of_their_gradients() -> None:
    flat, seen = network(), rollout(seed=2, B=3)
    together, _ = LEARNER.gradient(flat, seen)
    apart = []
    for b in range(3):
        o, a, r, d = (x[:, b : b + 1] for x in (seen.observation, seen.action, seen.reward, seen.discount))
        v, f = seen.bootstrap_value[b : b + 1], seen.final_observation[b : b + 1]
        apart.append(LEARNER.gradient(flat, Rollout(o, a, r, d, v, f, seen.state[:1], seen.first[:, :1]))[0])
    torch.testing.assert_close(together, torch.stack(apart).mean(0), rtol=1e-5, atol=1e-6)  # float32 sums


def test_the_numbers_told_are_means_per_step_and_the_norm_before_clipping() -> None:
    flat, seen = table(), table_rollout(seed=4)
    gradient, told = LEARNER.gradient(flat, seen)
    rows = flat.tensors[0].detach()[seen.observation.flatten()]
    value = rows[:, -1]
    returns = n_step_returns(seen.reward, seen.discount, seen.bootstrap_value)
    judged = Categorical(ACTIONS).judge(rows[:, :-1], seen.action.flatten())
    terms = actor_critic_terms(*judged, value, returns.flatten())
    expected = [float(term) / 12 for term in terms] + [float(value.mean()), float(gradient.norm())]
    assert seen.steps == 12
    assert list(told) == pytest.approx(expected, rel=1e-5)
    assert all(type(number) is float for number in told)


def test_the_kth_call_gives_the_kth_gradient_and_leaves_none_behind() -> None:
    flat = network()
    before = flat.vector.clone()
    found = [LEARNER.gradient(flat, rollout(seed=k))[0] for k in range(5)]
    for k, gradient in enumerate(found):
        alone, _ = LEARNER.gradient(network(), rollout(seed=k))
        assert torch.equal(gradient, alone), k
        assert not gradient.requires_grad
    assert len({gradient.data_ptr() for gradient in found}) == 5
    assert all(tensor.grad is None for tensor in flat.tensors)
    assert torch.equal(flat.vector, before)


def test_the_handover_copied_from_code_base_to_code_base_gives_the_first_gradient_for_ever() -> None:
    """Why gradients are values here: since torch 2.0 `zero_grad` sets `.grad` to None instead of to zeros."""
    shared, local, observation = module(), module(), torch.randn(1, 4, 5)
    pushed, meant = [], []
    for k in range(3):
        local.zero_grad()
        output, _ = local(observation, torch.zeros(4, 0), torch.zeros(1, 4))
        ((k + 1) * output.sum()).backward()
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
    found, expected = (LEARNER.gradient(f, rollout(seed=0))[0] for f in (flat, clean))
    assert torch.equal(found, expected)


def test_with_only_entropy_a_step_down_the_gradient_raises_it() -> None:
    """Through network, returns, objective and sign: advantages are 0, so entropy is all there is."""
    flat, seen = network(), rollout(seed=0)
    with torch.no_grad():
        values = flat.unroll(seen)[0][..., -1]
    still, entropy_alone = (
        replace(seen, reward=values, discount=torch.zeros_like(values)),
        replace(LEARNER, value_weight=0),
    )
    gradient, before = entropy_alone.gradient(flat, still)
    flat.vector.sub_(gradient)
    assert entropy_alone.gradient(flat, still)[1].entropy > before.entropy


def test_continuous_actions_are_learned_from_by_the_same_objective() -> None:
    """Against torch's densities and derivatives: three dimensions, one variance, a value."""
    flat, seen = network(), rollout(seed=5)
    action = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(1))
    found, _ = ActorCritic(Gaussian(3), 0.5, 0.01).gradient(flat, replace(seen, action=action))
    output = flat.unroll(seen)[0]
    error = n_step_returns(seen.reward, seen.discount, seen.bootstrap_value) - output[..., 4]
    scale = torch.nn.functional.softplus(output[..., 3:4]).sqrt().expand(6, 2, 3)
    density = torch.distributions.Independent(torch.distributions.Normal(output[..., :3], scale), 1)
    policy = -density.log_prob(action) * error.detach()
    loss = (policy + 0.5 * error.square() - 0.01 * density.entropy()).sum() / 2
    expected = flat.flatten(torch.autograd.grad(loss, flat.tensors))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)  # float32, and the least variance


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
        LEARNER.gradient(network(), seen)


def test_a_parameter_that_is_not_finite_raises() -> None:
    flat = network()
    flat.vector[0] = math.nan
    with pytest.raises(NonFiniteError):
        LEARNER.gradient(flat, rollout(seed=0))


def test_a_gradient_whose_norm_overflows_raises() -> None:
    seen = rollout(seed=0)
    seen.reward.fill_(1e30)  # finite, but its square is not in float32
    with pytest.raises(NonFiniteError):
        LEARNER.gradient(network(), seen)
