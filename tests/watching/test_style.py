"""Axes and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from a3c.watching import style


@pytest.mark.parametrize(
    ("values", "ends"), [([1.0, 3.0], (1.0, 3.0)), ([0.0, 0.0], (-0.5, 0.5)), ([10.0, 10.0], (9.5, 10.5))]
)
def test_an_axis_has_two_ends_that_do_not_magnify_noise(values: list[float], ends: tuple[float, float]) -> None:
    assert style.limits(np.array(values)) == ends


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.5, 1.0]), (-4.2, 6.1, [0.0, 5.0]), (0.9, 4.1, [1.0, 2.0, 3.0, 4.0]),
     (99.98, 100.01, [99.98, 99.99, 100.0, 100.01]), (-50_000.0, 120_000.0, [-50_000.0, 0.0, 50_000.0, 100_000.0])],
)  # fmt: skip
def test_ticks_are_few_round_and_within_the_ends(low: float, high: float, expected: list[float]) -> None:
    assert style.ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (-0.0, "0"), (-1.5, "-1.5"), (12345.6, "12,346"), (0.02, "0.02"), (21.0, "21")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert style.compact(number) == text


def test_numbers_beside_an_axis_have_the_decimals_that_it_needs() -> None:
    assert [style.fixed(x, 0.0, 2.0) for x in (0.0, 1.0, 1.234)] == ["0.00", "1.00", "1.23"]
    assert [style.fixed(x, 0.0, 0.02) for x in (0.0, 0.012345)] == ["0.0000", "0.0123"]
    assert style.fixed(-1234.5, -2000.0, 5000.0) == "-1,234"
