"""LSTM cells: what they compute, where their memory ends, and how far back a gradient reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Architecture, build
from a3c.learning.policies import Categorical
from a3c.learning.returns import n_step_returns
from a3c.learning.rollouts import Rollout

INPUTS, HIDDEN, CELLS, ACTIONS = 3, 4, 2, 3
LEARNER = ActorCritic(Categorical(ACTIONS), value_weight=0.5, entropy_weight=0.01)

Parameters = dict[str, Tensor]


def network(seed: int = 0, *, separate: bool = False) -> FlatNetwork:
    architecture = Architecture("mlp", hidden=(HIDDEN,), lstm_cells=CELLS, separate=separate)
    return FlatNetwork(build(architecture, observation_shape=(INPUTS,), outputs=ACTIONS + 1, states=None, seed=seed))


def rollout(flat: FlatNetwork, seed: int, T: int = 6, B: int = 2) -> Rollout:
    """In play from beginning to end, from a state that is not zero."""
    draws = torch.Generator().manual_seed(seed)
    return Rollout(
        observation=torch.randn(T, B, INPUTS, generator=draws),
        action=torch.randint(ACTIONS, (T, B), generator=draws),
        reward=torch.randn(T, B, generator=draws),
        discount=torch.full((T, B), 0.9),
        bootstrap_value=torch.randn(B, generator=draws),
        final_observation=torch.randn(B, INPUTS, generator=draws),
        state=torch.randn(B, flat.state_size, generator=draws),
        first=torch.zeros(T, B),
    )


def part(seen: Rollout, steps: slice, environments: slice, state: Tensor) -> Rollout:
    """Some steps of some environments, from a state of their own."""
    cut = {name: getattr(seen, name)[steps, environments] for name in ("observation", "action", "reward", "discount")}
    ends = {name: getattr(seen, name)[environments] for name in ("bootstrap_value", "final_observation")}
    return replace(seen, **cut, **ends, first=seen.first[steps, environments], state=state)


def by_hand(named: Parameters, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """Gates i, f, g, o of Hochreiter and Schmidhuber's cells with forget gates, in float64."""
    hidden, cell = state.double().chunk(2, -1)
    outputs = []
    for t in range(len(observation)):
        hidden, cell = (x * (1 - first[t].double())[:, None] for x in (hidden, cell))
        x = torch.tanh(observation[t].double() @ named["body.hidden.0.weight"].T + named["body.hidden.0.bias"])
        gates = x @ named["lstm.weight_ih"].T + named["lstm.bias_ih"]
        gates = gates + hidden @ named["lstm.weight_hh"].T + named["lstm.bias_hh"]
        i, f, g, o = gates.chunk(4, -1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        outputs.append(hidden @ named["output.weight"].T + named["output.bias"])
    return torch.stack(outputs), torch.cat([hidden, cell], -1)


def exact(flat: FlatNetwork) -> Parameters:
    return {name: tensor.double() for name, tensor in flat.named(flat.vector).items()}


def test_the_cells_compute_what_their_equations_say() -> None:
    flat = network()
    seen = rollout(flat, seed=0)
    seen.first[3, 1] = 1.0
    with torch.no_grad():
        output, state = flat.unroll(seen)
    expected, end = by_hand(exact(flat), seen.observation, seen.state, seen.first)
    torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-6)  # float32
    torch.testing.assert_close(state.double(), end, rtol=1e-5, atol=1e-6)
    assert output.shape == (6, 2, ACTIONS + 1)


@pytest.mark.parametrize("separate", [False, True])
def test_unrolling_a_rollout_is_stepping_one_by_one(separate: bool) -> None:
    flat = network(separate=separate)
    seen = rollout(flat, seed=1, T=20)
    assert flat.state_size == (4 if separate else 2) * CELLS
    with torch.no_grad():
        together, end = flat.unroll(seen)
        state = seen.state
        for t in range(20):
            alone, state = flat.act(seen.observation[t], state)
            torch.testing.assert_close(together[t], alone, rtol=1e-5, atol=1e-6)  # float32
    torch.testing.assert_close(end, state, rtol=1e-5, atol=1e-6)


def test_what_came_before_an_episode_counts_for_nothing() -> None:
    flat = network()
    seen = rollout(flat, seed=2)
    seen.first[0] = 1.0
    fresh = replace(seen, state=flat.initial_state(2))
    assert not fresh.state.any()
    with torch.no_grad():
        assert torch.equal(flat.unroll(seen)[0], flat.unroll(fresh)[0])
    assert torch.equal(LEARNER.gradient(flat, seen)[0], LEARNER.gradient(flat, fresh)[0])


def test_a_game_that_starts_anew_inside_a_rollout_makes_two_rollouts_of_it() -> None:
    """One of two environments: its gradient is the sum of that of both pieces, and the other's is its own."""
    flat = network()
    seen = rollout(flat, seed=3)
    seen.first[4, 1] = 1.0
    seen.discount[3, 1] = 0.0
    before = part(seen, slice(0, 4), slice(1, 2), seen.state[1:])
    after = part(seen, slice(4, 6), slice(1, 2), flat.initial_state(1))
    other = part(seen, slice(0, 6), slice(0, 1), seen.state[:1])
    pieces = [LEARNER.gradient(flat, piece)[0] for piece in (before, after, other)]
    together, _ = LEARNER.gradient(flat, seen)
    torch.testing.assert_close(together, (pieces[0] + pieces[1] + pieces[2]) / 2, rtol=1e-5, atol=1e-6)
    seen.first[4, 1] = 0.0
    assert not torch.allclose(LEARNER.gradient(flat, seen)[0], together, rtol=1e-2)


def loss(named: Parameters, seen: Rollout, state: Tensor, returns: Tensor, advantage: Tensor) -> float:
    """The objective with its targets and advantages held where they were."""
    output, _ = by_hand(named, seen.observation, state, seen.first)
    log_policy = output[..., :-1].log_softmax(-1)
    chosen = log_policy.gather(-1, seen.action[..., None])[..., 0]
    entropy = -(log_policy.exp() * log_policy).sum(-1)
    terms = -(chosen * advantage) + 0.5 * (returns - output[..., -1]) ** 2 - 0.01 * entropy
    return float(terms.sum())


def slopes(flat: FlatNetwork, seen: Rollout, earlier: Rollout | None) -> Parameters:
    """Central differences of the loss; with `earlier`, of a state that the same parameters made from it."""
    named = exact(flat)

    def begin() -> Tensor:
        if earlier is None:
            return seen.state.double()
        return by_hand(named, earlier.observation, earlier.state, earlier.first)[1]

    values = by_hand(named, seen.observation, begin(), seen.first)[0][..., -1]
    returns = n_step_returns(seen.reward.double(), seen.discount.double(), seen.bootstrap_value.double())
    advantage, h = returns - values, 1e-6
    found = {}
    for name, tensor in named.items():
        slope = torch.zeros_like(tensor)
        for index in range(tensor.numel()):
            ends = []
            for step in (h, -2 * h):
                tensor.view(-1)[index] += step
                ends.append(loss(named, seen, begin(), returns, advantage))
            tensor.view(-1)[index] += h
            slope.view(-1)[index] = (ends[0] - ends[1]) / (2 * h)
        found[name] = slope
    return found


def test_backpropagation_goes_through_time_and_stops_where_the_rollout_begins() -> None:
    flat = network()
    earlier = rollout(flat, seed=4, B=1, T=3)
    with torch.no_grad():
        _, state = flat.unroll(earlier)
    seen = replace(rollout(flat, seed=5, B=1, T=4), state=state)
    found = flat.named(LEARNER.gradient(flat, seen)[0])
    truncated, whole = slopes(flat, seen, None), slopes(flat, seen, earlier)
    for name, slope in truncated.items():
        # Float32 against differences in float64 of numbers of size 1.
        torch.testing.assert_close(found[name].double(), slope, rtol=1e-4, atol=1e-5)
    assert any(
        not torch.allclose(truncated[name], whole[name], rtol=1e-2) for name in ("lstm.weight_hh", "lstm.bias_ih")
    )


def test_actions_are_judged_with_the_memory_they_were_taken_with() -> None:
    """Log-probabilities for V-trace, and values anew, unroll from the rollout's own state."""
    flat = network()
    seen = rollout(flat, seed=6)
    output, end = by_hand(exact(flat), seen.observation, seen.state, seen.first)
    expected = output[..., :-1].log_softmax(-1).gather(-1, seen.action[..., None])[..., 0]
    torch.testing.assert_close(LEARNER.log_probabilities(flat, seen).double(), expected, rtol=1e-5, atol=1e-6)
    follows, _ = by_hand(exact(flat), seen.final_observation[None], end, torch.zeros(1, 2))
    anew = LEARNER.valued_anew(flat, seen).bootstrap_value
    torch.testing.assert_close(anew.double(), follows[0, :, -1], rtol=1e-5, atol=1e-6)
    assert not anew.requires_grad
