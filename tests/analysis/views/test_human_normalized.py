"""Scores in percent of a human tester, over games, beside the published ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from a3c.analysis import outputs, published, tables
from a3c.analysis.answers import answer
from a3c.analysis.figures import write_figures
from a3c.analysis.style import RC
from a3c.analysis.views.human_normalized import FIGURES, median_of_games, published_method
from a3c.environments.games import atari_games
from a3c.plan import Run, Study, load_study
from a3c.problems import InvalidInput

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
PERCENT = {"Boxing": 100.0, "Pong": 50.0, "VideoPinball": 600.0}  # what each game's runs end with, on average


def at_percent(run: Run, progress: np.ndarray) -> np.ndarray:
    """The game's share of the way to the human tester, plus and minus 10 of it by seed."""
    reference = published.reference_scores("noop_30min", EXPERIMENTS).loc[run.settings.game]
    percent = PERCENT[run.settings.game] + 20.0 * run.settings.seed - 10.0
    return np.full_like(progress, reference["random"] + percent / 100.0 * (reference["human"] - reference["random"]))


def write(synthetic: Any, results: Path, games: Iterable[str], score: Any) -> Study:
    """Two seeds of each game, and the tables of their study."""
    runs = [synthetic.make_run("a3c", game, seed=seed) for game in games for seed in (0, 1)]
    study = replace(synthetic.make_study(*runs), views=("human_normalized",))
    synthetic.write_study(results, study, episodes=20, score=score)
    tables.write_tables(study, results)
    return study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, synthetic: Any) -> tuple[Study, Path]:
    """Three games' runs and tables; nothing here changes them."""
    results = tmp_path_factory.mktemp("normalized")
    return write(synthetic, results, PERCENT, at_percent), results


def test_zero_is_random_play_and_a_hundred_the_human_tester(synthetic: Any, made: tuple[Study, Path]) -> None:
    study, results = made
    rows = synthetic.rows_of(study, results, "human_normalized")
    assert [row["game"] for row in rows] == sorted(PERCENT)
    assert [float(row["normalized"]) for row in rows] == pytest.approx(list(PERCENT.values()), rel=1e-5)
    pong = rows[1]
    assert (pong["random"], pong["human"], pong["n"]) == ("-20.7", "14.6", "2")
    assert float(pong["normalized_lo"]) < 50.0 < float(pong["normalized_hi"])


def test_table_1_has_our_mean_and_median_over_games_above_the_published_rows(
    synthetic: Any, made: tuple[Study, Path]
) -> None:
    study, results = made
    ours, *theirs = synthetic.rows_of(study, results, "table1")
    assert (ours["agent"], ours["source"], ours["games"], ours["n"]) == ("a3c", "ours", "3", "2")
    assert (float(ours["mean"]), float(ours["median"])) == pytest.approx((250.0, 100.0), rel=1e-5)
    # All three games' first seeds at once are 10 below; the median is that of one game.
    assert float(ours["mean_lo"]) >= 240 - 1e-3
    assert (float(ours["median_lo"]), float(ours["median_hi"])) == pytest.approx((90.0, 110.0), rel=1e-5)
    printed = published.table_1(EXPERIMENTS)
    assert [row["agent"] for row in theirs] == list(printed["label"])
    assert [float(row["mean"]) for row in theirs] == list(printed["mean_percent"])
    assert all(abs(float(row["mean"]) - float(row["recomputed_mean"])) < 0.2 for row in theirs)


def test_the_median_is_over_games_and_not_over_runs() -> None:
    scores = np.array([[0.0, 10.0, 0.0], [100.0, 10.0, 0.0]])  # two runs of three games: means of 50, 10 and 0
    assert median_of_games(scores) == 10.0
    assert median_of_games(np.stack([scores, scores + 1.0])).tolist() == [10.0, 11.0]


@pytest.mark.parametrize(
    ("frames", "cells", "column"),
    [(320_000_000, None, "a3c_ff_1day"), (1_000_000_000, None, "a3c_ff"), (10_000, 256, "a3c_lstm")],
)
def test_the_published_agent_is_told_by_its_lstm_and_by_how_long_it_learns(
    synthetic: Any, frames: int, cells: int | None, column: str
) -> None:
    network = {"kind": "conv2015", "lstm_cells": cells, "separate": False, "initialization": "torch"}
    run = synthetic.make_run("a3c", "Pong", network=network, budget_frames=frames)
    assert published_method(run.settings) == column


def test_published_scores_are_normalized_by_the_references_of_human_starts(
    synthetic: Any, made: tuple[Study, Path]
) -> None:
    study, results = made
    pinball = synthetic.rows_of(study, results, "human_normalized")[2]
    raw = published.table_s3(EXPERIMENTS).loc["VideoPinball", "a3c_ff_1day"]
    human = published.reference_scores("human_starts", EXPERIMENTS).loc["VideoPinball", "human"]
    assert float(pinball["published_score"]) == pytest.approx(raw, rel=1e-5)
    # Its random score beats the human's and counts as 0, without which Table 1 does not come out.
    assert float(pinball["published_normalized"]) == pytest.approx(100.0 * raw / human, rel=1e-5)


def test_profiles_fall_from_all_runs_to_none(synthetic: Any, made: tuple[Study, Path]) -> None:
    study, results = made
    rows = synthetic.rows_of(study, results, "performance_profile")
    ours = [row for row in rows if row["source"] == "ours"]
    shares = [float(row["share"]) for row in ours]
    assert (shares[0], shares[-1]) == (1.0, 0.0)
    assert shares == sorted(shares, reverse=True)
    above_human = next(row for row in ours if float(row["threshold"]) >= 100.0)
    assert float(above_human["share"]) == pytest.approx(3 / 6, abs=1e-5)  # one run of Boxing, both of Video Pinball
    assert {row["source"] for row in rows} == {"ours", "published"}


def test_a_game_without_a_human_tester_is_refused(tmp_path: Path, synthetic: Any) -> None:
    with pytest.raises(InvalidInput, match=r"CartPole-v1.*not in the reference set"):
        write(synthetic, tmp_path, ["CartPole-v1"], lambda run, progress: progress)


def test_the_answer_gives_means_and_medians_with_the_published_ones(made: tuple[Study, Path]) -> None:
    study, results = made
    names = [name for name in outputs.table_names(study) if outputs.is_text(name)]
    found = answer(study, {name: tables.read_table(outputs.table_path(study, results, name)) for name in names})
    assert found.startswith("a3c (10,000 frames, 2 workers), percent of human over games, 3 of them: mean 250 [")
    assert "; published, on the same games from human starts: " in found


def test_bars_are_sorted_and_profiles_have_a_line_of_ours_and_one_published(made: tuple[Study, Path]) -> None:
    study, results = made
    frames = {one: tables.read_table(outputs.table_path(study, results, one)) for one in outputs.table_names(study)}
    with mpl.rc_context(RC):
        (bars,) = FIGURES["human_normalized"](study, frames).axes
        (profile,) = FIGURES["performance_profile"](study, frames).axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["Pong", "Boxing", "VideoPinball"]
    assert bars.get_xlim()[0] < 0 < 600 < bars.get_xlim()[1]
    assert [line.is_dashed() for line in profile.lines] == [False, True]


@pytest.mark.slow
def test_both_figures_are_drawn_the_same_twice(made: tuple[Study, Path]) -> None:
    study, results = made
    paths = [outputs.figure_path(study, results, name) for name in ("human_normalized", "performance_profile")]
    write_figures(study, results)
    before = [path.read_bytes() for path in paths]
    write_figures(study, results)
    assert before == [path.read_bytes() for path in paths]


def test_the_study_has_all_57_games_for_each_agent() -> None:
    study = load_study("atari57", "paper", EXPERIMENTS)
    by_variant = {
        variant: {run.settings.game for run in study.runs if run.variant == variant} for variant in study.variants
    }
    assert by_variant == {variant: set(atari_games()) for variant in study.variants}
    budgets = {run.variant: run.settings.budget_frames for run in study.runs}
    assert budgets == {"a3c_ff_1_day": 320_000_000, "a3c_ff": 1_000_000_000, "a3c_lstm": 1_000_000_000}
