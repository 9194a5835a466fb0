"""Runs along a swept setting: which are good, which lose what they had, and what was published beside them."""

from __future__ import annotations

from collections.abc import Callable
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
from a3c.analysis.views.robustness import FIGURES
from a3c.plan import Run, Study, load_study
from a3c.study_file import Sweep, ValuesFrom, read_values

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
RMSPROP = {"kind": "shared_rmsprop", "annealing": "linear", "decay": 0.99, "epsilon": 0.1}
SWEEP = Sweep(setting="optimizer.learning_rate", label="initial learning rate", unit="")
ANY = [0.001, 0.002, 0.004, 0.008]


@pytest.fixture
def swept(tmp_path: Path, synthetic: Any) -> Callable[..., Study]:
    """Writes runs at several learning rates, and their tables below `tmp_path`; returns their study."""

    def make(seeds: Any, game: str = "CartPole-v1", published: str | None = None, **options: Any) -> Study:
        pairs = [(rate, seed) for rate, given in seeds.items() for seed in given]
        made = [
            synthetic.make_run("a3c", game, seed=seed, optimizer={**RMSPROP, "learning_rate": rate})
            for rate, seed in pairs
        ]
        runs = tuple(Run("a3c", run.settings, rate) for run, (rate, _) in zip(made, pairs, strict=True))
        study = replace(synthetic.make_study(*made), runs=runs, sweep=SWEEP, views=("robustness",), published=published)
        synthetic.write_study(tmp_path, study, **options)
        tables.write_tables(study, tmp_path)
        return study

    return make


def one_each(values: list[float]) -> dict[float, list[int]]:
    """The k-th value with seed k alone."""
    return {value: [k] for k, value in enumerate(values)}


def final(scores: dict[float, float], start: float = 0.0) -> Callable[[Run, np.ndarray], np.ndarray]:
    """Straight lines from `start` to each learning rate's score, whatever the seed."""
    return lambda run, progress: start + progress * (scores[run.settings.optimizer.learning_rate] - start)


def summary(study: Study, results: Path, synthetic: Any) -> dict[str, str]:
    """The one row of the table `robustness`."""
    (row,) = synthetic.rows_of(study, results, "robustness")
    return dict(row)


def answered(study: Study, results: Path) -> str:
    """The answer from the tables that were written."""
    names = [name for name in outputs.table_names(study) if outputs.is_text(name)]
    return answer(study, {name: tables.read_table(outputs.table_path(study, results, name)) for name in names})


def drawn(study: Study, results: Path, name: str) -> Any:
    """One figure of the view, from the tables that were written, not laid out."""
    frames = {one: tables.read_table(outputs.table_path(study, results, one)) for one in outputs.table_names(study)}
    with mpl.rc_context(RC):
        return FIGURES[name](study, frames)


def test_a_good_run_is_in_the_upper_fifth_of_the_range(tmp_path: Path, synthetic: Any, swept: Any) -> None:
    study = swept(one_each(ANY), score=final(dict(zip(ANY, (10.0, 89.0, 110.0, 91.0), strict=True))))
    row = summary(study, tmp_path, synthetic)
    # From 10 to 110, so from 90 on; the two good runs are not beside each other with 89 below them.
    assert (row["runs"], row["best"], row["best_value"], row["good_score"]) == ("4", "110", "0.004", "90")
    assert (row["share_good"], row["good_from"], row["good_to"], row["area"]) == ("0.5", "0.004", "0.008", "75")
    assert float(row["share_good_lo"]) == pytest.approx(0.15, abs=0.001)  # Wilson's, of 2 in 4


def test_no_run_below_the_level_before_training_is_good(tmp_path: Path, synthetic: Any, swept: Any) -> None:
    study = swept(one_each(ANY), score=final(dict.fromkeys(ANY, -10.0)), episodes=1000)
    row = summary(study, tmp_path, synthetic)
    # Two workers' first episodes end at a thousandth and two thousandths of the way down.
    assert (row["untrained"], row["share_good"], row["good_from"]) == ("-0.015", "0", "")
    assert answered(study, tmp_path) == "a3c in CartPole-v1: no run of 4 ends above the level before training."


def test_a_run_that_loses_more_than_half_has_collapsed(tmp_path: Path, synthetic: Any, swept: Any) -> None:
    after = dict(zip(ANY, (100.0, 60.0, 56.0, 54.0), strict=True))

    def score(run: Run, progress: np.ndarray) -> np.ndarray:
        learnt = 10.0 + 90.0 * np.minimum(1.0, 2.0 * progress)
        return np.where(progress > 0.8, after[run.settings.optimizer.learning_rate], learnt)

    study = swept(one_each(ANY), score=score, episodes=10_000)
    row = summary(study, tmp_path, synthetic)
    # From some 10 before training to 100 at best: half of that is lost below 55.
    assert row["n_collapsed"] == "1"
    counted = synthetic.rows_of(study, tmp_path, "collapses")
    assert [(one["learning_rate"], one["n_collapsed"]) for one in counted] == [
        ("0.001", "0"), ("0.002", "0"), ("0.004", "0"), ("0.008", "1"),
    ]  # fmt: skip
    assert answered(study, tmp_path) == (
        "a3c in CartPole-v1: 25% of 4 runs end within 20% of the range below the best, at initial learning rate "
        "0.001; 1 lost more than half of what they had learnt."
    )


def test_values_that_share_seeds_are_answered_by_their_difference(tmp_path: Path, swept: Any) -> None:
    seeds = list(range(5))
    study = swept({0.001: seeds, 0.002: seeds}, score=final({0.001: 10.0, 0.002: 100.0}))
    found = answered(study, tmp_path)
    assert found.startswith("a3c: at learning_rate 0.002 the mean score is higher than at 0.001")
    assert found.endswith("that lost more than half of what they had learnt: 0 of 5 at 0.001, 0 of 5 at 0.002.")


def test_published_runs_stand_beside_ours_and_are_counted_by_the_same_rule(
    tmp_path: Path, synthetic: Any, swept: Any
) -> None:
    study = swept(one_each(ANY), "Pong", "2")
    row = summary(study, tmp_path, synthetic)
    cloud = published.curves("2", EXPERIMENTS).query("game == 'Pong'")
    assert len(synthetic.rows_of(study, tmp_path, "robustness_published")) == len(cloud) == int(row["published_runs"])
    assert float(row["published_best"]) == pytest.approx(cloud["score"].max())
    least = cloud["score"].min() + 0.8 * np.ptp(cloud["score"])
    good = cloud[cloud["score"] >= least]
    assert float(row["published_share_good"]) == pytest.approx(len(good) / len(cloud))
    assert float(row["published_good_from"]) == pytest.approx(good["x"].min(), rel=1e-5)
    assert float(row["published_area"]) == pytest.approx(cloud["score"].mean(), rel=1e-5)
    assert "(published: 50% of 50, " in answered(study, tmp_path)


def test_a_study_that_names_no_figure_or_a_game_without_one_has_no_published_runs(
    tmp_path: Path, synthetic: Any, swept: Any
) -> None:
    study = swept(one_each(ANY), "CartPole-v1", "2")
    assert synthetic.rows_of(study, tmp_path, "robustness_published") == []
    assert summary(study, tmp_path, synthetic)["published_runs"] == ""
    unnamed = replace(study, published=None)
    tables.write_tables(unnamed, tmp_path)
    assert synthetic.rows_of(unnamed, tmp_path, "robustness_published") == []


def test_the_scatter_has_a_dot_a_run_and_a_ring_a_published_run(tmp_path: Path, swept: Any) -> None:
    scores = dict(zip(ANY, (10.0, 89.0, 110.0, 91.0), strict=True))

    def score(run: Run, progress: np.ndarray) -> np.ndarray:
        ends = scores[run.settings.optimizer.learning_rate]
        return np.where(progress < 1.0, ends + 5.0, ends)

    (ax,) = drawn(swept(one_each(ANY), "Pong", "2", score=score), tmp_path, "robustness").axes
    rings, dots = (line for line in ax.lines if line.get_marker() == "o")
    assert dots.get_ydata().tolist() == list(scores.values())
    assert dots.get_xdata() == pytest.approx(np.log10(ANY))
    assert len(rings.get_xdata()) == 50
    assert {line.get_ydata()[0] for line in ax.lines if len(line.get_xdata()) == 2} >= {90.0}


def test_a_value_of_0_stands_left_of_the_others(tmp_path: Path, synthetic: Any) -> None:
    runs = []
    for weight in (0.0, 0.01, 0.1):
        kind = {"kind": "actor_critic", "value_weight": 0.5, "entropy_weight": weight, "gae_lambda": 1.0}
        runs.append(Run("a3c", synthetic.make_run("a3c", algorithm=kind).settings, weight))
    sweep = Sweep(setting="algorithm.entropy_weight", label="entropy weight", unit="")
    study = replace(synthetic.make_study(*runs), sweep=sweep, views=("robustness",), published="v1-9")
    synthetic.write_study(tmp_path, study)
    tables.write_tables(study, tmp_path)
    (ax,) = drawn(study, tmp_path, "robustness").axes
    dots = next(line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 3)
    assert dots.get_xdata() == pytest.approx([-2 - 1 / 3, -2, -1])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.01", "0.02", "0.05", "0.1"]


def test_learning_curves_are_those_of_the_five_best_values(tmp_path: Path, swept: Any) -> None:
    rates = [0.001 * k for k in range(1, 8)]
    study = swept(one_each(rates), score=final({rate: 1e5 * rate for rate in rates}))
    (ax,) = drawn(study, tmp_path, "best_runs").axes
    *thin, mean = ax.lines
    assert sorted(line.get_ydata()[-1] for line in thin) == pytest.approx([300.0, 400.0, 500.0, 600.0, 700.0])
    assert mean.get_ydata()[-1] == pytest.approx(500.0)


@pytest.mark.slow
def test_both_figures_are_drawn_the_same_twice(tmp_path: Path, swept: Any) -> None:
    study = swept(one_each(ANY), "Pong", "2")
    assert outputs.figure_names(study)[:2] == ["robustness", "best_runs"]
    paths = [outputs.figure_path(study, tmp_path, name) for name in ("robustness", "best_runs")]
    write_figures(study, tmp_path)
    before = [path.read_bytes() for path in paths]
    write_figures(study, tmp_path)
    assert before == [path.read_bytes() for path in paths]


def test_the_values_that_studies_sweep_are_the_published_ones() -> None:
    def values(column: str) -> list[float]:
        return read_values(ValuesFrom(file="sampled_values.csv", column=column), EXPERIMENTS)

    assert values("learning_rate") == pytest.approx(published.learning_rates(EXPERIMENTS), rel=1e-4)
    weights = published.curves("v1-9", EXPERIMENTS).groupby("game")["x"]
    for _, drawn in weights:
        assert values("entropy_weight") == pytest.approx(np.sort(drawn), rel=1e-3)
    wide = np.log10(values("wide_learning_rate"))
    assert wide == pytest.approx(-5.0 + 4.0 * (np.arange(50) + 0.5) / 50, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "games", "variants"), [("robustness", 5, 4), ("optimizers", 4, 8), ("entropy", 4, 1), ("continuous", 7, 1)]
)
def test_at_paper_scale_every_game_and_variant_has_its_fifty_values(name: str, games: int, variants: int) -> None:
    study = load_study(name, "paper", EXPERIMENTS)
    groups = [group for group in outputs.groups(study) if group.point != 0]
    assert len(groups) == 50 * games * variants
    assert {len(group.runs) for group in groups} == {1}
    by_value: dict[float, set[int]] = {}
    for group in groups:
        by_value.setdefault(float(group.point or 0), set()).add(group.runs[0].settings.seed)
    assert sorted(by_value.values()) == [{k} for k in range(50)]
