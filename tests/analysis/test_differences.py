"""Two groups of seeds against SciPy, arithmetic done by hand and what the definitions promise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from a3c.analysis import differences, power

DRAWS = np.random.default_rng(0)
FIRST, SECOND = DRAWS.normal(1.0, 1.0, size=6), DRAWS.normal(0.0, 3.0, size=6)


def test_a_paired_mean_difference_is_scipys_paired_t_test() -> None:
    found = differences.paired_mean_difference(FIRST, SECOND, 0.9)
    theirs = scipy.stats.ttest_rel(FIRST, SECOND).confidence_interval(0.9)
    assert found.value == pytest.approx(FIRST.mean() - SECOND.mean(), rel=1e-12)
    assert found.interval == pytest.approx((theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize("runs", [2, 4, 6])
def test_an_unpaired_mean_difference_is_scipys_welch_test(runs: int) -> None:
    found = differences.unpaired_mean_difference(FIRST[:runs], SECOND, 0.9)
    theirs = scipy.stats.ttest_ind(FIRST[:runs], SECOND, equal_var=False).confidence_interval(0.9)
    assert found.interval == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_pairs_are_drawn_as_pairs() -> None:
    """A constant gain on seeds that differ greatly: paired, its interval is a point; unpaired, it is wide."""
    seeds = np.array([0.0, 100.0, 200.0, 300.0])
    assert differences.paired_mean_difference(seeds + 5.0, seeds) == (5.0, (5.0, 5.0))
    low, high = differences.unpaired_mean_difference(seeds + 5.0, seeds).interval
    assert low < -100.0
    assert high > 100.0


def test_incomplete_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        differences.paired_mean_difference([1.0, 2.0], [1.0])


def test_two_constant_groups_differ_by_a_point() -> None:
    assert differences.unpaired_mean_difference([3.0, 3.0], [1.0, 1.0, 1.0]) == (2.0, (2.0, 2.0))


@pytest.mark.filterwarnings("error")
def test_one_run_has_a_difference_and_no_interval() -> None:
    for found in (
        differences.paired_mean_difference([3.0], [1.0]),
        differences.unpaired_mean_difference([3.0], [1.0, 1.0]),
        differences.ratio_of_means([2.0], [1.0, 1.0]),
    ):
        assert found.value == 2.0
        assert np.isnan(found.interval).all()


def test_a_ratio_turned_over_has_the_inverse_interval() -> None:
    x, y = np.array([900.0, 1000.0, 1150.0]), np.array([310.0, 300.0, 280.0, 305.0])
    ratio, inverse = differences.ratio_of_means(x, y), differences.ratio_of_means(y, x)
    assert ratio.value == x.mean() / y.mean()
    assert ratio.value == pytest.approx(1.0 / inverse.value, rel=1e-12)
    assert ratio.interval == pytest.approx((1.0 / inverse.interval[1], 1.0 / inverse.interval[0]), rel=1e-12)


def test_a_ratios_interval_is_to_first_order_the_difference_of_relative_scores() -> None:
    """With relative errors of 1e-4 the second order is about 1e-8."""
    x, y = 700.0 * (1.0 + 1e-4 * FIRST), 200.0 * (1.0 + 1e-4 * SECOND)
    theirs = scipy.stats.ttest_ind(x / x.mean(), y / y.mean(), equal_var=False).confidence_interval()
    low, high = differences.ratio_of_means(x, y).interval
    ratio = x.mean() / y.mean()
    assert (low / ratio - 1.0, high / ratio - 1.0) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


def test_the_interval_of_a_ratio_holds_it_in_95_of_100_cases() -> None:
    """Three runs of 30% relative spread: 95.8% was measured in 4,000 trials. Bounds: four standard errors of 800."""
    draws = np.random.default_rng(3)
    found = [differences.ratio_of_means(3.0 * x, y).interval for x, y in draws.gamma(11.0, size=(800, 2, 3))]
    assert 0.92 < np.mean([low <= 3.0 <= high for low, high in found]) < 0.99


@pytest.mark.parametrize("scores", [[0.0, 0.0], [-2.0, 1.0]])
def test_a_ratio_needs_positive_means(scores: list[float]) -> None:
    for groups in ((scores, [1.0, 2.0]), ([1.0, 2.0], scores)):
        with pytest.raises(ValueError, match="positive means"):
            differences.ratio_of_means(*groups)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("margin", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
def test_equivalence_is_decided_as_by_two_one_sided_tests(paired: bool, margin: float) -> None:
    test = scipy.stats.ttest_rel if paired else scipy.stats.ttest_ind
    options = {} if paired else {"equal_var": False}
    for x, y in ((FIRST, SECOND), (SECOND, FIRST)):
        above = test(x + margin, y, alternative="greater", **options).pvalue
        below = test(x - margin, y, alternative="less", **options).pvalue
        found = differences.equivalence(x, y, margin, paired=paired)
        assert found.shown == (max(above, below) < 0.05)
        assert found.interval == pytest.approx(tuple(test(x, y, **options).confidence_interval(0.9)), rel=1e-9)


def test_some_margins_show_equivalence_and_some_do_not() -> None:
    """So that the comparison with the two tests has both outcomes."""
    shown = [differences.equivalence(FIRST, SECOND, margin, paired=False).shown for margin in (0.5, 5.5)]
    assert shown == [False, True]


def test_a_true_difference_of_the_margin_is_taken_for_none_in_at_most_5_of_100_cases() -> None:
    """With a large sample's power it is 5%; bounds are four standard errors of 1,000 trials."""
    draws = np.random.default_rng(4)
    pairs = draws.normal(size=(1_000, 2, 5))
    shown = [differences.equivalence(x + 4.0, y, 4.0, paired=False).shown for x, y in pairs]
    assert 0.02 < np.mean(shown) < 0.08


def test_one_run_shows_no_equivalence() -> None:
    assert not differences.equivalence([1.0], [1.0], 100.0, paired=True).shown


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan"), float("inf")])
def test_a_margin_that_is_none_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        differences.equivalence(FIRST, SECOND, margin, paired=True)


def test_the_pooled_deviation_is_that_of_scipys_t_test() -> None:
    """Its t is the difference over the pooled deviation times sqrt(1 / n_x + 1 / n_y)."""
    t = scipy.stats.ttest_ind(FIRST[:3], SECOND).statistic
    expected = (FIRST[:3].mean() - SECOND.mean()) / (t * np.sqrt(1 / 3 + 1 / 6))
    assert power.pooled_deviation(FIRST[:3], SECOND) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(power.pooled_deviation([1.0], [2.0]))


@pytest.mark.parametrize("runs", [2, 3, 5, 10, 100])
def test_the_smallest_detectable_difference_has_a_power_of_80_percent(runs: int) -> None:
    shift = power.smallest_detectable_difference(2.0, runs) / 2.0 * np.sqrt(runs / 2)
    freedom = 2 * runs - 2
    least = scipy.stats.t.ppf(0.975, freedom)
    found = scipy.stats.nct.sf(least, freedom, shift) + scipy.stats.nct.cdf(-least, freedom, shift)
    assert found == pytest.approx(0.8, abs=1e-4)  # the wrong sign, which is neglected, has less


def test_four_in_five_experiments_find_the_smallest_detectable_difference() -> None:
    """Bounds are four standard errors of 2,000 trials."""
    draws = np.random.default_rng(5)
    x, y = draws.normal(size=(2, 2_000, 5))
    gap = power.smallest_detectable_difference(1.0, 5)
    found = np.mean(scipy.stats.ttest_ind(x + gap, y, axis=1).pvalue < 0.05)
    assert 0.764 < found < 0.836


def test_fewer_than_two_seeds_detect_nothing() -> None:
    assert np.isnan([power.smallest_detectable_difference(1.0, runs) for runs in (0, 1)]).all()
