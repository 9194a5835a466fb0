"""Orders of turns for the serial executor, prescribed or drawn from a seed.

Turn t = 0, 1, 2, ... makes version t + 1: a worker's gradient, computed with version r <= t, is applied to version t.
Its staleness is t - r. There are two families of drawn orders:

    lags     workers act in turn, t mod N, and r = max(0, t - s) whatever they pulled before: s is set, or drawn
    speeds   workers act as they complete, and r is the version that the worker's own last push made, 0 at first

With speeds a worker's intervals from pull to push tile the run, so the mean staleness is N - 1 whatever they are, but
for the run's ends; exactly, the sum over U turns is Σ_w L_w - U, with L_w the version that w's last push made. What
speeds decide is the distribution: a worker with U_w turns has mean (U - U_w) / U_w.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from a3c import seeding
from a3c.settings import (
    ConstantLag,
    GeometricLag,
    HeterogeneousSpeeds,
    HistogramLag,
    LognormalSpeeds,
    MeasuredHistogram,
    RoundRobin,
    Settings,
    Straggler,
)

JITTER = 0.1  # sigma of times where the medians differ: far less than they do, yet no two workers stay in step
BATCH = 256  # numbers drawn at once, since one at a time spends most of its time in the call


class Turn(NamedTuple):
    """One turn to execute.

    Attributes:
      worker: who acts, from 0.
      read: the version that its gradient is computed with.
    """

    worker: int
    read: int


class Order(Protocol):
    """Who acts next, with which version, and which versions must be kept for it."""

    def next(self, version: int) -> Turn | None:
        """The turn that makes `version` + 1; called with 0, 1, 2, ... in order. None at the end of a record."""

    def needs(self, read: int, version: int) -> bool:
        """Whether a turn to come, `next(version)` or a later one, may read version `read`; `read` <= `version`."""


class ConstantLagOrder:
    """Workers in turn, every gradient `lag` updates old: worker t mod N, read max(0, t - lag).

    With lag N - 1 this is round robin: worker w's turn before t was t - N, and the version that it made t - N + 1.
    At most lag + 1 versions are needed at once.
    """

    def __init__(self, workers: int, lag: int) -> None:
        self._workers = workers
        self._lag = lag

    def next(self, version: int) -> Turn:
        """The turn that makes `version` + 1."""
        return Turn(version % self._workers, max(0, version - self._lag))

    def needs(self, read: int, version: int) -> bool:
        """Whether `read` lies within `lag` of `version`."""
        return read >= version - self._lag


class DrawnLagOrder:
    """Workers in turn, every gradient's lag s drawn by itself: worker t mod N, read max(0, t - s).

    P(s) = weights[s] / Σ weights, by inversion: the least s with F(s) > u, u uniform on [0, 1). As many versions are
    needed at once as the greatest possible s, plus one.
    """

    def __init__(self, workers: int, weights: Sequence[float] | np.ndarray, generator: np.random.Generator) -> None:
        """Begins at version 0.

        Args:
          workers: N.
          weights: [S], >= 0, not all 0.
          generator: the lags are drawn from it.

        Raises:
          ValueError: if the weights are no distribution.
        """
        weight = np.asarray(weights, np.float64)
        if not (np.all(weight >= 0) and 0 < weight.sum() < np.inf):
            raise ValueError("the weights of lags must be finite and >= 0, and one of them > 0")
        cumulative = np.cumsum(weight)
        self._workers = workers
        self._most = int(np.flatnonzero(weight)[-1])
        self._lags = _lags(cumulative / cumulative[-1], generator)
        self._version = 0

    def next(self, version: int) -> Turn:
        """The turn that makes `version` + 1."""
        self._version = _following(version, self._version)
        return Turn(version % self._workers, max(0, version - next(self._lags)))

    def needs(self, read: int, version: int) -> bool:
        """Whether `read` lies within the greatest possible lag of `version`."""
        return read >= version - self._most


class SpeedOrder:
    """Workers as they complete: a rollout with its gradient takes worker w the time m_w exp(sigma z), z ~ N(0, 1).

    All begin at time 0 with version 0; who completes pushes, pulls what it has just made, and begins again. Pushing
    takes no time and nobody waits. If two complete at once, the lower worker is first, so sigma 0 and equal m_w are
    round robin. At most N versions are needed at once, one a worker.
    """

    def __init__(self, medians: Sequence[float], sigma: float, generators: Sequence[np.random.Generator]) -> None:
        """Begins at version 0.

        Args:
          medians: [N], m_w > 0 in any unit of time.
          sigma: of the logarithm, >= 0.
          generators: one a worker, so that another worker changes nobody's times.
        """
        self._times = [_times(median, sigma, g) for median, g in zip(medians, generators, strict=True)]
        self._completions = [(next(times), worker) for worker, times in enumerate(self._times)]
        heapq.heapify(self._completions)
        self._pulled = [0] * len(medians)
        self._holders = {0: len(medians)}  # version -> workers that computed nothing yet with what they pulled
        self._version = 0

    def next(self, version: int) -> Turn:
        """The turn that makes `version` + 1."""
        self._version = _following(version, self._version)
        time, worker = self._completions[0]
        heapq.heapreplace(self._completions, (time + next(self._times[worker]), worker))
        read, self._pulled[worker] = self._pulled[worker], self._version
        self._holders[self._version] = 1
        self._holders[read] -= 1
        if not self._holders[read]:
            del self._holders[read]
        return Turn(worker, read)

    def needs(self, read: int, version: int) -> bool:
        """Whether a worker computes with `read`; `version` is the one that `next` will be called with."""
        return read in self._holders


def make_order(settings: Settings, histogram: Sequence[int] | None = None) -> Order:
    """The order that `settings.order` describes; its random stream is the run's for the use `order`.

    The geometric distribution is P(s) = p (1 - p)^s with p = 1 / (1 + mean), cut at `max_lag` and renormalized, so
    `mean` is the mean before the cut. With mean N - 1 it is the staleness of N workers whose times have no memory.

    Args:
      settings: of a drawn run.
      histogram: turns by staleness in another run, where the order is to be drawn from such.

    Raises:
      ValueError: if the settings have no order, or one without a possible lag.
    """
    workers, seed = settings.workers, settings.seed
    match settings.order:
        case RoundRobin():
            return ConstantLagOrder(workers, workers - 1)
        case ConstantLag(lag=lag):
            return ConstantLagOrder(workers, lag)
        case GeometricLag(mean=mean, max_lag=max_lag):
            weights = (mean / (1 + mean)) ** np.arange(max_lag + 1)
            return DrawnLagOrder(workers, weights, seeding.generator(seed, "order"))
        case HistogramLag(counts=counts):
            return DrawnLagOrder(workers, counts, seeding.generator(seed, "order"))
        case MeasuredHistogram() if histogram is not None:
            return DrawnLagOrder(workers, histogram, seeding.generator(seed, "order"))
        case LognormalSpeeds(sigma=sigma):
            return _speed_order(settings, [1.0] * workers, sigma)
        case HeterogeneousSpeeds(slowest=slowest):
            return _speed_order(settings, np.linspace(1, slowest, workers).tolist(), JITTER)
        case Straggler(factor=factor):
            return _speed_order(settings, [1.0] * (workers - 1) + [factor], JITTER)
        case _:
            raise ValueError("these settings have no order of turns to draw")


def _speed_order(settings: Settings, medians: list[float], sigma: float) -> SpeedOrder:
    generators = [seeding.generator(settings.seed, "order", worker) for worker in range(settings.workers)]
    return SpeedOrder(medians, sigma, generators)


def _lags(distribution: np.ndarray, generator: np.random.Generator) -> Iterator[int]:
    """Lags without end, from their distribution function F(0), F(1), ..., 1."""
    while True:
        yield from np.searchsorted(distribution, generator.random(BATCH), side="right").tolist()


def _times(median: float, sigma: float, generator: np.random.Generator) -> Iterator[float]:
    """Lognormal times without end."""
    while True:
        yield from (median * generator.lognormal(0.0, sigma, BATCH)).tolist()


def _following(version: int, expected: int) -> int:
    """The version after this one: a drawn order cannot go back or skip turns."""
    if version != expected:
        raise ValueError(f"turns are drawn one after the other: version {expected} is due, not {version}")
    return version + 1
