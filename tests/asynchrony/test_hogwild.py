"""Without a lock: what the probes see, and that nothing else is different."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.hogwild import HogwildStore, lost_fraction
from a3c.asynchrony.shared import SharedMemory, allocate, chunks_of
from a3c.asynchrony.store import LockedStore
from a3c.learning.gradients import Diagnostics
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

SIZE = 3 << 16
ZEROS = torch.zeros(5, 1)


def push_of(onto: torch.Tensor | None = None) -> Push:
    rollout = Rollout(ZEROS, ZEROS.long(), ZEROS, ZEROS, torch.zeros(1), torch.zeros(1), torch.zeros(1, 0), ZEROS)
    gradient = torch.linspace(-1, 1, SIZE)
    numbers = Diagnostics(0.1, 0.2, 0.3, 0.4, float(gradient.norm()))
    return Push(0, 0, gradient, rollout, numbers, torch.zeros(SIZE), onto)


def local() -> LocalCopy:
    return LocalCopy(torch.empty(SIZE))


@pytest.fixture
def memory(cliff: Callable[..., Settings]) -> SharedMemory:
    memory = allocate(cliff(schedule="hogwild", workers=2), torch.linspace(-1, 1, SIZE))
    memory.start_time[0] = 0.0
    return memory


@pytest.fixture
def store(memory: SharedMemory, cliff: Callable[..., Settings]) -> HogwildStore:
    return HogwildStore(memory, threading.Lock(), cliff(schedule="hogwild", workers=2))


def test_writing_chunk_by_chunk_comes_to_the_same(
    memory: SharedMemory, store: HogwildStore, cliff: Callable[..., Settings]
) -> None:
    assert chunks_of(SIZE) == 3
    settings = cliff(schedule="locked", workers=2)
    whole = allocate(settings, torch.linspace(-1, 1, SIZE))
    whole.start_time[0] = 0.0
    locked = LockedStore(whole, threading.Lock(), settings)
    into = local()
    for _ in range(3):
        store.push(push_of(), into)
        locked.push(push_of(), into)
    assert torch.equal(memory.parameters, whole.parameters)
    assert torch.equal(memory.statistics, whole.statistics)


def test_a_read_beside_nobody_is_whole(store: HogwildStore) -> None:
    pushed = store.push(push_of(onto=torch.empty(SIZE)), local())
    assert pushed.torn is False


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_read_is_torn_if_a_write_is_under_way(memory: SharedMemory, store: HogwildStore, chunk: int) -> None:
    memory.stamps[0, chunk, 1] += 1
    assert store.push(push_of(onto=torch.empty(SIZE)), local()).torn is True


def test_a_read_is_torn_if_a_write_has_come_to_some_chunks_only(memory: SharedMemory, store: HogwildStore) -> None:
    memory.stamps[:, :2, 1] += 1
    assert store.push(push_of(onto=torch.empty(SIZE)), local()).torn is True
    memory.stamps[:, 2, 1] += 1
    assert store.push(push_of(onto=torch.empty(SIZE)), local()).torn is False


def test_only_sampled_turns_are_watched_and_told_what_they_were_pushed_onto(
    memory: SharedMemory, store: HogwildStore
) -> None:
    assert store.push(push_of(), local()).torn is None
    before, onto = memory.parameters.clone(), torch.empty(SIZE)
    store.push(push_of(onto), local())
    assert torch.equal(onto, before)
    assert not torch.equal(memory.parameters, before)


def test_the_probe_counts_what_was_lost(memory: SharedMemory, store: HogwildStore) -> None:
    for _ in range(4):
        store.push(push_of(), local())
    assert lost_fraction(memory.probe.numpy(), updates=4) == 0.0
    memory.probe[: len(memory.probe) // 2] -= 1  # another worker's write over ours
    assert lost_fraction(memory.probe.numpy(), updates=4) == pytest.approx(1 / 8)
    assert lost_fraction(np.zeros(4, np.int32), updates=0) == 0.0
