"""Scores over many Atari games in percent of the way from random play to a human tester.

Ours start with up to 30 no-ops, so they are normalized by the reference scores of such starts (`REFERENCE`). What Mnih
et al. (2016) published started from positions of human play: it is normalized by the reference scores of those, as
their Table 1 was, and stands beside ours as something near and not the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from a3c.analysis import published
from a3c.analysis.captions import number
from a3c.analysis.intervals import Floats, bootstrap_interval, generator, mean
from a3c.analysis.normalized import floored, normalized_scores, table_1_recomputed
from a3c.analysis.outputs import Group, groups
from a3c.analysis.profiles import performance_profile, profile_band
from a3c.analysis.published import EXPERIMENTS
from a3c.analysis.score_tables import Row, column, mean_with_interval, with_interval
from a3c.analysis.verdicts import with_ends
from a3c.analysis.views.human_normalized_figures import human_normalized, performance_profiles
from a3c.plan import Study
from a3c.settings import ActorCriticSettings, CustomNetwork, Settings, TableSettings

FIGURES = {"human_normalized": human_normalized, "performance_profile": performance_profiles}

REFERENCE = "noop_30min"
PUBLISHED_REFERENCE = "human_starts"
ONE_DAY_FRAMES = 320_000_000  # what the paper's runs of one day saw; longer ones are held against those of four days
THRESHOLDS = np.geomspace(1.0, 10_000.0, 81)  # percent

Agent = tuple[str, int]  # variant, workers


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The tables `human_normalized`, `table1` and `performance_profile`.

    Raises:
      InvalidInput: if a game is none of the 57, or the published numbers are damaged.
    """
    paper = _published_percent()
    by_agent: dict[Agent, list[Group]] = {}
    for group in groups(study):
        by_agent.setdefault((group.variant, group.workers), []).append(group)
    games, table, profiles = [], [], []
    for agent, mine in by_agent.items():
        finals = {group.game: _finals(group, base["runs"]) for group in mine}
        percent = _percent(finals)
        method = published_method(mine[0].runs[0].settings)
        games += [_game_row(group, finals[group.game], percent[group.game], method, paper) for group in mine]
        matrix = _matrix(percent)
        table.append(_agent_row(study, agent, mine, matrix))
        profiles += _profile(agent, "ours", matrix)
        if method is not None:
            shown = paper[method].loc[list(percent)].to_numpy(dtype=np.float64)[None]
            profiles += _profile(agent, "published", shown)
    games.sort(key=lambda row: str(row["game"]))
    return {"human_normalized": games, "table1": [*table, *_paper_rows()], "performance_profile": profiles}


def published_method(settings: Settings) -> str | None:
    """The column of Table S3 that a run's agent has: by its LSTM and how long it learns; None if it is not A3C."""
    network = settings.network
    if not isinstance(settings.algorithm, ActorCriticSettings) or isinstance(network, TableSettings | CustomNetwork):
        return None
    if network.lstm_cells is not None:
        return "a3c_lstm"
    return "a3c_ff_1day" if settings.budget_frames <= ONE_DAY_FRAMES else "a3c_ff"


def _published_percent() -> pd.DataFrame:
    """Table S3 as Table 1 normalizes most of its rows, percent: games x methods."""
    scores = published.table_s3(EXPERIMENTS)
    reference = published.reference_scores(PUBLISHED_REFERENCE, EXPERIMENTS).loc[scores.index]
    return scores.apply(floored, args=(reference["random"], reference["human"]))


def _finals(group: Group, runs: Sequence[Row]) -> Floats:
    """Final scores by ascending seed, float64 [runs]."""
    mine = [run for run in runs if all(run[name] == value for name, value in group.key.items())]
    return column(mine, "final_score")


def _percent(finals: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each game's scores normalized, float64 [runs] each."""
    games = [game for game, scores in finals.items() for _ in scores]
    found = normalized_scores(pd.Series(np.concatenate(list(finals.values())), index=games), REFERENCE, EXPERIMENTS)
    return {game: found.loc[[game]].to_numpy(dtype=np.float64) for game in finals}


def _matrix(percent: Mapping[str, Floats]) -> Floats:
    """Runs x games; where games differ in their number of runs, as many of the first as every game has."""
    runs = min(len(scores) for scores in percent.values())
    return np.stack([scores[:runs] for scores in percent.values()], axis=1)


def _game_row(group: Group, finals: Floats, percent: Floats, method: str | None, paper: pd.DataFrame) -> Row:
    reference = published.reference_scores(REFERENCE, EXPERIMENTS).loc[group.game]
    raw = published.table_s3(EXPERIMENTS)
    return {
        **group.key,
        "n": len(finals),
        **mean_with_interval("final_score", finals),
        "random": float(reference["random"]),
        "human": float(reference["human"]),
        **mean_with_interval("normalized", percent),
        "published_method": method or "",
        "published_score": float(raw.loc[group.game, method]) if method else np.nan,
        "published_normalized": float(paper.loc[group.game, method]) if method else np.nan,
    }


def median_of_games(scores: Floats) -> Floats:
    """The median over games of each game's mean over runs, as in Table 1: [..., runs, games] -> [...]."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def _agent_row(study: Study, agent: Agent, mine: Sequence[Group], matrix: Floats) -> Row:
    variant, workers = agent
    frames = max(run.settings.budget_frames for group in mine for run in group.runs)
    row: Row = {"agent": variant, "source": "ours", "training": f"{number(frames)} frames, {workers} workers"}
    row |= {"games": len(mine), "n": len(matrix)}
    for name, statistic in (("mean", mean), ("median", median_of_games)):
        row |= with_interval(name, float(statistic(matrix)), bootstrap_interval(matrix, statistic, generator()))
    return row | {"reference": REFERENCE, "recomputed_mean": None, "recomputed_median": None, "rule": ""}


def _paper_rows() -> list[Row]:
    """Table 1 as printed, and what Table S3 gives under the rule that comes nearest to it."""
    found = []
    for row in table_1_recomputed(EXPERIMENTS).to_dict("records"):
        rule = row["nearest_rule"]
        nothing = (np.nan, np.nan)
        found.append(
            {
                "agent": row["label"],
                "source": "published",
                "training": f"{row['training_hours']:.0f} hours, {row['hardware']}",
                "games": int(row["games"]),
                "n": None,
                **with_interval("mean", float(row["published_mean"]), nothing),
                **with_interval("median", float(row["published_median"]), nothing),
                "reference": PUBLISHED_REFERENCE,
                "recomputed_mean": float(row[f"{rule}_mean"]),
                "recomputed_median": float(row[f"{rule}_median"]),
                "rule": rule,
            }
        )
    return found


def _profile(agent: Agent, source: str, matrix: Floats) -> list[Row]:
    variant, workers = agent
    low, high = profile_band(matrix, THRESHOLDS, generator())
    shares = performance_profile(matrix, THRESHOLDS)
    key: Row = {"agent": variant, "training": f"{workers} workers", "source": source}
    return [
        key | {"games": matrix.shape[1], "n": len(matrix), "threshold": float(threshold)}
        | with_interval("share", float(share), (float(lo), float(hi)))
        for threshold, share, lo, hi in zip(THRESHOLDS, shares, low, high, strict=True)
    ]  # fmt: skip


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Our means and medians over games, beside the published ones of the same agent.

    Args:
      study: without a sweep.
      tables: `table1` and `human_normalized`.
    """
    table, games = tables["table1"], tables["human_normalized"]
    sentences = []
    for row in table[table["source"] == "ours"].to_dict("records"):
        mine = games[games["variant"] == row["agent"]]
        text = (
            f"{row['agent']} ({row['training']}), percent of human over games, {int(row['games'])} of them: "
            f"mean {with_ends(row, 'mean')}, median {with_ends(row, 'median')}"
        )
        known = mine["published_normalized"].dropna()
        if len(known):
            text += (
                f"; published, on the same games from human starts: {number(known.mean())} and {number(known.median())}"
            )
        sentences.append(f"{text}.")
    return " ".join(sentences)
