"""What more cores would do, on paper and by simulation, from the measured parts of a turn.

On paper: pushes under one lock come one after the other, so N workers get at most 1 / S turns a second done, S being a
push with its pull; with the vector cut into shards, each under a lock of its own that workers take in turn, at most
1 / (S / shards). Without a lock memory is the limit: a turn moves so many bytes, and a machine so many a second. A
synchronous round waits for its slowest worker and averages N gradients one after the other.

The simulation (`a3c.analysis.simulator`) adds what chance does: waiting in line, and for the slowest. All of it
assumes that a worker on one of many cores is as fast as one that is alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from a3c.analysis.phases import Phases
from a3c.analysis.simulator import SCHEDULES, Prediction, Schedule, predict
from a3c.benchmarking.rounds import spread

CORES = (1, 2, 4, 8, 16, 32, 64, 128)  # as many workers
STEPS = 5
TURNS = 8_000
SEED = 1_609
PUSH_PASSES, PULL_PASSES = 7, 2  # reads and writes of vectors: shared RMSProp with its one temporary; a copy
MEMORY_BYTES_PER_SECOND = 200e9  # eight channels of DDR4-3200, which a socket with 32 to 64 cores has
SHARDS = 8
NEEDED = ("rollout of 1", "gradient of 1", "push", "pull")


def scaling(seconds: Mapping[str, Sequence[float]], parameters: int) -> dict[str, Any]:
    """Limits on paper, and simulated steps per second by schedule for each of `CORES`.

    Args:
      seconds: of each part, by rounds; without one of `NEEDED` there is nothing to say.
      parameters: P, of the network.
    """
    if any(name not in seconds for name in NEEDED):
        return {}
    rollout, gradient, push, pull = (spread(seconds[name]).median for name in NEEDED)
    turn, exclusive = rollout + gradient + push + pull, push + pull
    bytes_per_turn = 4 * parameters * (PUSH_PASSES + PULL_PASSES)
    parts = (rollout, gradient, pull, push)
    simulated = {schedule: [_simulated(schedule, n, parts) for n in CORES] for schedule in SCHEDULES}
    return {
        "cores": list(CORES),
        "steps_per_second": simulated,
        "turn_seconds": turn,
        "workers_that_fill_one_lock": turn / exclusive,
        f"workers_that_fill_{SHARDS}_locks": SHARDS * turn / exclusive,
        "workers_that_fill_the_memory": MEMORY_BYTES_PER_SECOND * turn / bytes_per_turn,
        "memory_bytes_per_second": MEMORY_BYTES_PER_SECOND,
        "bytes_per_turn": bytes_per_turn,
    }


def _simulated(schedule: str, workers: int, parts: tuple[float, float, float, float]) -> float:
    """Steps per second of turns that vary by a tenth, so that workers do not march in step."""
    generator = np.random.default_rng([SEED, workers])
    rollout, gradient, pull, push = (part * generator.lognormal(0.0, 0.1, 1_000) for part in parts)
    phases = Phases(rollout, gradient, pull, push, np.full(1_000, STEPS))
    named: Schedule = schedule  # type: ignore[assignment]
    found: list[Prediction] = predict(
        phases, schedules=[named], worker_counts=[workers], cores=workers, seed=SEED, turns=TURNS
    )
    return found[0].steps_per_second
