"""Human-normalized scores, and Table 1 of Mnih et al. (2016) recomputed from its own Table S3.

    normalized = 100 * (score - random) / (human - random)

The result hangs on where `random` and `human` come from, so each set of them has a name (`published.REFERENCE_SETS`).
From human starts, random play of Video Pinball beats the human tester; what is done about that one game moves the mean
over 57 games by hundreds of points. The paper does not say what it did. `RULES` holds the candidates: the three that
are met in print, and the no-op reference, which later papers use.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from a3c.analysis import published
from a3c.problems import InvalidInput, Problem


def signed(score: pd.Series, random: pd.Series, human: pd.Series) -> pd.Series:
    """100 (score - random) / (human - random), percent; where random beats human, a better score counts less."""
    return 100.0 * (score - random) / (human - random)


def absolute(score: pd.Series, random: pd.Series, human: pd.Series) -> pd.Series:
    """100 (score - random) / |human - random|, percent: van Hasselt et al. (2015), Tables 2 and 6, not Equation 5."""
    return 100.0 * (score - random) / (human - random).abs()


def floored(score: pd.Series, random: pd.Series, human: pd.Series) -> pd.Series:
    """The signed rule with random taken as 0 where it beats human, percent: what six rows of Table 1 come from."""
    return signed(score, random.where(random < human, 0.0), human)


# By name: the formula, and the reference set that it is applied to.
RULES: dict[str, tuple[Callable[[pd.Series, pd.Series, pd.Series], pd.Series], str]] = {
    "signed": (signed, "human_starts"),
    "absolute": (absolute, "human_starts"),
    "floored": (floored, "human_starts"),
    "noop": (signed, "noop_30min"),
}


def normalized_scores(scores: pd.Series, reference_set: str, experiments: Path) -> pd.Series:
    """Scores of our own as percent of the way from random play to the human tester.

    Args:
      scores: indexed by game, unclipped.
      reference_set: a key of `published.REFERENCE_SETS`; our runs start with no-ops, so `noop_30min` fits them.
      experiments: folder of the YAML files.

    Returns:
      float64, indexed as `scores`: 0 is random play, 100 the human tester.

    Raises:
      InvalidInput: for each game that the set lacks, or in which its random play beats its human tester, so that a
        better score would count less.
    """
    reference = published.reference_scores(reference_set, experiments)
    wrong = []
    for game in dict.fromkeys(scores.index):
        if game not in reference.index:
            wrong.append(Problem(str(game), f"is not in the reference set {reference_set}"))
        elif reference.loc[game, "random"] >= reference.loc[game, "human"]:
            what = f"random play beats the human tester in the reference set {reference_set}; take another"
            wrong.append(Problem(str(game), what))
    if wrong:
        raise InvalidInput(wrong)
    mine = reference.loc[scores.index]
    return signed(scores, mine["random"], mine["human"])


def table_1_recomputed(experiments: Path) -> pd.DataFrame:
    """Table 1 beside what each rule makes of Table S3.

    A mean or median runs over the games that Table S3 has for the method, 57 or 49, not the 57 of the caption.

    Returns:
      A row a method, in the paper's order: `label`; `training_hours`; `hardware`; `games`; `published_mean` and
      `published_median`; `<rule>_mean` and `<rule>_median` for each of `RULES`; `nearest_rule`, whose mean is nearest
      to the published one; `mean_difference` and `median_difference`, that rule's less the published. All percent.
    """
    paper, scores = published.table_1(experiments), published.table_s3(experiments)
    table = pd.DataFrame(
        {
            "label": paper["label"],
            "training_hours": 24 * paper["training_days"],
            "hardware": paper["hardware"],
            "games": scores.count(),
            "published_mean": paper["mean_percent"],
            "published_median": paper["median_percent"],
        },
        index=paper.index,
    )
    for rule, (formula, reference_set) in RULES.items():
        reference = published.reference_scores(reference_set, experiments).loc[scores.index]
        percent = scores.apply(formula, args=(reference["random"], reference["human"]))
        table[f"{rule}_mean"], table[f"{rule}_median"] = percent.mean(), percent.median()
    misses = pd.DataFrame({rule: table[f"{rule}_mean"] - table["published_mean"] for rule in RULES})
    table["nearest_rule"] = misses.abs().idxmin(axis="columns")
    table["mean_difference"] = [misses.loc[method, rule] for method, rule in table["nearest_rule"].items()]
    medians = [table.loc[method, f"{rule}_median"] for method, rule in table["nearest_rule"].items()]
    table["median_difference"] = medians - table["published_median"]
    return table
