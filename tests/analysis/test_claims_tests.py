"""What each kind of test makes of rows whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from a3c.analysis.claim_schema import Test as AnyTest
from a3c.analysis.claim_tests import CONTRADICTED, SUPPORTED, UNDECIDED, Effect, effects, judged, mover_difference
from a3c.analysis.intervals import Estimate
from a3c.analysis.profiles import proportion

READ: TypeAdapter[Any] = TypeAdapter(AnyTest)
RATES = [0.001, 0.002, 0.003, 0.004, 0.005]


def run(variant: str, score: float, seed: int = 0, workers: int = 4, game: str = "CartPole-v1", **more: Any) -> Any:
    """A row of the table `runs`."""
    return {"game": game, "variant": variant, "workers": workers, "oversubscribed": "no", "seed": seed,
            "mean_score": score} | more  # fmt: skip


def scored(variant: str, *scores: float, **more: Any) -> list[Any]:
    """A run a score, seeds in order."""
    return [run(variant, score, seed, **more) for seed, score in enumerate(scores)]


def found(test: dict[str, Any], rows: list[Any], swept: str | None = None, **tables: Any) -> list[list[Effect]]:
    return effects(READ.validate_python(test), {"runs": rows} | tables, swept)


def only(test: dict[str, Any], rows: list[Any], swept: str | None = None, **tables: Any) -> Effect:
    [[effect]] = found(test, rows, swept, **tables)
    return effect


def versus(kind: str = "difference", **more: Any) -> dict[str, Any]:
    sides = {"arm": {"variant": "a"}, "against": [{"variant": "b"}]}
    expect = {"expect": "higher"} if kind == "difference" else {}
    return {"kind": kind, "column": "mean_score"} | sides | expect | more


@pytest.mark.parametrize(
    ("interval", "n", "verdict"),
    [
        ((1.0, 2.0), 5, SUPPORTED),
        ((1.0, 2.0), 4, UNDECIDED),
        ((-2.0, -1.0), 5, CONTRADICTED),
        ((-2.0, -1.0), 4, UNDECIDED),
        ((-1.0, 1.0), 50, UNDECIDED),
        ((0.0, 0.0), 50, UNDECIDED),
        ((1.0, np.inf), 5, UNDECIDED),
        ((np.nan, np.nan), 5, UNDECIDED),
    ],
)
def test_an_interval_decides_and_fewer_than_five_runs_never_do(
    interval: tuple[float, float], n: int, verdict: str
) -> None:
    assert judged(interval, (0.0, np.inf), n) == verdict


def test_runs_that_share_a_seed_are_compared_as_pairs() -> None:
    b = [10.0, 200.0, 30.0, 400.0, 50.0]
    gains = [3.0, 4.0, 5.0, 6.0, 7.0]
    effect = only(versus(), [*scored("a", *np.add(b, gains)), *scored("b", *b)])
    half = 2.776 * np.std(gains, ddof=1) / np.sqrt(5)  # t(4, 97.5%), as printed in any table of it
    assert effect.value == pytest.approx(5.0)
    assert effect.interval == pytest.approx((5.0 - half, 5.0 + half), abs=1e-3)
    assert (effect.verdict, effect.n) == (SUPPORTED, 5)
    lower = only(versus(expect="lower"), [*scored("a", *np.add(b, gains)), *scored("b", *b)])
    assert lower.verdict == CONTRADICTED


def test_an_arm_without_a_value_pairs_runs_by_value_and_seed() -> None:
    rows = []
    for place, rate in enumerate(RATES):  # all of one seed
        rows += [run("a", 100.0 * rate + 1 + place % 2, rate=rate), run("b", 100.0 * rate, rate=rate)]
    effect = only(versus(), rows, "rate")
    assert (effect.n, effect.verdict, effect.against) == (5, SUPPORTED, "b, 4 workers")
    assert effect.value == pytest.approx(1.4)


def test_the_natural_value_is_the_nearest_to_the_other_workers() -> None:
    rows = [r for lag in (0, 1, 4, 16) for r in scored("a", *range(lag, lag + 5), lag=lag)]
    sides = {"arm": {"variant": "a", "value": "natural"}, "against": [{"variant": "a", "value": "least"}]}
    effect = only(versus(**sides), rows, "lag")
    assert (effect.arm, effect.against, effect.value) == ("a, 4 workers, lag 4", "a, 4 workers, lag 0", 4.0)


def test_one_word_for_workers_means_one_number_of_them() -> None:
    rows = [*scored("a", 1, workers=2), *scored("a", 2, workers=8), *scored("b", 3, workers=2)]
    assert only(versus(), rows).arm == "a, 2 workers"


def test_workers_beyond_the_cores_are_marked_and_can_be_left_out() -> None:
    rows = [r for v in "ab" for r in (*scored(v, 1, workers=2), *scored(v, 2, workers=8, oversubscribed="yes"))]
    assert only(versus(), rows).crowded
    sides = {"arm": {"variant": "a", "workers": "most_within_cores"}}
    sides |= {"against": [{"variant": "b", "workers": "most_within_cores"}]}
    within = only(versus(**sides), rows)
    assert (within.arm, within.crowded) == ("a, 2 workers", False)


def test_an_arm_is_not_held_against_itself() -> None:
    sides = {"arm": {"variant": "a", "workers": "most"}, "against": [{"variant": "a", "workers": "fewest"}]}
    assert found(versus(**sides), scored("a", 1, 2, 3, 4, 5)) == [[]]


def test_an_arm_that_lacks_a_value_in_any_run_is_not_tested_by_the_others() -> None:
    a, b = scored("a", *range(10, 16)), scored("b", *range(6))
    assert only(versus(), [*a, *b]).verdict == SUPPORTED
    b[0]["mean_score"] = np.nan
    assert found(versus(), [*a, *b]) == [[]]


def test_means_within_the_margin_are_equivalent_and_games_without_a_margin_are_not_tested() -> None:
    rows = [*scored("a", 100, 101, 99, 102, 98), *scored("b", 101, 99, 100, 103, 97), *scored("a", 1, game="Pong"),
            *scored("b", 1, game="Pong")]  # fmt: skip
    assert only(versus("equivalence", margins={"CartPole-v1": 5}), rows).verdict == SUPPORTED
    assert only(versus("equivalence", margins={"CartPole-v1": 0.1}), rows).verdict == UNDECIDED
    far = [*scored("a", 100, 101, 99, 102, 98), *scored("b", 121, 119, 120, 123, 117)]
    assert only(versus("equivalence", margins={"CartPole-v1": 5}), far).verdict == CONTRADICTED


def test_a_ratio_is_held_against_its_bounds() -> None:
    rows = [*scored("a", 19.9, 20, 20.1, 20, 20), *scored("b", 10, 9.9, 10.1, 10, 10)]
    ratio = only(versus("ratio", above=1.5, below=2.5), rows)
    assert (ratio.value, ratio.verdict) == (pytest.approx(2.0), SUPPORTED)
    assert only(versus("ratio", above=3), rows).verdict == CONTRADICTED


def test_two_shares_with_wilsons_intervals_give_newcombes() -> None:
    """His first example: 56 of 70 against 48 of 80, 0.0524 to 0.3339 by method 10."""
    found = mover_difference(proportion(56, 70), proportion(48, 80))
    assert found.value == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_an_end_beyond_the_budget_stays_infinite_and_an_unknown_one_unknown() -> None:
    sure = Estimate(1.0, (0.0, 2.0))
    assert mover_difference(Estimate(5.0, (4.0, np.inf)), sure).interval[1] == np.inf
    assert np.isnan(mover_difference(Estimate(5.0, (np.nan, np.nan)), sure).interval).all()


def test_curves_are_compared_at_the_latest_second_that_both_reach() -> None:
    def curve(variant: str, end: int, score: float) -> list[Any]:
        key = {"game": "CartPole-v1", "variant": variant, "workers": 4, "n": 5}
        return [key | {"seconds": s, "score": score * s, "score_lo": score * s - 1, "score_hi": score * s + 1}
                for s in range(1, end + 1)]  # fmt: skip

    test = versus(table="curves", column="score")
    effect = only(test, [*scored("a", 1), *scored("b", 1)], curves=[*curve("a", 20, 2), *curve("b", 10, 1)])
    assert (effect.value, effect.verdict) == (10.0, SUPPORTED)
    assert effect.interval == pytest.approx((10 - np.sqrt(2), 10 + np.sqrt(2)))


def test_one_run_outside_the_bounds_contradicts_what_must_hold_in_every_run() -> None:
    rows = [run("a", 0, seed, workers=4, staleness_mean=3.0) for seed in range(4)]
    rows += [run("a", 0, 0, workers=1, staleness_mean=0.0)]  # nobody makes it stale
    test = {"kind": "quantity", "column": "staleness_error", "above": -0.01, "below": 0.01, "variants": ["a"]}
    assert only(test, rows).verdict == UNDECIDED
    rows += [run("a", 0, 0, workers=2, staleness_mean=0.995)]
    assert (only(test, rows).verdict, only(test, rows).n) == (SUPPORTED, 5)
    assert not only(test, rows).crowded
    rows += [run("a", 0, 0, workers=3, staleness_mean=2.1, oversubscribed="yes")]
    assert (only(test, rows).verdict, only(test, rows).crowded) == (CONTRADICTED, True)


def test_a_quantity_of_another_table_is_judged_row_by_row() -> None:
    row = {"game": "Pong", "variant": "a", "workers": 4, "n": 5, "share": 0.2, "share_lo": 0.1, "share_hi": 0.3}
    test = {"kind": "quantity", "table": "phases", "column": "share", "below": 0.5, "variants": ["a"]}
    assert only(test, [], phases=[row]).verdict == SUPPORTED
    assert only(test | {"below": 0.25}, [], phases=[row]).verdict == UNDECIDED
    for over in ("yes", "no"):
        assert only(test, [run("a", 0, game="Pong", oversubscribed=over)], phases=[row]).crowded == (over == "yes")


def test_what_a_run_loses_is_its_best_point_less_its_last() -> None:
    rows = [run("a", 0, s, best_point_score=100.0, final_score=40.0 - s) for s in range(5)]
    rows += [run("b", 0, s, best_point_score=100.0, final_score=90.0) for s in range(5)]
    assert only(versus(column="lost_score"), rows).value == pytest.approx(52.0)


def test_replays_that_differ_are_counted() -> None:
    row = {"game": "Pong", "variant": "a", "workers": 4, "repeats": 5, "replays_equal": 5.0}
    test = {"kind": "quantity", "table": "reproducibility", "column": "replays_unequal", "below": 0.5,
            "variants": ["a"], "counted_by": "repeats"}  # fmt: skip
    assert only(test, [], reproducibility=[row]).verdict == SUPPORTED
    assert only(test, [], reproducibility=[row | {"replays_equal": 4.0}]).verdict == CONTRADICTED
    assert only(test, [], reproducibility=[row | {"repeats": 4, "replays_equal": 4.0}]).verdict == UNDECIDED
