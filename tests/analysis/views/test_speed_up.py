"""Speed-up is throughput times data efficiency, against the run with one worker, to a score that all reach."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import outputs
from a3c.analysis.curve_tables import POINTS, Curves, grid
from a3c.analysis.outputs import Group
from a3c.analysis.tables import read_table, study_rows, write_tables
from a3c.analysis.views import VIEWS, speed_up
from a3c.analysis.views.speed_up_ratios import RATIOS, Family, arrival, middle, ratios


def curves(workers: int, slope: float, rate: float, seeds: int = 3) -> Curves:
    """Scores that rise by slope over the budget, a little more with each seed, at so many frames a second."""
    frames = grid(1000.0)
    scores = np.stack([slope * (1.0 + 0.02 * seed) * frames / 1000.0 for seed in range(seeds)])
    return Curves(Group("A game", "a3c", workers, ()), frames, np.tile(frames / rate, (seeds, 1)), scores)


def family(*members: Curves) -> Family:
    return Family("A game", "a3c", list(members), [{} for _ in members])


def test_a_curve_arrives_where_it_first_reaches_the_score_and_never_if_it_does_not() -> None:
    frames = np.array([10.0, 20.0, 30.0])
    came = arrival(np.array([[0.0, 5.0, 4.0], [np.nan, 1.0, 2.0]]), np.array([[1.0, 4.0, 6.0]] * 2), frames, 5.0)
    assert came.frames.tolist() == [20.0, np.inf]
    assert came.rate.tolist() == [5.0, 5.0]


def test_the_speed_up_is_the_product_of_throughput_and_data_efficiency_also_in_every_resample() -> None:
    one, four = curves(1, 100.0, 10.0), curves(4, 200.0, 30.0)
    mine = family(one, four)
    time, throughput, data = mine.ratios(four, 40.0)
    assert (throughput, data) == (pytest.approx(3.0), pytest.approx(one.frames[19] / one.frames[9], rel=0.06))
    assert time == throughput * data
    seconds = [curve.seconds[0][np.flatnonzero(curve.mean >= 40.0)[0]] for curve in (one, four)]
    assert time == pytest.approx(seconds[0] / seconds[1], rel=1e-12)
    drawn = mine.resampled(four, 40.0)
    assert drawn is not None
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1] * drawn[:, 2])


def test_one_worker_is_one_times_as_fast_as_itself_without_an_interval() -> None:
    one = curves(1, 100.0, 10.0)
    mine = family(one, curves(2, 100.0, 10.0))
    assert mine.ratios(one, 40.0).tolist() == [1.0, 1.0, 1.0]
    assert mine.resampled(one, 40.0) is None


def test_without_a_run_with_one_worker_there_is_no_speed_up() -> None:
    two = curves(2, 100.0, 10.0)
    assert np.isnan(family(two).ratios(two, 40.0)).all()
    assert family(two).resampled(two, 40.0) is None


def test_the_reference_score_lies_in_the_range_that_all_worker_counts_cover() -> None:
    one, two = curves(1, 100.0, 10.0, seeds=1), curves(2, 300.0, 10.0, seeds=1)
    mine = family(one, two)
    assert mine.reference(100.0) == 100.0
    assert mine.reference(0.0) == pytest.approx(100.0 / POINTS)
    assert mine.reference(50.0) == pytest.approx((100.0 + 100.0 / POINTS) / 2)
    assert all((curve.mean >= mine.reference(100.0)).any() for curve in (one, two))


def test_a_resample_that_never_arrives_puts_an_end_beyond_the_budget() -> None:
    assert middle(np.array([1.0] * 90 + [np.inf] * 10)) == (1.0, np.inf)
    assert middle(np.array([1.0] * 90 + [np.nan] * 10)) == (0.0, np.inf)
    assert middle(np.array([1.0, 2.0] * 50)) == (1.0, 2.0)


def test_where_neither_arrives_nothing_is_known_and_where_one_does_much_is() -> None:
    never, then = arrival(np.zeros(1), np.ones(1), np.ones(1), 5.0), arrival(np.ones(1), np.ones(1), np.ones(1), 1.0)
    assert np.isnan(ratios(never, never)[[0, 2]]).all()
    assert ratios(never, then)[[0, 2]].tolist() == [np.inf, np.inf]
    assert ratios(then, never)[[0, 2]].tolist() == [0.0, 0.0]


def rising(run: Any, progress: np.ndarray) -> np.ndarray:
    """More workers need fewer frames."""
    return np.asarray(100.0 * np.minimum(1.0, progress * np.sqrt(run.settings.workers)) + run.settings.seed)


Made = Callable[..., tuple[Any, dict[str, pd.DataFrame]]]


@pytest.fixture
def made(tmp_path: Path, synthetic: Any) -> Made:
    """Writes runs and tables of a study with the view; returns it with its tables."""

    def make(*runs: Any, timing: bool = True, **options: Any) -> tuple[Any, dict[str, pd.DataFrame]]:
        study = dataclasses.replace(synthetic.make_study(*runs, timing=timing), views=("speed_up",))
        synthetic.write_study(tmp_path, study, score=rising, **options)
        write_tables(study, tmp_path)
        names = [*VIEWS["speed_up"].tables, "runs"]
        return study, {name: read_table(outputs.table_path(study, tmp_path, name)) for name in names}

    return make


def test_the_tables_hold_the_identity_and_stand_beside_the_papers_table_2(made: Made, synthetic: Any) -> None:
    study, tables = made(*(synthetic.make_run("hogwild", workers=w, seed=s) for w in (1, 4) for s in range(2)))
    table, means = tables["speed_up"], tables["speed_up_means"]
    np.testing.assert_allclose(table["speed_up"], table["throughput"] * table["data_efficiency"], rtol=1e-5)
    assert table["data_efficiency"].iloc[1] == pytest.approx(2.0, rel=0.1)
    assert table["speed_up_per_worker"].iloc[1] == pytest.approx(table["speed_up"].iloc[1] / 4, rel=1e-5)
    ours = means[means["variant"] == "hogwild"].set_index("workers")
    assert ours["game"].tolist() == ["CartPole-v1", "", "CartPole-v1", "", ""]
    assert ours["published_speed_up"].tolist() == [1.0, 2.1, 3.7, 6.9, 12.5]
    assert ours.loc[4, "speed_up"] == table["speed_up"].iloc[1]
    assert set(means["variant"]) == {"hogwild", "1-step Q", "1-step SARSA", "n-step Q"}
    found = speed_up.answer(study, tables)
    assert found is not None
    assert found.startswith("Against one worker: hogwild with 4 workers reaches the reference score")
    assert "in CartPole-v1 (n = 2)" in found


def test_a_study_that_does_not_time_its_runs_is_answered_by_frames_alone(made: Made, synthetic: Any) -> None:
    runs = [synthetic.make_run("hogwild", workers=w, seed=s) for w in (1, 2) for s in range(2)]
    runs += [synthetic.make_run("hogwild", "CliffWorld", workers=w) for w in (1, 2)]  # one seed has no panel
    study, tables = made(*runs, timing=False)
    found = speed_up.answer(study, tables)
    assert found is not None
    assert "times the data efficiency" in found
    assert "soon" not in found
    axes = [ax for ax in speed_up.FIGURES["speed_up"](study, tables).axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in axes] == ["CartPole-v1"]


def test_the_lock_has_no_published_speed_up(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run("locked", workers=w, seed=s) for w in (1, 2) for s in range(2)]
    study = dataclasses.replace(synthetic.make_study(*runs), views=("speed_up",))
    synthetic.write_study(tmp_path, study)
    rows = study_rows(study, tmp_path)["speed_up_means"]
    mine = [row for row in rows if row["variant"] == "locked"]
    assert [row["workers"] for row in mine] == [1, 2]
    assert all(np.isnan(float(str(row[f"published_{name}"]))) for row in mine for name in RATIOS)
    assert {row["variant"] for row in rows} >= {"A3C"}
