"""Killed at any time, a run goes on: nothing lost, nothing counted twice; where the order decides, byte for byte."""

from __future__ import annotations

import csv
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from a3c.asynchrony.outcomes import Progress, StoppedError
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.schedule_file import read_schedule
from a3c.replaying import first_difference, replay
from a3c.settings import Settings
from a3c.training import Conditions, train

Make = Callable[..., Settings]
Interrupt = Callable[[Settings, Path, int], None]

N_STEP_Q = {
    "kind": "n_step_q",
    "target_interval_frames": 500,
    "exploration": {
        "final_epsilons": [0.1, 0.5],
        "probabilities": [0.5, 0.5],
        "annealing_frames": 2_000,
        "evaluation_epsilon": 0.05,
    },
}
RUNS = {
    "drawn": {"schedule": "drawn", "order": {"kind": "geometric", "mean": 3.0, "max_lag": 9}, "algorithm": N_STEP_Q},
    "speeds": {"schedule": "drawn", "order": {"kind": "speeds_lognormal", "sigma": 0.5}, "network": {"lstm_cells": 8}},
    "synchronous": {"schedule": "synchronous"},
    "batched": {"schedule": "synchronous", "executor": "batched"},
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == "drawn" else pytest.mark.slow) for n in RUNS])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    cartpole: Make, interrupted: Interrupt, tmp_path: Path, name: str
) -> None:
    settings = cartpole(budget_frames=6_000, workers=3, evaluation={"points": 3, "episodes": 1}, **RUNS[name])
    train(settings, tmp_path / "whole")
    interrupted(settings, tmp_path / "cut", 1_500)
    train(settings, tmp_path / "cut", Conditions(checkpoint_seconds=1e9))
    assert first_difference(tmp_path / "whole", tmp_path / "cut") is None
    manifest = run_folder.read_json(tmp_path / "cut" / run_folder.MANIFEST)
    assert manifest["resumed_from"] is not None
    assert 0.0 < manifest["earlier_seconds"] < manifest["train_seconds"] < manifest["wall_seconds"]
    assert not (tmp_path / "cut" / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["locked", pytest.param("hogwild", marks=pytest.mark.slow)])
def test_a_live_run_that_was_interrupted_counts_every_turn_and_episode_once(
    cartpole: Make, interrupted: Interrupt, tmp_path: Path, schedule: str
) -> None:
    settings = cartpole(budget_frames=8_000, workers=3, schedule=schedule, pull_interval_rollouts=2)
    interrupted(settings, tmp_path / "run", 2_000)
    done = train(settings, tmp_path / "run", Conditions(checkpoint_seconds=1e9))
    assert run_folder.read_json(tmp_path / "run" / run_folder.MANIFEST)["resumed_from"] is not None
    check_whole(tmp_path / "run", done["frames"])
    if schedule == "locked":
        found = replay(tmp_path / "run", tmp_path / "again")
        assert found["equal"], found["difference"]


def check_whole(folder: Path, frames: int) -> None:
    """Turns add up to the frames, and each worker's episodes to its turns but for the last, unfinished one."""
    header, turns = read_schedule(folder / run_folder.SCHEDULE)
    assert int(turns["steps"].sum()) == frames
    with (folder / run_folder.EPISODES).open() as file:
        episodes = list(csv.DictReader(file))
    for worker in range(header.workers):
        steps = int(turns["steps"][turns["worker"] == worker].sum())
        played = sum(int(row["steps"]) for row in episodes if int(row["worker"]) == worker)
        assert 0 <= steps - played < 500
    seconds = [float(row["seconds"]) for row in csv.DictReader((folder / run_folder.INTERVALS).open())]
    assert seconds == sorted(seconds)


@pytest.mark.slow
def test_a_game_that_cannot_be_saved_begins_anew_and_the_run_goes_on(
    cartpole: Make, interrupted: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "unsaved_game.py").write_text(
        "import gymnasium\ndef make():\n    return gymnasium.make('CartPole-v1')\n", encoding="utf-8"
    )
    custom = {"kind": "custom", "reward_scale": 0.1, "options": {}}
    settings = cartpole(game="unsaved_game:make", environment=custom, workers=2, budget_frames=4_000, schedule="locked")
    interrupted(settings, tmp_path / "run", 1_000)
    done = train(settings, tmp_path / "run", Conditions(checkpoint_seconds=1e9))
    assert done["frames"] >= 4_000


def test_two_interruptions_while_it_stops_end_it_at_once(cartpole: Make, tmp_path: Path) -> None:
    def stop_twice(progress: Progress) -> None:
        if progress.frames >= 500:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    began = time.monotonic()
    with pytest.raises(StoppedError):
        train(cartpole(budget_frames=10**7), tmp_path, Conditions(checkpoint_seconds=1e9), stop_twice)
    assert time.monotonic() - began < 30
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_that_is_stopped_while_it_is_evaluated_trains_no_more(cliff: Make, tmp_path: Path) -> None:
    settings = cliff(schedule="locked", workers=2, evaluation={"points": 8, "episodes": 200})
    folder, alive = tmp_path / "run", set()

    def stop(progress: Progress) -> None:
        if progress.evaluating and (folder / run_folder.EVALUATIONS).read_bytes().count(b"\n") > 200:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError):
        train(settings, folder, Conditions(timing=True, checkpoint_seconds=1e9), stop)
    before = {name: (folder / name).read_bytes() for name in (run_folder.SCHEDULE, run_folder.EPISODES)}
    games = (folder / run_folder.EVALUATIONS).read_bytes()
    assert 0 < games.count(b"\n") < 1_601
    stopped = run_folder.read_json(folder / run_folder.MANIFEST)

    def watch(progress: Progress) -> None:
        alive.add(progress.workers_alive)

    done = train(settings, folder, Conditions(timing=True, checkpoint_seconds=1e9), watch)
    assert alive == {0}
    assert {name: (folder / name).read_bytes() for name in before} == before
    whole = (folder / run_folder.EVALUATIONS).read_bytes()
    assert whole.startswith(games)
    assert whole.count(b"\n") == 1_601
    assert done["frames"] >= settings.budget_frames
    assert done["train_seconds"] <= stopped["wall_seconds"]
    assert done["peak_memory_bytes"] > 0
    assert replay(folder, tmp_path / "again")["equal"]


def test_a_folder_with_another_runs_work_is_left_alone(cliff: Make, interrupted: Interrupt, tmp_path: Path) -> None:
    train(cliff(seed=1), tmp_path / "finished")
    interrupted(cliff(seed=1, budget_frames=50_000), tmp_path / "cut", 500)
    for name in ("finished", "cut"):
        files = {path: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.name != run_folder.LOCK
                 and path.is_file()}  # fmt: skip
        with pytest.raises(InvalidInput, match=rf"{name}: holds a run of another .*seed; delete it or name another"):
            train(cliff(seed=2), tmp_path / name, Conditions(checkpoint_seconds=1e9))
        assert {path: path.read_bytes() for path in files} == files
