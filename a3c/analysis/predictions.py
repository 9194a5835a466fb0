"""Rows about scaling as the simulator predicts it, beside what was measured.

The simulator starts from how long the phases of turns took in runs with no more workers than cores, and knows nothing
of the throughput that these or other runs had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from a3c.analysis.outputs import Group
from a3c.analysis.phases import Phases, phases_of, wake_seconds
from a3c.analysis.reading import RunFolder
from a3c.analysis.score_tables import Row
from a3c.analysis.simulator import Prediction, Schedule, predict
from a3c.records.staleness import Staleness

WORKERS = tuple(2**power for power in range(11))
MORE_CORES = (32, 128)  # beside those of the machine that measured
TURNS = 8_000  # a simulation: some 25 ms; the mean of so many turns of a lognormal time with sigma 1 is good to 1.5%
SEED = 1_609  # any number does; it is fixed so that a table is a function of the runs alone

Speeds = dict[tuple[int, int], float]  # frames per second by cores and workers


class Measured(NamedTuple):
    """What the sampled turns of one group took.

    Attributes:
      group: whose, without oversubscribed runs.
      phases: of all its seeds together.
      wake_seconds: what waking a worker took where workers meet; 0 elsewhere.
    """

    group: Group
    phases: Phases
    wake_seconds: float


def measured_phases(group: Group, runs: Sequence[RunFolder]) -> list[Measured]:
    """The phases of a group's turns, or nothing if a run had more workers than cores or nothing was sampled.

    Synchronous workers only hand their gradients in; worker 0 applies the average, so its turns alone are taken.
    """
    if any(run.manifest["oversubscribed"] for run in runs):
        return []
    samples, wake = pd.concat([run.samples for run in runs]), 0.0
    if group.runs[0].settings.schedule == "synchronous":
        workers = group.runs[0].settings.turn_workers
        wake = float(np.median([wake_seconds(run.samples, workers) for run in runs]))
        samples = samples[samples["worker"] == 0]
    return [Measured(group, phases_of(samples), wake)] if len(samples) else []


def prediction_rows(measured: Sequence[Measured], throughput: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The table `prediction`: for each game and variant, N = 1, 2, 4, ..., 1024 workers on different numbers of cores.

    `phases_from` is the number of workers of the runs whose phases were taken, the largest measured one up to N;
    `measured_in` says whether the prediction is about these very runs, so that they cannot be held against it.
    `frames_per_second` is empty where no run had so many workers and cores.

    Args:
      measured: what there is to start from; a game and variant without one worker's phases has no rows below its
        fewest workers.
      throughput: the table of this name.
    """
    found: dict[tuple[str, str], dict[int, Measured]] = {}
    for each in measured:
        found.setdefault((each.group.game, each.group.variant), {})[each.group.workers] = each
    rows = []
    for key, phases in found.items():
        mine = [row for row in throughput if (row["game"], row["variant"]) == key and row["cores"]]
        speeds: Speeds = {(row["cores"], row["workers"]): row["frames_per_second"] for row in mine}
        own = {cores for cores, _ in speeds}
        for cores in sorted(own | set(MORE_CORES)):
            rows += [_row(phases, cores, n, speeds, cores in own) for n in WORKERS if n >= min(phases)]
    return rows


def _row(phases: Mapping[int, Measured], cores: int, workers: int, speeds: Speeds, own: bool) -> Row:
    source = phases[max(count for count in phases if count <= workers)]
    settings = source.group.runs[0].settings
    prediction = _predicted(source, settings.schedule, workers, cores)
    staleness = Staleness(*np.unique(prediction.staleness, return_counts=True))
    predicted = prediction.steps_per_second * settings.action_repeat
    speed = speeds.get((cores, workers), np.nan)
    return {
        "game": source.group.game,
        "variant": source.group.variant,
        "cores": cores,
        "workers": workers,
        "phases_from": source.group.workers,
        "frames_per_second_predicted": predicted,
        "frames_per_second": speed,
        "relative_error": (predicted - speed) / speed,
        "staleness_mean_predicted": staleness.mean(),
        "staleness_p50_predicted": staleness.quantile(0.50),
        "staleness_p99_predicted": staleness.quantile(0.99),
        "lock_wait_share_predicted": prediction.lock_wait_share,
        "core_utilization_predicted": prediction.core_utilization,
        "measured_in": own and source.group.workers == workers,
    }


def _predicted(source: Measured, schedule: str, workers: int, cores: int) -> Prediction:
    simulated: Schedule = schedule  # type: ignore[assignment]
    (only,) = predict(
        source.phases,
        schedules=[simulated],
        worker_counts=[workers],
        cores=cores,
        seed=SEED,
        turns=TURNS,
        wake_seconds=source.wake_seconds,
    )
    return only
