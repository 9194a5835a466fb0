"""What tables answer about asynchrony itself: how stale gradients were, and what a lock costs and saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from a3c.analysis.captions import number, plural
from a3c.analysis.verdicts import percent, with_ends
from a3c.plan import Study

SHARES = {
    "lock_wait_share": "of its time waiting for the lock",
    "lost_fraction": "of writes lost",
    "torn_fraction": "of pulls torn",
}


def staleness_answer(staleness: pd.DataFrame) -> str:
    """How exactly the mean is the number of the other workers, and how far the tail reaches with most workers.

    Args:
      staleness: the table of this name.
    """
    sentences = []
    known = staleness[staleness["relative_error"].notna()]
    if not known.empty:
        worst = known.loc[known["relative_error"].abs().idxmax()]
        sentences.append(
            f"Mean staleness is the number of the other workers to within {percent(abs(worst['relative_error']))}, the "
            f"largest relative error ({worst['variant']}, {plural(int(worst['workers']))}, {worst['game']})."
        )
    for game, rows in staleness.groupby("game", sort=False):
        most = rows[(rows["workers"] == rows["workers"].max()) & rows["staleness_p99"].notna()]
        parts = [f"{row['variant']} {number(row['staleness_p99'])} updates" for row in most.to_dict("records")]
        if parts:
            workers = plural(int(rows["workers"].max()))
            sentences.append(f"Its 99th percentile with {workers} in {game}: {', '.join(parts)}.")
    return " ".join(sentences) or "No run was long enough to have staleness."


def lock_answer(study: Study, throughput: pd.DataFrame, phases: pd.DataFrame) -> str:
    """Frames a second of the two variants, and what they wait for and lose: as many workers as cores, and most.

    Args:
      study: with two variants.
      throughput: the table of this name.
      phases: the table of this name.
    """
    key = ["game", "variant", "workers"]
    rows = throughput.merge(phases.drop(columns="n"), on=key, validate="one_to_one")
    sentences = []
    for game, mine in rows.groupby("game", sort=False):
        shared = mine[mine.groupby("workers")["variant"].transform("size") == 2]
        within = shared.loc[shared["oversubscribed"] == "no", "workers"]
        for workers in sorted({*within.nlargest(1), *shared["workers"].nlargest(1)}):
            pair = shared[shared["workers"] == workers].set_index("variant").to_dict("index")
            sentences.append(_lock_sentence(study, str(game), int(workers), pair))
    return " ".join(sentences) or "The two variants share no game and worker count."


def _lock_sentence(study: Study, game: str, workers: int, pair: Mapping[Any, Mapping[str, Any]]) -> str:
    first, second = study.variants
    ratio = pair[first]["frames_per_second"] / pair[second]["frames_per_second"]
    speeds = " against ".join(_speed(pair[variant]) for variant in study.variants)
    shares = [text for variant in study.variants if (text := _shares(variant, pair[variant]))]
    note = ", oversubscribed" if pair[first]["oversubscribed"] == "yes" else ""
    n = min(pair[variant]["n"] for variant in study.variants)
    return (
        f"With {plural(workers)} in {game}{note}: {first} takes {number(float(f'{ratio:.3g}'))} times as many frames a "
        f"second as {second} ({speeds}, n = {n}){'; ' if shares else ''}{'; '.join(shares)}."
    )


def _speed(row: Mapping[str, Any]) -> str:
    alone = pd.isna(row["frames_per_second_lo"])  # one run, which n says already
    return number(row["frames_per_second"]) if alone else with_ends(row, "frames_per_second")


def _shares(variant: str, row: Mapping[str, Any]) -> str:
    said = [f"{percent(row[name])} {words}" for name, words in SHARES.items() if pd.notna(row[name])]
    return f"{variant}: {', '.join(said)}" if said else ""
