from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from a3c.asynchrony.exchange import DROPPED, LocalCopy, Pulled, Push
from a3c.asynchrony.hogwild import HogwildStore
from a3c.asynchrony.shared import DRAINED, FRAMES, RING_TURNS, SNAPSHOTS, TURNS, VERSION, SharedMemory, allocate
from a3c.asynchrony.store import LockedStore, evaluation_targets
from a3c.asynchrony.synchronous import Rendezvous, SynchronousStore
from a3c.learning.gradients import Diagnostics
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

SIZE = 48
NUMBERS = Diagnostics(0.1, 0.2, 0.3, 0.4, 1.0)


def memory_of(settings: Settings) -> SharedMemory:
    memory = allocate(settings, torch.linspace(-1, 1, SIZE))
    memory.start_time[0] = 0.0
    return memory


def local() -> LocalCopy:
    return LocalCopy(torch.empty(SIZE))


def push_of(gradient: torch.Tensor, *, worker: int = 0, read: int = 0, steps: int = 5) -> Push:
    zeros = torch.zeros(steps, 1)
    rollout = Rollout(zeros, zeros.long(), zeros, zeros, torch.zeros(1), torch.zeros(1), torch.zeros(1, 0), zeros)
    numbers = NUMBERS._replace(gradient_norm=float(gradient.norm()))
    return Push(worker, read, gradient, rollout, numbers, torch.zeros(SIZE))


def settings_of(cliff: Callable[..., Settings], schedule: str, **changes: object) -> Settings:
    return cliff(schedule=schedule, optimizer={"annealing": "constant"}, **changes)


def rmsprop_twin(parameters: list[float], gradients: list[list[float]], settings: Settings) -> list[float]:
    """Equations S2 and S3, one number at a time."""
    optimizer = settings.optimizer
    square = [0.0] * len(parameters)
    for gradient in gradients:
        for i, g in enumerate(gradient):
            square[i] = optimizer.decay * square[i] + (1 - optimizer.decay) * g * g
            parameters[i] -= optimizer.learning_rate * g / math.sqrt(square[i] + optimizer.epsilon)
    return parameters


@pytest.mark.parametrize(("schedule", "kind"), [("locked", LockedStore), ("hogwild", HogwildStore)])
def test_the_kth_push_applies_the_kth_gradient(cliff: Callable[..., Settings], schedule: str, kind: type) -> None:
    settings = settings_of(cliff, schedule, workers=2)
    memory = memory_of(settings)
    store = kind(memory, threading.Lock(), settings)
    into = local()
    gradients = [torch.full([SIZE], float(k)) * torch.linspace(0.1, 1, SIZE) for k in (1, 2, 3, 4, 5, 6)]
    for k, gradient in enumerate(gradients):
        store.push(push_of(gradient.clone(), read=k), into)
    twin = rmsprop_twin(torch.linspace(-1, 1, SIZE).tolist(), [g.tolist() for g in gradients], settings)
    assert torch.allclose(memory.parameters, torch.tensor(twin), atol=1e-6)
    assert torch.equal(into.vector, memory.parameters), "a push ends with a pull"


def test_a_turn_records_worker_steps_and_staleness(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "locked", workers=3)
    memory = memory_of(settings)
    store = LockedStore(memory, threading.Lock(), settings)
    into = local()
    for worker, read, steps in [(0, 0, 5), (1, 0, 3), (0, 1, 5), (2, 0, 1)]:
        store.push(push_of(torch.ones(SIZE), worker=worker, read=read, steps=steps), into)
    records = memory.turn_records[:4]
    assert records["worker"].tolist() == [0, 1, 0, 2]
    assert records["steps"].tolist() == [5, 3, 5, 1]
    assert records["staleness"].tolist() == [0, 1, 1, 3]
    assert memory.counters[[VERSION, FRAMES, TURNS]].tolist() == [4, 14, 4]
    assert np.isfinite(memory.numbers[:4].numpy()).all()
    assert memory.numbers[4:].isnan().all(), "fresh memory is poisoned"


def test_a_gradient_after_the_budget_changes_nothing(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "locked", workers=2, budget_frames=5)
    memory = memory_of(settings)
    store = LockedStore(memory, threading.Lock(), settings)
    into = local()
    assert store.pull(into) is not None
    pushed = store.push(push_of(torch.ones(SIZE)), into)
    assert (pushed.pulled, pushed.onto) == (None, Pulled(0, 0))
    after = memory.parameters.clone()
    assert store.push(push_of(torch.ones(SIZE), worker=1), into) == DROPPED
    assert store.pull(into) is None
    assert torch.equal(memory.parameters, after)
    assert int(memory.counters[TURNS]) == 1


def test_parameters_are_kept_when_they_cross_an_evaluation_point(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "locked", budget_frames=20, evaluation={"points": 2, "episodes": 1})
    assert evaluation_targets(settings) == [10, 20]
    memory = memory_of(settings)
    store = LockedStore(memory, threading.Lock(), settings)
    into = local()
    store.push(push_of(torch.ones(SIZE), steps=9), into)
    assert int(memory.counters[SNAPSHOTS]) == 0
    store.push(push_of(torch.ones(SIZE), steps=9), into)
    assert int(memory.counters[SNAPSHOTS]) == 1
    assert torch.equal(memory.snapshots[0], memory.parameters)
    assert memory.snapshot_places[0].tolist() == [18, 2]


def test_a_push_waits_while_the_ring_of_turns_is_full(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "locked", workers=2)
    memory = memory_of(settings)
    memory.counters[TURNS] = RING_TURNS
    store = LockedStore(memory, threading.Lock(), settings)
    push = threading.Thread(target=store.push, args=(push_of(torch.ones(SIZE)), local()), daemon=True)
    push.start()
    push.join(0.1)
    assert push.is_alive()
    memory.counters[DRAINED] = RING_TURNS
    push.join(5)
    assert not push.is_alive()
    assert int(memory.counters[TURNS]) == RING_TURNS + 1


def test_synchronous_workers_apply_the_average_in_worker_order(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "synchronous", workers=3)
    memory = memory_of(settings)
    rendezvous = Rendezvous(threading.Semaphore(0), [threading.Semaphore(0) for _ in range(3)])
    lock = threading.Lock()
    gradients = [torch.randn(SIZE, generator=torch.Generator().manual_seed(w)) for w in range(3)]
    pulled = [local() for _ in range(3)]

    def turn(worker: int) -> None:
        store = SynchronousStore(memory, lock, settings, rendezvous)
        store.push(push_of(gradients[worker].clone(), worker=worker, steps=5 - worker), pulled[worker])

    threads = [threading.Thread(target=turn, args=(w,)) for w in (2, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    average = (gradients[0] + gradients[1] + gradients[2]) / 3
    twin = rmsprop_twin(torch.linspace(-1, 1, SIZE).tolist(), [average.tolist()], settings)
    assert torch.allclose(memory.parameters, torch.tensor(twin), atol=1e-6)
    assert all(torch.equal(copy.vector, memory.parameters) for copy in pulled)
    assert memory.turn_records[:3]["worker"].tolist() == [0, 1, 2]
    assert memory.turn_records[:3]["steps"].tolist() == [5, 4, 3]
    assert memory.counters[[VERSION, FRAMES, TURNS]].tolist() == [1, 12, 3]


def test_the_gradient_that_is_applied_is_clipped(cliff: Callable[..., Settings]) -> None:
    settings = settings_of(cliff, "locked", learning={"gradient_norm_limit": 0.5})
    memory = memory_of(settings)
    push = push_of(torch.ones(SIZE))
    LockedStore(memory, threading.Lock(), settings).push(push, local())
    assert float(push.gradient.norm()) == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize(("schedule", "kind"), [("locked", LockedStore), ("hogwild", HogwildStore)])
@pytest.mark.parametrize("annealing", ["linear", "linear_per_worker"])
@pytest.mark.parametrize("annealing_frames", [None, 400])
def test_the_rate_follows_the_global_frames_or_each_workers_own(
    cliff: Callable[..., Settings], annealing_frames: int | None, annealing: str, schedule: str, kind: type
) -> None:
    """Of a budget of 100 frames each of two workers has 50; worker 0 uses more, and its rate stays at 0 then.

    The beginning of a run of 400 frames has the rates of such a run.
    """
    optimizer = {"kind": "momentum_sgd", "learning_rate": 0.1, "annealing": annealing, "momentum": 0.0}
    learning = {"annealing_frames": annealing_frames}
    settings = cliff(schedule=schedule, workers=2, budget_frames=100, optimizer=optimizer, learning=learning)
    memory, into, whole = memory_of(settings), local(), annealing_frames or 100
    store = kind(memory, threading.Lock(), settings)
    everybody, own = 0, [0, 0]
    for worker, steps in [(0, 10), (0, 30), (1, 5), (0, 15), (0, 2), (1, 20), (1, 1), (0, 16)]:
        share = 1 - everybody / whole if annealing == "linear" else max(0.0, 1 - own[worker] / (whole / 2))
        before = memory.parameters.clone()
        assert store.push(push_of(torch.ones(SIZE), worker=worker, steps=steps), into).applied
        assert (before - memory.parameters).tolist() == pytest.approx([0.1 * share] * SIZE, abs=1e-6)  # float32
        everybody += steps
        own[worker] += steps
        assert memory.worker_frames.tolist() == own
