"""The statistics of one group against SciPy and arithmetic done by hand; `test_rliable` adds rliable."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from a3c.analysis import intervals


@pytest.mark.parametrize(("runs", "games"), [(1, 1), (3, 1), (4, 1), (5, 1), (7, 3), (10, 57)])
def test_the_interquartile_mean_is_scipys_trimmed_mean(runs: int, games: int) -> None:
    scores = np.random.default_rng(0).normal(size=(runs, games))
    assert intervals.iqm(scores) == pytest.approx(scipy.stats.trim_mean(scores, 0.25, axis=None), rel=1e-12)


def test_the_interquartile_mean_drops_a_quarter_on_either_side() -> None:
    assert intervals.iqm(np.array([[1e9], [1.0], [-1e9], [3.0]])) == 2.0


def test_statistics_work_on_many_matrices_at_once() -> None:
    scores = np.random.default_rng(1).normal(size=(6, 5, 3))
    for statistic in (intervals.mean, intervals.median, intervals.iqm):
        assert statistic(scores).tolist() == [float(statistic(matrix)) for matrix in scores]


def test_probability_of_improvement_counts_a_tie_as_half() -> None:
    first, second = np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]])
    assert intervals.probability_of_improvement(first, second) == (0.5 + 1 + 1 + 1) / 4
    assert intervals.probability_of_improvement(first, first) == 0.5


def test_the_bootstrap_interval_agrees_with_scipys() -> None:
    scores = np.random.default_rng(3).gamma(2.0, size=(12, 1))
    found = intervals.bootstrap_interval(scores, intervals.mean, intervals.generator(), resamples=100_000)
    theirs = scipy.stats.bootstrap(
        (scores[:, 0],), np.mean, n_resamples=100_000, method="percentile", rng=np.random.default_rng(4)
    ).confidence_interval
    # Two sets of 100,000 resamples: an end's Monte Carlo error is about 0.005, the tolerance four times that.
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_games_are_drawn_apart() -> None:
    """Each game's resamples hold that game's runs only, and two games are not drawn with the same indices."""
    drawn = intervals.resampled(np.array([[0.0, 10.0], [1.0, 11.0], [2.0, 12.0]]), intervals.generator(), 200)
    assert drawn.shape == (200, 3, 2)
    assert set(drawn[..., 0].ravel()) == {0.0, 1.0, 2.0}
    assert set(drawn[..., 1].ravel()) == {10.0, 11.0, 12.0}
    assert np.any(drawn[..., 1] - 10.0 != drawn[..., 0])


@pytest.mark.parametrize("runs", [2, 3, 10])
def test_students_interval_is_scipys(runs: int) -> None:
    scores = np.random.default_rng(8).lognormal(size=runs)
    theirs = scipy.stats.ttest_1samp(scores, 0.0).confidence_interval(0.9)
    assert intervals.student_interval(scores, 0.9) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_students_band_is_at_each_point_students_interval() -> None:
    curves = np.random.default_rng(9).normal(size=(4, 3))
    low, high = intervals.student_band(curves)
    for point in range(3):
        assert (low[point], high[point]) == pytest.approx(intervals.student_interval(curves[:, point]), rel=1e-12)


def test_students_band_ends_where_a_run_does() -> None:
    low, high = intervals.student_band(np.array([[np.nan, 1.0], [2.0, 1.0]]))
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == (1.0, 1.0)


@pytest.mark.filterwarnings("error")
def test_one_run_has_no_interval() -> None:
    one = np.array([[3.0]])
    assert np.isnan(intervals.student_interval(one[:, 0])).all()
    assert np.isnan(intervals.student_band(np.ones((1, 4)))).all()
    assert np.isnan(intervals.bootstrap_interval(one, intervals.mean, intervals.generator())).all()
    assert np.isnan(intervals.improvement_interval(one, one, intervals.generator())).all()


def test_a_missing_score_leaves_no_interval() -> None:
    """Not even of the interquartile mean, which would cut it off as the highest value."""
    scores = np.array([[1.0], [np.nan], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]])
    for statistic in (intervals.mean, intervals.iqm):
        assert np.isnan(intervals.bootstrap_interval(scores, statistic, intervals.generator())).all()


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[runs, games\]"):
        intervals.bootstrap_interval(np.ones(3), intervals.mean, intervals.generator())


def test_the_same_stream_gives_the_same_interval() -> None:
    scores = np.random.default_rng(6).normal(size=(5, 2))
    first, second = (intervals.bootstrap_interval(scores, intervals.iqm, intervals.generator()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("runs", "least", "most"), [(3, 0.66, 0.81), (5, 0.76, 0.89), (20, 0.88, 0.97)])
def test_the_interval_covers_the_mean_as_often_as_its_docstring_says(runs: int, least: float, most: float) -> None:
    """Bounds are four standard errors or more around what was measured with 1,500 trials: 0.74, 0.83, 0.92."""
    draws = np.random.default_rng(7)
    found = [intervals.bootstrap_interval(draws.normal(size=(runs, 1)), intervals.mean, draws, 500) for _ in range(600)]
    assert least < np.mean([low <= 0.0 <= high for low, high in found]) < most


def test_scores_are_compared_a_few_at_a_time_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = np.arange(12.0).reshape(6, 2), np.arange(10.0).reshape(5, 2)
    at_once = intervals.improvement_interval(first, second, intervals.generator(), 30)
    shapes, whole = [], intervals.probability_of_improvement

    def counted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        shapes.append((len(a), len(b)))
        return whole(a, b)

    monkeypatch.setattr(intervals, "probability_of_improvement", counted)
    monkeypatch.setattr(intervals, "MOST_PAIRS", 8 * first.size * len(second))
    assert intervals.improvement_interval(first, second, intervals.generator(), 30) == at_once
    assert shapes == [(8, 8), (8, 8), (8, 8), (6, 6)]
