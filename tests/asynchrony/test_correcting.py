"""Corrections act on stale gradients, by their equations, and leave fresh ones alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from a3c.asynchrony.acting import make_actor
from a3c.asynchrony.agents import make_learner, make_network
from a3c.asynchrony.correcting import make_correction
from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.hogwild import HogwildStore
from a3c.asynchrony.shared import VERSION, allocate
from a3c.asynchrony.store import LockedStore
from a3c.environments import make
from a3c.environments.step import Spec
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.gradients import NonFiniteError, clip_
from a3c.records import run_folder
from a3c.records.schedule_file import read_schedule
from a3c.replaying import replay
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]

CORRECTIONS: list[dict[str, Any]] = [
    {"kind": "scaled_rate"},
    {"kind": "delay_compensation", "strength": 0.5},
    {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0},
]


def kind(correction: dict[str, Any]) -> str:
    return str(correction["kind"])


def settings_of(cartpole: Make, correction: dict[str, Any], schedule: str = "locked") -> Settings:
    """No memory and epsilon 1, so that a step is learning rate x gradient / sqrt(1 + gradient^2)."""
    optimizer = {"learning_rate": 0.1, "annealing": "constant", "decay": 0.0, "epsilon": 1.0}
    return cartpole(schedule=schedule, workers=8, correction=correction, optimizer=optimizer)


def spec_of(settings: Settings) -> Spec:
    return make(settings, 0, 0).spec


def pushed(settings: Settings, staleness: int, now: torch.Tensor | None = None) -> tuple[torch.Tensor, Push]:
    """How far one push of some staleness moves the parameters, and the push, which was 2 long before it was clipped."""
    actor = make_actor(settings, 0)
    then = actor.networks.online.vector.clone()
    rollout = actor.collect(0)
    gradient, numbers = actor.learner.gradient(actor.networks.online, rollout)
    memory = allocate(settings, then if now is None else now)
    memory.start_time[0] = 0.0
    memory.counters[VERSION] = staleness
    kind = HogwildStore if settings.schedule == "hogwild" else LockedStore
    correction = make_correction(settings, spec_of(settings))
    store = kind(memory, threading.Lock(), settings, correction)
    before = memory.parameters.clone()
    push = Push(0, 0, gradient, rollout, numbers, then)
    store.push(push, LocalCopy(torch.empty_like(then)))
    return memory.parameters - before, push


def step(gradient: torch.Tensor, rate: float = 0.1) -> torch.Tensor:
    return -rate * gradient / (gradient.square() + 1.0).sqrt()


@pytest.mark.parametrize("correction", CORRECTIONS, ids=kind)
def test_a_fresh_gradient_is_not_corrected(cartpole: Make, correction: dict[str, Any]) -> None:
    moved, _ = pushed(settings_of(cartpole, correction), staleness=0)
    plain, _ = pushed(settings_of(cartpole, {"kind": "none"}), staleness=0)
    assert torch.equal(moved, plain)


@pytest.mark.parametrize("schedule", ["locked", "hogwild"])
@pytest.mark.parametrize("staleness", [1, 2, 7])
def test_the_rate_is_divided_by_the_staleness(cartpole: Make, schedule: str, staleness: int) -> None:
    moved, push = pushed(settings_of(cartpole, {"kind": "scaled_rate"}, schedule), staleness)
    assert torch.allclose(moved, step(push.gradient, 0.1 / staleness), atol=1e-7)


@pytest.mark.parametrize("schedule", ["locked", "hogwild"])
def test_a_gradient_is_carried_to_the_parameters_it_meets(cartpole: Make, schedule: str) -> None:
    settings = settings_of(cartpole, {"kind": "delay_compensation", "strength": 0.5}, schedule)
    network = make_network(settings, spec_of(settings))
    now = network.vector + 0.3
    moved, push = pushed(settings, 3, now)
    carried = push.gradient + 0.5 * push.gradient.square() * (now - push.parameters)
    assert torch.allclose(moved, step(carried), atol=1e-6)
    assert not torch.allclose(moved, step(push.gradient), atol=1e-6)


@pytest.mark.parametrize("schedule", ["locked", "hogwild"])
def test_the_gradient_is_taken_anew_with_truncated_ratios(cartpole: Make, schedule: str) -> None:
    settings = settings_of(cartpole, {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0}, schedule)
    network = make_network(settings, spec_of(settings))
    now = network.vector + 0.02 * torch.randn(len(network.vector), generator=torch.Generator().manual_seed(1))
    moved, push = pushed(settings, 3, now)
    learner = make_learner(settings, spec_of(settings))
    assert isinstance(learner, ActorCritic)
    then = learner.log_probabilities(network, push.rollout)
    network.vector.copy_(now)
    fresh, norm = learner.vtrace_gradient(network, push.rollout, then, rho_limit=1.0, c_limit=1.0)
    clip_(fresh, norm, settings.learning.gradient_norm_limit)
    assert torch.allclose(moved, step(fresh), atol=1e-6)
    assert not torch.allclose(moved, step(push.gradient), atol=1e-4)


def test_a_corrected_gradient_that_is_not_finite_reaches_nobody(cartpole: Make) -> None:
    settings = settings_of(cartpole, {"kind": "delay_compensation", "strength": 1e30})
    network = make_network(settings, spec_of(settings))
    with pytest.raises(NonFiniteError):
        pushed(settings, 3, network.vector + 1e30)


@pytest.mark.slow
@pytest.mark.parametrize("correction", CORRECTIONS, ids=kind)
@pytest.mark.parametrize("worker_processes", [False, True], ids=["one process", "turnstile"])
def test_a_corrected_run_is_replayed_byte_for_byte(
    cartpole: Make, tmp_path: Path, correction: dict[str, Any], worker_processes: bool
) -> None:
    settings = cartpole(schedule="locked", workers=4, correction=correction, pull_interval_rollouts=2)
    train(settings, tmp_path / "run")
    found = replay(tmp_path / "run", tmp_path / "again", worker_processes=worker_processes)
    assert found["equal"], found["difference"]


OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "rmsprop", "decay": 0.99, "epsilon": 1e-4},
    {"kind": "momentum_sgd", "momentum": 0.9},
    {"kind": "shared_adam", "decay_mean": 0.9, "decay_square": 0.999, "epsilon": 1e-8},
]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=kind)
@pytest.mark.parametrize("worker_processes", [False, True], ids=["one process", "turnstile"])
def test_every_optimizers_run_is_replayed_byte_for_byte(
    cliff: Make, tmp_path: Path, optimizer: dict[str, Any], worker_processes: bool
) -> None:
    complete = {"learning_rate": 0.01, "annealing": "linear", **optimizer}
    train(cliff(schedule="locked", workers=3, optimizer=complete), tmp_path / "run")
    found = replay(tmp_path / "run", tmp_path / "again", worker_processes=worker_processes)
    assert found["equal"], found["difference"]
    model = torch.load(tmp_path / "run" / run_folder.MODEL, weights_only=True)
    assert len(model["statistics"]) == (1 if kind(optimizer) == "shared_adam" else 3)


@pytest.mark.slow
def test_an_order_is_drawn_from_the_histogram_of_another_run(cliff: Make, tmp_path: Path) -> None:
    source = cliff(schedule="locked", workers=3)
    place = f"CliffWorld/{source.id}/seed0"
    train(source, tmp_path / place)
    drawn = cliff(schedule="drawn", order={"kind": "measured_histogram", "run": place}, workers=3)
    into = tmp_path / f"CliffWorld/{drawn.id}/seed0"
    train(drawn, into)
    counts = run_folder.read_json(into / run_folder.HISTOGRAM)["counts"]
    _, turns = read_schedule(tmp_path / place / run_folder.SCHEDULE)
    assert sum(counts) <= len(turns)
    assert len(counts) == turns["staleness"].max() + 1
    staleness = read_schedule(into / run_folder.SCHEDULE)[1]["staleness"]
    found = replay(into, tmp_path / "elsewhere")
    assert found["equal"], found["difference"]
    assert {counts[s] > 0 for s in staleness[len(counts) :].tolist()} == {True}
