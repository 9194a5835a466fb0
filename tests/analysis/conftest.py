"""Run folders with known answers, written by the trainer's own writers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.environments.games import kind_of
from a3c.plan import Run, Study
from a3c.records import run_folder
from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, RowWriter, SampleRow
from a3c.records.schedule_file import TURN, Header, ScheduleWriter
from a3c.settings import resolve
from a3c.study_file import Sweep

LAYERS: dict[str, Any] = {"lstm_cells": None, "separate": False, "initialization": "torch"}
ENVIRONMENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "control": (
        {"kind": "control", "reward_scale": 1.0},
        {"kind": "mlp", "hidden": [8], "activation": "tanh", **LAYERS},
    ),
    "cliff_world": ({"kind": "cliff_world", "step_limit_steps": 500, "reward_scale": 1.0}, {"kind": "table"}),
    "custom": ({"kind": "custom", "reward_scale": 1.0, "options": {}}, {"kind": "table"}),
    "atari": (
        {"kind": "atari", "protocol": "paper", "action_repeat": 4, "stacked_frames": 4, "clip_rewards": True,
         "frame_limit_frames": 18_000},
        {"kind": "conv2013", **LAYERS},
    ),
}  # fmt: skip


def make_run(variant: str = "locked", game: str = "CartPole-v1", point: float | None = None, **changes: Any) -> Run:
    """A run whose schedule is its variant's name, unless told otherwise; with a point, drawn with that lag."""
    environment, network = ENVIRONMENTS[str(kind_of(game))]
    schedule = variant if variant in ("hogwild", "locked", "synchronous") else "locked"
    raw = {
        "game": game, "seed": 0, "repeat": 0, "workers": 2, "schedule": schedule,
        "executor": "processes", "device": "cpu", "envs_per_worker": 1,
        "order": None, "pull_interval_rollouts": 1,
        "budget_frames": 10_000, "environment": environment, "network": network,
        "algorithm": {"kind": "actor_critic", "value_weight": 0.5, "entropy_weight": 0.01, "gae_lambda": 1.0},
        "learning": {"rollout_steps": 5, "gamma": 0.99, "gradient_norm_limit": 40.0, "annealing_frames": None},
        "optimizer": {"kind": "shared_rmsprop", "learning_rate": 7e-4, "annealing": "linear", "decay": 0.99,
                      "epsilon": 0.1},
        "correction": {"kind": "none"}, "evaluation": {"points": 4, "episodes": 3, "policy": "sampled"},
        "records": {"intervals": 20, "sample_interval_turns": 10},
    }  # fmt: skip
    if point is not None:
        raw |= {"schedule": "drawn", "order": {"kind": "constant_lag", "lag": point}}
    return Run(variant, resolve(raw | changes), point)


def make_study(*runs: Run, title: str = "A study", question: str = "Is it so?", timing: bool = False) -> Study:
    """A study of these runs, its variants in the order in which they come; a sweep of lags if they have points."""
    variants = tuple(dict.fromkeys(run.variant for run in runs))
    swept = any(run.point is not None for run in runs)
    sweep = Sweep(setting="order.lag", label="prescribed staleness", unit="updates") if swept else None
    return Study("trial", title, question, "smoke", variants, runs, timing, sweep)


def straight(run: Run, progress: np.ndarray) -> np.ndarray:
    """Scores that rise from 0 to 100 in a straight line, plus the seed."""
    return 100.0 * progress + run.settings.seed


def round_robin(run: Run, turns: int) -> np.ndarray:
    """Workers in turn, each pulling right after it pushed or as a lag says; synchronous ones wait for each other."""
    index = np.arange(turns)
    table = np.zeros(turns, TURN)
    table["worker"], table["steps"] = index % run.settings.workers, 5
    if run.settings.schedule != "synchronous":
        table["staleness"] = np.minimum(index, run.settings.workers - 1 if run.point is None else run.point)
    return table


def sampled(run: Run, rows: int = 12) -> list[SampleRow]:
    """A pull, rollout, gradient, wait and push of 10, 600, 300, 40 and 50 microseconds; drift grows with staleness.

    The worker in turn is as stale as it can be in order: 0, 1, ..., N - 1 or, with a lag, by that.
    """
    settings = run.settings
    seconds = (10e-6, 600e-6, 300e-6, 40e-6, 50e-6)
    found = []
    for i in range(rows):
        worker = i % settings.workers
        stale = worker if run.point is None else int(run.point)
        drift: tuple[float | None, ...] = (0.01 * stale, 1 / (1 + stale), 1.0 + stale, 0.001 * stale, 1.0 + stale, 0.5)
        if settings.schedule == "synchronous":
            stale, drift = 0, (None,) * 6
        torn = int(i == 0) if settings.schedule == "hogwild" else None
        found.append(SampleRow(10 * i, 50 * i, 0.01 * i, worker, stale, 5, *seconds, *drift, torn))
    return found


def write_run(
    results: Path,
    run: Run,
    episodes: int = 200,
    score: Callable[[Run, np.ndarray], np.ndarray] = straight,
    schedule: Callable[[Run, int], np.ndarray] = round_robin,
    samples: Callable[[Run], list[SampleRow]] = sampled,
    frames_per_second: float = 100.0,
    **manifest: Any,
) -> Path:
    """Writes the folder of a finished run whose episodes end at equal distances."""
    folder, settings, budget = results / "runs" / run.folder, run.settings, run.settings.budget_frames
    folder.mkdir(parents=True)
    (folder / run_folder.SETTINGS).write_text(settings.to_json())
    frames = np.arange(1, episodes + 1) * budget // max(episodes, 1)
    scores = score(run, frames / budget)
    _rows(folder / run_folder.EPISODES, EpisodeRow, [
        EpisodeRow(int(f), float(f / frames_per_second), i % settings.workers, 0, float(s), 7, 0)
        for i, (f, s) in enumerate(zip(frames, scores, strict=True))
    ])  # fmt: skip
    _rows(folder / run_folder.INTERVALS, IntervalRow, [_interval(f, frames_per_second) for f in (budget // 2, budget)])
    points = score(run, np.arange(1, settings.evaluation.points + 1) / settings.evaluation.points)
    _rows(folder / run_folder.EVALUATIONS, EvaluationRow, _evaluations(run, points))
    _rows(folder / run_folder.SAMPLES, SampleRow, samples(run))
    header = Header(settings.schedule, settings.workers, settings.action_repeat)
    writer = ScheduleWriter(folder / run_folder.SCHEDULE, header)
    writer.write(schedule(run, budget // settings.action_repeat // 5))
    writer.close()
    if settings.network.kind == "table":
        _policy(folder / run_folder.POLICY)
    run_folder.write_json(folder / run_folder.MANIFEST, _manifest(run, frames_per_second) | manifest)
    return folder


def write_study(results: Path, study: Study, **options: Any) -> None:
    """Writes every run of a study."""
    for run in study.runs:
        write_run(results, run, **options)


def rows_of(study: Study, results: Path, name: str) -> list[dict[str, str]]:
    """A table's rows as text."""
    with outputs.table_path(study, results, name).open(newline="") as file:
        return list(csv.DictReader(file))


def _rows(path: Path, row_type: Any, rows: list[Any]) -> None:
    writer = RowWriter(path, row_type)
    writer.write(rows)
    writer.close()


def _evaluations(run: Run, scores: np.ndarray) -> list[EvaluationRow]:
    """Three or so episodes a point, whose scores differ and have the given mean."""
    settings, number = run.settings, len(scores)
    return [
        EvaluationRow(p, settings.budget_frames * p // number, settings.budget_frames * p // number + 3, p, 1.0, e,
                      float(score) + e - (settings.evaluation.episodes - 1) / 2, 7, 0, "0" * 16)
        for p, score in enumerate(scores, start=1)
        for e in range(settings.evaluation.episodes)
    ]  # fmt: skip


def _interval(frames: int, frames_per_second: float) -> IntervalRow:
    seconds = frames / frames_per_second
    zeros = (0.0,) * 6
    return IntervalRow(frames, frames // 5, seconds, *zeros, 1.0, 1.0, 1.0, 1.0, 1, frames_per_second, 1, None)


def _policy(path: Path) -> None:
    """Every state of the cliff world prefers to go right, by 0.7."""
    lines = [f"{s},{a},{0.7 if a == 1 else 0.1}" for s in range(48) for a in range(4)]
    path.write_text("\n".join(["state,action,probability", *lines]) + "\n")


def _manifest(run: Run, frames_per_second: float) -> dict[str, Any]:
    budget, workers = run.settings.budget_frames, run.settings.workers
    return {
        "outcome": "finished", "train_seconds": budget / frames_per_second, "start_seconds": 1.5, "frames": budget,
        "updates": budget // 5, "cores": 4, "oversubscribed": workers > 4, "timing": False, "commit": "abc1234",
        "fingerprint": "f00", "cpu": "A processor", "versions": {"python": "3.11.9", "torch": "2.13.0"},
    }  # fmt: skip


@pytest.fixture(scope="session")
def synthetic() -> Any:
    """What this file offers, so that tests need not find it on the import path."""
    offered = (make_run, make_study, write_run, write_study, rows_of, sampled)
    return SimpleNamespace(**{function.__name__: function for function in offered})


@pytest.fixture
def tabled(tmp_path: Path) -> Callable[..., Study]:
    """Writes runs and their tables below `tmp_path`; returns their study."""

    def make(*runs: Run, timing: bool = False, **options: Any) -> Study:
        study = make_study(*runs, timing=timing)
        write_study(tmp_path, study, **options)
        tables.write_tables(study, tmp_path)
        return study

    return make
