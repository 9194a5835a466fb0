"""What a study's tables answer, in one sentence made from numbers and never from hopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from a3c.analysis.captions import number, plural
from a3c.analysis.comparison_tables import ALL_GAMES

FEWEST_SEEDS = 5  # with fewer, a 95% percentile interval covers too little to decide on, see `intervals`


def answer(tables: Mapping[str, pd.DataFrame]) -> str:
    """One sentence: who scores higher, lower or is undecided, at the greatest worker count that variants share.

    Over several games it speaks of the probability of improvement, else of the difference in final score. A study
    without a pair of variants is answered by its speed-up or, failing that, by its scores.

    Args:
      tables: `comparison`, `throughput` and `scores` by name.
    """
    pairs = tables["comparison"]
    if pairs.empty:
        return _without_pairs(tables["throughput"], tables["scores"])
    workers = int(pairs["workers"].max())
    pairs = pairs[pairs["workers"] == workers]
    over_all = pairs[pairs["game"] == ALL_GAMES]
    rows = (pairs if over_all.empty else over_all).to_dict("records")
    games = list(dict.fromkeys(row["game"] for row in rows))
    if len(games) == 1:
        return f"With {plural(workers)} in {games[0]}: {'; '.join(map(_clause, rows))}."
    return f"With {plural(workers)}: {'; '.join(_of_game(game, rows) for game in games)}."


def _of_game(game: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The pairs of one game that differ, or that none does; what is undecided stands in the table."""
    mine = [row for row in rows if row["game"] == game]
    decided = [row for row in mine if not verdict(row, "difference", 0.0).startswith("undecided")]
    if decided:
        return f"in {game}, {'; '.join(map(_clause, decided))}"
    return f"in {game}, {verdict(mine[0], 'difference', 0.0)} for every pair of variants"


def verdict(row: Mapping[str, Any], name: str, nothing: float) -> str:
    """`higher`, `lower` or `undecided at n = k`.

    Args:
      row: of the table `comparison`.
      name: the column it is about.
      nothing: the value that means no difference.
    """
    low, high = row[f"{name}_lo"], row[f"{name}_hi"]
    if row["n"] >= FEWEST_SEEDS and low > nothing:
        return "higher"
    if row["n"] >= FEWEST_SEEDS and high < nothing:
        return "lower"
    return f"undecided at n = {row['n']}"


def _clause(row: Mapping[str, Any]) -> str:
    over_all = row["game"] == ALL_GAMES
    name, nothing = ("probability_of_improvement", 0.5) if over_all else ("difference", 0.0)
    found = verdict(row, name, nothing)
    value = f"{name.replace('_', ' ')} {_interval(row, name)}"
    if found.startswith("undecided"):
        return f"{row['variant']} against {row['against']} is {found} ({value})"
    return f"{row['variant']} scores {found} than {row['against']} ({value}, n = {row['n']})"


def _interval(row: Mapping[str, Any], name: str) -> str:
    if pd.isna(row[f"{name}_lo"]):
        return f"{number(row[name])}, no interval"
    return f"{number(row[name])} [{number(row[f'{name}_lo'])}, {number(row[f'{name}_hi'])}]"


def _without_pairs(throughput: pd.DataFrame, scores: pd.DataFrame) -> str:
    faster = throughput[(throughput["workers"] > 1) & throughput["speed_up"].notna()]
    if not faster.empty:
        most = faster[faster["workers"] == faster["workers"].max()]
        clauses = [
            f"{r['variant']} takes {number(r['speed_up'])} times as many frames a second as with one worker in "
            f"{r['game']} (n = {r['n']}{', oversubscribed' if r['oversubscribed'] == 'yes' else ''})"
            for r in most.to_dict("records")
        ]
        return f"With {plural(int(faster['workers'].max()))}: {'; '.join(clauses)}."
    clauses = [
        f"{r['variant']} with {plural(r['workers'])} scores {_interval(r, 'final_score_mean')} in {r['game']} "
        f"(n = {r['n']})"
        for r in scores.to_dict("records")
    ]
    return f"No two variants share a game and a worker count: {'; '.join(clauses)}."
