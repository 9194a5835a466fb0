"""How many frames a second the paper's runs took, which it nowhere says, and its speed-up split with their help.

Figures 3 and S9 show the score of a run by epochs, Figures 4 and S10 the score of the same run by hours. The one rate
that lays the second curve on the first is the run's throughput. A speed-up in time is then

    time(1) / time(n) = [frames(1) / frames(n)] * [rate(n) / rate(1)]

data efficiency times throughput, for any score that both reach.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from a3c.analysis import published

Floats = NDArray[np.float64]

KEY = ["method", "game", "threads"]
_RATES = np.geomspace(0.05, 10.0, 1000)  # epochs an hour, 0.5% apart
_LEAST_POINTS = 6  # of 16: fewer hours on the epoch curve would fit almost any rate


def implied_throughput(experiments: Path) -> pd.DataFrame:
    """Frames a second of each published run.

    Returns:
      A row a method, game and number of threads, in the order of the figures: `method`, `game`, `threads`,
      `frames_per_second`, and `error`, the root mean square distance of the two curves at that rate as a fraction of
      the epoch curve's range.

    Raises:
      InvalidInput: if a file is missing or damaged.
    """
    by_epochs, by_hours = (
        pd.concat([published.curves(figure, experiments) for figure in figures])
        for figures in (("3", "S9"), ("4", "S10"))
    )
    epochs = dict(iter(by_epochs.groupby(KEY)))
    rows = []
    for key, hours in by_hours.groupby(KEY, sort=False):
        mine = epochs[key]
        rate, error = _fit(*(points[name].to_numpy() for points in (hours, mine) for name in ("x", "score")))
        rows.append((*key, rate * published.EPOCH_FRAMES / 3600.0, error))
    return pd.DataFrame(rows, columns=[*KEY, "frames_per_second", "error"])


def split_speed_up(experiments: Path) -> pd.DataFrame:
    """Table 2 split in two.

    Returns:
      A row a method and number of threads: `method`; `threads`; `speed_up` as published, a mean over 7 games;
      `throughput`, the median over the 5 games with curves of the ratio of frames a second to those of one thread;
      `data_efficiency`, the first by the second: how many times fewer frames, as far as 5 games stand for 7.
    """
    rates = implied_throughput(experiments).pivot(index=["method", "game"], columns="threads")["frames_per_second"]
    ratios = rates.div(rates[1], axis="index").groupby("method").median()
    table = published.table_2(experiments).stack().rename("speed_up").reset_index()
    table["throughput"] = [ratios.loc[row["method"], row["threads"]] for _, row in table.iterrows()]
    table["data_efficiency"] = table["speed_up"] / table["throughput"]
    return table


def _fit(hours: Floats, score: Floats, epochs: Floats, epoch_score: Floats) -> tuple[float, float]:
    """The rate in epochs an hour, and the relative error, by least squares over the hours that the epochs reach."""
    at = _RATES[:, None] * hours
    reached = at <= epochs[-1]
    squares = np.where(reached, np.interp(at, epochs, epoch_score) - score, 0.0) ** 2
    number = reached.sum(axis=1)
    mean_square = np.where(number >= _LEAST_POINTS, squares.sum(axis=1) / np.maximum(number, 1), np.inf)
    best = int(mean_square.argmin())
    return float(_RATES[best]), float(np.sqrt(mean_square[best]) / np.ptp(epoch_score))
