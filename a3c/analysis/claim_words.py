"""How a claim is tested, in words."""

from __future__ import annotations

from collections.abc import Sequence

from a3c.analysis.claim_schema import (
    Arm,
    Difference,
    Equivalence,
    Quantity,
    Ratio,
    Test,
    Within,
)

VALUES = {
    "least": "the least value",
    "greatest": "the greatest value",
    "natural": "the value nearest to workers - 1",
}


def tested_by(test: Test) -> str:
    """The test in words; code names stand in backquotes."""
    match test:
        case Difference():
            sides = f"`{test.column}` of {_arm(test.arm)} is {test.expect} than that of {_arms(test.against)}"
            return sides if test.table == "runs" else f"{sides}, in the table `{test.table}`"
        case Equivalence():
            margins = ", ".join(f"{float(margin):g} in {game}" for game, margin in test.margins.items())
            both = f"{_arm(test.arm)} and of {_arms(test.against)}"
            return f"mean `{test.column}` of {both} differ by less than {margins}"
        case Ratio():
            sides = f"mean `{test.column}` of {_arm(test.arm)} over that of {_arms(test.against)}"
            return f"{sides} is {_range(test)}"
        case Quantity():
            where = "run" if test.table == "runs" else f"row of `{test.table}`"
            variants = ", ".join(f"`{variant}`" for variant in test.variants)
            return f"`{test.column}` is {_range(test)} in every {where} of {variants}"


def _range(test: Within) -> str:
    ends = [f"{word} {end:g}" for word, end in (("above", test.above), ("below", test.below)) if end is not None]
    return " and ".join(ends)


def _arm(arm: Arm) -> str:
    words = [str(arm.workers).replace("_", " "), "worker" if arm.workers == 1 else "workers"]
    if arm.value is None:
        return f"`{arm.variant}` ({' '.join(words)})"
    point = VALUES.get(arm.value, "") if isinstance(arm.value, str) else f"{arm.value:g}"
    return f"`{arm.variant}` ({' '.join(words)}, at {point})"


def _arms(arms: Sequence[Arm]) -> str:
    return " and of ".join(map(_arm, arms))
