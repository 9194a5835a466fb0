"""The published numbers that ours stand beside, read from `experiments/reference/`.

Every number of Mnih et al. (2016) and of its sources that a table or figure shows comes through here, so that none is
typed a second time. Where each file comes from, and what is wrong with it, its README says. Games have this project's
names (`BeamRider`), methods the paper's (`1-step Q`, `1-step SARSA`, `n-step Q`, `A3C`, `DQN`).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from a3c.problems import InvalidInput, Problem, unknown

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FOLDER = "reference"  # in the folder of experiments
SUMS = "SHA256SUMS"

EPOCH_FRAMES = 4_000_000  # an epoch of the paper, over all threads together

METHODS = {"actor_critic": "A3C", "n_step_q": "n-step Q", "one_step_q": "1-step Q", "one_step_sarsa": "1-step SARSA"}

# Panels as the paper heads them, where it does not use this project's name. Figure 5 of v1 has no heading.
_GAMES = {"Beamrider": "BeamRider", "Q*bert": "Qbert", "Space Invaders": "SpaceInvaders", "?": "Labyrinth"}


@dataclass(frozen=True)
class PublishedFigure:
    """What the points of a figure are.

    Attributes:
      x: what runs along the horizontal axis, its unit included.
      statistic: what one point is, as the paper's caption has it.
      method: the one method it shows, where its file names none.
    """

    x: str
    statistic: str
    method: str = ""


_THREE_BEST = "mean over the 3 best of 50 learning rates"
_ONE_RUN = "final score of one run"

# By number in arXiv:1602.01783v2; `v1-` for those that only the first version has, or has otherwise.
FIGURES = {
    "1": PublishedFigure("hours", "mean over the 5 best of 50 learning rates, 16 threads; DQN: over 5 seeds, on a GPU"),
    "v1-1": PublishedFigure("hours", "mean over the 5 best of 50 learning rates, 16 threads; DQN: over 5 seeds"),
    "2": PublishedFigure("learning_rate", _ONE_RUN),
    "3": PublishedFigure("epochs", _THREE_BEST),
    "4": PublishedFigure("hours", _THREE_BEST),
    "v1-5": PublishedFigure(
        "million_training_steps", "mean over the 5 best of 50 learning rates and entropy weights", "A3C LSTM"
    ),
    "v1-9": PublishedFigure("entropy_weight", _ONE_RUN, "A3C"),
    "S5": PublishedFigure("rank", "final score of the run of that rank among 50"),
    "S9": PublishedFigure("epochs", _THREE_BEST),
    "S10": PublishedFigure("hours", _THREE_BEST),
    "S11": PublishedFigure("learning_rate", _ONE_RUN),
}

# Scores of random play and of a human tester, by how they were taken: never mixed in a table.
REFERENCE_SETS = {
    "noop_5min": "up to 30 no-ops, 5 minutes, 49 games: Mnih et al. (2015), as in van Hasselt et al. (2015), Table 3",
    "noop_30min": "up to 30 no-ops, 30 minutes, 57 games: Wang et al. (2016), Table 2",
    "human_starts": "starts from human play, 30 minutes, 57 games: Wang et al. (2016), Table 3",
}


def curves(figure: str, experiments: Path) -> pd.DataFrame:
    """The points of a published figure, read off its vector drawing.

    Args:
      figure: a key of `FIGURES`, which also says what x and the score are.
      experiments: folder of the YAML files.

    Returns:
      A row a point, in the order of the drawing: `game`; `method`; `threads` (Int64, missing where the figure names
      none); `optimizer` (`SGD`, `RMSProp`, `Shared RMSProp` in Figure S5, else empty); `x`; `score`; `score_lo` and
      `score_hi`, the shaded band as drawn, NaN where there is none.

    Raises:
      InvalidInput: if there is no such figure, or its file is missing or damaged.
    """
    if figure not in FIGURES:
        raise InvalidInput([Problem("published figure", unknown(figure, FIGURES, "figure"))])
    raw = _read(f"figure_{figure}.csv", experiments)
    panel = raw["panel"].str.rpartition(", ")  # scatter plots: `A3C, Pong`; the others: `Pong`
    raw["method"] = FIGURES[figure].method or raw.get("series", panel[0])
    named = raw["method"].str.partition(", ")  # `A3C, 16 threads`, or `A3C, Shared RMSProp`
    threads = named[2].str.extract(r"^(\d+) threads$")[0]
    band = raw.reindex(columns=["band_lo", "band_hi"]).astype(float)
    return pd.DataFrame(
        {
            "game": panel[2].replace(_GAMES),
            "method": named[0],
            "threads": pd.to_numeric(threads).astype("Int64"),
            "optimizer": named[2].where(threads.isna(), ""),
            "x": raw["x"],
            "score": raw["y"],
            "score_lo": band["band_lo"],
            "score_hi": band["band_hi"],
        }
    )


def ranked_scores(experiments: Path) -> pd.DataFrame:
    """Figure S5: `game`, `method`, `optimizer`, `rank` (int, 1 is best) and `score`, 50 ranks a curve."""
    points = curves("S5", experiments)
    points["rank"] = points["x"].round().astype(int)
    return points[["game", "method", "optimizer", "rank", "score"]]


def learning_rates(experiments: Path) -> NDArray[np.float64]:
    """The 50 initial learning rates that every method and game of Figures 2 and S11 was run with.

    Returns:
      float64 [50], ascending: the median over the 20 panels, which agree to a ten-thousandth of the value.
    """
    points = pd.concat([curves(figure, experiments) for figure in ("2", "S11")])
    panels = [np.sort(panel.to_numpy()) for _, panel in points.groupby(["method", "game"])["x"]]
    rates: NDArray[np.float64] = np.median(np.stack(panels), axis=0)
    return rates


def table_1(experiments: Path) -> pd.DataFrame:
    """Table 1, human-normalized scores over games from human starts.

    Returns:
      Indexed by `method` (the columns of `table_s3`): `label`, `training_days`, `hardware`, `mean_percent`,
      `median_percent`.
    """
    return _read("table_1.csv", experiments).set_index("method")


def table_2(experiments: Path) -> pd.DataFrame:
    """Table 2, training speed-up over one thread: a row a method, a column a number of threads."""
    rows = _read("table_2.csv", experiments)
    return rows.pivot(index="method", columns="threads", values="speed_up").loc[rows["method"].unique()]


def table_s3(experiments: Path) -> pd.DataFrame:
    """Table S3, raw scores from human starts: 57 games x 8 methods, NaN for 8 games that two methods lack."""
    return _read("table_S3.csv", experiments).set_index("game")


def reference_scores(reference_set: str, experiments: Path) -> pd.DataFrame:
    """Scores of random play and of a human tester: a row a game, `random` and `human`.

    Args:
      reference_set: a key of `REFERENCE_SETS`.
      experiments: folder of the YAML files.

    Raises:
      InvalidInput: if there is no such set, or the file is missing or damaged.
    """
    if reference_set not in REFERENCE_SETS:
        raise InvalidInput([Problem("reference set", unknown(reference_set, REFERENCE_SETS, "reference set"))])
    every = _read("reference_scores.csv", experiments)
    mine = every[every["reference_set"] == reference_set]
    return mine.set_index("game")[["random", "human"]]


def racing_scores(experiments: Path) -> pd.DataFrame:
    """The end of Figure S6 (TORCS): a row a setting, mean of the last 10 points of `A3C`, and of the `human` tester."""
    return _read("figure_S6.csv", experiments).pivot(index="setting", columns="player", values="score")


def _read(name: str, experiments: Path) -> pd.DataFrame:
    """One file, which must be the one that the list of sums names: a changed digit would go unseen in a figure."""
    folder = experiments / FOLDER
    path = folder / name
    try:
        content = path.read_bytes()
        lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        what = f"cannot be read ({error.strerror}); it comes with this repository: check it out again"
        raise InvalidInput([Problem(str(error.filename), what)]) from None
    sums = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    if hashlib.sha256(content).hexdigest() != sums.get(name):
        raise InvalidInput([Problem(str(path), f"its SHA-256 is not the one in {SUMS}: damaged; check it out again")])
    return pd.read_csv(io.BytesIO(content))
