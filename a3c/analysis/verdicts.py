"""Numbers as clauses of a sentence: what an interval decides, and how values are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from a3c.analysis.captions import number

FEWEST_SEEDS = 5  # with fewer, a 95% percentile interval covers too little to decide on, see `intervals`


def verdict(row: Mapping[str, Any], name: str, nothing: float, n: str = "n") -> str:
    """`higher`, `lower` or `undecided at n = k`.

    Args:
      row: of a table.
      name: the column it is about.
      nothing: the value that means no difference.
      n: the column that counts the seeds behind it.
    """
    low, high = row[f"{name}_lo"], row[f"{name}_hi"]
    seeds = 0 if pd.isna(row[n]) else int(row[n])
    if seeds >= FEWEST_SEEDS and low > nothing:
        return "higher"
    if seeds >= FEWEST_SEEDS and high < nothing:
        return "lower"
    return f"undecided at n = {seeds}"


def is_decided(found: str) -> bool:
    """Whether a verdict is one."""
    return not found.startswith("undecided")


def with_ends(row: Mapping[str, Any], name: str) -> str:
    """`12.3 [10.1, 14.5]`, or that there is no interval."""
    if pd.isna(row[f"{name}_lo"]):
        return f"{number(row[name])}, no interval"
    return f"{number(row[name])} [{number(row[f'{name}_lo'])}, {number(row[f'{name}_hi'])}]"


def percent(fraction: float) -> str:
    """Two significant digits: `0.42%`, `37%`."""
    return f"{number(float(f'{100 * fraction:.2g}'))}%"
