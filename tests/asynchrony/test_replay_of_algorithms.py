"""Whatever is learned and with whatever network, a locked run is made again to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.records import run_folder
from a3c.replaying import replay
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]
Valuing = Callable[..., dict[str, Any]]

# Target networks are refreshed some twenty times, and epsilon comes down over half of the run.
REFRESHED = {"target_interval_frames": 97, "annealing_frames": 1_000}


def agrees(settings: Settings, folder: Path, *, worker_processes: bool) -> str | None:
    """What is different, if anything, once a run is made again in one process or behind a turnstile."""
    again = folder.parent / f"{folder.name}-{'turnstile' if worker_processes else 'serial'}"
    if not (folder / run_folder.DONE).exists():
        train(settings, folder)
    difference: str | None = replay(folder, again, worker_processes=worker_processes)["difference"]
    return difference


@pytest.mark.parametrize(
    "kind",
    ["n_step_q", *(pytest.param(k, marks=pytest.mark.slow) for k in ("one_step_q", "one_step_sarsa"))],
)
def test_a_run_with_a_target_network_is_replayed_byte_for_byte(
    cartpole: Make, valuing: Valuing, tmp_path: Path, kind: str
) -> None:
    """The target network of every turn is then the same live, in one process and behind a turnstile."""
    settings = cartpole(schedule="locked", workers=3, algorithm=valuing(kind, **REFRESHED))
    for worker_processes in (False, True):
        assert agrees(settings, tmp_path / "run", worker_processes=worker_processes) is None


@pytest.mark.slow
def test_a_run_that_remembers_is_replayed_byte_for_byte(cartpole: Make, tmp_path: Path) -> None:
    network = {"lstm_cells": 16}
    settings = cartpole(schedule="locked", workers=3, budget_frames=1_000, network=network, pull_interval_rollouts=2)
    assert agrees(settings, tmp_path / "run", worker_processes=False) is None


OTHERS: dict[str, dict[str, Any]] = {
    "memory behind a turnstile": {"network": {"lstm_cells": 16, "separate": True}},
    "whole episodes": {"learning": {"rollout_steps": None}},
    "a rate for each worker": {"optimizer": {"annealing": "linear_per_worker"}},
    "several environments": {"envs_per_worker": 3, "network": {"lstm_cells": 16, "initialization": "orthogonal"}},
    "shorter returns": {"algorithm": {"gae_lambda": 0.9}},
    "continuous actions": {"game": "Pendulum-v1", "learning": {"rollout_steps": 5}},
}


@pytest.mark.slow
@pytest.mark.parametrize("worker_processes", [False, True], ids=["one process", "turnstile"])
@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_other_runs_are_replayed_byte_for_byte(
    cartpole: Make, tmp_path: Path, changes: dict[str, Any], worker_processes: bool
) -> None:
    settings = cartpole(schedule="locked", workers=3, **changes)
    assert agrees(settings, tmp_path / "run", worker_processes=worker_processes) is None


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["processes", "batched"])
@pytest.mark.parametrize("kind", ["one_step_q", "one_step_sarsa", "n_step_q"])
def test_synchronous_runs_with_a_target_network_are_the_same_twice(
    cartpole: Make, valuing: Valuing, tmp_path: Path, kind: str, executor: str
) -> None:
    algorithm = valuing(kind, **REFRESHED)
    settings = cartpole(schedule="synchronous", executor=executor, workers=3, algorithm=algorithm)
    for name in "ab":
        train(settings, tmp_path / name)
    for name in (run_folder.SCHEDULE, run_folder.MODEL):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert replay(tmp_path / "a", tmp_path / "again")["equal"]


@pytest.mark.slow
def test_without_a_lock_a_run_with_a_target_network_finishes(cartpole: Make, valuing: Valuing, tmp_path: Path) -> None:
    done = train(cartpole(schedule="hogwild", workers=3, algorithm=valuing("n_step_q", **REFRESHED)), tmp_path)
    assert done["outcome"] == "finished"
    assert done["frames"] >= 2_000
