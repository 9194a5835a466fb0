"""What a run asks a batch system for grows with what it is."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from a3c import batch_system
from a3c.settings import Settings

Make = Callable[..., Settings]


def test_memory_is_that_of_its_processes_and_its_games(pong: Make) -> None:
    """Beside the workers there are the evaluator and the supervisor."""
    assert batch_system.megabytes(pong(workers=1)) == 500 + 3 * 300 + 8
    assert batch_system.megabytes(pong(workers=16)) == 500 + 18 * 300 + 16 * 8
    batched = pong(workers=16, schedule="synchronous", executor="batched")
    assert batch_system.megabytes(batched) == 500 + 3 * 300 + 16 * 8


def test_time_is_that_of_its_frames_and_at_most_a_day(pong: Make, cliff: Make) -> None:
    assert batch_system.minutes(pong(workers=1, budget_frames=950 * 60 * 10)) == 5 + 10
    assert batch_system.minutes(pong(workers=10, budget_frames=950 * 60 * 10)) == 5 + 1
    assert batch_system.minutes(pong(workers=1, budget_frames=10**9)) == 24 * 60
    assert batch_system.minutes(cliff(workers=1, budget_frames=1_000)) == 6


def test_a_run_on_a_gpu_asks_slurm_for_one_and_no_other_does(pong: Make) -> None:
    utils = pytest.importorskip("snakemake_executor_plugin_slurm.utils")
    batched = {"schedule": "synchronous", "executor": "batched"}
    for device, asked in (("cuda", " --gres=gpu:1"), ("cpu", "")):
        resources = {"gres": batch_system.gres(pong(device=device, **batched))}
        job = SimpleNamespace(resources=SimpleNamespace(get=resources.get, **resources))
        assert utils.set_gres_string(job) == asked, "on the line of sbatch"
