"""What the trainer's speed is held to, as ratios between things that were measured in turn on one machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from a3c.benchmarking.rounds import Spread, ratio, spread

Values = Mapping[str, Sequence[float]]


class Goal(NamedTuple):
    """One goal.

    Attributes:
      what: is measured, in words.
      needs: names of the cases it comes from.
      found: its value, of the rounds of these cases in their order.
      bound: what it should reach.
      at_most: whether it should stay below the bound instead.
    """

    what: str
    needs: tuple[str, ...]
    found: Callable[..., Spread]
    bound: float
    at_most: bool = False


class Outcome(NamedTuple):
    """A goal beside what was measured."""

    what: str
    found: Spread
    bound: float
    at_most: bool

    @property
    def met(self) -> bool:
        """Whether the median is on the right side of the bound."""
        return self.found.median <= self.bound if self.at_most else self.found.median >= self.bound


def goals(cores: int, flops_per_step: float, peak_flops: float) -> list[Goal]:
    """All of them.

    Args:
      cores: of the machine.
      flops_per_step: operations that one decision cannot do without.
      peak_flops: of one core, a second.
    """
    batched, scaled = f"a3c, {cores} workers of 16 games", f"a3c, {cores} workers"

    spread_a2c = f"a2c, 16 games in {cores} learners"

    def of_the_limit(speeds: Sequence[float], emulator: Sequence[float]) -> Spread:
        least = [seconds + flops_per_step / peak_flops for seconds in emulator]
        return spread([speed * seconds / cores for speed, seconds in zip(speeds, least, strict=True)])

    def efficiency(many: Sequence[float], one: Sequence[float]) -> Spread:
        return spread([x / y / cores for x, y in zip(many, one, strict=True)])

    return [
        Goal("16 workers over PFRL's A3C", ("a3c, 16 workers", "pfrl a3c, 16 workers"), ratio, 3.0),
        Goal("16 workers, locked over hogwild", ("a3c, 16 workers, locked", "a3c, 16 workers"), ratio, 0.9),
        Goal("16 games a worker over Stable-Baselines3's A2C", (batched, "sb3 a2c, 16 games"), ratio, 4.0),
        Goal("16 games a worker over the limit", (batched, "emulator"), of_the_limit, 0.55),
        Goal(
            "A2C in one learner over Stable-Baselines3's",
            ("a2c, 16 games in one learner", "sb3 a2c, 16 games"),
            ratio,
            2.5,
        ),
        Goal(
            f"A2C in {cores} learners over Stable-Baselines3's",
            (spread_a2c, "sb3 a2c, 16 games"),
            ratio,
            2.5,
        ),
        Goal("16 workers, LSTM over feed-forward", ("a3c, 16 workers, LSTM", "a3c, 16 workers"), ratio, 0.6),
        Goal(f"speed-up of {cores} workers, per worker", (scaled, "a3c, 1 worker"), efficiency, 0.9),
        Goal("seconds to the first update, 16 workers", ("first update",), spread, 6.0, at_most=True),
        Goal("seconds of a3c --help", ("help",), spread, 0.3, at_most=True),
    ]


def outcomes(every: Sequence[Goal], values: Values) -> list[Outcome]:
    """Those goals whose cases were measured."""
    return [
        Outcome(goal.what, goal.found(*(values[name] for name in goal.needs)), goal.bound, goal.at_most)
        for goal in every
        if all(name in values for name in goal.needs)
    ]
