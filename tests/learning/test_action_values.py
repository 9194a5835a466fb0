"""One-step Q, one-step Sarsa and n-step Q: targets, losses and gradients by hand; nothing flows into targets."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor

from a3c.learning.action_values import ActionValues
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.learning.losses import action_value_loss, of_actions
from a3c.learning.networks import Architecture, Table, build
from a3c.learning.returns import n_step_returns, one_step_returns
from a3c.learning.rollouts import Rollout

Method = Literal["one_step_q", "one_step_sarsa", "n_step_q"]

METHODS: tuple[Method, ...] = ("one_step_q", "one_step_sarsa", "n_step_q")
STATES, ACTIONS = 4, 3


def table() -> FlatNetwork:
    flat = FlatNetwork(Table(STATES, ACTIONS))
    flat.tensors[0].data.copy_(torch.randn(STATES, ACTIONS, generator=torch.Generator().manual_seed(3)))
    return flat


def rollout(learner: ActionValues, seed: int, T: int = 6, B: int = 2) -> Rollout:
    draws = torch.Generator().manual_seed(seed)
    following = torch.randn(T, B, generator=draws)
    return Rollout(
        observation=torch.randint(STATES, (T, B), generator=draws),
        action=torch.randint(ACTIONS, (T, B), generator=draws),
        reward=torch.randn(T, B, generator=draws),
        discount=0.99 * (torch.rand(T, B, generator=draws) > 0.2),
        bootstrap_value=following[-1],
        final_observation=torch.zeros(B, dtype=torch.int64),
        state=torch.zeros(B, 0),
        first=torch.zeros(T, B),
        following_value=following if learner.one_step else None,
    )


def by_hand(flat: FlatNetwork, seen: Rollout) -> tuple[list[list[float]], float]:
    """The gradient to a table's rows, and the loss summed over all steps and environments."""
    Q = flat.tensors[0].tolist()
    T, B = seen.action.shape
    to_rows, loss = [[0.0] * ACTIONS for _ in range(STATES)], 0.0
    for b in range(B):
        y = float(seen.bootstrap_value[b])
        for t in reversed(range(T)):
            if seen.following_value is not None:
                y = float(seen.following_value[t, b])
            y = float(seen.reward[t, b]) + float(seen.discount[t, b]) * y
            s, a = int(seen.observation[t, b]), int(seen.action[t, b])
            to_rows[s][a] -= 2 * (y - Q[s][a]) / B
            loss += (y - Q[s][a]) ** 2
    return to_rows, loss


def test_the_loss_is_the_squared_error_of_the_actions_taken_and_its_gradient_twice_the_error() -> None:
    """∂(y - Q(o, a))²/∂Q(o, k) = -2 (y - Q(o, a)) [k = a], and nothing reaches the target."""
    draws = torch.Generator().manual_seed(0)
    values = torch.randn(9, ACTIONS, generator=draws, dtype=torch.float64).requires_grad_()
    action = torch.randint(ACTIONS, (9,), generator=draws)
    returns = torch.randn(9, generator=draws, dtype=torch.float64).requires_grad_()
    loss = action_value_loss(values, action, returns)
    chosen = action.tolist()
    errors = [returns[n].item() - values[n, a].item() for n, a in enumerate(chosen)]
    assert loss.item() == pytest.approx(math.fsum(e * e for e in errors), rel=1e-12)
    to_values, to_returns = torch.autograd.grad(loss, (values, returns), allow_unused=True)
    assert to_returns is None
    for n, error in enumerate(errors):
        expected = [-2 * error * (k == chosen[n]) for k in range(ACTIONS)]
        assert to_values[n].tolist() == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_in_float64_each_methods_gradient_is_the_formula_to_the_eighth_digit(method: Method) -> None:
    """From the target network's values to the online network's gradient; the target network gets none."""
    learner, T, draws = ActionValues(ACTIONS, method), 8, torch.Generator().manual_seed(6)
    online, target = torch.randn(2, STATES, ACTIONS, generator=draws, dtype=torch.float64).unbind()
    online.requires_grad_()
    target.requires_grad_()
    state, action = (torch.randint(n, (T + 1,), generator=draws) for n in (STATES, ACTIONS))
    reward = torch.randn(T, generator=draws, dtype=torch.float64)
    discount = 0.9 * (torch.rand(T, generator=draws) > 0.2).double()
    following = learner.bootstrap(target[state[1:]], action[1:])
    one_step = learner.one_step
    returns = (
        one_step_returns(reward, discount, following) if one_step else n_step_returns(reward, discount, following[-1])
    )
    loss = action_value_loss(online[state[:-1]], action[:-1], returns)
    to_online, to_target = torch.autograd.grad(loss, (online, target), allow_unused=True)
    assert to_target is None
    Q, expected, y = target.tolist(), [[0.0] * ACTIONS for _ in range(STATES)], 0.0
    for t in reversed(range(T)):
        s, a, next_state, next_action = (int(x) for x in (state[t], action[t], state[t + 1], action[t + 1]))
        if one_step or t == T - 1:
            y = Q[next_state][next_action] if method == "one_step_sarsa" else max(Q[next_state])
        y = reward[t].item() + discount[t].item() * y
        expected[s][a] += -2 * (y - online[s, a].item())
    assert to_online.tolist() == [pytest.approx(row, rel=1e-8, abs=1e-8) for row in expected]


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_is_that_of_the_papers_algorithms_worked_out_by_hand(method: Method, B: int) -> None:
    learner, flat = ActionValues(ACTIONS, method), table()
    seen = rollout(learner, seed=1, B=B)
    gradient, told = learner.gradient(flat, seen)
    to_rows, loss = by_hand(flat, seen)
    # Float32 against float64: sums of at most 18 numbers of size 10.
    torch.testing.assert_close(flat.named(gradient)["rows"], torch.tensor(to_rows), rtol=1e-5, atol=1e-5)
    assert math.isnan(told.policy_loss)
    assert math.isnan(told.entropy)
    assert told.value_loss == pytest.approx(loss / seen.steps, rel=1e-5)
    assert told.value == pytest.approx(float(flat.tensors[0].detach()[seen.observation].amax(-1).mean()), rel=1e-5)
    assert told.gradient_norm == pytest.approx(float(gradient.norm()), rel=1e-6)


def test_one_step_methods_bootstrap_every_step_and_n_step_only_the_last() -> None:
    one, n = ActionValues(ACTIONS, "one_step_q"), ActionValues(ACTIONS, "n_step_q")
    seen = rollout(one, seed=2)
    assert seen.following_value is not None
    changed = seen.following_value.clone()
    changed[0] += 100.0
    moved = replace(seen, following_value=changed)
    assert not torch.equal(one.gradient(table(), seen)[0], one.gradient(table(), moved)[0])
    unbootstrapped = replace(seen, following_value=None)
    assert torch.equal(
        n.gradient(table(), unbootstrapped)[0], n.gradient(table(), replace(moved, following_value=None))[0]
    )


@pytest.mark.parametrize("method", METHODS)
def test_no_gradient_flows_into_the_targets(method: Method) -> None:
    """Even if whoever valued what follows forgot to hold it constant."""
    learner, flat, target = ActionValues(ACTIONS, method), table(), table()
    seen = rollout(learner, seed=3)
    weight = target.tensors[0]
    value = weight[0, 0] + torch.zeros_like(seen.bootstrap_value)
    following = weight[0, 0] + torch.zeros_like(seen.reward) if learner.one_step else None
    tracked = replace(seen, bootstrap_value=value, following_value=following)
    constant = replace(
        seen, bootstrap_value=value.detach(), following_value=None if following is None else following.detach()
    )
    assert torch.equal(learner.gradient(flat, tracked)[0], learner.gradient(flat, constant)[0])
    assert weight.grad is None
    # One network for both: were its own bootstrap not constant, the gradient would be another.
    own = replace(
        tracked,
        bootstrap_value=flat.tensors[0][0, 0] + torch.zeros_like(value),
        following_value=None if following is None else flat.tensors[0][0, 0] + torch.zeros_like(following),
    )
    assert torch.equal(learner.gradient(flat, own)[0], learner.gradient(flat, constant)[0])


def test_what_follows_is_worth_its_best_action_or_for_sarsa_the_one_taken_next() -> None:
    output = torch.tensor([[1.0, 5.0, 2.0], [7.0, 3.0, 4.0]])
    action = torch.tensor([2, 1])
    for method in ("one_step_q", "n_step_q"):
        assert ActionValues(ACTIONS, method).bootstrap(output).tolist() == [5.0, 7.0]
    sarsa = ActionValues(ACTIONS, "one_step_sarsa")
    assert sarsa.bootstrap(output, action).tolist() == [2.0, 3.0]
    assert of_actions(output, action).tolist() == [2.0, 3.0]
    stacked, actions = output.expand(4, 2, 3), action.expand(4, 2)
    assert sarsa.bootstrap(stacked, actions).tolist() == [[2.0, 3.0]] * 4


def test_each_method_says_what_its_rollouts_need() -> None:
    needs = {m: (ActionValues(ACTIONS, m).one_step, ActionValues(ACTIONS, m).values_next_action) for m in METHODS}
    assert needs == {"one_step_q": (True, False), "one_step_sarsa": (True, True), "n_step_q": (False, False)}
    assert {ActionValues(ACTIONS, m).outputs for m in METHODS} == {ACTIONS}


def test_action_values_have_no_policy_to_shift_and_are_not_valued_anew() -> None:
    learner, output = ActionValues(ACTIONS, "n_step_q"), torch.zeros(2, ACTIONS)
    assert learner.shift(output, output, torch.zeros(2, dtype=torch.int64)) is None
    seen = rollout(learner, seed=0)
    assert learner.valued_anew(table(), seen) is seen


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("where", ["reward", "discount", "bootstrap_value"])
def test_a_rollout_that_is_not_finite_raises(method: Method, where: str) -> None:
    learner = ActionValues(ACTIONS, method)
    seen = rollout(learner, seed=0)
    seen.discount.fill_(0.99)
    spoiled: Tensor = getattr(seen, where)
    spoiled.view(-1)[-1] = math.nan
    if seen.following_value is not None and where == "bootstrap_value":
        seen.following_value[-1, -1] = math.nan
    with pytest.raises(NonFiniteError):
        learner.gradient(table(), seen)


def test_through_layers_too_the_gradient_of_several_environments_is_the_mean_of_theirs() -> None:
    learner = ActionValues(ACTIONS, "one_step_q")
    architecture = Architecture("mlp", hidden=(7,), activation="relu")
    flat = FlatNetwork(build(architecture, observation_shape=(5,), outputs=ACTIONS, states=None, seed=0))
    seen = rollout(learner, seed=5, B=3)
    seen = replace(seen, observation=torch.randn(6, 3, 5, generator=torch.Generator().manual_seed(9)))
    assert seen.following_value is not None
    apart = []
    for b in range(3):
        o, a, r, d, f = (
            x[:, b : b + 1] for x in (seen.observation, seen.action, seen.reward, seen.discount, seen.first)
        )
        v, end, state = seen.bootstrap_value[b : b + 1], seen.final_observation[b : b + 1], seen.state[:1]
        alone = Rollout(o, a, r, d, v, end, state, f, seen.following_value[:, b : b + 1])
        apart.append(learner.gradient(flat, alone)[0])
    together, _ = learner.gradient(flat, seen)
    torch.testing.assert_close(together, torch.stack(apart).mean(0), rtol=1e-5, atol=1e-6)  # float32 sums
