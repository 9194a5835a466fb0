"""Group C, what two runs of one seed have in common, and what else they are a function of."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from a3c.asynchrony.acting import Actor, Networks, make_actor
from a3c.asynchrony.entry import use_one_thread
from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.order import ConstantLagOrder, Order, SpeedOrder, make_order
from a3c.asynchrony.recorded_order import RecordedOrder
from a3c.asynchrony.shared import TURNS, SharedMemory
from a3c.environments import make
from a3c.records.schedule_file import Header
from a3c.settings import Settings

from .pieces import Make, memory_of, store_of

WORKERS = 3


def execute(settings: Settings, order: Order) -> tuple[Tensor, SharedMemory]:
    """A whole run in this process, turn by turn: its final parameters, and all that it shared."""
    networks = Networks(settings, make(settings, 0, 0).spec)
    memory = memory_of(settings, networks.online.vector)
    store, versions, actors = store_of(memory, settings), [memory.parameters.clone()], dict[int, Actor]()
    while (turn := order.next(len(versions) - 1)) is not None:
        actor = actors.setdefault(turn.worker, make_actor(settings, turn.worker, networks))
        networks.online.vector.copy_(versions[turn.read])
        rollout = actor.collect(0)
        gradient, numbers = actor.learner.gradient(networks.online, rollout)
        made = LocalCopy(torch.empty_like(gradient))
        push = Push(turn.worker, turn.read, gradient, rollout, numbers, versions[turn.read])
        if store.push(push, into=made).pulled is None:
            break
        versions.append(made.vector)
    return memory.parameters.clone(), memory


@pytest.fixture
def settings(cliff: Make) -> Settings:
    order = {"kind": "speeds_lognormal", "sigma": 0.5}
    return cliff(schedule="drawn", order=order, workers=WORKERS, budget_frames=300)


def by_arrival() -> Order:
    """Who comes first, goes first: the times are the machine's, and another run has others."""
    return SpeedOrder([1.0] * WORKERS, 0.5, [np.random.default_rng() for _ in range(WORKERS)])


def test_alex_petrenko_sample_factory_65_the_same_seed_is_the_same_run(settings: Settings) -> None:
    """alex-petrenko/sample-factory#65, ikostrikov/pytorch-a2c-ppo-acktr-gail#151 and #237, thu-ml/tianshou#456 and
    #604, openai/baselines#65: the same seed, another result. The order of arrival is an input like the seed, and
    nobody wrote it down; here it is drawn from the seed."""

    def check(order: Callable[[], Order]) -> None:
        first, second = (execute(settings, order())[0] for _ in range(2))
        assert torch.equal(first, second), "the same seed gave another run"

    check(lambda: make_order(settings))
    with pytest.raises(AssertionError, match="the same seed gave another run"):
        check(by_arrival)


def test_alex_petrenko_sample_factory_322_a_run_comes_again_with_the_staleness_it_had(settings: Settings) -> None:
    """alex-petrenko/sample-factory#109 and #322: only runs with identical policy lags reproduce; how to control them?

    What is recorded of a run suffices to make it again, staleness by staleness; a mean of it does not.
    """
    parameters, memory = execute(settings, by_arrival())
    turns = memory.turn_records[: int(memory.counters[TURNS])].copy()
    mean = round(float(turns["staleness"].mean()))

    def check(order: Order) -> None:
        assert torch.equal(execute(settings, order)[0], parameters), "not the run that was recorded"

    check(RecordedOrder(Header("locked", WORKERS, settings.action_repeat), turns))
    with pytest.raises(AssertionError, match="not the run that was recorded"):
        check(ConstantLagOrder(WORKERS, mean))


@pytest.fixture
def _two_threads() -> Iterator[None]:
    """Torch with two threads, as on a machine where nobody said otherwise; all is put back afterwards."""
    threads, handler = torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    exported = os.environ.get("OMP_NUM_THREADS")
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, handler)
    os.environ.pop("OMP_NUM_THREADS")
    if exported is not None:
        os.environ["OMP_NUM_THREADS"] = exported


@pytest.mark.usefixtures("_two_threads")
def test_pytorch_pytorch_88718_a_worker_has_one_thread_whatever_was_exported() -> None:
    """pytorch/pytorch#88718 and #2201: sums, and so gradients, depend on the number of threads; chainer/chainerrl#235,
    ikostrikov/pytorch-a3c#33: OMP_NUM_THREADS is read when torch is imported, and setting it later does nothing."""

    def as_it_is_copied() -> None:
        os.environ["OMP_NUM_THREADS"] = "1"

    def check(enter: Callable[[], None]) -> None:
        torch.set_num_threads(2)
        os.environ["OMP_NUM_THREADS"] = "2"
        enter()
        assert torch.get_num_threads() == 1, "a worker has the machine's threads"

    check(use_one_thread)
    with pytest.raises(AssertionError, match="has the machine's threads"):
        check(as_it_is_copied)
