"""What one number a group leaves out: which share of its runs got how far, and how much a run learnt on the way."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from a3c.analysis.intervals import CONFIDENCE, RESAMPLES, Estimate, Floats, resampled


def performance_profile(scores: ArrayLike, thresholds: ArrayLike) -> Floats:
    """The share of runs whose score exceeds a threshold, over all games.

        F(τ) = mean over games and runs of  1[x > τ]

    Source: Agarwal et al. (2021), Deep Reinforcement Learning at the Edge of the Statistical Precipice, section 4.2
    (the score distribution).

    Args:
      scores: normalized, so that games can be put together, [..., runs, games].
      thresholds: τ, [points].

    Returns:
      float64 [..., points] in [0, 1], falling along the thresholds; NaN where a score is.
    """
    values = np.asarray(scores, dtype=np.float64)
    # One threshold at a time: all at once, resampled scores would take gigabytes.
    shares = [(values > threshold).mean(axis=(-2, -1)) for threshold in np.asarray(thresholds, dtype=np.float64)]
    unknown = np.asarray(np.isnan(values).any(axis=(-2, -1)))
    return np.where(unknown[..., None], np.nan, np.stack(shares, axis=-1))


def profile_band(
    scores: ArrayLike, thresholds: ArrayLike, draws: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[Floats, Floats]:
    """The stratified percentile interval of a performance profile, at each threshold on its own.

    Where all runs exceed a threshold, or none does, so do all resamples and the band has no width: it says nothing
    about how sure that is. Of one game `proportion` does.

    Args:
      scores: [runs, games].
      thresholds: [points].
      draws: where the resamples come from.
      resamples: how many.

    Returns:
      Lower and upper ends, float64 [points] each; all NaN with fewer than two runs.
    """
    values, points = np.asarray(scores, dtype=np.float64), np.asarray(thresholds, dtype=np.float64)
    if len(values) < 2:
        return np.full(len(points), np.nan), np.full(len(points), np.nan)
    tail = (1.0 - CONFIDENCE) / 2.0
    profiles = performance_profile(resampled(values, draws, resamples), points)
    low, high = np.quantile(profiles, [tail, 1.0 - tail], axis=0)
    return low, high


def area_under_curve(frames: ArrayLike, scores: ArrayLike) -> Floats:
    """The mean height of a learning curve, in the unit of its scores: what a run scored on the way, not at the end.

        A = 1 / (f_K - f_1)  sum over k of  (f_{k+1} - f_k) (x_k + x_{k+1}) / 2

    Unlike the mean over points it does not depend on how densely a stretch of the curve is measured.

    Args:
      frames: f, where the curve is known, [points], at least two and ascending.
      scores: x, [..., points].

    Returns:
      float64 [...]; NaN where a score is.

    Raises:
      ValueError: if the frames do not ascend or are fewer than two.
    """
    places = np.asarray(frames, dtype=np.float64)
    if len(places) < 2 or not (np.diff(places) > 0.0).all():
        raise ValueError("a curve needs at least two points at ascending frames")
    area = np.trapezoid(np.asarray(scores, dtype=np.float64), places, axis=-1)
    return np.asarray(area / (places[-1] - places[0]))


def proportion(successes: int, runs: int) -> Estimate:
    """The share k / n of seeds that did it, with Wilson's interval at `CONFIDENCE`.

        (k + z² / 2) / (n + z²)  -+  z sqrt(k (n - k) / n + z² / 4) / (n + z²)

    All of n seeds gives [n / (n + z²), 1] and not a point, as the bootstrap would.

    Sources: Wilson (1927), Probable inference, the law of succession, and statistical inference; recommended for few
    cases by Brown, Cai and DasGupta (2001), Interval estimation for a binomial proportion.

    Args:
      successes: k, from 0 to n.
      runs: n, at least 1.

    Raises:
      ValueError: if there are no runs, or not from 0 to n successes.
    """
    if not (runs >= 1 and 0 <= successes <= runs):
        raise ValueError(f"{successes} of {runs} is no proportion")
    z = NormalDist().inv_cdf((1.0 + CONFIDENCE) / 2.0)
    middle = (successes + z**2 / 2.0) / (runs + z**2)
    reach = z * (successes * (runs - successes) / runs + z**2 / 4.0) ** 0.5 / (runs + z**2)
    return Estimate(successes / runs, (max(0.0, middle - reach), min(1.0, middle + reach)))
