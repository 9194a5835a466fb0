"""How alike consecutive updates are: gradients and data, turn by turn in the order in which they were applied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from a3c.learning.drift import gradient_shift
from a3c.records.rows import RowWriter

BLOCK_TURNS = 200  # what a policy does changes over a run: means are taken over so few turns that it hardly has

Floats = NDArray[np.float64]


class CorrelationRow(NamedTuple):
    """A block of consecutive turns; what cannot be said, as of constant observations, is empty.

    Attributes:
      turn: the first of them, from 0.
      turns: how many, `BLOCK_TURNS` but for the last block.
      gradient_cosine: mean cosine between a turn's gradient and the turn's before, whoever made it.
      gradient_cosine_own: the same worker's turn before instead.
      observation_correlation: between mean observations of a turn and of the turn before, see `Pairs`.
      observation_correlation_own: the same worker's turn before instead.
      within_correlation: between successive observations of one rollout.
      between_correlation: between the last observation of the turn before and a turn's first.
    """

    turn: int
    turns: int
    gradient_cosine: float | None
    gradient_cosine_own: float | None
    observation_correlation: float | None
    observation_correlation_own: float | None
    within_correlation: float | None
    between_correlation: float | None


class Pairs:
    """The correlation of pairs of vectors, pooled over their components.

        r = Σ_d cov(x_d, y_d) / sqrt(Σ_d var(x_d)  Σ_d var(y_d))

    over the pairs (x, y). Of vectors with one component it is Pearson's. A component that never changes, as most of a
    picture's background, counts for nothing.
    """

    def __init__(self) -> None:
        self._number = 0
        self._sums: list[Floats | float] = [0.0, 0.0]
        self._squares = np.zeros(2)
        self._product = 0.0

    def add(self, first: Floats, second: Floats) -> None:
        """Adds pairs: two arrays [pairs, D]."""
        self._number += len(first)
        for place, vectors in enumerate((first, second)):
            self._sums[place] = self._sums[place] + vectors.sum(axis=0)
            self._squares[place] += np.vdot(vectors, vectors)
        self._product += float(np.vdot(first, second))

    def correlation(self) -> float | None:
        """r, from -1 to 1; None if it is not defined."""
        if self._number < 2:
            return None
        x, y = (np.asarray(total) / self._number for total in self._sums)
        squares = self._squares / self._number
        variances = squares - (np.vdot(x, x), np.vdot(y, y))
        if (variances <= 1e-12 * squares).any():  # nothing but rounding
            return None
        covariance = self._product / self._number - float(np.vdot(x, y))
        return float(np.clip(covariance / np.sqrt(variances.prod()), -1.0, 1.0))


class _Block:
    """What is known of a block so far."""

    def __init__(self) -> None:
        self.turns = 0
        self.cosines: list[float] = []
        self.own_cosines: list[float] = []
        self.means, self.own_means, self.within, self.between = (Pairs() for _ in range(4))

    def row(self, end: int) -> CorrelationRow:
        """Its row; `end` is the turn after its last."""
        pairs = (self.means, self.own_means, self.within, self.between)
        cosines = (_mean(self.cosines), _mean(self.own_cosines))
        return CorrelationRow(end - self.turns, self.turns, *cosines, *(pair.correlation() for pair in pairs))


class _Turn(NamedTuple):
    """What a turn leaves to be compared with: gradient float32 [P], mean observation [1, D], last ones [B, D]."""

    gradient: Tensor
    mean: Floats
    last: Floats


class Correlations:
    """Compares every turn with the turn before, and with its worker's turn before."""

    def __init__(self, rows: RowWriter, states: int | None) -> None:
        """Has seen no turn.

        Args:
          rows: where each finished block goes.
          states: how many there are, where an observation is a state's index.
        """
        self._rows, self._states = rows, states
        self._before: _Turn | None = None
        self._own: dict[int, _Turn] = {}
        self._block = _Block()
        self._end = 0

    def add(self, worker: int, gradient: Tensor, observation: Tensor) -> None:
        """Adds the next turn.

        Args:
          worker: whose it is.
          gradient: float32 [P].
          observation: of its rollout, [T, B, *shape].
        """
        seen, block = self._vectors(observation), self._block
        turn = _Turn(gradient.clone(), seen.mean(axis=(0, 1))[None], seen[-1])
        block.within.add(*(part.reshape(-1, seen.shape[-1]) for part in (seen[:-1], seen[1:])))
        if self._before is not None:
            block.cosines.append(gradient_shift(self._before.gradient, gradient).cosine)
            block.means.add(self._before.mean, turn.mean)
            block.between.add(self._before.last, seen[0])
        if (own := self._own.get(worker)) is not None:
            block.own_cosines.append(gradient_shift(own.gradient, gradient).cosine)
            block.own_means.add(own.mean, turn.mean)
        self._before = self._own[worker] = turn
        self._end += 1
        block.turns += 1
        if block.turns == BLOCK_TURNS:
            self.finish()

    def finish(self) -> None:
        """Writes the block that is not complete, if it has any turn."""
        if self._block.turns:
            self._rows.write([self._block.row(self._end)])
        self._block = _Block()

    def _vectors(self, observation: Tensor) -> Floats:
        """Observations as vectors, float64 [T, B, D]; a state's index as a 1 at its place."""
        if self._states is not None:
            observation = torch.nn.functional.one_hot(observation.long(), self._states)
        return observation.flatten(2).double().numpy()


def _mean(values: list[float]) -> float | None:
    """The mean of what is a number: a gradient of nothing but zeros has no direction."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None
