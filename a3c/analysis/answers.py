"""What a study's tables answer, in a few sentences made from numbers and never from hopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from a3c.analysis.asynchrony_answers import lock_answer, staleness_answer
from a3c.analysis.captions import number, plural
from a3c.analysis.comparison_tables import ALL_GAMES
from a3c.analysis.sweep_answers import sweep_answer
from a3c.analysis.verdicts import is_decided, verdict, with_ends
from a3c.analysis.views import implementation
from a3c.conflicts import ASYNCHRONOUS
from a3c.plan import Study


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    """What the study asks decides which table answers it.

    The first of its views that has an answer gives it. Failing that, a sweep is answered by the difference that its
    values make. Asynchronous variants alone ask about staleness, with several worker counts, or, where the runs of two
    of them are timed, about the lock. All other studies ask for scores.

    Args:
      study: whose tables.
      tables: by name, those that are not `CSV_ONLY`.
    """
    for view in study.views:
        answering = getattr(implementation(view), "answer", None)
        if answering and (found := answering(study, tables)):
            return str(found)
    if study.sweep:
        return sweep_answer(study, tables["sweep"])
    asynchronous = all(run.settings.schedule in ASYNCHRONOUS for run in study.runs)
    several = len({run.settings.workers for run in study.runs}) > 1
    if asynchronous and several and not study.timing:
        return staleness_answer(tables["staleness"])
    if asynchronous and study.timing and len(study.variants) == 2:
        return lock_answer(study, tables["throughput"], tables["phases"])
    return _score_answer(tables)


def _score_answer(tables: Mapping[str, pd.DataFrame]) -> str:
    """Who scores higher, lower or is undecided, at the greatest worker count that variants share in a game.

    Over several games it speaks of the probability of improvement, else of the difference in score, at
    equal frames and, where runs were timed, at equal wall-clock. A study
    without a pair of variants is answered by its speed-up or, failing that, by its scores.
    """
    pairs = tables["comparison"]
    if pairs.empty:
        return _without_pairs(tables["throughput"], tables["scores"])
    most = pairs.groupby("game")["workers"].transform("max")
    found = pairs[pairs["workers"] == most].groupby(["at", "workers"], sort=False)
    return " ".join(_at(at, rows, int(workers)) for (at, workers), rows in found)


def _at(place: object, pairs: pd.DataFrame, workers: int) -> str:
    over_all = pairs[pairs["game"] == ALL_GAMES]
    rows = (pairs if over_all.empty else over_all).to_dict("records")
    games = dict.fromkeys(row["game"] for row in rows)
    parts = [f"in {game}, {_of_game([row for row in rows if row['game'] == game])}" for game in games]
    return f"At {place} with {plural(workers)}: {'; '.join(parts)}."


def _of_game(rows: Sequence[Mapping[str, Any]]) -> str:
    """The pairs that differ, and how many do not; if none does, the one that comes nearest to it."""
    decided = [row for row in rows if is_decided(_verdict(row))]
    if decided:
        rest = len(rows) - len(decided)
        others = f", {rest} other {'pair is' if rest == 1 else 'pairs are'} undecided" if rest else ""
        return f"{'; '.join(map(_clause, decided))}{others}"
    if len(rows) == 1:
        return _clause(rows[0])
    name, nothing = _measure(rows[0])
    largest = max(rows, key=lambda row: abs(row[name] - nothing))
    return f"none of {len(rows)} pairs of variants is decided; the largest {name.replace('_', ' ')}: {_clause(largest)}"


def _measure(row: Mapping[str, Any]) -> tuple[str, float]:
    """The column that a pair is compared by, and its value where nothing differs."""
    return ("probability_of_improvement", 0.5) if row["game"] == ALL_GAMES else ("difference", 0.0)


def _verdict(row: Mapping[str, Any]) -> str:
    return verdict(row, *_measure(row))


def _clause(row: Mapping[str, Any]) -> str:
    found, name = _verdict(row), _measure(row)[0]
    value = f"{name.replace('_', ' ')} {with_ends(row, name)}"
    if not is_decided(found):
        return f"{row['variant']} against {row['against']} is {found} ({value})"
    return f"{row['variant']} scores {found} than {row['against']} ({value}, n = {row['n']})"


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
        f"{r['variant']} with {plural(r['workers'])} scores {with_ends(r, 'final_score_mean')} in {r['game']} "
        f"(n = {r['n']})"
        for r in scores.to_dict("records")
    ]
    return f"No two variants share a game and a worker count: {'; '.join(clauses)}."
