"""A study that turns one setting up step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.answers import answer
from a3c.analysis.figures import write_figures
from a3c.analysis.sweep_figures import positions

MINUS = "\N{MINUS SIGN}"


def falling(run: Any, progress: np.ndarray) -> np.ndarray:
    """Scores that rise to 100 + 10 seed, and fall by one per update of lag and seed."""
    return (100.0 + 10.0 * run.settings.seed) * progress - run.point * (1.0 + run.settings.seed)


def swept(synthetic: Any, points: tuple[int, ...], seeds: int, variants: tuple[str, ...] = ("a",)) -> list[Any]:
    """Runs of each variant at each lag with each seed; variants differ in something that does not matter here."""
    return [
        synthetic.make_run(v, seed=s, point=p, records={"intervals": 20 + i, "sample_interval_turns": 10})
        for i, v in enumerate(variants)
        for p in points
        for s in range(seeds)
    ]


def answered(study: Any, results: Path) -> str:
    """The answer from the tables that were written."""
    path = outputs.table_path(study, results, "sweep")
    return answer(study, {"sweep": tables.read_table(path)})


def test_every_table_of_a_sweep_says_the_value(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*swept(synthetic, (0, 4), 2))
    assert set(outputs.table_names(study)) == set(outputs.SWEEP_TABLES)
    assert outputs.figure_names(study) == ["sweep", "drift"]
    for name in outputs.table_names(study):
        rows = synthetic.rows_of(study, tmp_path, name)
        assert list(rows[0])[:4] == ["game", "variant", "workers", "lag"], name
        assert {row["lag"] for row in rows} == {"0", "4"}, name
    files = outputs.table_files(study, tmp_path)
    assert sorted(files) == sorted(files[0].parent.iterdir())


def test_scores_are_those_of_the_last_point_and_of_all(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*swept(synthetic, (0, 4), 2), score=falling)
    rows = synthetic.rows_of(study, tmp_path, "sweep")
    # Four points at a quarter, half, ... of the budget: the mean of the progress is 0.625.
    assert [(row["final_score"], row["mean_score"]) for row in rows] == [("105", "65.625"), ("99", "59.625")]
    assert [row["mean_score"] for row in synthetic.rows_of(study, tmp_path, "runs")] == [
        "62.5",
        "68.75",
        "58.5",
        "60.75",
    ]


def test_differences_are_paired_by_seed_with_the_first_value(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    runs = [synthetic.make_run("a", seed=s, point=p) for p, seeds in ((4, (1, 2, 9)), (2, (0, 1, 2))) for s in seeds]
    study = tabled(*runs, score=falling)
    first, second = synthetic.rows_of(study, tmp_path, "sweep")
    assert (first["lag"], first["difference"], first["difference_lo"], first["n_paired"]) == ("2", "", "", "")
    # Seeds 1 and 2 are shared: 2 updates more cost them 4 and 6.
    assert (second["n"], second["n_paired"], second["difference"]) == ("3", "2", "-5")
    # Student's t with one degree of freedom: 12.7062 standard errors, of which each is 1.
    assert (second["difference_lo"], second["difference_hi"]) == ("-17.7062", "7.7062")
    assert "undecided at n = 2 " in answered(study, tmp_path)


def test_values_without_a_shared_seed_have_no_difference(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*(synthetic.make_run("a", seed=s, point=p) for s, p in ((0, 1), (1, 2))))
    assert synthetic.rows_of(study, tmp_path, "sweep")[1]["difference"] == ""
    assert answered(study, tmp_path) == "a: no seed has both lag 1 and 2."


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        (
            5,
            f"a: at lag 64 the mean score is lower than at 0 (difference {MINUS}192 [{MINUS}281.6, {MINUS}102.4], "
            "n = 5); the largest value without a decided difference is 8.",
        ),
        (4, f"a: lag 64 against 0 is undecided at n = 4 in mean score (difference {MINUS}160 ["),
        (1, f"a: lag 64 against 0 is undecided at n = 1 in mean score (difference {MINUS}64, no interval)."),
    ],
)
def test_the_answer_names_the_difference_and_the_last_undecided_value(
    tmp_path: Path, synthetic: Any, tabled: Any, seeds: int, words: str
) -> None:
    def score(run: Any, progress: np.ndarray) -> np.ndarray:
        harmless = run.point in (1, 8) and run.settings.seed % 2
        return np.full_like(progress, 1000.0 - (-run.point if harmless else run.point) * (1.0 + run.settings.seed))

    study = tabled(*swept(synthetic, (0, 1, 8, 64), seeds), score=score)
    found = answered(study, tmp_path)
    assert found.startswith(words.partition(" [")[0])
    assert "difference is 8." in found if seeds == 5 else "undecided" in found


def test_a_decided_dip_in_the_middle_is_not_kept_back(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    def score(run: Any, progress: np.ndarray) -> np.ndarray:
        return np.full_like(progress, 10.0 - 5.0 * (run.point == 1))

    study = tabled(*swept(synthetic, (0, 1, 8), 5, ("a", "b")), score=score)
    clause = (
        "lag 8 against 0 is undecided at n = 5 in mean score (difference 0 [0, 0]); against lag 0 it is lower at 1."
    )
    assert answered(study, tmp_path) == f"a: {clause} b: {clause}"


def test_zero_stands_a_doubling_below_the_least_value() -> None:
    assert positions([64, 0, 4, 16, 4]) == {0: 1.0, 4: 2.0, 16: 4.0, 64: 6.0}
    assert positions([0.5, 1]) == {0.5: -1.0, 1: 0.0}
    assert positions([-1, 0, 5]) == {-1: 0.0, 0: 1.0, 5: 2.0}
    assert positions([0]) == {0: 0.0}


@pytest.mark.slow
def test_the_figures_of_a_sweep_are_the_same_when_drawn_again(tmp_path: Path, synthetic: Any, tabled: Any) -> None:
    study = tabled(*swept(synthetic, (0, 4), 2, ("a", "b")), score=falling)
    write_figures(study, tmp_path)
    files = outputs.figure_files(study, tmp_path)
    assert sorted(files) == sorted(files[0].parent.iterdir())
    before = [path.read_bytes() for path in files]
    write_figures(study, tmp_path)
    assert [path.read_bytes() for path in files] == before
