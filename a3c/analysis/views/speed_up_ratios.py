"""Speed-up, throughput and data efficiency of two groups of runs: arrays in, numbers out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from a3c.analysis.curve_tables import Curves
from a3c.analysis.intervals import Interval, generator, mean_curves
from a3c.analysis.reading import Floats
from a3c.analysis.score_tables import Row

# Of the range that all worker counts cover. At its top a group arrives only by its luckiest point, and many resamples
# of its seeds never do, so that intervals reach from 0 to infinity.
REFERENCE_PERCENT = 75.0

RATIOS = ("speed_up", "throughput", "data_efficiency")


class Arrival(NamedTuple):
    """When curves first come to a score.

    Attributes:
      frames: [...], up to there; infinite where the score is never reached.
      rate: [...], frames a second up to there, or to the end.
    """

    frames: Floats
    rate: Floats


class Family(NamedTuple):
    """The worker counts of one game and variant.

    Attributes:
      game: its name.
      variant: its name.
      members: by ascending workers.
      speeds: the row of the table `throughput` of each.
    """

    game: str
    variant: str
    members: list[Curves]
    speeds: list[Row]

    @property
    def single(self) -> Curves | None:
        """The member with one worker."""
        return self.members[0] if self.members[0].group.workers == 1 else None

    @property
    def seeds(self) -> int:
        """The least number of seeds that a member has."""
        return min(len(curves.scores) for curves in self.members)

    def reference(self, percent: float = REFERENCE_PERCENT) -> float:
        """The score so far up the range that all members cover; NaN without a curve."""
        means = [curves.mean[np.isfinite(curves.mean)] for curves in self.members]
        means = [mean for mean in means if len(mean)]
        if not means:
            return np.nan
        start, best = min(mean[0] for mean in means), min(mean.max() for mean in means)
        return float(best - (1.0 - percent / 100.0) * (best - start))  # exactly best at 100, so that it is reached

    def ratios(self, curves: Curves, reference: float) -> Floats:
        """A member's three ratios to one worker, [3]; NaN where there is no such run or no curve."""
        several = mean_arrival(curves, reference)
        if self.single is None or np.isinf(several.frames):
            return np.full(len(RATIOS), np.nan)
        return ratios(mean_arrival(self.single, reference), several)

    def resampled(self, curves: Curves, reference: float, draws: np.random.Generator | None = None) -> Floats | None:
        """The ratios of both groups' seeds drawn again, each group on its own.

        Returns:
          float64 [resamples, 3]; nothing for one worker itself, or where a group has fewer than two seeds.
        """
        single = self.single
        if single is None or curves is single or min(len(single.scores), len(curves.scores)) < 2:
            return None
        draws = draws or generator()
        return ratios(_drawn(single, reference, draws), _drawn(curves, reference, draws))


def arrival(scores: Floats, seconds: Floats, frames: Floats, reference: float) -> Arrival:
    """When curves first come to a score.

    Args:
      scores: [..., points], NaN where a curve has no value.
      seconds: [..., points], wall-clock at each point.
      frames: [points], the grid.
      reference: the score.
    """
    hit = scores >= reference
    reached = hit.any(axis=-1)
    first = np.where(reached, hit.argmax(axis=-1), len(frames) - 1)
    rate = frames[first] / np.take_along_axis(seconds, first[..., None], axis=-1)[..., 0]
    return Arrival(np.where(reached, frames[first], np.inf), rate)


def mean_arrival(curves: Curves, reference: float) -> Arrival:
    """The arrival of a group's mean curve, by its mean clock."""
    return arrival(curves.mean, curves.seconds.mean(axis=0), curves.frames, reference)


def ratios(single: Arrival, several: Arrival) -> Floats:
    """What several workers are to one, [..., 3] in the order of `RATIOS`; NaN where neither reaches the score.

    throughput = rate(n) / rate(1),   data_efficiency = frames(1) / frames(n),   speed_up = their product
    """
    with np.errstate(invalid="ignore"):
        throughput, data_efficiency = several.rate / single.rate, single.frames / several.frames
        return np.stack([throughput * data_efficiency, throughput, data_efficiency], axis=-1)


def _drawn(curves: Curves, reference: float, draws: np.random.Generator) -> Arrival:
    """Arrivals of means over seeds drawn again, a seed's score and clock together: [resamples] each."""
    both = mean_curves(np.hstack([curves.scores, curves.seconds]), draws)
    scores, seconds = np.hsplit(both, 2)
    return arrival(scores, seconds, curves.frames, reference)


def middle(drawn: Floats) -> Interval:
    """The middle 95% of [resamples]; one in which nobody reached the score (NaN) could have been anything."""
    unknown = np.isnan(drawn)
    # No interpolation: between a number and infinity there is nothing.
    low = np.quantile(np.where(unknown, 0.0, drawn), 0.025, method="inverted_cdf")
    high = np.quantile(np.where(unknown, np.inf, drawn), 0.975, method="inverted_cdf")
    return float(low), float(high)
