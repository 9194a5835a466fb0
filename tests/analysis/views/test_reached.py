"""The share of runs that reached a goal, and when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from scipy.stats import binom

from a3c.analysis import outputs, tables
from a3c.analysis.figures import fix_layout
from a3c.analysis.style import RC
from a3c.analysis.views.reached import FIGURES, answer, median_interval
from a3c.study_file import Sweep

GOAL = 475.0


def late(run: Any, progress: np.ndarray) -> np.ndarray:
    """Seed k reaches the goal after (k + 1) / 8 of the budget, seeds from 4 on never; with 8 workers all at a tenth."""
    seed, workers = run.settings.seed, run.settings.workers
    reaches = 0.1 if workers == 8 else (seed + 1) / 8 if seed < 4 else np.inf
    return np.where(progress >= reaches, GOAL, GOAL - 1.0)


@pytest.fixture(scope="module")
def trained(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A study of one and eight workers, eight seeds each, and where its tables stand."""
    results = tmp_path_factory.mktemp("results")
    runs = [synthetic.make_run(workers=w, seed=s) for w in (1, 8) for s in range(8)]
    study = replace(synthetic.make_study(*runs), views=("reached",))
    synthetic.write_study(results, study, score=late)
    tables.write_tables(study, results)
    return study, results


def test_a_run_counts_from_its_first_episode_at_the_goal_and_one_that_ends_before_is_censored(
    trained: tuple[Any, Path], synthetic: Any
) -> None:
    one, eight = synthetic.rows_of(*trained, "reached")
    assert (one["n"], one["n_reached"], one["reached"]) == ("8", "4", "0.5")
    assert (one["frames_to_reach"], one["frames_to_reach_lo"], one["frames_to_reach_hi"]) == ("inf", "1250", "inf")
    assert (eight["n_reached"], eight["frames_to_reach"]) == ("8", "1000")
    assert float(eight["reached_lo"]) == pytest.approx(8 / (8 + 1.959964**2), rel=1e-4), "Wilson's end, not a point"


def test_a_goal_is_mastered_only_if_the_mean_of_an_evaluation_point_comes_there(
    trained: tuple[Any, Path], synthetic: Any
) -> None:
    """The evaluation points of a synthetic run have the goal as their mean from the same frames on."""
    one, eight = synthetic.rows_of(*trained, "reached")
    assert (one["n_mastered"], eight["n_mastered"]) == ("4", "8")


@pytest.mark.parametrize("n", [6, 9, 20, 51])
def test_the_medians_interval_covers_it_in_no_fewer_cases_than_95_percent(n: int) -> None:
    low, high = median_interval(np.arange(1.0, n + 1.0))
    below = binom.cdf(low - 1, n, 0.5)
    assert below <= 0.025 < binom.cdf(low, n, 0.5)
    assert high == n + 1 - low


def test_five_runs_have_no_interval_of_the_median() -> None:
    assert np.isnan(median_interval(np.arange(5.0))).all()


def test_a_game_without_a_known_goal_is_refused(tmp_path: Path, synthetic: Any) -> None:
    study = replace(synthetic.make_study(synthetic.make_run(game="CliffWorld")), views=("reached",))
    synthetic.write_study(tmp_path, study)
    with pytest.raises(ValueError, match="knows no goal of CliffWorld"):
        tables.write_tables(study, tmp_path)


def test_shares_whose_intervals_do_not_overlap_are_decided_and_others_are_not(trained: tuple[Any, Path]) -> None:
    study, results = trained
    table = tables.read_table(outputs.table_path(study, results, "reached"))
    said = answer(study, {"reached": table})
    assert "with 8 workers 8 of 8 runs reach the goal" in str(said)
    assert str(said).endswith("undecided at n = 8.")
    table.loc[0, ["n_reached", "reached", "reached_lo", "reached_hi"]] = [0, 0.0, 0.0, 0.32]
    assert str(answer(study, {"reached": table})).endswith(": more.")


def test_along_a_sweep_each_value_has_a_row_and_the_figure_a_line(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run(workers=w, seed=s, point=p) for w in (1, 2) for s in range(2) for p in (0, 4)]
    sweep = Sweep(setting="order.lag", label="lag", unit="updates")
    study = replace(synthetic.make_study(*runs), views=("reached",), sweep=sweep)
    synthetic.write_study(tmp_path, study, score=late)
    tables.write_tables(study, tmp_path)
    rows = synthetic.rows_of(study, tmp_path, "reached")
    assert [(row["workers"], row["lag"]) for row in rows] == [("1", "0"), ("1", "4"), ("2", "0"), ("2", "4")]
    found = {name: tables.read_table(outputs.table_path(study, tmp_path, name)) for name in ("reached", "runs")}
    with mpl.rc_context(RC):
        figure = FIGURES["reached"](study, found)
        fix_layout(figure)
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert len(lines) == 2
