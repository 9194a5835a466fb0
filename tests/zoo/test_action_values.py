"""Groups A and B, the value methods: target network, Sarsa's next action, epsilons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from a3c.asynchrony.acting import Networks, make_actor
from a3c.asynchrony.agents import make_behavior, make_network
from a3c.asynchrony.behaviors import EpsilonGreedy
from a3c.asynchrony.exchange import LocalCopy
from a3c.environments.cliff_world import CliffWorld
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

from .pieces import EXPLORATION, PLAIN_DESCENT, Make, memory_of, push_of, store_of

INTERVAL = 10


def values(make: Make, kind: str, **changes: object) -> Settings:
    algorithm = {"kind": kind, "target_interval_frames": INTERVAL, "exploration": EXPLORATION}
    return make(schedule="locked", workers=2, algorithm=algorithm, optimizer=PLAIN_DESCENT, **changes)


Refreshes = Callable[[list[int], int], list[bool]]  # workers, and frames of a turn: is the target fresh after it?


def never(workers: list[int], frames: int) -> list[bool]:
    """Copied at the start and forgotten."""
    return [False] * len(workers)


def always(workers: list[int], frames: int) -> list[bool]:
    """As often as the other one."""
    return [True] * len(workers)


def by_own_counter(workers: list[int], frames: int) -> list[bool]:
    """By what each worker has played itself."""
    return [workers[: k + 1].count(worker) * frames % INTERVAL == 0 for k, worker in enumerate(workers)]


@pytest.mark.parametrize("as_it_is_copied", [never, always, by_own_counter])
def test_MorvanZhou_reinforcement_learning_106_the_target_network_is_refreshed_by_the_global_counter(
    cliff: Make, as_it_is_copied: Refreshes
) -> None:
    """MorvanZhou/Reinforcement-learning-with-tensorflow#106 (never), sebtheiler/tutorials#6 (with every update)."""

    def through_the_store(workers: list[int], frames: int) -> list[bool]:
        settings = values(cliff, "n_step_q")
        networks = Networks(settings, CliffWorld.spec)
        memory = memory_of(settings, networks.online.vector)
        copy, fresh = LocalCopy(networks.online.vector), []
        for worker in workers:
            gradient = torch.ones_like(networks.online.vector)
            store_of(memory, settings).push(push_of(gradient, worker=worker, steps=frames), copy)
            networks.hold(copy)
            fresh.append(torch.equal(networks.bootstrapping.vector, memory.parameters))
        return fresh

    def check(refreshes: Refreshes) -> None:
        assert refreshes([0, 1, 0, 1], 5) == [False, True, False, True], "refreshed at other frames"

    check(through_the_store)
    with pytest.raises(AssertionError, match="refreshed at other frames"):
        check(as_it_is_copied)


def test_Kaixhin_Atari_28_sarsa_values_the_action_that_is_taken_next(cliff: Make) -> None:
    """Kaixhin/Atari#28: the Sarsa agent is not that of the paper; for its target it chooses once more."""
    settings = values(cliff, "one_step_sarsa", learning={"rollout_steps": 4, "gamma": 1.0})

    def as_it_is_copied(rollout: Rollout) -> Rollout:
        assert rollout.following_value is not None
        following = rollout.following_value.clone()
        following[-1] = following[-1] // 4 * 4 + (following[-1] + 1) % 4  # another action in the same state
        return replace(rollout, following_value=following)

    def check(alter: Callable[[Rollout], Rollout]) -> None:
        steps = steps_of(settings, alter)
        valued = [value for _, _, value in steps[:-1]]
        assert valued == [4.0 * state + action for state, action, _ in steps[1:]], "another action was valued"

    check(lambda rollout: rollout)
    with pytest.raises(AssertionError, match="another action was valued"):
        check(as_it_is_copied)


def steps_of(settings: Settings, alter: Callable[[Rollout], Rollout]) -> list[tuple[int, int, float]]:
    """State, action and value of what followed, of a player whose target network values action a of state s 4 s + a."""
    networks, steps = Networks(settings, CliffWorld.spec), []
    assert networks.target is not None
    networks.target.tensors[0].data.copy_(torch.arange(48.0 * 4).view(48, 4))
    player = make_actor(settings, 0, networks)
    for _ in range(6):
        rollout = alter(player.collect(0))
        assert rollout.following_value is not None
        columns = (rollout.observation[:, 0], rollout.action[:, 0], rollout.following_value[:, 0])
        steps += list(zip(*(column.tolist() for column in columns), strict=True))
    return steps


def test_Zeta36_Asynchronous_Methods_4_every_worker_draws_one_of_the_papers_epsilons(cliff: Make) -> None:
    """Zeta36/Asynchronous-Methods-for-Deep-Reinforcement-Learning#4: the final epsilons are not those of the paper."""
    settings, workers = values(cliff, "n_step_q"), 1000

    def ours(worker: int, frames: int) -> float:
        behavior = make_behavior(settings, CliffWorld.spec, worker)
        assert isinstance(behavior, EpsilonGreedy)
        return float(behavior.epsilon(frames)[0])

    def as_it_is_copied(worker: int, frames: int) -> float:
        final = np.random.default_rng(worker).choice([0.01, 0.01, 0.05], p=[0.4, 0.3, 0.3])
        return float(1.0 + (final - 1.0) * min(1.0, frames / 4_000_000))

    def check(epsilon: Callable[[int, int], float]) -> None:
        assert epsilon(0, 0) == 1.0
        final = np.array([epsilon(worker, 4_000_000) for worker in range(workers)])
        shares = [float(np.isclose(final, value).mean()) for value in (0.1, 0.01, 0.5)]
        assert shares == pytest.approx([0.4, 0.3, 0.3], abs=0.06), "other final epsilons"  # four standard errors

    check(ours)
    with pytest.raises(AssertionError, match="other final epsilons"):
        check(as_it_is_copied)


def test_oreilly_japan_deep_learning_from_scratch_4_4_the_target_network_begins_as_the_other_one(cliff: Make) -> None:
    """oreilly-japan/deep-learning-from-scratch-4#4: it begins with parameters of its own."""
    settings = values(cliff, "n_step_q", network={"kind": "table"})
    network = make_network(settings, CliffWorld.spec)
    memory = memory_of(settings, torch.linspace(-1, 1, len(network.vector)))

    def check(target: torch.Tensor) -> None:
        assert torch.equal(target, memory.parameters), "it begins with parameters of its own"

    check(memory.target)
    with pytest.raises(AssertionError, match="parameters of its own"):
        check(torch.randn(len(network.vector)))
