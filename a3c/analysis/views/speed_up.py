"""How many times as soon a score is reached with more workers, split into throughput and data efficiency.

Table 2 of Mnih et al. (2016) has the time that one worker needs to a fixed score over the time that n workers need.
With F(n) frames to the score, and f(n) frames a second on the way to it,

    time(1) / time(n) = [f(n) / f(1)] * [F(1) / F(n)]        speed-up = throughput * data efficiency

exactly, in every row. The paper does not say which score. Here each game and variant has its own, taken from the mean
curves of its worker counts:

    reference(p) = best - (1 - p) (best - start)
    start = the lowest of their first values        best = the lowest of their highest values

so that every worker count reaches it; p is 0.75, and 0.5 and 1 beside it show how much depends on the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from a3c.analysis import published_throughput
from a3c.analysis.captions import number, plural
from a3c.analysis.curve_tables import frame_curves
from a3c.analysis.intervals import NOTHING, RESAMPLES, generator
from a3c.analysis.outputs import groups
from a3c.analysis.published import EXPERIMENTS
from a3c.analysis.reading import Floats, read_run
from a3c.analysis.score_tables import Row, with_interval
from a3c.analysis.verdicts import with_ends
from a3c.analysis.views.published_curves_methods import variants_by_method
from a3c.analysis.views.speed_up_figures import speed_up
from a3c.analysis.views.speed_up_ratios import RATIOS, Family, mean_arrival, middle
from a3c.plan import Study

FIGURES = {"speed_up": speed_up}

PERCENTS = (50, 75, 100)  # of the reference range


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the tables `speed_up`, `speed_up_references` and `speed_up_means`.

    Args:
      study: without a sweep.
      results: the folder that holds `runs/`.
      base: the rows of its standard tables.
    """
    found: dict[tuple[str, str], Family] = {}
    for group, speed in zip(groups(study), base["throughput"], strict=True):
        family = found.setdefault((group.game, group.variant), Family(group.game, group.variant, [], []))
        family.members.append(frame_curves(group, [read_run(run, results) for run in group.runs]))
        family.speeds.append(speed)
    families = list(found.values())
    return {
        "speed_up": [row for family in families for row in _rows(family)],
        "speed_up_references": [row for family in families for row in _reference_rows(family)],
        "speed_up_means": _mean_rows(study, families),
    }


def _with_intervals(values: Floats, drawn: Floats | None, names: Sequence[str] = RATIOS) -> Row:
    row: Row = {}
    for index, name in enumerate(names):
        interval = NOTHING if drawn is None or np.isnan(values[index]) else middle(drawn[:, index])
        row |= with_interval(name, float(values[index]), interval)
    return row


def _rows(family: Family) -> list[Row]:
    reference = family.reference()
    found = []
    for curves, speed in zip(family.members, family.speeds, strict=True):
        came = mean_arrival(curves, reference)
        frames = float(came.frames) if np.isfinite(came.frames) else np.nan
        values = family.ratios(curves, reference)
        row: Row = {name: speed[name] for name in ("n", "cores", "oversubscribed", "timing")}
        row |= {"reference_score": reference, "frames_to_score": frames, "seconds_to_score": frames / float(came.rate)}
        row |= _with_intervals(values, family.resampled(curves, reference))
        found.append({**curves.group.key, **row, "speed_up_per_worker": float(values[0]) / curves.group.workers})
    return found


def _reference_rows(family: Family) -> list[Row]:
    found = []
    for curves in family.members:
        if curves.group.workers == 1:
            continue
        row: Row = {**curves.group.key, "n": len(curves.scores)}
        for percent in PERCENTS:
            reference = family.reference(percent)
            values, drawn = family.ratios(curves, reference), family.resampled(curves, reference)
            row |= _with_intervals(values, drawn, (f"speed_up_to_{percent}",))
        found.append(row)
    return found


def _mean_rows(study: Study, families: Sequence[Family]) -> list[Row]:
    """Arithmetic means over games, as the paper's, each worker count's beside the published one."""
    names = variants_by_method(study)
    methods = {variant: method for method, variant in names.items()}
    table = dict(
        iter(published_throughput.split_speed_up(EXPERIMENTS).set_index("threads").groupby("method", sort=False))
    )
    nothing = pd.DataFrame()
    found = []
    for variant in [*study.variants, *(method for method in table if method not in names)]:
        mine = [f for f in families if f.variant == variant and f.single is not None and f.seeds > 1]
        theirs = table.get(methods.get(variant, variant), nothing)
        counts = [{curves.group.workers for curves in family.members} for family in mine]
        ours = set.intersection(*counts) if counts else set()
        for workers in sorted(ours.union(theirs.index)):
            row: Row = {"variant": variant, "workers": int(workers)}
            row |= _mean_row(mine if workers in ours else [], int(workers))
            for name in RATIOS:
                row[f"published_{name}"] = float(theirs.loc[workers, name]) if workers in theirs.index else np.nan
            found.append(row)
    return found


def _mean_row(families: Sequence[Family], workers: int) -> Row:
    draws = generator()  # one stream through all games, so that their seeds are drawn again apart from one another
    values, drawn = np.zeros(len(RATIOS)), np.zeros((RESAMPLES, len(RATIOS)))
    seeds, over = [], False
    for family in families:
        place = next(i for i, curves in enumerate(family.members) if curves.group.workers == workers)
        curves, reference = family.members[place], family.reference()
        values = values + family.ratios(curves, reference) / len(families)
        again = family.resampled(curves, reference, draws)
        drawn = drawn + (np.nan if again is None else again / len(families))
        seeds.append(len(curves.scores))
        over = over or bool(family.speeds[place]["oversubscribed"])
    if not families:
        return {"game": "", "n": None, "oversubscribed": None} | _with_intervals(np.full(len(RATIOS), np.nan), None)
    name = families[0].game if len(families) == 1 else f"mean of {len(families)} games"
    intervals = _with_intervals(values, None if workers == 1 else drawn)
    return {"game": name, "n": min(seeds), "oversubscribed": over} | intervals


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """How much sooner a score is reached with the most workers, and why; of seconds only if the study times its runs.

    Args:
      study: whose tables.
      tables: by name, those that are read as text.
    """
    means = tables["speed_up_means"]
    several = means[(means["workers"] > 1) & means["speed_up"].notna()]
    if several.empty:
        return None
    clauses = []
    for variant, mine in several.groupby("variant", sort=False):
        row = mine.to_dict("records")[-1]
        clauses.append(f"{variant} with {plural(int(row['workers']))} {_clause(study, row)}")
    return f"Against one worker: {'; '.join(clauses)}."


def _clause(study: Study, row: Mapping[str, Any]) -> str:
    over = ", oversubscribed" if row["oversubscribed"] == "yes" else ""
    about = f"in {row['game']} (n = {number(row['n'])}{over})".replace("in mean of", "in the mean of")
    data = f"{with_ends(row, 'data_efficiency')} times the data efficiency"
    if not study.timing:
        return f"has {data} {about}"
    sooner = f"reaches the reference score {with_ends(row, 'speed_up')} times as soon"
    return f"{sooner}, with {with_ends(row, 'throughput')} times the frames a second and {data}, {about}"
