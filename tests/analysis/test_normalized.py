"""Human-normalized scores against what is printed elsewhere, and Table 1 against its own raw scores."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import normalized, published
from a3c.problems import InvalidInput

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TOLERANCE = 0.2  # points; what is printed has one decimal, and the reference scores have one too


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return normalized.table_1_recomputed(EXPERIMENTS)


def misses(table: pd.DataFrame, rule: str) -> pd.DataFrame:
    """How far a rule's mean and median lie from the published ones, points."""
    return pd.DataFrame(
        {name: (table[f"{rule}_{name}"] - table[f"published_{name}"]).abs() for name in ("mean", "median")}
    )


def test_random_play_is_0_percent_and_the_human_tester_100() -> None:
    for reference_set in ("noop_5min", "noop_30min"):
        reference = published.reference_scores(reference_set, EXPERIMENTS)
        random = normalized.normalized_scores(reference["random"], reference_set, EXPERIMENTS)
        human = normalized.normalized_scores(reference["human"], reference_set, EXPERIMENTS)
        assert set(random) == {0.0}
        assert human.to_numpy() == pytest.approx(100.0, rel=1e-12)


def test_scores_keep_their_order_and_games_may_come_again() -> None:
    scores = pd.Series([9.3, -20.7, 1.7], index=["Pong", "Pong", "Breakout"])
    assert normalized.normalized_scores(scores, "noop_5min", EXPERIMENTS).tolist() == [100.0, 0.0, 0.0]


def test_every_game_that_cannot_be_normalized_is_named_at_once() -> None:
    scores = pd.Series(1.0, index=["Pong", "VideoPinball", "CartPole-v1"])
    with pytest.raises(InvalidInput, match=r"2 problems found") as error:
        normalized.normalized_scores(scores, "human_starts", EXPERIMENTS)
    assert {problem.where for problem in error.value.problems} == {"VideoPinball", "CartPole-v1"}
    normalized.normalized_scores(scores.drop("CartPole-v1"), "noop_30min", EXPERIMENTS)


def test_the_absolute_rule_makes_what_van_hasselt_and_others_print() -> None:
    """Their Table 6, three games of tuned Double DQN and DQN in Video Pinball, and Table 2: means over 49 games."""
    scores = published.table_s3(EXPERIMENTS)[["dqn", "double"]]
    reference = published.reference_scores("human_starts", EXPERIMENTS)
    percent = scores.apply(normalized.absolute, args=(reference["random"], reference["human"]))
    printed = {"Alien": 14.50, "DoubleDunk": 981.25, "VideoPinball": 7220.51}
    assert percent.loc[list(printed), "double"].tolist() == pytest.approx(list(printed.values()), abs=0.005)
    assert percent.loc["VideoPinball", "dqn"] == pytest.approx(-4.65, abs=0.005)
    both = percent.dropna()
    assert both["double"].mean() == pytest.approx(475.2, abs=0.05)
    assert both["dqn"].mean() == pytest.approx(122.0, abs=0.06)  # 122.053, of scores with one decimal
    assert both.median().tolist() == pytest.approx([47.5, 116.7], abs=0.05)


def test_the_rules_differ_in_one_game_only() -> None:
    score = published.table_s3(EXPERIMENTS)["a3c_lstm"]
    reference = published.reference_scores("human_starts", EXPERIMENTS)
    signed, absolute, floored = (
        rule(score, reference["random"], reference["human"])
        for rule in (normalized.signed, normalized.absolute, normalized.floored)
    )
    assert signed.index[signed != absolute].tolist() == signed.index[signed != floored].tolist() == ["VideoPinball"]
    assert signed["VideoPinball"] == -absolute["VideoPinball"] < 0 < floored["VideoPinball"]


def test_the_nearest_rule_makes_every_row_of_table_1(table: pd.DataFrame) -> None:
    assert len(table) == 8
    assert table["mean_difference"].abs().max() < TOLERANCE
    assert table["median_difference"].abs().max() < TOLERANCE
    for method, rule in table["nearest_rule"].items():
        assert misses(table, str(rule)).loc[method].to_numpy() == pytest.approx(
            table.loc[method, ["mean_difference", "median_difference"]].abs().to_numpy(dtype=float)
        )


def test_methods_with_all_games_take_random_as_zero_where_it_beats_the_human(table: pd.DataFrame) -> None:
    assert set(table.loc[table["games"] == 57, "nearest_rule"]) == {"floored"}
    assert table.loc[table["games"] == 49, "nearest_rule"].to_dict() == {"dqn": "absolute", "gorila": "signed"}


@pytest.mark.parametrize("rule", normalized.RULES)
def test_no_single_rule_makes_all_of_table_1(rule: str, table: pd.DataFrame) -> None:
    assert misses(table, rule)["mean"].max() > 1.0


@pytest.mark.parametrize("rule", ["signed", "absolute", "noop"])
def test_no_other_rule_makes_a_row_of_the_methods_with_all_games(rule: str, table: pd.DataFrame) -> None:
    assert misses(table[table["games"] == 57], rule)["mean"].min() > 1.0


def test_the_one_decimal_of_reference_scores_can_hide_that_the_plain_rule_misses_dqn(table: pd.DataFrame) -> None:
    miss = misses(table, "signed").loc["dqn", "mean"]
    reference = published.reference_scores("human_starts", EXPERIMENTS)
    score = published.table_s3(EXPERIMENTS)["dqn"].dropna()
    random, human = reference.loc[score.index, "random"], reference.loc[score.index, "human"]
    corners = [
        normalized.signed(score, random + a, human + b) for a, b in itertools.product((-0.05, 0.0, 0.05), repeat=2)
    ]
    assert TOLERANCE < miss < table.loc["dqn", "signed_mean"] - np.min(corners, axis=0).mean()


def test_the_reference_set_and_one_game_move_the_headline_threefold(table: pd.DataFrame) -> None:
    lstm = table.loc["a3c_lstm"]
    assert lstm["signed_mean"] < lstm["floored_mean"] < lstm["absolute_mean"] < lstm["noop_mean"]
    assert lstm["noop_mean"] / lstm["signed_mean"] > 2.5


def test_training_hours_are_the_published_days(table: pd.DataFrame) -> None:
    days = published.table_1(EXPERIMENTS)["training_days"]
    assert table["training_hours"].tolist() == (24 * days).tolist()
    assert table.index.tolist() == days.index.tolist()
