"""One variant against another, and the sentence that is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.answers import answer
from a3c.analysis.comparison_tables import ALL_GAMES, comparison_rows


def run_row(
    game: str, variant: str, seed: int, score: float, timed: float | None = None, budget_frames: int = 1_000
) -> dict[str, Any]:
    """What the comparison needs of a row of the table `runs`."""
    row = {"game": game, "workers": 4, "variant": variant, "seed": seed, "final_score": score}
    row["budget_frames"] = budget_frames
    return row | {"equal_time_score": np.nan if timed is None else timed}


def test_seeds_that_both_have_are_paired() -> None:
    """A constant gain on noisy seeds: paired, the interval is a point; unpaired, it would be wide."""
    runs = [run_row("Pong", v, s, 1000.0 * s + gain) for v, gain in (("a", 5.0), ("b", 0.0)) for s in range(4)]
    row = comparison_rows(runs, ["a", "b"])[0]
    assert row["paired"]
    assert (row["difference"], row["difference_lo"], row["difference_hi"], row["n"]) == (5.0, 5.0, 5.0, 4)
    assert row["probability_of_improvement"] == 10 / 16  # 0 + 1 + 2 + 3 pairs of other seeds, and 4 of the same


def test_seeds_in_only_one_variant_are_left_out_of_the_difference() -> None:
    runs = [run_row("Pong", "a", s, float(s)) for s in (0, 1, 2)] + [run_row("Pong", "b", s, 0.0) for s in (1, 2, 9)]
    row = comparison_rows(runs, ["a", "b"])[0]
    assert (row["difference"], row["n"]) == (1.5, 2)


def test_without_a_shared_seed_the_means_are_compared() -> None:
    runs = [run_row("Pong", "a", s, 10.0 + s) for s in (0, 1, 2)] + [run_row("Pong", "b", s, 1.0) for s in (7, 8)]
    row = comparison_rows(runs, ["a", "b"])[0]
    assert not row["paired"]
    assert (row["difference"], row["n"]) == (10.0, 2)
    reach = 4.302653 * np.sqrt(1 / 3)  # Welch: t with 2 degrees of freedom, and only one group varies
    assert row["difference_lo"] == pytest.approx(10.0 - reach)
    assert row["difference_hi"] == pytest.approx(10.0 + reach)


def test_at_equal_wall_clock_the_scores_of_that_time_are_compared() -> None:
    runs = [run_row("Pong", v, s, 10.0, timed=gain + s) for v, gain in (("a", 3.0), ("b", 0.0)) for s in range(3)]
    rows = comparison_rows(runs, ["a", "b"])
    assert [(row["at"], row["difference"]) for row in rows] == [("equal frames", 0.0), ("equal wall-clock", 3.0)]


def test_runs_of_unlike_budgets_are_compared_at_equal_wall_clock_alone() -> None:
    budgets = {"a": 1_000, "b": 2_000}
    runs = [run_row("Pong", v, s, 10.0, 5.0, budget_frames=b) for v, b in budgets.items() for s in range(3)]
    assert [row["at"] for row in comparison_rows(runs, ["a", "b"])] == ["equal wall-clock"]


def test_a_variant_without_a_score_in_its_slowest_run_is_compared_with_none() -> None:
    """Those runs that have one at equal wall-clock are its fastest."""
    runs = [run_row("Pong", v, s, 10.0, timed=1.0) for v in ("a", "b", "c") for s in range(6)]
    assert len(comparison_rows(runs, ["a", "b", "c"])) == 6
    runs[0]["equal_time_score"] = np.nan
    at = [(row["at"], row["variant"], row["against"]) for row in comparison_rows(runs, ["a", "b", "c"])]
    assert at[3:] == [("equal wall-clock", "b", "c")]


def test_each_game_is_answered_at_its_own_greatest_number_of_workers(tmp_path: Path, synthetic: Any) -> None:
    places = [("CartPole-v1", 4), ("Acrobot-v1", 2)]
    runs = [synthetic.make_run(v, game=g, workers=w) for g, w in places for v in ("hogwild", "synchronous")]
    found = answer(*read(tmp_path, synthetic, runs))
    assert "At equal frames with 4 workers: in CartPole-v1, hogwild against synchronous is undecided" in found
    assert "At equal frames with 2 workers: in Acrobot-v1, hogwild against synchronous is undecided" in found
    assert found.count("CartPole-v1") == 1


def test_what_nothing_decides_is_not_called_equal(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run(v) for v in ("hogwild", "locked", "synchronous")]
    assert "none of 3 pairs of variants is decided; the largest" in answer(*read(tmp_path, synthetic, runs))


def test_the_smallest_difference_that_could_be_detected_grows_with_the_spread() -> None:
    runs = [run_row("Pong", v, s, 10.0 * (v == "a") + s) for v in ("a", "b") for s in range(5)]
    row = comparison_rows(runs, ["a", "b"])[0]
    assert row["detectable_difference"] == pytest.approx(2.02 * np.sqrt(2.5), rel=0.01)  # standard deviation √2.5


def test_pairs_follow_the_studys_order_and_all_games_come_last() -> None:
    runs = [run_row(g, v, s, 1.0) for g in ("Pong", "Breakout") for v in ("c", "a", "b") for s in range(2)]
    rows = comparison_rows(runs, ["b", "c", "a"])
    assert [(row["variant"], row["against"]) for row in rows[:3]] == [("b", "c"), ("b", "a"), ("c", "a")]
    assert [row["game"] for row in rows[::3]] == ["Breakout", "Pong", ALL_GAMES]
    assert np.isnan(float(str(rows[-1]["difference"])))
    assert rows[-1]["probability_of_improvement"] == 0.5


def test_games_with_unlike_numbers_of_seeds_are_not_pooled() -> None:
    runs = [run_row("Pong", v, s, 1.0) for v in ("a", "b") for s in range(2)]
    runs += [run_row("Breakout", v, s, 1.0) for v in ("a", "b") for s in range(3)]
    assert ALL_GAMES not in {row["game"] for row in comparison_rows(runs, ["a", "b"])}


@pytest.mark.parametrize(
    ("gain", "seeds", "words"),
    [
        (9.0, 6, "hogwild scores higher than locked (difference 9 [9, 9], n = 6)"),
        (
            -9.0,
            6,
            "hogwild scores lower than locked (difference \N{MINUS SIGN}9 [\N{MINUS SIGN}9, \N{MINUS SIGN}9], n = 6)",
        ),
        (0.0, 6, "hogwild against locked is undecided at n = 6"),
        (9.0, 4, "hogwild against locked is undecided at n = 4 (difference 9 [9, 9])"),
        (9.0, 1, "hogwild against locked is undecided at n = 1 (difference 9, no interval)"),
    ],
)
def test_the_answer_decides_by_the_interval_and_says_n(
    tmp_path: Path, synthetic: Any, gain: float, seeds: int, words: str
) -> None:
    def score(run: Any, progress: np.ndarray) -> np.ndarray:
        return np.full_like(progress, run.settings.seed + (gain if run.variant == "hogwild" else 0.0))

    runs = [synthetic.make_run(v, seed=s) for v in ("hogwild", "locked") for s in range(seeds)]
    assert words in answer(*read(tmp_path, synthetic, runs, score=score))


def test_the_answer_over_several_games_is_the_probability_of_improvement(tmp_path: Path, synthetic: Any) -> None:
    games = ("CartPole-v1", "Acrobot-v1")
    runs = [synthetic.make_run(v, game=g, seed=s) for g in games for v in ("hogwild", "locked") for s in range(5)]
    found = answer(*read(tmp_path, synthetic, runs))
    assert found.startswith(
        "At equal frames with 2 workers: in all games, hogwild against locked is undecided at n = 5 (probability of"
    )


def test_a_study_of_one_variant_is_answered_by_its_speed_up_or_its_scores(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run("synchronous", workers=w) for w in (1, 8)]
    expected = "With 8 workers: synchronous takes 1 times as many frames a second as with one worker in CartPole-v1"
    assert answer(*read(tmp_path / "a", synthetic, runs)).startswith(expected)
    expected = "No two variants share a game and a worker count: synchronous with 8 workers scores 100, no interval in"
    assert answer(*read(tmp_path / "b", synthetic, runs[1:])).startswith(expected)


def read(results: Path, synthetic: Any, runs: list[Any], **options: Any) -> tuple[Any, dict[str, pd.DataFrame]]:
    """Writes runs and tables; the study and what an answer needs."""
    study = synthetic.make_study(*runs)
    synthetic.write_study(results, study, **options)
    tables.write_tables(study, results)
    names = ("comparison", "throughput", "scores")
    return study, {name: tables.read_table(outputs.table_path(study, results, name)) for name in names}
