"""How throughput and staleness would scale: N workers on C cores, from the measured times of one run's turns.

A discrete-event model. Each turn draws one sampled turn, with its times and steps together; what its phases wait for
comes from the model. It assumes that

    - phase times are CPU seconds of one worker with a core to itself and memory to itself: sample them in a run with
      few workers, not in one with more workers than cores;
    - turns are independent, and all workers alike;
    - a push is followed by its pull at once, so a version is read when it is made. Mean staleness is then N - 1
      whatever the times (0 if synchronous); its distribution is what the simulation is for;
    - cores are alike, with one run queue for all, and slices of `quantum_seconds`. The slices matter: workers with
      turns shorter than a slice do several in a row, so that most turns are fresh and a few very stale;
    - pull and push are not cut by the scheduler, and they slow each other only as `bandwidth_workers` says.

With S = pull + push and Z = rollout + gradient (means, no switches), throughput is at most min(N, C) / (Z + S); that of
`locked` at most 1 / S, that of `hogwild` at most B / S.

It leaves out: caches (shared ones, and what a switch empties), cores that share execution units or clock down under
load, queues per core and migration between them, the supervisor and evaluations, memory traffic of rollout and
gradient, the lock on hogwild's counters and what its races lose, and the work of lock and meetings themselves, but
for the time it takes to wake an idle core. Throughput is therefore more often too high than too low: compare it with
measured runs before believing it beyond them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from a3c.analysis.phases import Phases
from a3c.analysis.simulated_machine import Machine
from a3c.analysis.simulated_schedules import Hogwild, Locked, Simulation, Synchronous, TurnTimes

Schedule = Literal["hogwild", "locked", "synchronous"]
SCHEDULES: dict[str, type[Simulation]] = {"hogwild": Hogwild, "locked": Locked, "synchronous": Synchronous}

QUANTUM_SECONDS = 0.003  # about the base slice of Linux's fair scheduler with eight processors or more
# Measured: half a pipe's ping-pong between two processes on one core, less its read and write (2.9 - 1.0 microseconds,
# Linux 6.18, a cloud machine). Refilling caches comes on top.
SWITCH_SECONDS = 2e-6

WARM_UP_TURNS = 10  # a worker, on average, that are simulated first and not counted
MOST_SLICES = 10  # a turn, on average: long turns get longer slices, which keeps a turn's cost bounded
DRAWS = 65536


@dataclass(frozen=True)
class Prediction:
    """What a simulation came to, after its warm-up.

    Attributes:
      workers: N.
      cores: C.
      schedule: one of `SCHEDULES`.
      turns_per_second: gradients, also where N of them make one version; not the updates.
      steps_per_second: multiply by the action repeat for frames.
      staleness: int64 [turns], of each turn in the order of versions, updates.
      lock_wait_share: share of the workers' time spent between asking for the lock and having it; of a synchronous
        schedule, waiting at the barriers.
      core_utilization: share of the cores' time in which they had a worker, switches included.
    """

    workers: int
    cores: int
    schedule: Schedule
    turns_per_second: float
    steps_per_second: float
    staleness: np.ndarray
    lock_wait_share: float
    core_utilization: float


def simulate(
    phases: Phases,
    *,
    schedule: Schedule,
    workers: int,
    cores: int,
    turns: int,
    generator: np.random.Generator,
    bandwidth_workers: float | None = None,
    switch_seconds: float = SWITCH_SECONDS,
    wake_seconds: float = 0.0,
    quantum_seconds: float = QUANTUM_SECONDS,
) -> Prediction:
    """One run of a schedule.

    Args:
      phases: what turns take.
      schedule: one of `SCHEDULES`.
      workers: N >= 1.
      cores: C >= 1.
      turns: to count after the warm-up, >= 1; a synchronous round is always counted whole.
      generator: draws which sampled turn each turn takes.
      bandwidth_workers: B > 0: m workers that pull or push at once do so at min(1, B / m) of full speed; None for ∞.
      switch_seconds: what it costs to put a worker on a core, be it woken or given a new slice.
      wake_seconds: what it takes to wake an idle core, >= 0; see `phases.wake_seconds`.
      quantum_seconds: length of a slice, > 0; a tenth of the mean rollout with gradient if that is longer.

    Raises:
      ValueError: if an argument is outside its range.
    """
    _check(schedule, workers, cores, turns, bandwidth_workers, switch_seconds, wake_seconds, quantum_seconds)
    compute = phases.rollout + phases.gradient
    machine = Machine(
        workers,
        cores,
        quantum_seconds=max(quantum_seconds, float(np.mean(compute)) / MOST_SLICES),
        switch_seconds=switch_seconds,
        wake_seconds=wake_seconds,
        bandwidth_workers=bandwidth_workers,
    )
    times = TurnTimes(compute.tolist(), phases.pull.tolist(), phases.push.tolist(), phases.steps.tolist())
    simulation = SCHEDULES[schedule](machine, workers, times, _rows(generator, len(compute)))
    return _measured(simulation, machine, schedule, workers, cores, turns)


def predict(
    phases: Phases,
    *,
    schedules: Sequence[Schedule],
    worker_counts: Sequence[int],
    cores: int,
    seed: int,
    turns: int = 20_000,
    bandwidth_workers: float | None = None,
    switch_seconds: float = SWITCH_SECONDS,
    wake_seconds: float = 0.0,
    quantum_seconds: float = QUANTUM_SECONDS,
) -> list[Prediction]:
    """Simulates every schedule with every number of workers, in this order.

    Each has random numbers of its own from (seed, schedule, workers), so that one more changes no other.

    Args:
      phases: what turns take.
      schedules: of `SCHEDULES`.
      worker_counts: N of each.
      cores: C.
      seed: >= 0.
      turns: to count in each.
      bandwidth_workers: B, as in `simulate`.
      switch_seconds: of a switch.
      wake_seconds: of waking an idle core.
      quantum_seconds: of a slice.
    """
    return [
        simulate(
            phases,
            schedule=schedule,
            workers=workers,
            cores=cores,
            turns=turns,
            generator=np.random.default_rng([seed, list(SCHEDULES).index(schedule), workers]),
            bandwidth_workers=bandwidth_workers,
            switch_seconds=switch_seconds,
            wake_seconds=wake_seconds,
            quantum_seconds=quantum_seconds,
        )
        for schedule in schedules
        for workers in worker_counts
    ]


def _measured(
    simulation: Simulation, machine: Machine, schedule: Schedule, workers: int, cores: int, turns: int
) -> Prediction:
    """Runs through the warm-up and then for `turns` more, and takes the differences."""
    simulation.run(WARM_UP_TURNS * workers)
    warm, steps, waited = len(simulation.staleness), simulation.steps, simulation.waited_seconds
    start, busy = machine.now, machine.busy_seconds
    simulation.run(warm + turns)
    seconds = machine.now - start
    return Prediction(
        workers=workers,
        cores=cores,
        schedule=schedule,
        turns_per_second=(len(simulation.staleness) - warm) / seconds,
        steps_per_second=(simulation.steps - steps) / seconds,
        staleness=np.array(simulation.staleness[warm:], dtype=np.int64),
        lock_wait_share=(simulation.waited_seconds - waited) / (workers * seconds),
        core_utilization=(machine.busy_seconds - busy) / (cores * seconds),
    )


def _rows(generator: np.random.Generator, count: int) -> Iterator[int]:
    """Indices below `count`, uniform, without end."""
    while True:
        yield from generator.integers(count, size=DRAWS).tolist()


def _check(
    schedule: str,
    workers: int,
    cores: int,
    turns: int,
    bandwidth: float | None,
    switch: float,
    wake: float,
    quantum: float,
) -> None:
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}")
    for name, count in (("workers", workers), ("cores", cores), ("turns", turns)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    if bandwidth is not None and not bandwidth > 0:
        raise ValueError(f"bandwidth_workers must be above 0, got {bandwidth}")
    if not 0 <= switch < float("inf") or not 0 <= wake < float("inf") or not quantum > 0:
        what = f"{switch}, {wake} and {quantum}"
        raise ValueError(f"switch_seconds and wake_seconds must be >= 0 and quantum_seconds > 0, got {what}")
