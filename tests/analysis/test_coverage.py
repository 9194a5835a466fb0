"""The measured coverage against SciPy's methods, the truth and what the module says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

from a3c.analysis import coverage, intervals

# Normal, lognormal, ceiling and difference, each for n = 3, 5 and 10: the table in the module, in percent.
SAID = {
    "percentile": [[75, 83, 90], [65, 72, 81], [67, 79, 86], [75, 82, 88]],
    "bootstrap-t": [[100, 95, 95], [100, 89, 91], [87, 96, 98], [100, 96, 91]],
    "BCa": [[72, 83, 90], [63, 74, 84], [67, 82, 89], [69, 79, 83]],
    "Student's t": [[95, 95, 95], [84, 82, 85], [78, 86, 89], [98, 98, 97]],
}


def measured(trials: int) -> list[dict[str, Any]]:
    return coverage.coverage_rows(intervals.generator(), trials=trials)


def test_equal_streams_give_equal_rows() -> None:
    assert measured(20) == measured(20)


def test_the_coverage_is_what_the_module_says() -> None:
    """Within four standard errors of 500 trials, and one point for rounding and for 1,000 resamples."""
    rows = measured(500)
    said = {(kind.name, n, m): SAID[m][i][j] for j, n in enumerate(coverage.RUNS)
            for i, kind in enumerate(coverage.KINDS) for m in coverage.METHODS}  # fmt: skip
    assert [(row["scores"], row["n"], row["method"]) for row in rows] == list(said)
    for row, percent in zip(rows, said.values(), strict=True):
        tolerance = 4.0 * np.sqrt(percent * (100 - percent) / 500) + 1.0
        assert 100 * row["coverage"] == pytest.approx(percent, abs=tolerance), row
        if row["method"] == "bootstrap-t" and row["n"] == 3:
            assert row["median_length"] == np.inf, row


@pytest.mark.parametrize("kind", coverage.KINDS, ids=lambda kind: kind.name)
def test_scores_have_the_mean_and_the_deviation_that_they_are_said_to_have(kind: coverage.Scores) -> None:
    """Of 200,000 scores: the tolerance is at least four standard errors, but for the lognormals' heavy tails."""
    scores = kind.draw(np.random.default_rng(1), (1_000, 200))
    assert scores.mean() == pytest.approx(kind.mean, abs=0.03)
    assert scores.std() == pytest.approx(kind.deviation, rel=0.06)


def weights(runs: int, resamples: int) -> np.ndarray:
    return np.random.default_rng(2).multinomial(runs, np.full(runs, 1.0 / runs), size=resamples) / runs


def test_percentiles_are_those_of_the_tables() -> None:
    """One sample of eight; 20,000 resamples put an end within 0.03, four times its Monte Carlo error."""
    scores = np.random.default_rng(3).normal(size=(1, 8))
    (low,), (high,) = coverage.percentile(scores, weights(8, 20_000))
    ours = intervals.bootstrap_interval(scores.T, intervals.mean, intervals.generator(), 20_000)
    assert (low, high) == pytest.approx(ours, abs=0.03)


def test_bca_is_scipys() -> None:
    """A skewed sample, where its levels are far from the percentiles'; the tolerance is as above."""
    scores = np.random.default_rng(4).lognormal(size=(1, 8))
    (low,), (high,) = coverage.bca(scores, weights(8, 20_000))
    theirs = scipy.stats.bootstrap((scores[0],), np.mean, n_resamples=20_000, method="BCa", rng=5).confidence_interval
    percentiles = np.ravel(coverage.percentile(scores, weights(8, 20_000)))
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert percentiles != pytest.approx((theirs.low, theirs.high), abs=0.06)


def test_bca_of_scores_without_skew_is_the_percentile_interval() -> None:
    """All 27 resamples; the mean of seven of them is the sample's, but for rounding."""
    every = np.array([np.bincount(chosen, minlength=3) / 3 for chosen in np.ndindex(3, 3, 3)])
    scores = np.array([[0.0, 0.1, 0.2]])
    assert np.ravel(coverage.bca(scores, every)) == pytest.approx(np.ravel(coverage.percentile(scores, every)))


@pytest.mark.parametrize("ceiling", [9.9, 0.7])
def test_the_bootstrap_t_is_its_definition_one_resample_at_a_time(ceiling: float) -> None:
    """Under the lower ceiling five scores of six are equal, and the resamples of these alone have no spread."""
    scores = np.minimum(np.random.default_rng(6).lognormal(size=6), ceiling)
    shares = weights(6, 2_001)  # so that both levels fall on an order statistic
    t = []
    for row in shares:
        resample = np.repeat(scores, np.rint(6 * row).astype(int))
        gap, spread = resample.mean() - scores.mean(), resample.std()
        t.append(gap * np.sqrt(6) / spread if spread > 1e-9 else np.sign(gap) * np.inf)
    least, most = np.quantile(t, [0.025, 0.975], method="nearest")
    error = scores.std() / np.sqrt(6)
    (low,), (high,) = coverage.bootstrap_t(scores[None], shares)
    assert (low, high) == pytest.approx((scores.mean() - most * error, scores.mean() - least * error), rel=1e-9)


def test_a_resample_of_equal_scores_has_no_spread_whatever_the_rounding() -> None:
    """Its t is infinite; of the hundred ceilings some leave a variance of 1e-17 and some one of -1e-17."""
    scores = np.linspace(0.1, 3.0, 100)[:, None] * np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.01])
    low, _ = coverage.bootstrap_t(scores, np.array([[1, 2, 1, 1, 1, 1, 0]]) / 7)
    assert (low == -np.inf).all()


@pytest.mark.parametrize("method", list(coverage.METHODS))
def test_runs_that_score_the_same_have_an_interval_without_length(method: str) -> None:
    (low,), (high,) = coverage.METHODS[method](np.full((1, 3), 0.1), weights(3, 100))  # whose mean is rounded
    assert (low, high) == pytest.approx((0.1, 0.1), rel=1e-12)
