"""Rows about turns: how stale their gradients were, and how many frames a second they came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.analysis.outputs import Group, acts_on_completion
from a3c.analysis.reading import Floats, RunFolder
from a3c.analysis.score_tables import Row, column, mean_with_interval
from a3c.records.staleness import Staleness
from a3c.settings import ConstantLag, GeometricLag, HistogramLag, RoundRobin


def pooled_staleness(runs: Sequence[RunFolder]) -> Staleness:
    """The turns of all runs together, counted by staleness."""
    values = np.concatenate([run.staleness.values for run in runs])
    turns = np.concatenate([run.staleness.turns for run in runs])
    distinct, index = np.unique(values, return_inverse=True)
    return Staleness(distinct, np.bincount(index, weights=turns, minlength=len(distinct)).astype(np.int64))


def expected_staleness(group: Group) -> float:
    """The mean that must come out, whatever the workers' speeds; NaN where nothing says what it is.

    Without a lock it is a little less: others may push between a worker's push and the pull that follows.

    A worker that pulls right after each push misses, over the whole run, each update by another worker exactly once;
    averaged over turns that is N - 1. Synchronous workers miss none. Lags that were prescribed have their own mean.
    """
    settings = group.runs[0].settings
    if settings.schedule == "synchronous":
        return 0.0
    if acts_on_completion(group.runs[0]):
        return settings.workers - 1.0
    match settings.order:
        case RoundRobin():
            return settings.workers - 1.0
        case ConstantLag(lag=lag):
            return float(lag)
        case GeometricLag(mean=mean, max_lag=max_lag):
            return _mean(np.power(mean / (1.0 + mean), np.arange(max_lag + 1), dtype=np.float64))
        case HistogramLag(counts=counts):
            return _mean(np.array(counts, dtype=np.float64))
    return np.nan


def _mean(weights: Floats) -> float:
    """The mean of a distribution over 0, 1, 2, ..., from its weights."""
    return float(np.arange(len(weights)) @ weights / weights.sum())


def staleness_row(group: Group, pooled: Staleness) -> Row:
    """One row of the table `staleness`: turns of all seeds pooled, from each run's end of warm-up on.

    `relative_error` is (mean - expected) / expected, empty where that is 0 or unknown.
    """
    expected = expected_staleness(group)
    return {
        **group.key,
        "n": len(group.runs),
        "turns": pooled.total,
        "staleness_mean": pooled.mean(),
        "staleness_expected": expected,
        "relative_error": (pooled.mean() - expected) / expected if expected > 0 else np.nan,
        "staleness_sd": pooled.sd(),
        "staleness_p50": pooled.quantile(0.50),
        "staleness_p90": pooled.quantile(0.90),
        "staleness_p99": pooled.quantile(0.99),
        "staleness_max": int(pooled.values.max()) if pooled.total else None,
    }


def histogram_rows(group: Group, pooled: Staleness) -> list[Row]:
    """The table `staleness_histogram`: every staleness from 0 to the greatest, the tail in one bin.

    The last bin stands at 4 N and holds all from there on; its label says so (`32+`). A geometric distribution with
    the exact mean N - 1 keeps less than 2% there.
    """
    if not pooled.total:
        return []
    last = min(int(pooled.values.max()), 4 * group.workers)
    number = np.bincount(np.minimum(pooled.values, last), weights=pooled.turns, minlength=last + 1).astype(np.int64)
    tail = int(pooled.values.max()) > last
    return [
        {
            **group.key,
            "staleness": value,
            "label": f"{value}+" if tail and value == last else str(value),
            "turns": int(turns),
            "fraction": float(turns / pooled.total),
        }
        for value, turns in enumerate(number)
    ]


def worker_rows(group: Group, runs: Sequence[RunFolder]) -> list[Row]:
    """The table `workers`: each worker's own mean staleness against what its share of the turns says it must be.

        mean over worker w's turns = (U - U_w) / U_w

    with U turns in all, U_w of them w's: each update by another falls into one of w's turns. It is exact but for the
    two turns of w that reach over an end of the count. Means over runs; empty where w had no turn in one of them.
    """
    own = np.array([run.worker_turns.turns for run in runs], dtype=np.float64)
    measured = np.array([run.worker_turns.staleness for run in runs]).mean(axis=0)
    others = own.sum(axis=1, keepdims=True) - own
    predicted = np.divide(others, own, out=np.full(own.shape, np.nan), where=own > 0).mean(axis=0)
    columns = zip(own.mean(axis=0), measured, predicted, measured - predicted, strict=True)
    names = ("turns", "staleness_mean", "staleness_predicted", "difference")
    return [
        {**group.key, "worker": worker, "n": len(runs)} | dict(zip(names, map(float, values), strict=True))
        for worker, values in enumerate(columns)
    ]


def throughput_rows(runs: Sequence[dict[str, Any]], groups: Sequence[Group]) -> list[Row]:
    """The table `throughput`, from the table `runs`.

        speed_up = frames/s / (the same variant's mean frames/s with one worker)
        efficiency = speed_up / min(workers, cores)

    Both are empty where there is no run with one worker; `cores` and efficiency are empty where the runs of a group
    had different numbers of cores. `timing` says that every run of the group had the machine to itself.
    """
    rows: list[Row] = []
    single: dict[tuple[str, str], float] = {}
    for group in groups:  # one worker comes first, since groups ascend in workers
        mine = [run for run in runs if all(run[name] == value for name, value in group.key.items())]
        speed = column(mine, "frames_per_second")
        if group.workers == 1:
            single[group.game, group.variant] = float(speed.mean())
        speed_up = float(speed.mean()) / single.get((group.game, group.variant), np.nan)
        rows.append({**group.key, **_throughput(mine, speed, speed_up)})
    return rows


def _throughput(runs: Sequence[dict[str, Any]], speed: Floats, speed_up: float) -> Row:
    cores = runs[0]["cores"] if len({run["cores"] for run in runs}) == 1 else None
    return {
        "n": len(runs),
        "cores": cores,
        "oversubscribed": any(run["oversubscribed"] for run in runs),
        "timing": all(run["timing"] for run in runs),
        **mean_with_interval("frames_per_second", speed),
        "updates_per_second": float((column(runs, "updates") / column(runs, "train_seconds")).mean()),
        "speed_up": speed_up,
        "efficiency": speed_up / min(runs[0]["workers"], cores) if cores else np.nan,
    }
