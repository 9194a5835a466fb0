"""How stale the turns of a run were, all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Staleness(NamedTuple):
    """How many turns had which staleness, after the warm-up.

    Attributes:
      values: int64 [k], ascending, updates.
      turns: int64 [k], how many turns had it.
    """

    values: NDArray[np.int64]
    turns: NDArray[np.int64]

    @classmethod
    def of(cls, counts: Sequence[int]) -> Staleness:
        """From how many turns had staleness 0, 1, ..., as `staleness_counts` returns them."""
        turns = np.array(counts, dtype=np.int64)
        values = np.flatnonzero(turns)
        return cls(values.astype(np.int64), turns[values])

    @property
    def total(self) -> int:
        """Number of turns counted."""
        return int(self.turns.sum())

    def mean(self) -> float:
        """Mean over turns; NaN without any."""
        return float(self.values @ self.turns / self.total) if self.total else np.nan

    def sd(self) -> float:
        """Standard deviation over turns (the population's); NaN without any."""
        return float(np.sqrt((self.values - self.mean()) ** 2 @ self.turns / self.total)) if self.total else np.nan

    def quantile(self, q: float) -> float:
        """The least staleness that at least a fraction q of the turns does not exceed: always one that occurred."""
        if not self.total:
            return np.nan
        # The hair below keeps 0.9 * 10 from counting as more than 9 after rounding.
        place = int(np.searchsorted(np.cumsum(self.turns), q * self.total * (1.0 - 1e-12), side="left"))
        return float(self.values[place])
