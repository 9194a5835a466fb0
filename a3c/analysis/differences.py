"""Two groups of seeds held against one another: by how much they differ, how many times, or whether not at all.

Groups are arrays [runs], one score a seed. Two runs that share a seed make a pair, and pairs are the unit where there
are any. Means are compared by t intervals, which keep their 95% with few seeds (see `coverage`). Fewer than two runs
have no interval.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from a3c.analysis.intervals import CONFIDENCE, Estimate, Floats, Interval, student_interval

SIZE = 0.05  # how often either one-sided test may err


def paired_mean_difference(first: ArrayLike, second: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of x_i - y_i with its Student's t interval (the paired t test's).

    Args:
      first: x, [runs].
      second: y, [runs], of the same seeds in the same order.
      confidence: in (0, 1).

    Raises:
      ValueError: if the groups differ in length.
    """
    gains = _gains(first, second)
    return Estimate(float(gains.mean()), student_interval(gains, confidence))


def unpaired_mean_difference(first: ArrayLike, second: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """mean(x) - mean(y) with Welch's interval, for groups of unlike spread and size.

        d -+ t(ν, (1 + confidence) / 2) e,   e² = a + b,   a = s_x² / n_x,   b = s_y² / n_y
        ν = e⁴ / (a² / (n_x - 1) + b² / (n_y - 1))

    Source: Welch (1947), The generalization of `Student's' problem when several different population variances are
    involved.

    Args:
      first: x, [runs_x].
      second: y, [runs_y].
      confidence: in (0, 1).
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    value = float(x.mean() - y.mean())
    reach = _welch_reach(x, y, confidence)
    return Estimate(value, (value - reach, value + reach))


def ratio_of_means(first: ArrayLike, second: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """mean(x) / mean(y) of two independent groups with positive means, as of throughputs, with its interval.

    Welch's interval of log mean(x) - log mean(y): each group is divided by its mean, so that the relative errors add up
    (the delta method). Both ends are positive, and those of y / x are their inverses.

    Args:
      first: x, [runs_x].
      second: y, [runs_y].
      confidence: in (0, 1).

    Raises:
      ValueError: if a mean is not positive.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.mean() <= 0.0 or y.mean() <= 0.0:
        raise ValueError(f"a ratio needs positive means, got {x.mean():g} and {y.mean():g}")
    value = float(x.mean() / y.mean())
    factor = float(np.exp(_welch_reach(x / x.mean(), y / y.mean(), confidence)))
    return Estimate(value, (value / factor, value * factor))


class Equivalence(NamedTuple):
    """Whether two means differ by less than a margin.

    Attributes:
      value: the difference of the means.
      interval: of it, at 90%.
      margin: the largest difference that counts as none.
    """

    value: float
    interval: Interval
    margin: float

    @property
    def shown(self) -> bool:
        """Whether the interval lies inside (-margin, margin); without one nothing is shown."""
        return -self.margin < self.interval[0] and self.interval[1] < self.margin


def equivalence(first: ArrayLike, second: ArrayLike, margin: float, *, paired: bool) -> Equivalence:
    """Two one-sided t tests at 5% each: is the difference inside (-margin, margin)?

    Rejecting both `difference <= -margin` and `difference >= margin` at 5% is the same as the 90% interval lying
    inside, so a true difference of the margin or more is taken for none in at most 5% of cases. That an ordinary test
    finds no difference shows nothing of the kind.

    Source: Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach for assessing
    the equivalence of average bioavailability.

    Args:
      first: [runs], or [runs_x] where unpaired.
      second: likewise; if paired, of the same seeds in the same order.
      margin: the largest difference that counts as none, in the unit of the scores, named before the data are seen.
      paired: whether the groups share their seeds.

    Raises:
      ValueError: if the margin is not a positive number, or pairs are incomplete.
    """
    if not 0.0 < margin < np.inf:
        raise ValueError(f"the margin must be a positive number, got {margin}")
    difference = (paired_mean_difference if paired else unpaired_mean_difference)(first, second, 1.0 - 2.0 * SIZE)
    return Equivalence(*difference, margin)


def _gains(first: ArrayLike, second: ArrayLike) -> Floats:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"pairs need groups of one shape, got {x.shape} and {y.shape}")
    return x - y


def _welch_reach(x: Floats, y: Floats, confidence: float) -> float:
    """Half the length of Welch's interval; NaN if a group has fewer than two runs."""
    from scipy.special import stdtrit

    if min(len(x), len(y)) < 2:
        return float("nan")
    a, b = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    if a + b == 0.0:
        return 0.0
    freedom = (a + b) ** 2 / (a**2 / (len(x) - 1) + b**2 / (len(y) - 1))
    return float(stdtrit(freedom, (1.0 + confidence) / 2.0) * np.sqrt(a + b))
