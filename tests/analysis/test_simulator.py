"""The scaling simulator against queueing theory, arithmetic done by hand and its own invariants."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import simulator
from a3c.analysis.phases import Phases, phases_of, wake_seconds
from a3c.analysis.simulated_machine import Machine
from a3c.analysis.simulator import Prediction, predict, simulate

ALL = ("hogwild", "locked", "synchronous")
SAMPLES = 4096


def constant(rollout: float, gradient: float = 0.0, pull: float = 0.0, push: float = 0.0, steps: int = 5) -> Phases:
    return Phases(*(np.array([value]) for value in (rollout, gradient, pull, push, steps)))


def exponential(mean: float, seed: int) -> np.ndarray:
    """Quantiles in random order: their mean is exact to 0.1 %, which a sample's would not be."""
    quantiles = -np.log1p(-(np.arange(SAMPLES) + 0.5) / SAMPLES)
    return np.asarray(mean * np.random.default_rng(seed).permutation(quantiles))


def jittered(seed: int = 0) -> Phases:
    """Turns of about 11 ms that vary by a tenth or so."""
    draws = np.random.default_rng(seed)
    times = [mean * draws.lognormal(0.0, 0.15, SAMPLES) for mean in (0.006, 0.004, 0.0003, 0.0007)]
    return Phases(*times, steps=draws.integers(1, 6, SAMPLES))


def run(phases: Phases, schedule: str, workers: int, cores: int, turns: int = 2_000, **more: float) -> Prediction:
    """Without the cost of switches, which the closed forms do not have."""
    options = {"switch_seconds": 0.0} | more
    generator = np.random.default_rng(1)
    return simulate(
        phases, schedule=schedule, workers=workers, cores=cores, turns=turns, generator=generator, **options
    )


def repairman(workers: int, compute: float, service: float, servers: int) -> float:
    """Throughput of N machines that break after Exp(compute) and share repairers of Exp(service): M/M/B//N."""
    weight, weights = 1.0, [1.0]
    for k in range(1, workers + 1):
        weight *= (workers - k + 1) * (service / compute) / min(k, servers)
        weights.append(weight)
    served = sum(w * min(k, servers) for k, w in enumerate(weights)) / sum(weights)
    return served / service


def test_one_worker_takes_its_turns_one_after_the_other() -> None:
    phases = constant(0.006, 0.003, 0.0004, 0.0006, steps=20)
    for schedule in ("hogwild", "locked"):
        prediction = run(phases, schedule, 1, 4)
        assert prediction.turns_per_second == pytest.approx(100.0)
        assert prediction.steps_per_second == pytest.approx(2000.0)
        assert prediction.lock_wait_share == 0.0
        assert prediction.core_utilization == pytest.approx(0.25)


@pytest.mark.parametrize(("workers", "cores"), [(1, 16), (5, 16), (16, 16), (32, 16), (128, 16)])
def test_hogwild_scales_to_the_cores_and_no_further(workers: int, cores: int) -> None:
    prediction = run(jittered(), "hogwild", workers, cores, turns=20_000)
    phases = jittered()
    turn = np.mean(phases.rollout + phases.gradient + phases.pull + phases.push)
    # 20,000 turns that vary by 10 % have a mean known to 0.1 %; where slices are cut, the window's ends add as much.
    assert prediction.turns_per_second == pytest.approx(min(workers, cores) / turn, rel=0.01)
    assert prediction.core_utilization == pytest.approx(min(workers, cores) / cores)


@pytest.mark.parametrize("schedule", ["hogwild", "locked"])
@pytest.mark.parametrize("workers", [2, 7, 64])
def test_many_workers_on_one_core_do_what_one_does(schedule: str, workers: int) -> None:
    phases = constant(0.006, 0.003, 0.0004, 0.0006)
    assert run(phases, schedule, workers, 1).turns_per_second == pytest.approx(100.0, rel=0.01)


@pytest.mark.parametrize(("workers", "cores"), [(32, 32), (200, 200), (64, 16), (64, 17)])
def test_a_lock_is_held_without_a_pause_once_enough_workers_want_it(workers: int, cores: int) -> None:
    phases = constant(0.006, 0.003, 0.0004, 0.0006)  # in the lock for 1 ms of 10: ten workers keep it busy
    prediction = run(phases, "locked", workers, cores)
    assert prediction.turns_per_second == pytest.approx(1000.0, rel=0.001)
    # A worker's cycle is N holds long, and all of it but one turn is waiting, for the lock or (less) for a core.
    if cores >= workers:
        assert prediction.lock_wait_share == pytest.approx(1 - 10 / workers, rel=0.01)
        assert prediction.core_utilization == pytest.approx(10 / cores, rel=0.01)


def test_synchronous_workers_wait_for_the_slowest_and_for_the_average() -> None:
    prediction = run(constant(0.006, 0.003, 0.0001, 0.002), "synchronous", 8, 8)
    apply = 0.002 + 8 * 0.0001
    round_seconds = 0.0001 + 0.009 + 0.0001 + apply  # pull, compute, hand in
    assert prediction.turns_per_second == pytest.approx(8 / round_seconds)
    assert prediction.lock_wait_share == pytest.approx(7 * apply / (8 * round_seconds))
    assert not prediction.staleness.any()


def test_workers_that_meet_are_woken_and_so_is_the_one_that_applies() -> None:
    # Worker 0 is woken by the last to arrive, and starts the next round when the others are being woken: all others
    # are late by one waking, so that it always waits, and a round is two wakings longer.
    prediction = run(constant(0.009, 0.0, 0.0, 0.002), "synchronous", 4, 4, wake_seconds=0.0003)
    assert prediction.turns_per_second == pytest.approx(4 / (0.009 + 0.002 + 2 * 0.0003))


def test_one_synchronous_worker_is_never_woken() -> None:
    prediction = run(constant(0.009, 0.0, 0.0, 0.002), "synchronous", 1, 4, wake_seconds=0.0003)
    assert prediction.turns_per_second == pytest.approx(1 / 0.011)


def test_the_time_of_a_waking_is_found_in_sampled_turns() -> None:
    # Rounds 0 and 2: worker 2 comes last and waits for two wakings of 0.3 ms and an average applied in 2 ms. In round
    # 1 worker 0 comes last and does not sleep, which says nothing.
    rows = [(0, 0, 0.0043, 0.002), (1, 1, 0.0050, 0.0001), (2, 2, 0.0026, 0.0001),
            (3, 0, 1e-6, 0.002), (4, 1, 0.0070, 0.0001), (5, 2, 0.0055, 0.0001),
            (6, 0, 0.0013, 0.002), (7, 1, 0.0040, 0.0001), (8, 2, 0.0026, 0.0001)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["turn", "worker", "lock_wait_seconds", "push_seconds"])
    assert wake_seconds(table, 3) == pytest.approx(0.0003)
    assert wake_seconds(table[table["worker"] == 0], 1) == 0.0
    assert wake_seconds(table.iloc[3:6], 3) == 0.0


def test_a_synchronous_round_takes_as_long_as_its_longest_turn() -> None:
    phases = replace(jittered(), pull=np.zeros(SAMPLES), push=np.full(SAMPLES, 0.001))
    workers, warm, rounds = 16, simulator.WARM_UP_TURNS, 200
    rows = np.random.default_rng(1).integers(SAMPLES, size=simulator.DRAWS)[: (warm + rounds) * workers]
    longest = (phases.rollout + phases.gradient)[rows].reshape(-1, workers).max(axis=1)[warm:]
    prediction = run(phases, "synchronous", workers, workers, turns=rounds * workers)
    assert prediction.turns_per_second == pytest.approx(rounds * workers / np.sum(longest + 0.001), rel=1e-9)


@pytest.mark.parametrize("workers", [2, 4, 8, 16])
def test_a_lock_with_exponential_times_is_the_machine_repairman(workers: int) -> None:
    phases = replace(constant_zeros(), rollout=exponential(0.008, 1), push=exponential(0.001, 2))
    prediction = run(phases, "locked", workers, workers, turns=40_000)
    # 40,000 exponential times have a mean known to 0.5 %; four standard errors.
    assert prediction.turns_per_second == pytest.approx(repairman(workers, 0.008, 0.001, servers=1), rel=0.02)


@pytest.mark.parametrize("bandwidth", [1, 3])
@pytest.mark.parametrize("workers", [4, 16])
def test_shared_bandwidth_with_exponential_times_is_the_machine_repairman(workers: int, bandwidth: int) -> None:
    """Sharing B servers' speed equally gives the same throughput as queueing for them: both have Poisson departures."""
    phases = replace(constant_zeros(), rollout=exponential(0.004, 1), push=exponential(0.001, 2))
    prediction = run(phases, "hogwild", workers, workers, turns=40_000, bandwidth_workers=bandwidth)
    expected = repairman(workers, 0.004, 0.001, servers=bandwidth)
    assert prediction.turns_per_second == pytest.approx(expected, rel=0.02)


def constant_zeros() -> Phases:
    zeros = np.zeros(SAMPLES)
    return Phases(np.ones(SAMPLES), zeros, zeros, zeros, np.ones(SAMPLES))


def test_with_nothing_but_copying_hogwild_is_bound_by_the_bandwidth() -> None:
    prediction = run(constant(0.0, 0.0, 0.0004, 0.0006), "hogwild", 16, 16, bandwidth_workers=2.5)
    assert prediction.turns_per_second == pytest.approx(2500.0)


def test_a_lock_leaves_one_worker_the_whole_bandwidth() -> None:
    phases = jittered()
    shared = run(phases, "locked", 16, 16, bandwidth_workers=1)
    assert shared.turns_per_second == pytest.approx(run(phases, "locked", 16, 16).turns_per_second)


@pytest.mark.parametrize("schedule", ALL)
@pytest.mark.parametrize(("workers", "cores"), [(1, 1), (4, 2), (16, 16), (16, 3), (60, 8)])
def test_mean_staleness_is_the_number_of_other_workers(schedule: str, workers: int, cores: int) -> None:
    prediction = run(jittered(), schedule, workers, cores, turns=20_000, switch_seconds=5e-6, bandwidth_workers=2.0)
    expected = 0 if schedule == "synchronous" else workers - 1
    # Turns that the window's ends cut are the error: at most about 2 N of 20,000, each by about N.
    assert prediction.staleness.mean() == pytest.approx(expected, rel=0.01)
    assert prediction.staleness.dtype == np.int64


def test_workers_of_equal_constant_speed_have_equal_staleness() -> None:
    assert set(run(constant(0.01), "hogwild", 16, 16).staleness) == {15}


def test_staleness_is_geometric_if_times_are_exponential() -> None:
    phases = replace(constant_zeros(), rollout=exponential(0.01, 1))
    staleness = run(phases, "hogwild", 16, 16, turns=60_000).staleness
    shares = np.bincount(staleness, minlength=64)[:64] / len(staleness)
    expected = (1 / 16) * (15 / 16) ** np.arange(64)
    assert np.abs(shares - expected).max() < 0.005  # four standard errors of a share of 1/16
    assert staleness.std() == pytest.approx(math.sqrt(16 * 15), rel=0.03)


def test_turns_shorter_than_a_slice_are_fresh_but_for_the_first_of_each_slice() -> None:
    prediction = run(constant(0.001), "hogwild", 2, 1, quantum_seconds=0.00325)
    assert np.mean(prediction.staleness == 0) == pytest.approx(1 - 1 / 3.25, abs=0.01)
    assert set(prediction.staleness) == {0, 3, 4}  # what the other did in its slice


def test_a_switch_costs_its_share_of_every_slice() -> None:
    prediction = run(constant(0.03), "hogwild", 8, 2, quantum_seconds=0.003, switch_seconds=0.001)
    assert prediction.turns_per_second == pytest.approx(2 / 0.03 * 3 / 4, rel=0.01)


def test_a_lock_that_must_wake_its_next_holder_is_slower_by_the_switch() -> None:
    prediction = run(constant(0.006, 0.003, 0.0004, 0.0006), "locked", 32, 32, switch_seconds=0.0005)
    assert 1 / 0.0015 * 0.999 <= prediction.turns_per_second < 1000.0


def test_whoever_is_woken_for_the_lock_gets_the_next_core() -> None:
    # A wait is a hold and a slice at most, some 5 ms, in a worker's cycle of 64 * 11 / 4 ms; behind all others that
    # wait for a core it would be most of a cycle.
    assert run(jittered(), "locked", 64, 4).lock_wait_share < 5 / (64 * 11 / 4)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["hogwild", "locked"])
def test_longer_slices_for_longer_turns_change_little(schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = run(jittered(), schedule, 24, 4, turns=8_000, quantum_seconds=1e-5)
    monkeypatch.setattr(simulator, "MOST_SLICES", 100)
    fine = run(jittered(), schedule, 24, 4, turns=8_000, quantum_seconds=1e-5)
    assert not np.array_equal(coarse.staleness, fine.staleness)
    assert coarse.turns_per_second == pytest.approx(fine.turns_per_second, rel=0.005)
    assert np.quantile(coarse.staleness, [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(fine.staleness, [0.1, 0.5, 0.9]), abs=2
    )


@pytest.mark.parametrize("schedule", ALL)
def test_more_cores_never_hurt(schedule: str) -> None:
    rates = [run(jittered(), schedule, 16, cores, turns=8_000).turns_per_second for cores in (1, 2, 4, 8, 16, 32)]
    assert all(more >= 0.995 * fewer for fewer, more in pairwise(rates))
    assert rates[-2] == rates[-1]  # a core for each is enough


@pytest.mark.parametrize("schedule", ["hogwild", "locked"])
def test_more_workers_up_to_the_cores_never_hurt(schedule: str) -> None:
    rates = [run(jittered(), schedule, n, 64, turns=8_000).turns_per_second for n in (1, 2, 4, 8, 16, 32, 64)]
    assert all(more >= 0.995 * fewer for fewer, more in pairwise(rates))


@pytest.mark.parametrize("schedule", ["hogwild", "synchronous"])
def test_less_bandwidth_costs_throughput(schedule: str) -> None:
    rates = [run(jittered(), schedule, 16, 16, bandwidth_workers=b).turns_per_second for b in (0.5, 1, 2, 16)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(run(jittered(), schedule, 16, 16).turns_per_second, rel=1e-6)


@pytest.mark.parametrize("schedule", ALL)
def test_the_generator_decides_everything(schedule: str) -> None:
    def once(seed: int) -> Prediction:
        draws = np.random.default_rng(seed)
        return simulate(jittered(), schedule=schedule, workers=9, cores=4, turns=999, generator=draws)

    first, again, other = once(3), once(3), once(4)
    assert np.array_equal(first.staleness, again.staleness)
    assert first.turns_per_second == again.turns_per_second != other.turns_per_second


def test_a_prediction_does_not_depend_on_what_else_is_predicted() -> None:
    def rates(schedules: tuple[str, ...], counts: tuple[int, ...]) -> dict[tuple[str, int], float]:
        found = predict(jittered(), schedules=schedules, worker_counts=counts, cores=4, seed=0, turns=500)
        return {(p.schedule, p.workers): p.turns_per_second for p in found}

    few, many = rates(("locked",), (2,)), rates(ALL, (1, 2, 8))
    assert list(many) == [(schedule, workers) for schedule in ALL for workers in (1, 2, 8)]
    assert few["locked", 2] == many["locked", 2]


def test_copies_share_the_bandwidth_while_they_overlap() -> None:
    machine = Machine(2, 2, quantum_seconds=1.0, switch_seconds=0.0, bandwidth_workers=1.0)
    machine.wake(0)
    machine.wake(1)
    tape = []
    assert [machine.next(), machine.next()] == [0, 1]
    machine.copy(0, 1.0)
    machine.compute(1, 0.5)
    tape.append((machine.next(), machine.now))
    machine.copy(1, 1.0)  # both at half speed until the first ends
    tape.append((machine.next(), machine.now))
    machine.sleep(0)
    tape.append((machine.next(), machine.now))
    assert tape == [(1, 0.5), (0, 1.5), (1, 2.0)]
    machine.sleep(1)
    assert machine.busy_seconds == 1.5 + 2.0


def test_slices_take_turns_on_a_core() -> None:
    machine = Machine(2, 1, quantum_seconds=1.0, switch_seconds=0.25)
    machine.wake(0)
    machine.wake(1)
    assert machine.next() == 0
    machine.compute(0, 2.0)  # 0.25 - 1.25, and again 2.75 - 3.75
    assert (machine.next(), machine.now) == (1, 1.5)
    machine.compute(1, 2.0)  # 1.5 - 2.5, and again 4 - 5
    assert (machine.next(), machine.now) == (0, 3.75)
    machine.sleep(0)
    assert (machine.next(), machine.now) == (1, 5.0)
    machine.compute(1, 2.5)  # nobody waits any more: no switch
    assert (machine.next(), machine.now) == (1, 7.5)


def test_a_worker_can_be_woken_before_others_that_wait() -> None:
    machine = Machine(3, 1, quantum_seconds=1.0, switch_seconds=0.0)
    machine.wake(0)
    machine.wake(1)
    machine.wake(2, first=True)
    order = []
    for _ in range(3):
        order.append(machine.next())
        machine.sleep(order[-1])
    assert order == [0, 2, 1]


def test_phases_come_from_a_table_or_arrays_and_leave_waiting_out() -> None:
    columns = {f"{name}_seconds": [0.1, 0.2] for name in ("lock_wait", "pull", "rollout", "gradient", "push")}
    columns |= {"rollout_seconds": [0.5, 0.75], "steps": [5, 3]}
    for table in (columns, pd.DataFrame(columns)):
        phases = phases_of(table)
        assert phases.rollout.tolist() == [0.5, 0.75]
        assert phases.steps.tolist() == [5.0, 3.0]
        assert phases.push.dtype == np.float64
    with pytest.raises(ValueError, match=r"lacks the columns gradient_seconds, push_seconds$"):
        phases_of({"rollout_seconds": [1], "pull_seconds": [1], "steps": [1]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"push": np.array([-1e-9])}, "push must be finite and not negative"),
        ({"gradient": np.array([np.nan])}, "gradient must be finite"),
        ({"pull": np.array([0.1, 0.2])}, r"pull must be \[n\]"),
        ({"rollout": np.array([])}, r"rollout must be \[n\]"),
        ({"rollout": np.array(0.1)}, r"rollout must be \[n\]"),
        ({"rollout": np.zeros(1)}, "no time"),
    ],
)
def test_impossible_phases_are_refused(values: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(constant(0.01), **values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": "drawn"}, "hogwild, locked, synchronous, got 'drawn'"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"cores": 0}, "cores must be at least 1"),
        ({"turns": 0}, "turns must be at least 1"),
        ({"bandwidth_workers": 0.0}, "bandwidth_workers must be above 0"),
        ({"switch_seconds": -1.0}, "switch_seconds and wake_seconds must be >= 0"),
        ({"quantum_seconds": 0.0}, "quantum_seconds > 0"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(constant(0.01), **{"schedule": "locked", "workers": 2, "cores": 2, **arguments})


@pytest.mark.parametrize("schedule", ALL)
@pytest.mark.parametrize(("cores", "turns"), [(64, 20_000), pytest.param(1024, 1_000_000, marks=pytest.mark.slow)])
def test_a_million_turns_of_a_thousand_workers_take_under_thirty_seconds(schedule: str, cores: int, turns: int) -> None:
    start = time.process_time()  # of this process alone: others may share its core
    run(jittered(), schedule, 1024, cores, turns=turns, switch_seconds=2e-6, bandwidth_workers=4.0)
    assert time.process_time() - start < 30 * (turns + 10 * 1024) / 1_000_000 + 0.5
