"""How alike consecutive updates are, from what was measured on each run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.figures import fix_layout
from a3c.analysis.style import RC
from a3c.analysis.views.decorrelation import FIGURES, QUANTITIES, answer
from a3c.analysis.views.of_the_claims import CORRELATIONS


def measured(synthetic: Any, results: Path, *, seeds: int = 5, variant: str = "locked") -> Any:
    """Runs whose every quantity is 0.8 / workers + seed / 1000 in 300 turns, and not defined in 100 turns more."""
    runs = [synthetic.make_run(variant, workers=w, seed=s) for w in (1, 4) for s in range(seeds)]
    study = replace(synthetic.make_study(*runs), views=("decorrelation",))
    for run in study.runs:
        synthetic.write_run(results, run)
        path = results / CORRELATIONS.format(run=run.folder)
        path.parent.mkdir(parents=True)
        value = 0.8 / run.settings.workers + run.settings.seed / 1000
        blocks = [(0, 200, value - 0.1), (200, 100, value + 0.2), (300, 100, None)]
        lines = [",".join([str(t), str(n), *["" if v is None else repr(v)] * len(QUANTITIES)]) for t, n, v in blocks]
        path.write_text("\n".join([",".join(("turn", "turns", *QUANTITIES)), *lines]) + "\n")
    return study


@pytest.fixture(scope="module")
def tabled_study(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    """A study of five seeds and its tables."""
    results = tmp_path_factory.mktemp("results")
    study = measured(synthetic, results)
    tables.write_tables(study, results)
    names = ("decorrelation", "runs")
    return study, {name: tables.read_table(outputs.table_path(study, results, name)) for name in names}


def test_blocks_count_by_their_turns_and_runs_alike(tabled_study: tuple[Any, dict[str, Any]]) -> None:
    one, four = tabled_study[1]["decorrelation"].to_dict("records")
    assert (one["n"], one["turns"]) == (5, 2000)
    for name in QUANTITIES:
        assert (one[name], four[name]) == pytest.approx((0.802, 0.202)), name
        assert 0.799 < one[f"{name}_lo"] < 0.802 < one[f"{name}_hi"] < 0.805


def test_intervals_apart_are_decided_and_few_seeds_undecided(
    tabled_study: tuple[Any, dict[str, Any]],
) -> None:
    study, found = tabled_study
    assert "of consecutive updates the gradient cosine is lower (0.202" in str(answer(study, found))
    few = {"decorrelation": found["decorrelation"].assign(n=4)}
    assert "the gradient cosine is undecided at n = 4 (0.202" in str(answer(study, few))


def test_a_run_that_was_not_measured_stops_the_tables(tmp_path: Path, synthetic: Any) -> None:
    study = measured(synthetic, tmp_path, seeds=1)
    (tmp_path / CORRELATIONS.format(run=study.runs[0].folder)).unlink()
    with pytest.raises(FileNotFoundError, match=r"correlations\.csv"):
        tables.write_tables(study, tmp_path)


def test_hogwild_runs_are_refused(tmp_path: Path, synthetic: Any) -> None:
    study = measured(synthetic, tmp_path, seeds=1, variant="hogwild")
    with pytest.raises(ValueError, match="hogwild"):
        tables.write_tables(study, tmp_path)


def test_the_figure_has_a_panel_for_each_pair_of_quantities(tabled_study: tuple[Any, dict[str, Any]]) -> None:
    with mpl.rc_context(RC):
        figure = FIGURES["decorrelation"](*tabled_study)
        fix_layout(figure)
    assert [ax.get_ylabel().split()[0] for ax in figure.axes] == ["gradient", "correlation", "correlation"]
