"""Tables as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from a3c.analysis.table_text import markdown, notes, readable, shortened


@pytest.mark.parametrize(
    ("number", "text"),
    [("7", "7"), ("12345", "12,345"), ("1234567.8", "1,234,568"), ("0.123456", "0.1235"), ("-0.0000025", "-0.0000025"),
     ("", ""), ("inf", "∞")],
)  # fmt: skip
def test_numbers_are_cut_to_four_digits_and_large_ones_to_the_unit(number: str, text: str) -> None:
    assert shortened(number) == text


def test_an_interval_stands_beside_its_mean_and_an_empty_one_does_not() -> None:
    header, rows = readable(["variant", "x", "x_lo", "x_hi"], [["a", "1.5", "1", "inf"], ["1e3", "1.5", "", ""]])
    assert header == ["variant", "x"]
    assert rows == [["a", "1.5 [1, ∞]"], ["1e3", "1.5"]]  # a variant that looks like a number is none


def test_a_line_break_or_a_bar_breaks_no_table(synthetic: Any) -> None:
    study = synthetic.make_study(synthetic.make_run(), title="Two\n# lines", question="What\n\nis it?")
    text = markdown(study, "scores", ["game", "n"], [["a|b", "1"]], [])
    assert text.splitlines()[:3] == ["# Two # lines: Scores by game, variant and workers (smoke)", "", "What is it?"]
    assert "| a\\|b | 1 |" in text


def test_notes_name_each_oversubscribed_worker_count_once() -> None:
    runs = [{"workers": w, "cores": 2, "oversubscribed": w > 2} for w in (1, 8, 4, 8)]
    assert "OVERSUBSCRIBED" in notes("runs", ["seed"], runs)
    assert notes("runs", ["seed"], runs).endswith(": 4 workers on 2 cores, 8 workers on 2 cores.")
    assert notes("runs", ["seed"], runs[:1]).endswith("No run was oversubscribed: workers never exceeded cores.")
