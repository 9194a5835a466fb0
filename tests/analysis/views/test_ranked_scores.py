"""Runs by rank: areas, pairs, and the published curves beside ours."""

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
from a3c.analysis.views.ranked_scores import FIGURES
from a3c.plan import Run, Study
from a3c.study_file import Sweep

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
RATES = (0.001, 0.002, 0.004, 0.006, 0.008)
ANNEALED = {"annealing": "linear"}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "shared": ANNEALED | {"kind": "shared_rmsprop", "decay": 0.99, "epsilon": 0.1},
    "sgd": ANNEALED | {"kind": "momentum_sgd", "momentum": 0.99},
    "adam": ANNEALED | {"kind": "shared_adam", "decay_mean": 0.9, "decay_square": 0.999, "epsilon": 1e-8},
}


def better_by(gain: float) -> Callable[[Run, np.ndarray], np.ndarray]:
    """Scores that hang on the learning rate; SGD's lie lower by `gain` and an eighth of it a seed, Adam's are equal."""

    def score(run: Run, progress: np.ndarray) -> np.ndarray:
        rate, seed = run.settings.optimizer.learning_rate, run.settings.seed
        less = gain * (1.0 + seed / 8.0) if run.variant == "sgd" else 0.0
        return np.where(progress < 1.0, 0.0, 1000.0 * np.sin(500.0 * rate) - less)

    return score


def write(synthetic: Any, results: Path) -> Study:
    """A run of Breakout an optimizer and learning rate, each its own seed, but for SGD at the first; and the tables."""
    made = [
        (synthetic.make_run(name, "Breakout", seed=k, optimizer=optimizer | {"learning_rate": rate}), rate)
        for name, optimizer in OPTIMIZERS.items()
        for k, rate in enumerate(RATES)
        if (name, rate) != ("sgd", RATES[0])
    ]
    study = replace(
        synthetic.make_study(*(run for run, _ in made)),
        runs=tuple(Run(run.variant, run.settings, rate) for run, rate in made),
        sweep=Sweep(setting="optimizer.learning_rate", label="initial learning rate", unit=""),
        views=("ranked_scores",),
        published="S5",
    )
    synthetic.write_study(results, study, episodes=20, score=better_by(8.0))
    tables.write_tables(study, results)
    return study


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory, synthetic: Any) -> tuple[Study, Path]:
    """Runs of Breakout, with their tables; nothing here changes them."""
    results = tmp_path_factory.mktemp("ranked")
    return write(synthetic, results), results


def test_the_area_is_the_mean_over_runs_and_differences_are_over_pairs(
    synthetic: Any, ranked: tuple[Study, Path]
) -> None:
    study, results = ranked
    shared, sgd, adam = synthetic.rows_of(study, results, "ranked_area")
    scores = [1000.0 * np.sin(500.0 * rate) for rate in RATES]
    assert float(shared["area"]) == pytest.approx(np.mean(scores), rel=1e-5)
    assert (shared["against"], shared["n_paired"], shared["difference"]) == ("", "", "")
    # Without its pair the first run of the others does not count: seeds 1 to 4 cost 9, 10, 11 and 12.
    assert (sgd["runs"], sgd["against"], sgd["n_paired"], sgd["difference"]) == ("4", "shared", "4", "-10.5")
    reach = 3.18245 * np.std([9.0, 10.0, 11.0, 12.0], ddof=1) / 2.0  # Student's t of three degrees of freedom
    ends = float(sgd["difference_lo"]), float(sgd["difference_hi"])
    assert ends == pytest.approx((-10.5 - reach, -10.5 + reach), abs=1e-3)
    assert (adam["n_paired"], adam["difference"], adam["difference_lo"]) == ("5", "0", "0")


def test_ranks_are_shares_of_the_runs_from_best_to_worst(synthetic: Any, ranked: tuple[Study, Path]) -> None:
    study, results = ranked
    rows = [
        r
        for r in synthetic.rows_of(study, results, "ranked_scores")
        if (r["variant"], r["source"]) == ("shared", "ours")
    ]
    assert [row["rank_fraction"] for row in rows] == ["0.1", "0.3", "0.5", "0.7", "0.9"]
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_published_areas_stand_beside_those_of_the_same_optimizer(synthetic: Any, ranked: tuple[Study, Path]) -> None:
    study, results = ranked
    shared, sgd, adam = synthetic.rows_of(study, results, "ranked_area")
    curves = published.ranked_scores(EXPERIMENTS).query("game == 'Breakout' and method == 'A3C'")
    area = curves.groupby("optimizer")["score"].mean()
    assert float(shared["published_area"]) == pytest.approx(area["Shared RMSProp"], rel=1e-5)
    assert float(sgd["published_difference"]) == pytest.approx(area["SGD"] - area["Shared RMSProp"], rel=1e-5)
    assert (adam["optimizer"], adam["published_area"], adam["published_difference"]) == ("Shared Adam", "", "")
    theirs = [r for r in synthetic.rows_of(study, results, "ranked_scores") if r["source"] == "published"]
    assert len(theirs) == 100


def test_the_answer_says_which_differences_are_decided(ranked: tuple[Study, Path]) -> None:
    study, results = ranked
    names = [name for name in outputs.table_names(study) if outputs.is_text(name)]
    found = answer(study, {name: tables.read_table(outputs.table_path(study, results, name)) for name in names})
    minus = "\N{MINUS SIGN}"
    assert found.startswith(
        "A3C in Breakout, mean over all learning rates: sgd against shared is undecided at n = 4 (difference"
    )
    assert f"(difference {minus}10.5 [{minus}" in found
    assert f"; published {minus}20" in found
    assert found.endswith("adam against shared is undecided at n = 5 (difference 0 [0, 0]).")


def test_lines_fall_from_left_to_right_and_published_ones_are_dashed(ranked: tuple[Study, Path]) -> None:
    study, results = ranked
    frames = {one: tables.read_table(outputs.table_path(study, results, one)) for one in outputs.table_names(study)}
    with mpl.rc_context(RC):
        figure = FIGURES["ranked_scores"](study, frames)
    (ax,) = figure.axes
    assert [len(line.get_xdata()) for line in ax.lines] == [5, 50, 4, 50, 5]  # nobody published Adam
    assert [line.is_dashed() for line in ax.lines] == [False, True, False, True, False]
    assert all((np.diff(line.get_ydata()) <= 0).all() for line in ax.lines)
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert names == ["Shared RMSProp", "SGD", "Shared Adam", "published"]


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_twice(ranked: tuple[Study, Path]) -> None:
    study, results = ranked
    path = outputs.figure_path(study, results, "ranked_scores")
    write_figures(study, results)
    before = path.read_bytes()
    write_figures(study, results)
    assert path.read_bytes() == before
