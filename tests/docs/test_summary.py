"""The README's first answers are those of the tables that it links to."""

from __future__ import annotations

import csv

import pytest
from documents import ROOT

TABLES = ROOT / "results/showcase/laptop_claims/tables/laptop"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
GAME = "CartPole-v1"
VARIANTS = ("a3c_hogwild", "a3c_locked", "a2c", "a2c_batched")
FIRST_POINT = "16000"  # frames at the first evaluation

Row = dict[str, str]


def rows(study: str, table: str, **where: str) -> list[Row]:
    """The rows about CartPole of a table of the showcase that have these values."""
    with (TABLES / study / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if all(row[k] == v for k, v in {"game": GAME, **where}.items())]


def one(study: str, table: str, **where: str) -> Row:
    (row,) = rows(study, table, **where)
    return row


def text(number: str, decimals: int = 0) -> str:
    return f"{float(number):,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def ends(row: Row, name: str, decimals: int = 0) -> str:
    return f"[{text(row[f'{name}_lo'], decimals)}, {text(row[f'{name}_hi'], decimals)}]"


def with_interval(row: Row, name: str, decimals: int = 0) -> str:
    return f"{text(row[name], decimals)} {ends(row, name, decimals)}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_of_the_table_is_that_of_the_showcases_tables(variant: str) -> None:
    study = "a3c_vs_a2c"
    stale = one(study, "staleness", variant=variant)
    cells = [
        f"`{variant}`",
        with_interval(one(study, "scores", variant=variant), "final_score_iqm"),
        with_interval(one(study, "evaluations", variant=variant, frames=FIRST_POINT), "score_mean"),
        with_interval(rows(study, "learning_curves", variant=variant)[-1], "score_mean"),
        with_interval(one(study, "throughput", variant=variant), "frames_per_second"),
        f"{text(stale['staleness_mean'], 2)} ({stale['staleness_p99']})",
    ]
    assert f"| {' | '.join(cells)} |" in README


def test_the_answer_about_a3c_and_a2c_is_the_comparisons() -> None:
    pairs = rows("a3c_vs_a2c", "comparison")
    assert {row["n"] for row in pairs} == {"5"}
    assert {row["final_score"] for row in rows("a3c_vs_a2c", "runs")} == {"500"}
    assert "every run of all four variants ends at 500, the most there is (n = 5)" in README
    timed = {(row["variant"], row["against"]): row for row in pairs if row["at"] == "equal wall-clock"}
    ahead = timed["a3c_hogwild", "a2c"]
    assert timed["a3c_locked", "a2c"]["difference"] == ahead["difference"]
    assert timed["a2c", "a2c_batched"]["difference"] == f"-{ahead['difference']}"
    assert float(ahead["difference_lo"]) < 0 < float(ahead["difference_hi"])
    assert f"`a2c` is {with_interval(ahead, 'difference')} behind each of the others, which is undecided" in README
    assert "Early on A3C is ahead in the mean; in the training games A2C is ahead at the end." in README
    first, last = (
        [float(rows("a3c_vs_a2c", table, variant=v, **where)[-1]["score_mean"]) for v in VARIANTS]
        for table, where in (("evaluations", {"frames": FIRST_POINT}), ("learning_curves", {}))
    )
    assert min(first[:2]) > max(first[2:])
    assert min(last[2:]) > max(last[:2])


def test_the_answer_about_staleness_is_the_sweeps() -> None:
    lost = {(row["variant"], row["lag"]): row for row in rows("staleness_prescribed", "sweep")}
    shared = {lag: lost["shared_rmsprop", lag] for lag in ("4", "16", "64")}
    assert float(shared["4"]["difference_hi"]) > 0 > float(shared["16"]["difference_hi"])
    four, sixteen, most = (with_interval(row, "difference") for row in shared.values())
    assert f"by {four} at 4 updates, which is undecided, by {sixteen} at 16 and {most} at 64" in README
    others = [text(lost[v, lag]["difference"]) for lag in ("16", "64") for v in ("momentum_sgd", "shared_adam")]
    assert "{} and {} at 16, {} and {} at 64".format(*others) in README


def test_the_answer_about_workers_is_that_of_their_throughput() -> None:
    two, eight = (
        with_interval(one("thread_scaling", "speed_up", variant="a3c_hogwild", workers=count), "throughput", 2)
        for count in ("2", "8")
    )
    assert {row["n"] for row in rows("thread_scaling", "speed_up", variant="a3c_hogwild")} == {"3"}
    taken = f"2 workers take {two} times as many frames a second as one until they reach the score that is compared"
    assert f"{taken}, 8 workers {eight} (n = 3, too few for a verdict)" in README
