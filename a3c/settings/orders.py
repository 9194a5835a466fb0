"""Orders of turns that a drawn run can execute."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from a3c.settings.numbers import Lag, NonNegative
from a3c.validation import Frozen

RUN_FOLDER = r"^[A-Za-z_][A-Za-z0-9_.-]*/[a-z]+(-batched)?-w[0-9]+-[0-9a-f]{10}/seed[0-9]+$"


class RoundRobin(Frozen):
    """Workers in turn, each pulling right after its push: staleness N - 1."""

    kind: Literal["round_robin"]


class ConstantLag(Frozen):
    """Workers in turn; every gradient is computed with the parameters `lag` updates ago."""

    kind: Literal["constant_lag"]
    lag: Lag


class GeometricLag(Frozen):
    """Workers in turn; staleness drawn from a geometric distribution of this mean, cut at `max_lag`."""

    kind: Literal["geometric"]
    mean: NonNegative
    max_lag: Lag


class HistogramLag(Frozen):
    """Workers in turn; staleness s drawn with probability `counts[s]` / Σ `counts`, as measured in another run."""

    kind: Literal["histogram"]
    counts: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=65536, strict=False)]


class MeasuredHistogram(Frozen):
    """Workers in turn; staleness drawn from the histogram of another run's turns.

    `run` is that run's folder below `results/runs/`. A study names one of its variants instead, `variant: locked`: the
    run of that variant with the same game, workers and seed.
    """

    kind: Literal["measured_histogram"]
    run: Annotated[str, Field(pattern=RUN_FOLDER)]


class LognormalSpeeds(Frozen):
    """Turns in order of completion; each takes a lognormal time of median 1 and this sigma."""

    kind: Literal["speeds_lognormal"]
    sigma: NonNegative


class HeterogeneousSpeeds(Frozen):
    """Turns in order of completion; workers take from 1 to `slowest` units of time, evenly spread."""

    kind: Literal["speeds_heterogeneous"]
    slowest: Annotated[float, Field(ge=1.0, allow_inf_nan=False)]


class Straggler(Frozen):
    """Turns in order of completion; the last worker is `factor` times slower than the others."""

    kind: Literal["straggler"]
    factor: Annotated[float, Field(ge=1.0, allow_inf_nan=False)]


Order = Annotated[
    RoundRobin
    | ConstantLag
    | GeometricLag
    | HistogramLag
    | MeasuredHistogram
    | LognormalSpeeds
    | HeterogeneousSpeeds
    | Straggler,
    Field(discriminator="kind"),
]
