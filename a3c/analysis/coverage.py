"""How often a 95% interval of a mean over few seeds holds the true mean: measured, by method and kind of score.

Four methods on n scores with mean m and standard deviation s; q and t(ν, ·) are quantiles, * marks resamples:

    percentile     [q(m*, 2.5%), q(m*, 97.5%)]
    bootstrap-t    [m - q(t*, 97.5%) s / sqrt(n), m - q(t*, 2.5%) s / sqrt(n)],   t* = (m* - m) sqrt(n) / s*
    BCa            percentile at levels corrected for bias and skewness
    Student's t    m -+ t(n - 1, 97.5%) s / sqrt(n)

Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 12 to 14; Student (1908).

Measured by `coverage_rows(generator(), trials=10_000, resamples=2_000)`, in percent (standard errors at most 0.5), for
n = 3, 5 and 10, and the median length at n = 5 in standard deviations of a score:

                   normal             lognormal          ceiling            difference
    percentile     75  83  90   1.4   65  72  81   0.8   67  79  86   1.3   75  82  88   0.9
    bootstrap-t   100  95  95   3.0  100  89  91   2.2   87  96  98  21    100  96  91   2.1
    BCa            72  83  90   1.5   63  74  84   0.8   67  82  89   1.4   69  79  83   1.0
    Student's t    95  95  95   2.3   84  82  85   1.3   78  86  89   2.1   98  98  97   1.5

So Student's t, `student_interval`, is the one for a mean over few seeds. The bootstrap-t holds more of what is skewed,
but with three seeds it is the whole line, and with five at a ceiling ten times as long or that. No method mends skewed
scores; a difference of two like groups has no skew, and there Student's t errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from a3c.analysis.intervals import CONFIDENCE, Floats, student_band

RUNS = (3, 5, 10)
TRIALS = 2_000
RESAMPLES = 1_000

Ends = tuple[Floats, Floats]
Method = Callable[[Floats, Floats], Ends]


class Scores(NamedTuple):
    """A distribution of scores over seeds.

    Attributes:
      name: for people.
      draw: independent ones, float64 of a shape.
      mean: the true one.
      deviation: the true standard deviation.
    """

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Floats]
    mean: float
    deviation: float


def normal(draws: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Standard normal scores."""
    return draws.standard_normal(shape)


def lognormal(draws: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Scores whose logarithm is standard normal: a few seeds are far better than the rest."""
    return draws.lognormal(size=shape)


def ceiling(draws: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Standard normal scores cut off at their mean: half of the seeds reach the highest score there is."""
    return np.minimum(draws.standard_normal(shape), 0.0)


def difference(draws: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Differences of two lognormal scores, as of pairs where both groups are alike: heavy tails but no skew."""
    return lognormal(draws, shape) - lognormal(draws, shape)


SPREAD = np.sqrt((np.e - 1.0) * np.e)  # the standard deviation of a lognormal score
KINDS = (
    Scores("normal", normal, 0.0, 1.0),
    Scores("lognormal", lognormal, np.exp(0.5), SPREAD),
    Scores("ceiling", ceiling, -1.0 / np.sqrt(2.0 * np.pi), np.sqrt(0.5 - 0.5 / np.pi)),
    Scores("difference", difference, 0.0, np.sqrt(2.0) * SPREAD),
)


def percentile(scores: Floats, weights: Floats) -> Ends:
    """The ends of percentile intervals.

    Args:
      scores: [trials, runs].
      weights: [resamples, runs], each row the share of each run in one resample.

    Returns:
      Lower and upper ends, float64 [trials] each.
    """
    tail = (1.0 - CONFIDENCE) / 2.0
    means = np.sort(scores @ weights.T, axis=1)
    return _at(means, tail), _at(means, 1.0 - tail)


def bootstrap_t(scores: Floats, weights: Floats) -> Ends:
    """The ends of studentized bootstrap intervals; arguments and result as of `percentile`.

    A resample of one run again and again has no spread, and its t is infinite. With three runs each of these has
    probability 1 / 27, more than a tail holds, so that the interval is the whole line.
    """
    tail = (1.0 - CONFIDENCE) / 2.0
    mean, centered = scores.mean(axis=1), _centered(scores)
    error = centered.std(axis=1) / np.sqrt(scores.shape[1])
    means = centered @ weights.T
    variance = centered**2 @ weights.T - means**2
    nothing = variance <= 1e-12 * centered.var(axis=1)[:, None]  # rounding leaves a trace of a spread of zero
    with np.errstate(divide="ignore", invalid="ignore"):
        t = means * np.sqrt(scores.shape[1]) / np.sqrt(np.where(nothing, 0.0, variance))
    t = np.sort(np.nan_to_num(t, nan=0.0, posinf=np.inf, neginf=-np.inf), axis=1)
    return mean - _at(t, 1.0 - tail) * error, mean - _at(t, tail) * error


def bca(scores: Floats, weights: Floats) -> Ends:
    """The ends of bias-corrected and accelerated intervals (Efron, 1987); arguments and result as of `percentile`."""
    from scipy.special import ndtr, ndtri

    tail = (1.0 - CONFIDENCE) / 2.0
    centered = _centered(scores)
    means = np.sort(centered @ weights.T, axis=1)
    cubes, squares = (centered**3).sum(axis=1), (centered**2).sum(axis=1)
    tie = 1e-12 * np.sqrt(squares)[:, None]  # a resample of all runs once has the mean itself, but for rounding
    below = ((means < -tie).mean(axis=1) + (means <= tie).mean(axis=1)) / 2.0
    acceleration = cubes / np.where(squares > 0.0, 6.0 * squares**1.5, 1.0)  # the jackknife's, of a mean
    bias = ndtri(below)

    def end(level: float) -> Floats:
        z = bias + ndtri(level)
        return np.asarray(scores.mean(axis=1) + _at(means, ndtr(bias + z / (1.0 - acceleration * z))))

    return end(tail), end(1.0 - tail)


def student(scores: Floats, weights: Floats) -> Ends:
    """The ends of Student's t intervals; arguments and result as of `percentile`, and nothing is resampled."""
    return student_band(scores.T)


def _centered(scores: Floats) -> Floats:
    """Less each row's mean; zero in a row of equal scores, whose mean may be another number by rounding."""
    return np.where(np.ptp(scores, axis=1, keepdims=True) > 0.0, scores - scores.mean(axis=1, keepdims=True), 0.0)


def _at(ordered: Floats, level: float | Floats) -> Floats:
    """The value at a level of each row, [trials, resamples] ascending -> [trials]; no interpolation, for infinities."""
    place = np.rint(np.asarray(level) * (ordered.shape[1] - 1)).astype(np.int64)
    return np.asarray(ordered[np.arange(len(ordered)), place])


METHODS: dict[str, Method] = {"percentile": percentile, "bootstrap-t": bootstrap_t, "BCa": bca, "Student's t": student}


def coverage_rows(
    draws: np.random.Generator, runs: Sequence[int] = RUNS, trials: int = TRIALS, resamples: int = RESAMPLES
) -> list[dict[str, object]]:
    """Measures how often intervals of the mean hold the true mean; rows for a table.

    All methods see the same samples, and all samples of one size are drawn again by the same resamples, which is what
    this project's tables do and makes it fast.

    Args:
      draws: where the scores and the resamples come from; it alone decides the result.
      runs: how many scores a sample has, each at least 2.
      trials: samples for each kind of score and number of runs.
      resamples: of the bootstrap.

    Returns:
      A row for each kind of score, number of runs `n` and `method`: `coverage` (nominally 0.95), its
      `standard_error`, and the `median_length` of an interval in standard deviations of one score; `inf` where half
      of the intervals have no end.
    """
    rows: list[dict[str, object]] = []
    for n in runs:
        weights = draws.multinomial(n, np.full(n, 1.0 / n), size=resamples) / n
        for kind in KINDS:
            scores = kind.draw(draws, (trials, n))
            for name, method in METHODS.items():
                rows.append({"scores": kind.name, "n": n, "method": name} | _row(kind, *method(scores, weights)))
    return rows


def _row(kind: Scores, low: Floats, high: Floats) -> dict[str, object]:
    share = float(np.mean((low <= kind.mean) & (kind.mean <= high)))
    return {
        "coverage": share,
        "standard_error": float(np.sqrt(share * (1.0 - share) / len(low))),
        "median_length": float(np.median(high - low) / kind.deviation),
    }
