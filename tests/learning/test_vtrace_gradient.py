"""The gradient taken anew from an older policy's rollout: what it is by hand, and when it is the usual one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.learning.networks import Architecture, build
from a3c.learning.policies import Categorical
from a3c.learning.rollouts import Rollout

ONE = {"rho_limit": 1.0, "c_limit": 1.0}
STATES, ACTIONS, CELLS = 3, 4, 3
SHAPES = {"table": (), "mlp": (5,), "lstm": (5,), "conv2013": (4, 84, 84)}
LEARNER = ActorCritic(Categorical(ACTIONS), value_weight=0.5, entropy_weight=0.01)


def network(kind: str, seed: int) -> FlatNetwork:
    """Tables too begin at random, so that policies and values differ from state to state and seed to seed."""
    recurrent = kind == "lstm"
    architecture = Architecture("mlp" if recurrent else kind, hidden=(7,), lstm_cells=CELLS if recurrent else None)
    shape, outputs = SHAPES[kind], ACTIONS + 1
    flat = FlatNetwork(build(architecture, observation_shape=shape, outputs=outputs, states=STATES, seed=seed))
    if kind == "table":
        values = (torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)) for x in flat.tensors)
        flat.vector.copy_(flat.flatten(values))
    return flat


def observations(kind: str, size: tuple[int, ...], draws: torch.Generator) -> Tensor:
    if kind == "table":
        return torch.randint(STATES, size, generator=draws)
    if kind in ("mlp", "lstm"):
        return torch.randn(*size, *SHAPES[kind], generator=draws)
    return torch.randint(256, (*size, *SHAPES[kind]), generator=draws, dtype=torch.uint8)


def rollout(kind: str, seed: int, T: int = 6, B: int = 2) -> Rollout:
    draws = torch.Generator().manual_seed(seed)
    seen = observations(kind, (T + 1, B), draws)
    return Rollout(
        observation=seen[:-1],
        action=torch.randint(ACTIONS, (T, B), generator=draws),
        reward=torch.randn(T, B, generator=draws),
        discount=0.99 * (torch.rand(T, B, generator=draws) > 0.2),
        bootstrap_value=torch.full((B,), math.nan),  # not to be used
        final_observation=seen[-1],
        state=torch.randn(B, 2 * CELLS if kind == "lstm" else 0, generator=draws),
        first=(torch.rand(T, B, generator=draws) > 0.8).float(),
    )


def written_out(
    now: FlatNetwork, seen: Rollout, log_policy_then: Tensor, rho_limit: float, c_limit: float
) -> list[list[float]]:
    """The gradient to a table's rows: equation 1 of Espeholt et al. as a sum, and the softmax's derivative by hand."""
    actor, critic = now.tensors[0][:, :-1].tolist(), now.tensors[0][:, -1].tolist()
    T, B = seen.action.shape
    to_rows = [[0.0] * (ACTIONS + 1) for _ in range(STATES)]
    for b in range(B):
        states = [*seen.observation[:, b].tolist(), int(seen.final_observation[b])]
        actions, r, d = (x[:, b].tolist() for x in (seen.action, seen.reward, seen.discount))
        totals = [sum(math.exp(z) for z in actor[s]) for s in states]
        policy = [[math.exp(z) / total for z in actor[s]] for s, total in zip(states, totals, strict=True)]
        ratio = [policy[t][actions[t]] / math.exp(float(log_policy_then[t, b])) for t in range(T)]
        rho, c = ([min(limit, x) for x in ratio] for limit in (rho_limit, c_limit))
        V = [critic[s] for s in states]
        delta = [rho[t] * (r[t] + d[t] * V[t + 1] - V[t]) for t in range(T)]
        traces = [[math.prod(d[i] * c[i] for i in range(s, t)) * delta[t] for t in range(s, T)] for s in range(T)]
        v = [*(V[s] + math.fsum(traces[s]) for s in range(T)), V[T]]
        for t, (s, a) in enumerate(zip(states, actions, strict=False)):
            H = -sum(p * math.log(p) for p in policy[t])
            A = rho[t] * (r[t] + d[t] * v[t + 1] - V[t])
            for k, p in enumerate(policy[t]):
                up = A * ((k == a) - p) - LEARNER.entropy_weight * p * (math.log(p) + H)
                to_rows[s][k] -= up / B
            to_rows[s][-1] -= LEARNER.value_weight * 2 * (v[t] - V[t]) / B
    return to_rows


@pytest.mark.parametrize(("rho_limit", "c_limit"), [(1.0, 1.0), (2.0, 0.5), (0.3, 0.1), (100.0, 100.0)])
@pytest.mark.parametrize("B", [1, 3])
def test_the_gradient_is_that_of_the_papers_sums_worked_out_by_hand(B: int, rho_limit: float, c_limit: float) -> None:
    then, now = network("table", seed=1), network("table", seed=2)
    for seed in range(5):
        seen = rollout("table", seed, B=B)
        log_policy_then = LEARNER.log_probabilities(then, seen)
        found, norm = LEARNER.vtrace_gradient(now, seen, log_policy_then, rho_limit=rho_limit, c_limit=c_limit)
        # Float32 against float64; sums of at most 18 numbers of size 10, ratios from 0.2 to 3.8.
        expected = torch.tensor(written_out(now, seen, log_policy_then, rho_limit, c_limit))
        torch.testing.assert_close(now.named(found)["rows"], expected, rtol=1e-5, atol=1e-5)
        assert norm == pytest.approx(float(expected.norm()), rel=1e-4)


@pytest.mark.parametrize(
    "limits", [(1.0, 1.0), *(pytest.param(limits, marks=pytest.mark.slow) for limits in ((1.5, 1.0), (100.0, 100.0)))]
)
@pytest.mark.parametrize(("kind", "seeds"), [("table", 10), ("mlp", 10), ("lstm", 10), ("conv2013", 2)])
def test_with_the_acting_parameters_it_is_the_usual_gradient_to_the_last_bit(
    kind: str, seeds: int, limits: tuple[float, float]
) -> None:
    for seed in range(seeds):
        flat, seen = network(kind, seed), rollout(kind, seed, T=1 + seed % 7, B=1 + seed % 3)
        with torch.no_grad():
            _, state = flat.unroll(seen)
            seen = replace(seen, bootstrap_value=flat.act(seen.final_observation, state)[0][:, -1])
        usual, diagnostics = LEARNER.gradient(flat, seen)
        rho_limit, c_limit = limits
        log_policy_then = LEARNER.log_probabilities(flat, seen)
        found, norm = LEARNER.vtrace_gradient(flat, seen, log_policy_then, rho_limit=rho_limit, c_limit=c_limit)
        assert torch.equal(found, usual), seed
        assert norm == diagnostics.gradient_norm
        assert usual.any()


def test_over_all_actions_it_is_in_the_mean_the_gradient_of_acting_with_the_present_policy() -> None:
    """Importance sampling, where no ratio is cut off: Σₐ π_then(a) ∇_then(a) = Σₐ π_now(a) ∇_now(a), for one step."""
    then, now = network("table", seed=1), network("table", seed=2)
    draws = torch.Generator().manual_seed(0)
    reward = torch.randn(ACTIONS, generator=draws)
    corrected, usual, uncorrected = torch.zeros(3, len(now.vector)).unbind()
    for action in range(ACTIONS):
        seen = Rollout(
            observation=torch.zeros(1, 1, dtype=torch.int64),
            action=torch.tensor([[action]]),
            reward=reward[action].view(1, 1),
            discount=torch.full((1, 1), 0.99),
            bootstrap_value=now.tensors[0].detach()[1:2, -1],
            final_observation=torch.tensor([1]),
            state=torch.zeros(1, 0),
            first=torch.zeros(1, 1),
        )
        log_then, log_now = (LEARNER.log_probabilities(flat, seen) for flat in (then, now))
        anew, _ = LEARNER.vtrace_gradient(now, seen, log_then, rho_limit=1e6, c_limit=1e6)
        plain, _ = LEARNER.gradient(now, seen)
        corrected += log_then.exp().item() * anew
        usual += log_now.exp().item() * plain
        uncorrected += log_then.exp().item() * plain
    torch.testing.assert_close(corrected, usual, rtol=1e-5, atol=1e-6)  # float32
    assert not torch.allclose(uncorrected, usual, rtol=0.1, atol=0.01)


def test_actions_that_have_become_impossible_teach_nothing_but_entropy() -> None:
    """All ratios 0: no advantage, no error of a value."""
    flat, seen = network("mlp", seed=0), rollout("mlp", seed=0)
    certain = torch.full((6, 2), 200.0)  # log-probabilities this far above the present ones leave a ratio of 0
    found, norm = replace(LEARNER, entropy_weight=0.0).vtrace_gradient(flat, seen, certain, **ONE)
    assert not found.any()
    assert norm == 0.0
    assert LEARNER.vtrace_gradient(flat, seen, certain, **ONE)[0].any()


def test_log_probabilities_are_those_of_the_actions_taken_and_carry_no_gradient() -> None:
    flat, seen = network("table", seed=3), rollout("table", seed=0)
    found = LEARNER.log_probabilities(flat, seen)
    assert found.dtype == torch.float32
    assert not found.requires_grad
    rows = flat.tensors[0].detach()[:, :-1].softmax(-1).log()
    for t in range(6):
        for b in range(2):
            assert found[t, b].item() == pytest.approx(rows[seen.observation[t, b], seen.action[t, b]].item(), rel=1e-5)


def test_nothing_stays_behind() -> None:
    flat, seen = network("mlp", seed=0), rollout("mlp", seed=0)
    log_policy_then = LEARNER.log_probabilities(network("mlp", seed=1), seen)
    given = [x for x in vars(seen).values() if x is not None]
    before = [x.clone() for x in (flat.vector, log_policy_then, *given)]
    first, second = (LEARNER.vtrace_gradient(flat, seen, log_policy_then, **ONE)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert first.data_ptr() != second.data_ptr()
    assert all(tensor.grad is None for tensor in flat.tensors)
    after = [flat.vector, log_policy_then, *given]
    assert all(torch.equal(x.nan_to_num(), y.nan_to_num()) for x, y in zip(before, after, strict=True))


@pytest.mark.parametrize("where", ["observation", "reward", "discount", "final_observation"])
def test_a_rollout_that_is_not_finite_raises(where: str) -> None:
    seen = rollout("mlp", seed=0)
    seen.discount.fill_(0.99)
    log_policy_then = torch.full((6, 2), -1.0)
    LEARNER.vtrace_gradient(network("mlp", seed=0), seen, log_policy_then, **ONE)
    getattr(seen, where).view(-1)[-1] = math.nan
    with pytest.raises(NonFiniteError, match="not finite"):
        LEARNER.vtrace_gradient(network("mlp", seed=0), seen, log_policy_then, **ONE)


def test_a_probability_or_a_parameter_that_is_not_a_number_raises() -> None:
    flat, seen, log_policy_then = network("mlp", seed=0), rollout("mlp", seed=0), torch.full((6, 2), -1.0)
    log_policy_then[2, 1] = math.nan
    with pytest.raises(NonFiniteError):
        LEARNER.vtrace_gradient(flat, seen, log_policy_then, **ONE)
    flat.vector[0] = math.nan
    with pytest.raises(NonFiniteError):
        LEARNER.vtrace_gradient(flat, seen, torch.full((6, 2), -1.0), **ONE)


@pytest.mark.parametrize("shape", [(12,), (2, 6), (2,), (6, 1), ()])
def test_probabilities_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="log_policy_then"):
        LEARNER.vtrace_gradient(network("mlp", seed=0), rollout("mlp", seed=0), torch.zeros(shape), **ONE)
