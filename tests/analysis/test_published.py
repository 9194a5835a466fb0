"""The published data: every file whole, every number plausible, and what the paper says in words true of it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import published, published_throughput
from a3c.environments.games import atari_games
from a3c.plan import studies
from a3c.problems import InvalidInput

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
REFERENCE = EXPERIMENTS / published.FOLDER
SHOWN = {"BeamRider", "Breakout", "Pong", "Qbert", "SpaceInvaders"}
VALUE_METHODS = {"1-step Q", "1-step SARSA", "n-step Q"}

# Figure: games, curves or clouds, points in each, least and greatest x.
SHAPES = {
    "1": (SHOWN, 25, 16, 0.0, 15.0),
    "v1-1": (SHOWN, 25, 24, 0.0, 23.0),
    "2": (SHOWN, 5, 50, 1e-4, 1e-2),
    "3": (SHOWN, 75, 50, 0.0, 49.0),
    "4": (SHOWN, 75, 16, 0.0, 15.0),
    "v1-5": ({"Labyrinth"}, 1, 244, 0.0, 248.0),
    "v1-9": ({"BeamRider", "Breakout", "Seaquest", "SpaceInvaders"}, 4, 50, 5e-4, 5e-2),
    "S5": ({"BeamRider", "Breakout", "Seaquest", "SpaceInvaders"}, 24, 50, 1.0, 50.0),
    "S9": (SHOWN, 25, 50, 0.0, 49.0),
    "S10": (SHOWN, 25, 16, 0.0, 15.0),
    "S11": (SHOWN, 15, 50, 1e-4, 1e-2),
}
KEY = ["game", "method", "threads", "optimizer"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder of experiments with nothing in it but the published data."""
    shutil.copytree(REFERENCE, tmp_path / published.FOLDER)
    return tmp_path


def test_every_file_is_in_the_list_of_sums_with_its_sum_and_in_the_readme() -> None:
    files = sorted(REFERENCE.glob("*.csv"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    assert sorted((REFERENCE / published.SUMS).read_text().splitlines()) == sorted(lines)
    readme = (REFERENCE / "README.md").read_text()
    assert [path.name for path in files if f"`{path.name}`" not in readme] == []


def test_the_folder_of_published_data_is_no_study() -> None:
    assert published.FOLDER not in studies(EXPERIMENTS)


def test_every_figure_has_its_shape_stated_here() -> None:
    assert set(SHAPES) == set(published.FIGURES)


@pytest.mark.parametrize("figure", SHAPES)
def test_a_figure_has_its_games_curves_and_points(figure: str) -> None:
    games, curves, points, least, greatest = SHAPES[figure]
    table = published.curves(figure, EXPERIMENTS)
    sizes = table.groupby(KEY, dropna=False).size()
    assert set(table["game"]) == games
    assert (len(sizes), set(sizes)) == (curves, {points})
    assert table["x"].between(least - 1e-3, greatest + 1e-3).all()
    assert np.isfinite(table["score"]).all()
    if published.FIGURES[figure].x in ("hours", "epochs"):
        assert set(table["x"].round(3)) == set(np.arange(least, greatest + 1))


@pytest.mark.parametrize("figure", SHAPES)
def test_scores_are_possible_and_inside_their_band(figure: str) -> None:
    table = published.curves(figure, EXPERIMENTS)
    pong = table["game"] == "Pong"
    assert table.loc[pong, "score"].between(-21.0, 21.0).all()
    assert (table.loc[~pong, "score"] > 0.0).all()
    drawn = table.dropna(subset=["score_lo"])
    assert (drawn["score_lo"] <= drawn["score"]).all()
    assert (drawn["score"] <= drawn["score_hi"]).all()
    assert len(drawn) == (0 if figure in ("2", "S11", "S5", "v1-9") else len(table))


def test_the_figures_name_methods_threads_and_optimizers() -> None:
    named = {figure: published.curves(figure, EXPERIMENTS) for figure in published.FIGURES}
    methods = {figure: set(table["method"]) for figure, table in named.items()}
    assert methods["1"] == methods["v1-1"] == {"A3C", "DQN"} | VALUE_METHODS
    assert methods["3"] == methods["4"] == {"A3C", "1-step Q", "n-step Q"}
    assert methods["S9"] == methods["S10"] == {"1-step SARSA"}
    assert (methods["2"], methods["S11"], methods["v1-9"]) == ({"A3C"}, VALUE_METHODS, {"A3C"})
    assert methods["v1-5"] == {"A3C LSTM"}
    threads = {figure for figure, table in named.items() if set(table["threads"].dropna()) == {1, 2, 4, 8, 16}}
    assert threads == {"3", "4", "S9", "S10"}
    assert all(named[figure]["threads"].isna().all() for figure in set(named) - threads)
    assert set(named["S5"]["optimizer"]) == {"SGD", "RMSProp", "Shared RMSProp"}
    assert all(set(named[figure]["optimizer"]) == {""} for figure in set(named) - {"S5"})


def test_the_asynchronous_lines_of_figure_1_are_those_with_16_threads_of_figures_4_and_s10() -> None:
    timed = pd.concat([published.curves(figure, EXPERIMENTS) for figure in ("4", "S10")])
    first = published.curves("1", EXPERIMENTS).query("method != 'DQN'")
    places = [table.assign(x=table["x"].round()) for table in (first, timed[timed["threads"] == 16])]
    both = places[0].merge(places[1], on=["game", "method", "x"], validate="one_to_one")
    span = both.groupby("game")["score_x"].transform(np.ptp)
    assert len(both) == len(first)
    assert ((both["score_x"] - both["score_y"]).abs() <= 2e-4 * span).all()


def test_all_panels_were_run_with_the_same_50_learning_rates() -> None:
    rates = published.learning_rates(EXPERIMENTS)
    assert rates.shape == (50,)
    assert (np.diff(rates) > 0).all()
    for figure in ("2", "S11"):
        for _, panel in published.curves(figure, EXPERIMENTS).groupby(["method", "game"])["x"]:
            assert np.sort(panel) == pytest.approx(rates, rel=1e-4)


def test_ranked_scores_fall_from_the_first_rank_to_the_fiftieth() -> None:
    for _, curve in published.ranked_scores(EXPERIMENTS).groupby(["game", "method", "optimizer"]):
        assert curve["rank"].tolist() == list(range(1, 51))
        assert curve["score"].is_monotonic_decreasing


def test_table_2_grows_with_threads_to_an_order_of_magnitude() -> None:
    table = published.table_2(EXPERIMENTS)
    assert table.index.tolist() == ["1-step Q", "1-step SARSA", "n-step Q", "A3C"]
    assert table.columns.tolist() == [1, 2, 4, 8, 16]
    assert (table[1] == 1.0).all()
    assert (table.diff(axis="columns").iloc[:, 1:] > 0).all(axis=None)
    assert (table[16] > 10.0).all()


def test_tables_1_and_s3_have_the_same_methods_and_the_57_games() -> None:
    scores = published.table_s3(EXPERIMENTS)
    assert scores.columns.tolist() == published.table_1(EXPERIMENTS).index.tolist()
    assert scores.index.tolist() == list(atari_games())
    assert scores.count().tolist() == [49, 49] + 6 * [57]


def test_reference_sets_have_their_games_and_one_game_is_upside_down() -> None:
    sets = {name: published.reference_scores(name, EXPERIMENTS) for name in published.REFERENCE_SETS}
    assert {name: len(table) for name, table in sets.items()} == {
        "noop_5min": 49, "noop_30min": 57, "human_starts": 57}  # fmt: skip
    for name, table in sets.items():
        assert set(table.index) <= set(atari_games())
        upside_down = ["VideoPinball"] if name == "human_starts" else []
        assert table.index[table["random"] >= table["human"]].tolist() == upside_down
    short, long = sets["noop_5min"], sets["noop_30min"].loc[sets["noop_5min"].index]
    assert (short["random"] == long["random"]).all()
    assert (short["human"] != long["human"]).sum() > 30


def test_a3c_drives_at_roughly_three_quarters_of_the_humans_score_or_better() -> None:
    scores = published.racing_scores(EXPERIMENTS)
    assert len(scores) == 4
    assert (scores["A3C"] / scores["human"]).between(0.70, 0.90).all()


def test_the_rate_that_joins_the_two_kinds_of_curves_follows_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = published_throughput.implied_throughput(EXPERIMENTS)
    assert len(rates) == 100
    assert (rates["error"] < 0.08).all()
    a3c = rates[(rates["method"] == "A3C") & (rates["threads"] == 16)]["frames_per_second"]
    assert a3c.median() == pytest.approx(320e6 / 86_400, rel=0.25)  # an author's e-mail: 320 million frames a day
    curves = published.curves

    def on_a_machine_twice_as_fast(figure: str, experiments: Path) -> pd.DataFrame:
        table = curves(figure, experiments)
        return table.assign(x=table["x"] / (2.0 if figure in ("4", "S10") else 1.0))

    monkeypatch.setattr(published, "curves", on_a_machine_twice_as_fast)
    twice = published_throughput.implied_throughput(EXPERIMENTS)
    assert twice["frames_per_second"].to_numpy() == pytest.approx(2.0 * rates["frames_per_second"].to_numpy(), rel=0.01)


def test_one_step_methods_gain_more_in_data_efficiency_than_a3c() -> None:
    split = published_throughput.split_speed_up(EXPERIMENTS).set_index(["method", "threads"])
    assert (split["throughput"] * split["data_efficiency"]).to_numpy() == pytest.approx(split["speed_up"].to_numpy())
    gain = split["data_efficiency"].xs(16, level="threads")
    assert gain.idxmin() == "A3C"
    assert gain["1-step Q"] > 1.5
    assert gain["A3C"] == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: published.curves("3", folder),
        published.table_1,
        published.table_2,
        published.table_s3,
        published.racing_scores,
        lambda folder: published.reference_scores("noop_30min", folder),
    ],
)
def test_one_changed_digit_is_refused_by_name(read: Callable[[Path], pd.DataFrame], copied: Path) -> None:
    read(copied)
    for path in (copied / published.FOLDER).glob("*.csv"):
        path.write_text(path.read_text().replace("7", "1", 1))
    with pytest.raises(InvalidInput, match=r"\.csv: its SHA-256 is not the one in SHA256SUMS"):
        read(copied)


@pytest.mark.parametrize("name", ["table_1.csv", published.SUMS])
def test_a_missing_file_is_named(name: str, copied: Path) -> None:
    (copied / published.FOLDER / name).unlink()
    with pytest.raises(InvalidInput, match=rf"{name}: cannot be read \(No such file"):
        published.table_1(copied)


def test_a_figure_or_a_set_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(InvalidInput, match=r"unknown figure 'S8'.*S10, S11"):
        published.curves("S8", EXPERIMENTS)
    with pytest.raises(InvalidInput, match=r"unknown reference set 'noop'.*human_starts, noop_30min"):
        published.reference_scores("noop", EXPERIMENTS)
