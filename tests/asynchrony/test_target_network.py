"""The target network: the parameters as the global frame counter last crossed a multiple of its interval."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from a3c.asynchrony.acting import Networks
from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.hogwild import HogwildStore
from a3c.asynchrony.shared import FRAMES, VERSION, SharedMemory, allocate
from a3c.asynchrony.store import LockedStore
from a3c.asynchrony.synchronous import Rendezvous, SynchronousStore
from a3c.environments import make
from a3c.learning.gradients import Diagnostics
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

Make = Callable[..., Settings]
Valuing = Callable[..., dict[str, Any]]

SIZE = 16
NUMBERS = Diagnostics(0.1, 0.2, 0.3, 0.4, 1.0)


def memory_of(settings: Settings) -> SharedMemory:
    memory = allocate(settings, torch.linspace(-1, 1, SIZE))
    memory.start_time[0] = 0.0
    return memory


def push_of(steps: int, worker: int = 0) -> Push:
    zeros = torch.zeros(steps, 1)
    rollout = Rollout(zeros, zeros.long(), zeros, zeros, torch.zeros(1), torch.zeros(1), torch.zeros(1, 0), zeros)
    return Push(worker, 0, torch.ones(SIZE), rollout, NUMBERS, torch.zeros(SIZE))


def refreshed_at(steps: list[int], interval: int) -> list[int]:
    """For each push, the version whose parameters the target network has after it."""
    found, frames, version = [], 0, 0
    for number, taken in enumerate(steps, start=1):
        if (frames + taken) // interval > frames // interval:
            version = number
        frames += taken
        found.append(version)
    return found


@pytest.mark.parametrize(("schedule", "kind"), [("locked", LockedStore), ("hogwild", HogwildStore)])
def test_it_is_refreshed_when_the_counter_crosses_a_multiple_of_the_interval_and_only_then(
    cliff: Make, valuing: Valuing, schedule: str, kind: type
) -> None:
    """Steps of 1 to 5 on an interval of 10: multiples are hit, crossed, and once two are crossed by one push."""
    steps = [5, 4, 1, 1, 4, 4, 2, 5, 5, 3, 5, 21, 1, 5, 5, 4, 4, 1]
    settings = cliff(schedule=schedule, workers=2, algorithm=valuing("n_step_q", 10))
    memory = memory_of(settings)
    store, into = kind(memory, threading.Lock(), settings), LocalCopy(torch.empty(SIZE))
    assert store.pull(into) is not None
    versions = [memory.parameters.clone()]
    assert torch.equal(memory.target, versions[0])
    assert into.target is not None
    assert torch.equal(into.target, versions[0])
    expected = refreshed_at(steps, 10)
    assert len(set(expected)) == 7
    for number, (taken, version) in enumerate(zip(steps, expected, strict=True)):
        before, kept = into.target, into.target.clone()
        store.push(push_of(taken, worker=number % 2), into)
        versions.append(memory.parameters.clone())
        assert torch.equal(memory.target, versions[version])
        assert torch.equal(into.target, versions[version]), "a pull brings it along"
        assert torch.equal(before, kept), "others may still hold the copy before"
        assert (into.target is before) is (version != number + 1), "and it is copied only if it has changed"


def test_synchronous_workers_refresh_it_together(cliff: Make, valuing: Valuing) -> None:
    """Three workers of 3 steps: 9, 18, 27, ... frames on an interval of 20."""
    settings = cliff(schedule="synchronous", workers=3, algorithm=valuing("one_step_q", 20))
    memory = memory_of(settings)
    store = SynchronousStore(memory, threading.Lock(), settings, Rendezvous(threading.Semaphore(0), []))
    versions = [memory.parameters.clone()]
    for number, version in enumerate(refreshed_at([9] * 10, 20)):
        for worker in range(3):
            store.hand_in(push_of(3, worker))
        store.apply_average(number)
        versions.append(memory.parameters.clone())
        assert torch.equal(memory.target, versions[version])


def test_an_algorithm_without_one_shares_no_room_for_it(cliff: Make) -> None:
    settings = cliff()
    memory, into = memory_of(settings), LocalCopy(torch.empty(SIZE))
    assert len(memory.target) == 0
    LockedStore(memory, threading.Lock(), settings).pull(into)
    assert into.target is None
    networks = Networks(settings, make(settings, 0, 0).spec)
    assert networks.target is None
    assert networks.bootstrapping is networks.online


def test_networks_hold_the_target_that_goes_with_what_was_pulled(cliff: Make, valuing: Valuing) -> None:
    """Also an older one again: logical workers of one process hold different ones in turn."""
    settings = cliff(algorithm=valuing("n_step_q"))
    networks = Networks(settings, make(settings, 0, 0).spec)
    assert networks.target is not None
    P = len(networks.online.vector)
    copies = [LocalCopy(torch.full((P,), float(r)), torch.full((P,), 10.0 * r), r) for r in (1, 2)]
    for copy in (copies[0], copies[1], copies[0], copies[1]):
        networks.hold(copy)
        assert torch.equal(networks.online.vector, copy.vector)
        assert torch.equal(networks.target.vector, copy.target)
        assert networks.bootstrapping is networks.target
    assert networks.target.vector.data_ptr() not in {
        copy.target.data_ptr() for copy in copies if copy.target is not None
    }


@pytest.mark.parametrize(
    "order", [{"kind": "constant_lag", "lag": 7}, {"kind": "straggler", "factor": 6.0}], ids=lambda o: str(o["kind"])
)
def test_a_stale_turn_bootstraps_from_the_target_network_of_the_version_it_read(
    scripted_settings: Make, valuing: Valuing, execute: Callable[..., SimpleNamespace], order: dict[str, Any]
) -> None:
    settings = scripted_settings(options={"states": 3, "length": 8}, schedule="drawn", order=order, workers=3,
                        learning={"rollout_steps": 5}, algorithm=valuing("n_step_q", 30),
                        budget_frames=600)  # fmt: skip
    frames: list[int] = []
    versions: list[Tensor] = []
    targets: list[int] = []

    def watch(turn: int, push: Push, networks: Networks, memory: SharedMemory) -> None:
        """Every version is seen by the turn that is pushed onto it."""
        assert int(memory.counters[VERSION]) == turn
        frames.append(int(memory.counters[FRAMES]))
        versions.append(memory.parameters.clone())
        crossed = turn > 0 and frames[turn] // 30 > frames[turn - 1] // 30
        targets.append(turn if crossed else targets[-1] if targets else 0)
        assert networks.target is not None
        assert torch.equal(networks.online.vector, versions[push.read])
        assert torch.equal(networks.target.vector, versions[targets[push.read]])

    execute(settings, watch)
    assert len(set(targets)) >= 18
    assert len(versions) > 100
