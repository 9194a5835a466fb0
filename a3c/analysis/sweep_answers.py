"""What a sweep's table answers: a sentence a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from a3c.analysis.captions import number, plural
from a3c.analysis.verdicts import is_decided, verdict, with_ends
from a3c.plan import Study


def sweep_answer(study: Study, sweep: pd.DataFrame) -> str:
    """The difference in mean score between the last value and the first, and from which value on it is decided.

    Args:
      study: with a sweep.
      sweep: its table `sweep`.
    """
    name = study.sweep.name if study.sweep else ""
    games, counts = sweep["game"].nunique(), sweep["workers"].nunique()
    sentences = []
    for (game, variant, workers), rows in sweep.groupby(["game", "variant", "workers"], sort=False):
        where = [f"in {game}"] * (games > 1) + [f"with {plural(int(workers))}"] * (counts > 1)
        sentences.append(f"{' '.join([str(variant), *where])}: {_sentence(rows.to_dict('records'), name)}.")
    return " ".join(sentences)


def _sentence(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    first, *others = rows
    if not others:
        return f"the mean score at {name} {number(first[name])}, its only value, is {with_ends(first, 'mean_score')}"
    last = others[-1]
    if pd.isna(last["difference"]):
        return f"no seed has both {name} {number(first[name])} and {number(last[name])}"
    found = {row[name]: verdict(row, "difference", 0.0, "n_paired") for row in others}
    value = f"difference {with_ends(last, 'difference')}"
    of_last = found[last[name]]
    if not is_decided(of_last):
        against = f"{name} {number(last[name])} against {number(first[name])}"
        return f"{against} is {of_last} in mean score ({value}){_decided_below(found, name, number(first[name]))}"
    text = (
        f"at {name} {number(last[name])} the mean score is {of_last} than at {number(first[name])} ({value}, "
        f"n = {int(last['n_paired'])})"
    )
    undecided = [point for point, one in found.items() if not is_decided(one)]
    if undecided:
        text += f"; the largest value without a decided difference is {number(undecided[-1])}"
    return text


def _decided_below(found: Mapping[Any, str], name: str, first: str) -> str:
    """The values below the last whose difference is decided, so that a dip in the middle is not kept back."""
    decided = [f"{one} at {number(point)}" for point, one in found.items() if is_decided(one)]
    return f"; against {name} {first} it is {', '.join(decided)}" if decided else ""
