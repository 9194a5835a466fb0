"""Orders of turns: who acts, how stale, which versions must be kept, and which records cannot have been."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from a3c import seeding
from a3c.asynchrony.order import DrawnLagOrder, Order, SpeedOrder, Turn, make_order
from a3c.asynchrony.recorded_order import ImpossibleTurn, RecordedOrder
from a3c.records.schedule_file import MOST_STALENESS, TURN, Header
from a3c.settings import Settings

PULLING = [
    {"kind": "round_robin"},
    {"kind": "speeds_lognormal", "sigma": 1.0},
    {"kind": "speeds_heterogeneous", "slowest": 4.0},
    {"kind": "straggler", "factor": 8.0},
]
LAGGING = [
    {"kind": "constant_lag", "lag": 7},
    {"kind": "geometric", "mean": 3.0, "max_lag": 12},
    {"kind": "histogram", "counts": [0, 5, 0, 1, 9, 0]},
]
MOST_LAG = {"constant_lag": 7, "geometric": 12, "histogram": 4}
LOCKED = Header("locked", 3, 4)

Drawn = Callable[..., Order]


def name(order: dict[str, Any]) -> str:
    return str(order["kind"])


@pytest.fixture
def drawn(cliff: Callable[..., Settings]) -> Drawn:
    return lambda order, workers=16, seed=0: make_order(
        cliff(schedule="drawn", order=order, workers=workers, seed=seed)
    )


def turns_of(order: Order, count: int) -> list[Turn]:
    turns = [order.next(version) for version in range(count)]
    return [turn for turn in turns if turn is not None]


def table(turns: list[Turn]) -> tuple[np.ndarray, np.ndarray]:
    """Workers and stalenesses, int64 [U]."""
    workers, reads = np.array(turns).T
    return workers, np.arange(len(turns)) - reads


def recorded(turns: list[Turn], header: Header) -> RecordedOrder:
    """The order of a record of these turns, whose steps and checks are of no interest here."""
    rows = [(turn.worker, 5, version - turn.read, 0) for version, turn in enumerate(turns)]
    return RecordedOrder(header, np.array(rows, TURN))


def round_robin_twin(workers: int, count: int) -> list[Turn]:
    """Workers that act one after the other, each pulling what it has just pushed."""
    pulled = [0] * workers
    turns = []
    for version in range(count):
        worker = version % workers
        turns.append(Turn(worker, pulled[worker]))
        pulled[worker] = version + 1
    return turns


# Constant lags


@pytest.mark.parametrize("lag", [0, 1, 7, 64])
@pytest.mark.parametrize("workers", [1, 3, 16])
def test_a_constant_lag_is_exact_after_the_warm_up_for_any_number_of_workers(
    drawn: Drawn, lag: int, workers: int
) -> None:
    order_turns = turns_of(drawn({"kind": "constant_lag", "lag": lag}, workers), 200)
    acting, staleness = table(order_turns)
    assert acting.tolist() == [t % workers for t in range(200)]
    assert staleness.tolist() == list(range(lag)) + [lag] * (200 - lag)


@pytest.mark.parametrize("workers", [1, 2, 5, 16])
def test_round_robin_is_constant_lag_of_n_minus_1_and_speeds_without_spread(drawn: Drawn, workers: int) -> None:
    twin = round_robin_twin(workers, 300)
    assert turns_of(drawn({"kind": "round_robin"}, workers), 300) == twin
    assert turns_of(drawn({"kind": "constant_lag", "lag": workers - 1}, workers), 300) == twin
    assert turns_of(drawn({"kind": "speeds_lognormal", "sigma": 0.0}, workers), 300) == twin


# Drawn lags


def frequencies(staleness: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(staleness, minlength=size) / len(staleness)


def assert_distributed(staleness: np.ndarray, probability: np.ndarray) -> None:
    """Within five standard deviations of each frequency, sqrt(p (1 - p) / n), and nothing where p is 0."""
    found = frequencies(staleness, len(probability))
    assert len(found) == len(probability)
    deviation = np.sqrt(probability * (1 - probability) / len(staleness))
    assert np.all(np.abs(found - probability) <= 5 * deviation)


def test_geometric_lags_have_their_distribution_cut_and_renormalized(drawn: Drawn) -> None:
    turns = turns_of(drawn({"kind": "geometric", "mean": 3.0, "max_lag": 12}), 100_012)
    workers, staleness = table(turns)
    assert workers.tolist() == [t % 16 for t in range(len(turns))]
    weights = np.array([0.25 * 0.75**s for s in range(13)])
    assert_distributed(staleness[12:], weights / weights.sum())


def test_an_uncut_geometric_lag_has_the_mean_asked_for(drawn: Drawn) -> None:
    """Its standard deviation is sqrt(m (1 + m)) = 15.5, so the mean of 100,000 is within 0.25 at five deviations."""
    _, staleness = table(turns_of(drawn({"kind": "geometric", "mean": 15.0, "max_lag": 1000}), 101_000))
    assert staleness[1000:].mean() == pytest.approx(15.0, abs=0.25)


def test_histogram_lags_come_as_often_as_they_were_counted(drawn: Drawn) -> None:
    counts = np.array([0, 5, 0, 1, 9, 0])
    _, staleness = table(turns_of(drawn({"kind": "histogram", "counts": counts.tolist()}), 100_005))
    assert_distributed(staleness[5:], counts / 15)


def test_one_possible_lag_is_a_constant_lag(drawn: Drawn) -> None:
    histogram = turns_of(drawn({"kind": "histogram", "counts": [0, 0, 0, 8]}), 500)
    assert histogram == turns_of(drawn({"kind": "constant_lag", "lag": 3}), 500)
    geometric = turns_of(drawn({"kind": "geometric", "mean": 0.0, "max_lag": 9}), 500)
    assert geometric == turns_of(drawn({"kind": "constant_lag", "lag": 0}), 500)


def test_a_histogram_too_large_for_64_bits_is_drawn_from(drawn: Drawn) -> None:
    _, staleness = table(turns_of(drawn({"kind": "histogram", "counts": [2**80, 2**80]}), 1000))
    assert set(staleness.tolist()) == {0, 1}


def test_a_lag_that_was_never_counted_is_not_drawn_even_at_the_edge() -> None:
    class Zeros(np.random.Generator):
        def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
            return np.zeros(size)

    _, staleness = table(turns_of(DrawnLagOrder(2, [0, 0, 1, 1], Zeros(np.random.PCG64(0))), 100))
    assert set(staleness[2:].tolist()) == {2}


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1], [1, float("nan")], [float("inf")]])
def test_weights_that_are_no_distribution_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights of lags"):
        DrawnLagOrder(2, weights, np.random.default_rng(0))


# Speeds


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("order", PULLING, ids=name)
def test_mean_staleness_is_n_minus_1_whatever_the_speeds(drawn: Drawn, order: dict[str, Any], workers: int) -> None:
    workers_of, staleness = table(turns_of(drawn(order, workers), 40_000))
    assert staleness.mean() == pytest.approx(workers - 1, rel=0.01)
    last = [int(np.flatnonzero(workers_of == w)[-1]) + 1 for w in range(workers)]
    assert staleness.sum() == sum(last) - 40_000


@pytest.mark.parametrize("order", PULLING, ids=name)
def test_a_worker_reads_the_version_that_its_own_last_push_made(drawn: Drawn, order: dict[str, Any]) -> None:
    pulled = [0] * 16
    for version, turn in enumerate(turns_of(drawn(order), 3000)):
        assert turn.read == pulled[turn.worker]
        pulled[turn.worker] = version + 1


def assert_shares(turns: list[Turn], medians: np.ndarray) -> None:
    """Worker w makes its share of U turns, (1/m_w) / Σ (1/m_v), and has mean staleness (U - U_w) / U_w.

    Service times with sigma 0.1 have all the same mean per median. The counts vary by 0.1 sqrt(U_w), far below the
    stated 2%; so do the edges, one turn in U_w.
    """
    workers, staleness = table(turns)
    share = 1 / medians / np.sum(1 / medians)
    for worker, expected in enumerate(share):
        mine = workers == worker
        assert mine.mean() == pytest.approx(expected, rel=0.02)
        assert staleness[mine].mean() == pytest.approx((len(turns) - mine.sum()) / mine.sum(), rel=0.02)
        assert staleness[mine].mean() == pytest.approx(1 / expected - 1, rel=0.02)


def test_slower_workers_are_staler_in_proportion(drawn: Drawn) -> None:
    turns = turns_of(drawn({"kind": "speeds_heterogeneous", "slowest": 4.0}), 60_000)
    assert_shares(turns, np.array([1 + 3 * w / 15 for w in range(16)]))


def test_the_straggler_is_the_last_worker_and_factor_times_staler(drawn: Drawn) -> None:
    turns = turns_of(drawn({"kind": "straggler", "factor": 8.0}), 60_000)
    assert_shares(turns, np.array([1.0] * 15 + [8.0]))


@pytest.mark.parametrize(("median", "sigma"), [(2.0, 0.5), (1.2, 0.1), (3.0, 2.0)])
def test_times_are_lognormal_with_their_medians_and_sigma(median: float, sigma: float) -> None:
    """ln T_0 - ln T_1 is normal: the faster worker is first with probability Φ(ln(m_1 / m_0) / (sigma √2))."""
    generators = [np.random.default_rng(seed) for seed in (1, 2)]
    first = [SpeedOrder([1.0, median], sigma, generators).next(0).worker == 0 for _ in range(3000)]
    expected = NormalDist().cdf(np.log(median) / (sigma * np.sqrt(2)))
    # Five standard deviations of a frequency.
    assert np.mean(first) == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 3000))


@pytest.mark.parametrize(("sigma", "deviation"), [(0.3, (3, 8)), (1.0, (12, 40))])
def test_a_wider_spread_of_times_gives_a_wider_spread_of_staleness(
    drawn: Drawn, sigma: float, deviation: tuple[float, float]
) -> None:
    """The bounds are wide: the spread has no closed form, but is near N for times without memory."""
    _, staleness = table(turns_of(drawn({"kind": "speeds_lognormal", "sigma": sigma}), 40_000))
    assert deviation[0] < staleness.std() < deviation[1]


def test_another_worker_changes_nobodys_times() -> None:
    """The turns of workers 0 to 3 among themselves are the same whether or not there is a worker 4."""

    def among_four(workers: int) -> list[int]:
        generators = [seeding.generator(5, "order", worker) for worker in range(workers)]
        acting = [turn.worker for turn in turns_of(SpeedOrder([1.0] * workers, 1.0, generators), 4000)]
        return [worker for worker in acting if worker < 4][:2000]

    assert among_four(5) == among_four(4)


def test_the_settings_give_each_worker_a_stream_of_its_own(drawn: Drawn) -> None:
    generators = [seeding.generator(3, "order", worker) for worker in range(4)]
    expected = turns_of(SpeedOrder([1.0] * 4, 1.0, generators), 1000)
    assert turns_of(drawn({"kind": "speeds_lognormal", "sigma": 1.0}, workers=4, seed=3), 1000) == expected


# What must be kept


def assert_needs_are_right(make: Callable[[], Order], count: int, most: int, exact: bool) -> None:
    """Against the whole order, known beforehand: nothing that is read later is let go, and few are kept."""
    turns = turns_of(make(), count)
    last_read = dict.fromkeys(range(count + 1), -1)
    last_read.update({turn.read: version for version, turn in enumerate(turns)})
    order = make()
    for version in range(len(turns)):
        needed = {read for read in range(version + 1) if order.needs(read, version)}
        later = {read for read in range(version + 1) if last_read[read] >= version}
        assert later <= needed
        assert len(needed) <= most
        if exact and version < count // 2:  # what is read after the last turn looked at is not known
            assert later == needed
        order.next(version)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", PULLING, ids=name)
def test_as_many_versions_are_kept_as_there_are_workers_and_those_exactly(
    drawn: Drawn, order: dict[str, Any], seed: int
) -> None:
    assert_needs_are_right(lambda: drawn(order, workers=5, seed=seed), 400, most=5, exact=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", LAGGING, ids=name)
def test_as_many_versions_are_kept_as_the_greatest_lag_and_one(drawn: Drawn, order: dict[str, Any], seed: int) -> None:
    most = MOST_LAG[order["kind"]] + 1
    assert_needs_are_right(lambda: drawn(order, workers=5, seed=seed), 300, most=most, exact=False)


@pytest.mark.parametrize("seed", range(4))
def test_a_recorded_order_keeps_exactly_what_is_read_later(drawn: Drawn, seed: int) -> None:
    turns = turns_of(drawn({"kind": "speeds_lognormal", "sigma": 1.0}, workers=5, seed=seed), 300)
    order = recorded(turns, Header("locked", 5, 4))
    assert_needs_are_right(lambda: order, 300, most=5, exact=True)
    assert not any(order.needs(read, 300) for read in range(302))


# Seeds and the executor's calls


@pytest.mark.parametrize("order", [*PULLING, *LAGGING], ids=name)
def test_the_order_is_the_seeds_and_only_the_seeds(drawn: Drawn, order: dict[str, Any]) -> None:
    first = turns_of(drawn(order, seed=1), 2000)
    assert turns_of(drawn(order, seed=1), 2000) == first
    fixed = order["kind"] in ("round_robin", "constant_lag")
    assert (turns_of(drawn(order, seed=2), 2000) == first) == fixed


@pytest.mark.parametrize("order", [*PULLING[1:], *LAGGING[1:]], ids=name)
def test_a_drawn_order_can_neither_skip_nor_repeat_a_turn(drawn: Drawn, order: dict[str, Any]) -> None:
    for wrong in (0, 2):
        made = drawn(order)
        made.next(0)
        with pytest.raises(ValueError, match=f"version 1 is due, not {wrong}"):
            made.next(wrong)


def test_settings_without_an_order_have_none_to_draw(cliff: Callable[..., Settings]) -> None:
    with pytest.raises(ValueError, match="no order"):
        make_order(cliff(schedule="locked"))


@pytest.mark.slow
@pytest.mark.parametrize("order", [PULLING[1], PULLING[3], {"kind": "geometric", "mean": 1023.0, "max_lag": 8192}],
                         ids=name)  # fmt: skip
def test_a_million_turns_of_1024_workers_take_seconds(drawn: Drawn, order: dict[str, Any]) -> None:
    made, begin = drawn(order, workers=1024), time.process_time()
    total = sum(version - turn.read for version in range(1_000_000) if (turn := made.next(version)))
    assert time.process_time() - begin < 15
    assert total / 1_000_000 == pytest.approx(1023, rel=0.01)


# Records


HAND_MADE = [Turn(0, 0), Turn(0, 1), Turn(2, 0), Turn(1, 2), Turn(2, 3), Turn(1, 4), Turn(0, 2)]


def test_a_recorded_order_is_the_schedule_and_then_ends() -> None:
    order = recorded(HAND_MADE, LOCKED)
    assert [order.next(version) for version in range(9)] == [*HAND_MADE, None, None]
    kept = [[read for read in range(version + 1) if order.needs(read, version)] for version in range(8)]
    assert kept == [[0], [0, 1], [0, 2], [2, 3], [2, 3, 4], [2, 4], [2], []]


def test_an_empty_record_ends_at_once() -> None:
    order = RecordedOrder(LOCKED, np.zeros(0, TURN))
    assert order.next(0) is None
    assert not order.needs(0, 0)


@pytest.mark.parametrize("order", PULLING, ids=name)
def test_what_workers_can_do_is_not_refused(drawn: Drawn, order: dict[str, Any]) -> None:
    turns = turns_of(drawn(order), 2000)
    for kind in ("locked", "hogwild", "drawn"):
        assert turns_of(recorded(turns, Header(kind, 16, 4)), 2001) == turns


@pytest.mark.parametrize("order", LAGGING, ids=name)
def test_a_drawn_record_may_read_any_version(drawn: Drawn, order: dict[str, Any]) -> None:
    turns = turns_of(drawn(order, workers=2), 500)
    assert turns_of(recorded(turns, Header("drawn", 2, 4)), 501) == turns
    with pytest.raises(ImpossibleTurn):
        recorded(turns, Header("locked", 2, 4))


def test_a_worker_may_keep_what_it_pulled_over_several_pushes_and_pull_late() -> None:
    kept = [Turn(0, 0), Turn(0, 0), Turn(1, 2), Turn(0, 0), Turn(1, 2), Turn(0, 5)]
    assert turns_of(recorded(kept, Header("hogwild", 2, 4)), 7) == kept


DRAWN = Header("drawn", 3, 4)
IMPOSSIBLE = [
    (LOCKED, [(0, 0), (3, 0)], "turn 1 of worker 3 is impossible: the run has 3 workers, 0 to 2"),
    (DRAWN, [(3, 0), (4, 0)], "turn 0 of worker 3 is impossible: the run has 3 workers, 0 to 2"),
    (
        LOCKED,
        [(0, 0), (1, 2)],
        "turn 1 of worker 1 is impossible: its staleness is 2, which reaches back before version 0",
    ),
    (DRAWN, [(2, 1)], "turn 0 of worker 2 is impossible: its staleness is 1, which reaches back before version 0"),
    (
        LOCKED,
        [(0, 0), (0, 0), (1, 0), (0, 3), (0, 0)],
        "turn 3 of worker 0 is impossible: it reads version 0, but had pulled version 1 and then made 2",
    ),
    (
        Header("hogwild", 3, 4),
        [(1, 0), (1, 0), (0, 2), (0, 2)],
        "turn 3 of worker 0 is impossible: it reads version 1, but had pulled version 0 and then made 3",
    ),
    (
        LOCKED,
        [(1, 0), (1, 0), (0, 2), (0, 1)],
        "turn 3 of worker 0 is impossible: it reads version 2, but had pulled version 0 and then made 3",
    ),
]


@pytest.mark.parametrize(("header", "rows", "message"), IMPOSSIBLE)
def test_a_record_that_cannot_be_is_refused_naming_turn_and_worker(
    header: Header, rows: list[tuple[int, int]], message: str
) -> None:
    """Rows are (worker, staleness)."""
    record = np.array([(worker, 5, staleness, 0) for worker, staleness in rows], TURN)
    with pytest.raises(ImpossibleTurn) as caught:
        RecordedOrder(header, record)
    assert str(caught.value) == message
    assert message.startswith(f"turn {caught.value.turn} of worker {caught.value.worker} ")
    assert message.endswith(caught.value.reason)


def test_a_staleness_too_great_to_be_recorded_is_refused() -> None:
    record = np.zeros(MOST_STALENESS + 3, TURN)
    record["worker"] = 1
    record[0]["worker"] = 0
    record[-1] = (0, 5, MOST_STALENESS - 1, 0)
    RecordedOrder(Header("drawn", 2, 4), record)
    record[-1]["staleness"] = MOST_STALENESS
    with pytest.raises(ImpossibleTurn, match=f"too great to be recorded: {MOST_STALENESS} or more"):
        RecordedOrder(Header("drawn", 2, 4), record)


def test_a_synchronous_record_is_no_order_of_turns() -> None:
    with pytest.raises(ValueError, match="all its workers act at once"):
        RecordedOrder(Header("synchronous", 2, 4), np.zeros(4, TURN))
