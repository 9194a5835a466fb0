"""Shares of runs and areas under curves against SciPy, exact sums and arithmetic done by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from a3c.analysis import intervals, profiles


def test_a_profile_counts_the_scores_above_each_threshold() -> None:
    scores = np.array([[0.0, 1.0], [2.0, 3.0]])
    found = profiles.performance_profile(scores, [-1.0, 0.0, 1.5, 3.0])
    assert found.tolist() == [1.0, 0.75, 0.5, 0.0]  # a score at the threshold is not above it


def test_profiles_work_on_many_matrices_at_once() -> None:
    scores = np.random.default_rng(0).normal(size=(6, 5, 3))
    found = profiles.performance_profile(scores, [0.0, 1.0])
    assert found.tolist() == [profiles.performance_profile(matrix, [0.0, 1.0]).tolist() for matrix in scores]


def test_a_missing_score_leaves_no_profile() -> None:
    assert np.isnan(profiles.performance_profile([[np.nan], [1.0]], [0.0, 2.0])).all()
    assert np.isnan(profiles.profile_band([[np.nan], [1.0]], [0.0, 2.0], intervals.generator())).all()


def test_the_band_of_one_game_is_the_binomials() -> None:
    """Among n runs drawn again the number above a threshold is Binomial(n, share).

    The Monte Carlo error of an end is about 0.0015; at 90% the ends would lie 0.007 further in.
    """
    low, high = profiles.profile_band(np.arange(400.0)[:, None], [99.5, 199.5], intervals.generator())
    for place, share in enumerate((0.75, 0.5)):
        expected = scipy.stats.binom.ppf([0.025, 0.975], 400, share) / 400
        assert (low[place], high[place]) == pytest.approx(tuple(expected), abs=0.0045)


def test_the_band_holds_its_profile_and_narrows_where_all_agree() -> None:
    scores = np.random.default_rng(1).uniform(size=(8, 3))
    thresholds = [-1.0, 0.5, 2.0]
    low, high = profiles.profile_band(scores, thresholds, intervals.generator())
    middle = profiles.performance_profile(scores, thresholds)
    assert low[1] < middle[1] < high[1]
    assert (low[0], high[0], low[2], high[2]) == (1.0, 1.0, 0.0, 0.0)


def test_one_run_has_a_profile_and_no_band() -> None:
    assert profiles.performance_profile([[1.0, 3.0]], [2.0]).tolist() == [0.5]
    assert np.isnan(profiles.profile_band([[1.0, 3.0]], [2.0], intervals.generator())).all()


def test_the_area_under_a_constant_is_that_constant_on_any_grid() -> None:
    assert profiles.area_under_curve([10, 11, 500], [7.0, 7.0, 7.0]) == pytest.approx(7.0)


def test_the_area_weighs_a_stretch_by_its_frames() -> None:
    """0 up to frame 100, then a rise to 10 at frame 200: (0 * 100 + 5 * 100) / 200."""
    assert profiles.area_under_curve([0, 50, 100, 200], [0.0, 0.0, 0.0, 10.0]) == 2.5


def test_areas_are_taken_of_every_run_and_missing_where_a_score_is() -> None:
    found = profiles.area_under_curve([1, 2, 3], [[0.0, 1.0, 2.0], [0.0, np.nan, 2.0]])
    assert found[0] == 1.0
    assert np.isnan(found[1])


@pytest.mark.parametrize("frames", [[1.0], [1.0, 1.0], [2.0, 1.0], [1.0, np.nan]])
def test_frames_that_do_not_ascend_are_refused(frames: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        profiles.area_under_curve(frames, np.ones(len(frames)))


@pytest.mark.parametrize(("successes", "runs"), [(0, 1), (0, 5), (3, 5), (5, 5), (9, 10), (57, 100)])
def test_a_proportions_interval_is_scipys_wilson_interval(successes: int, runs: int) -> None:
    found = profiles.proportion(successes, runs)
    theirs = scipy.stats.binomtest(successes, runs).proportion_ci(0.95, method="wilson")
    assert found.value == successes / runs
    assert found.interval == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_a_proportions_interval_holds_the_truth_in_95_of_100_cases_on_the_average_over_truths(runs: int) -> None:
    """An exact sum over outcomes, averaged over 999 true shares."""
    truth = np.arange(1, 1000) / 1000
    ends = np.array([profiles.proportion(k, runs).interval for k in range(runs + 1)])
    held = (ends[:, :1] <= truth) & (truth <= ends[:, 1:])
    chances = scipy.stats.binom.pmf(np.arange(runs + 1)[:, None], runs, truth)
    assert (held * chances).sum(axis=0).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("successes", "runs"), [(0, 0), (-1, 3), (4, 3)])
def test_what_is_no_proportion_is_refused(successes: int, runs: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        profiles.proportion(successes, runs)
