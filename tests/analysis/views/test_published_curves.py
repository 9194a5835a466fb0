"""Our curves and the paper's on one axis, and what only one of the two has is shown all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import outputs, published
from a3c.analysis.captions import number
from a3c.analysis.tables import read_table, write_tables
from a3c.analysis.views import VIEWS
from a3c.analysis.views import published_curves as view
from a3c.analysis.views import published_curves_methods as methods
from a3c.records.schedule_file import TURN

Q = {
    "target_interval_frames": 1000,
    "exploration": {"final_epsilons": [0.1], "probabilities": [1.0], "annealing_frames": 1, "evaluation_epsilon": 0.1},
}

Made = Callable[..., tuple[Any, dict[str, pd.DataFrame]]]


def few_turns(run: Any, turns: int) -> np.ndarray:
    """So that a budget of millions is written at once."""
    return np.zeros(2, TURN)


@pytest.fixture
def made(tmp_path: Path, synthetic: Any) -> Made:
    """Writes runs and tables of a study beside a published figure; returns it with its tables."""

    def make(figure: str | None, *runs: Any, **options: Any) -> tuple[Any, dict[str, pd.DataFrame]]:
        study = dataclasses.replace(synthetic.make_study(*runs), views=("published_curves",), published=figure)
        synthetic.write_study(tmp_path, study, schedule=few_turns, **options)
        write_tables(study, tmp_path)
        names = [*VIEWS["published_curves"].tables, "runs"]
        return study, {name: read_table(outputs.table_path(study, tmp_path, name)) for name in names}

    return make


BY_VALUES = {
    "schedule": "hogwild",
    "algorithm": {
        "kind": "n_step_q",
        "target_interval_frames": 1_000,
        "exploration": {
            "final_epsilons": [0.1],
            "probabilities": [1.0],
            "annealing_frames": 1_000,
            "evaluation_epsilon": 0.05,
        },
    },
}


def titles(figure: Any) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]


def test_ours_and_the_papers_score_at_one_epoch_stand_in_one_row(made: Made, synthetic: Any) -> None:
    run = synthetic.make_run("hogwild", "Pong", workers=16, budget_frames=100_000_000)
    study, tables = made("3", run)
    row = tables["against_published"].query("variant == 'hogwild' and workers == 16").iloc[0]
    assert (row["unit"], row["x"], row["n"]) == ("epochs", 25.0, 1)
    theirs = published.curves("3", published.EXPERIMENTS).query("game == 'Pong' and method == 'A3C' and threads == 16")
    assert row["published_score"] == pytest.approx(np.interp(25.0, theirs["x"], theirs["score"]), rel=1e-5)
    assert row["difference"] == pytest.approx(row["score_mean"] - row["published_score"], rel=1e-3)
    assert row["published_end_score"] == pytest.approx(theirs["score"].iloc[-1], rel=1e-5)
    assert titles(view.FIGURES["published_curves"](study, tables)) == ["Pong"]


def test_ours_is_compared_where_the_published_curve_ends_if_it_goes_further(made: Made, synthetic: Any) -> None:
    _, tables = made("3", synthetic.make_run("hogwild", "Pong", workers=16, budget_frames=400_000_000))
    row = tables["against_published"].query("workers == 16").iloc[0]
    assert 47.0 < row["x"] <= row["published_end_x"]
    assert np.isfinite(row["published_score"])


def test_lines_that_only_the_paper_has_are_there_and_named_after_our_variant_of_the_method(
    made: Made, synthetic: Any
) -> None:
    _, tables = made(
        "3", synthetic.make_run("hogwild", "Pong", workers=2), synthetic.make_run("q", "Pong", **BY_VALUES)
    )
    table = tables["against_published"]
    assert sorted(table.query("variant == 'hogwild'")["workers"]) == [1, 2, 4, 8, 16]
    assert sorted(table.query("variant == 'hogwild' and n > 0")["workers"]) == [2]
    assert set(table["variant"]) == {"hogwild", "1-step Q", "1-step SARSA", "q"}, "Figure S9 has the fourth"


def test_short_runs_have_panels_of_their_own_beside_the_papers(made: Made, synthetic: Any) -> None:
    study, tables = made("3", synthetic.make_run("hogwild", "Pong", workers=2))
    assert titles(view.FIGURES["published_curves"](study, tables)) == ["Pong, ours", "Pong, paper"]


def test_beside_a_longer_curve_the_axis_ends_where_ours_can_still_be_read(made: Made, synthetic: Any) -> None:
    """8 epochs beside 50."""
    study, tables = made("3", synthetic.make_run("hogwild", "Pong", workers=16, budget_frames=32_000_000))
    figure = view.FIGURES["published_curves"](study, tables)
    assert titles(figure) == ["Pong"]
    assert figure.axes[0].get_xlim() == (0.0, 20.0)
    assert "go on beyond the axis" in " ".join(figure.texts[0].get_text().split())


@pytest.mark.parametrize(("figure", "workers"), [("1", 2), ("1", 16), ("3", 2), ("3", 16)])
def test_where_no_episode_has_ended_the_papers_curve_is_drawn_alone(
    made: Made, synthetic: Any, figure: str, workers: int
) -> None:
    study, tables = made(figure, synthetic.make_run("hogwild", "Pong", workers=workers), episodes=0)
    drawn = view.FIGURES["published_curves"](study, tables)
    assert titles(drawn) == ["Pong, paper"]
    assert "no training episode has ended" in " ".join(drawn.texts[0].get_text().split())
    assert view.answer(study, tables) is None


def test_one_variant_alone_is_answered_by_the_papers_curve(made: Made, synthetic: Any) -> None:
    study, tables = made("3", synthetic.make_run("hogwild", "Pong", workers=16, budget_frames=100_000_000))
    theirs = tables["against_published"].query("workers == 16 and n > 0").iloc[0]
    said = str(view.answer(study, tables))
    assert said.startswith("In Pong after 25 epochs, hogwild with 16 workers scores ")
    assert said.endswith(f"the paper's curve stands at {number(theirs['published_score'])} there.")
    two = made("3", *(synthetic.make_run(name, "Pong", workers=16) for name in ("hogwild", "locked")))
    assert view.answer(*two) is None


def test_a_game_that_the_paper_has_not_says_so_with_the_papers_own_beside_it(made: Made, synthetic: Any) -> None:
    study, tables = made("1", synthetic.make_run("hogwild", "CartPole-v1", workers=2))
    figure = view.FIGURES["published_curves"](study, tables)
    assert "not published" in [text.get_text() for text in figure.axes[0].texts]
    assert titles(figure)[0] == "CartPole-v1"
    assert len(titles(figure)) == 6
    assert set(tables["against_published"]["game"]) == {"CartPole-v1"}


def test_hours_are_training_time_and_figure_1_had_16_threads_but_for_dqn(made: Made, synthetic: Any) -> None:
    run = synthetic.make_run("hogwild", "Pong", workers=16, budget_frames=72_000)
    _, tables = made("1", run, synthetic.make_run("q", "Pong", **BY_VALUES), frames_per_second=20.0)
    table = tables["against_published"].set_index("variant")
    assert (table.loc["hogwild", "unit"], table.loc["hogwild", "x"]) == ("hours", 1.0)
    assert np.isfinite(table.loc["hogwild", "published_score"])
    assert np.isnan(table.loc["DQN", "workers"])
    assert set(table.drop(index="q")["workers"].dropna()) == {16}


def test_the_maze_stands_beside_labyrinth_by_training_steps_where_its_agent_has_memory(
    made: Made, synthetic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(methods.STAND_INS, "CartPole-v1", "Labyrinth")
    network = {"kind": "mlp", "hidden": [8], "activation": "tanh", "separate": False, "initialization": "torch"}
    runs = [
        synthetic.make_run(v, schedule="hogwild", budget_frames=30_000_000, network=network | {"lstm_cells": cells})
        for v, cells in (("plain", None), ("memory", 8))
    ]
    study, tables = made("v1-5", *runs)
    table = tables["against_published"].set_index("variant")
    assert (table.loc["memory", "unit"], table.loc["memory", "x"]) == ("million_training_steps", 30.0)
    assert table["published_score"].notna().tolist() == [False, True]
    caption = view.FIGURES["published_curves"](study, tables).texts[0].get_text().replace("\n", " ")
    assert "CartPole-v1 stands in for Labyrinth." in caption


def test_torcs_is_told_by_its_ends_and_never_subtracted(made: Made, synthetic: Any) -> None:
    study, tables = made("S6", synthetic.make_run("hogwild", "CartPole-v1", workers=2))
    table = tables["against_published"]
    theirs = table[table["game"].str.startswith("TORCS")]
    assert theirs.query("variant == 'A3C'")["published_end_score"].max() == 4828
    assert table["difference"].isna().all()
    caption = view.FIGURES["published_curves"](study, tables).texts[0].get_text().replace("\n", " ")
    assert "4,828 of the human tester's 5,472" in caption


@pytest.mark.parametrize(
    ("changes", "method"),
    [({}, "A3C"), ({"schedule": "locked"}, None), ({"schedule": "synchronous"}, None),
     ({"algorithm": {"kind": "one_step_sarsa"} | Q}, "1-step SARSA")],
)  # fmt: skip
def test_only_what_runs_without_a_lock_is_the_papers_method(
    synthetic: Any, changes: dict[str, Any], method: str | None
) -> None:
    assert methods.published_method(synthetic.make_run(**({"schedule": "hogwild"} | changes))) == method


def test_a_study_without_a_published_figure_is_refused(made: Made, synthetic: Any) -> None:
    with pytest.raises(ValueError, match="needs `published`"):
        made(None, synthetic.make_run("hogwild"))


def test_beside_one_method_alone_the_paper_shows_no_other(made: Made, synthetic: Any) -> None:
    _, tables = made("3", synthetic.make_run("hogwild", "Pong", workers=16))
    assert set(tables["published_curves"]["variant"]) == {"hogwild"}
    assert set(tables["published_curves"]["workers"]) == {1, 2, 4, 8, 16}
