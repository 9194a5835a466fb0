"""Plays whole games with the frozen parameters of a finished run, and says what they score.

The games have random streams of their own, which neither training nor its evaluations use: what is measured here has
not been looked at when parameters were chosen. Equal arguments give equal scores.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from a3c.analysis.intervals import (
    CONFIDENCE,
    RESAMPLES,
    Floats,
    Statistic,
    bootstrap_interval,
    generator,
    mean,
    median,
)
from a3c.frozen import OWN_PLACE, Frozen
from a3c.records.rows import RowWriter

if TYPE_CHECKING:
    from a3c.asynchrony.evaluator import Game


class GameRow(NamedTuple):
    """One game, as a line of a CSV file.

    Attributes:
      point: whose parameters: `final`, or the number of an evaluation point.
      frames: of training behind them.
      policy: `greedy` or `sampled`.
      seed: of the games.
      episode: index, from 0.
      score: unclipped, whole game.
      steps: decisions taken.
      truncated: 1 if the time limit ended it.
    """

    point: str
    frames: int
    policy: str
    seed: int
    episode: int
    score: float
    steps: int
    truncated: int


@dataclass(frozen=True)
class Evaluation:
    """Games that were played with frozen parameters.

    Attributes:
      frozen: whose.
      seed: of the games.
      games: in the order of their streams.
    """

    frozen: Frozen
    seed: int
    games: list[Game]

    @property
    def scores(self) -> Floats:
        """Unclipped scores, float64 [games]."""
        return np.array([game.score for game in self.games])

    def rows(self) -> list[GameRow]:
        """One a game."""
        start = (self.frozen.point, self.frozen.frames, self.frozen.settings.evaluation.policy, self.seed)
        return [GameRow(*start, i, g.score, g.steps, int(g.truncated)) for i, g in enumerate(self.games)]

    def text(self) -> str:
        """What the games say about the parameters, for people."""
        settings, scores = self.frozen.settings, self.scores
        limited = sum(game.truncated for game in self.games)
        return "\n".join(
            [
                f"{settings.game}, seed {settings.seed}: {self.frozen.description}",
                f"  policy       {settings.evaluation.policy}",
                f"  episodes     {len(scores)}, of evaluation seed {self.seed}",
                f"  mean         {_with_interval(scores, mean)}",
                f"  median       {_with_interval(scores, median)}",
                f"  min, max     {_number(scores.min())}, {_number(scores.max())}",
                f"  time limit   ended {limited} of {len(scores)}",
                f"[lo, hi]: {CONFIDENCE:.0%} bootstrap interval over the games of this one run ({RESAMPLES:,} "
                "resamples); it says nothing about other seeds of training.",
            ]
        )


def _with_interval(scores: Floats, statistic: Statistic) -> str:
    column = scores[:, None]
    low, high = bootstrap_interval(column, statistic, generator())
    ends = "no interval" if np.isnan(low) else f"[{_number(low)}, {_number(high)}]"
    return f"{_number(float(statistic(column)))}  {ends}"


def _number(value: float) -> str:
    """`21`, `-0.5`, `12,345.67`."""
    return f"{value:.4g}" if abs(value) < 1 else f"{value:,.2f}".removesuffix(".00")


def evaluate(
    frozen: Frozen, seed: int = 0, progress: Callable[[Collection[Game], int], None] | None = None
) -> Evaluation:
    """Plays as many games as `frozen.settings.evaluation` says, many side by side.

    Args:
      frozen: the parameters, see `a3c.frozen.load`.
      seed: of the games, >= 0; it has nothing to do with the seed of training.
      progress: called after each step with the games that are over, and the steps taken by all.
    """
    from a3c.asynchrony.evaluator import play

    return Evaluation(frozen, seed, play(frozen.network, frozen.settings, OWN_PLACE, seed, progress=progress))


def write_games(evaluation: Evaluation, path: Path) -> None:
    """Writes one CSV line a game."""
    writer = RowWriter(path, GameRow)
    writer.write(evaluation.rows())
    writer.close()
