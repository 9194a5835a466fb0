"""Rows about sampled turns: where a worker's time goes, and what staleness did to gradients and policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from a3c.analysis.outputs import Group
from a3c.analysis.reading import Floats, RunFolder
from a3c.analysis.score_tables import Row, mean_with_interval

PHASES = ("lock_wait", "pull", "rollout", "gradient", "push")

# The least staleness of each bin, and its name: 0, 1, 2, 3-4, 5-8, ..., 65+.
BINS = (0, 1, 2, 3, 5, 9, 17, 33, 65)
BIN_LABELS = (*(f"{low}-{high - 1}" if high - low > 1 else f"{low}" for low, high in pairwise(BINS)), f"{BINS[-1]}+")


def phases_row(group: Group, runs: Sequence[RunFolder]) -> Row:
    """One row of the table `phases`: means over runs of each run's mean over its samples.

        lock_wait_share = Σ lock_wait / Σ (lock_wait + pull + rollout + gradient + push), of a run

    `torn_fraction` is the fraction of pulls that mixed versions or ran into a write, `lost_fraction` that of writes to
    single parameters which races undid, by the trainer's probe of all turns.
    What one of the runs lacks is empty: everything where nothing was sampled.
    """
    parts = {f"{phase}_us": _means(runs, f"{phase}_seconds", 1e6) for phase in PHASES}
    return {
        **group.key,
        "n": len(runs),
        "samples": sum(len(run.samples) for run in runs),
        **mean_with_interval("lock_wait_share", _each(runs, _lock_wait_share)),
        **{name: float(values.mean()) for name, values in parts.items()},
        "torn_fraction": float(_means(runs, "torn").mean()),
        "lost_fraction": float(np.mean([_lost(run) for run in runs])),
    }


def drift_row(group: Group, runs: Sequence[RunFolder]) -> Row:
    """One row of the table `drift`: means over runs, and the extremes of all samples of the group's runs."""
    return {
        **group.key,
        "n": len(runs),
        "samples": sum(len(run.samples) for run in runs),
        "distance": float(_means(runs, "distance").mean()),
        **mean_with_interval("gradient_cosine", _means(runs, "gradient_cosine")),
        "gradient_norm_ratio": float(_means(runs, "gradient_norm_ratio").mean()),
        **mean_with_interval("kl", _means(runs, "kl")),
        "ratio_max": float(_each(runs, lambda samples: samples["ratio_max"].max()).max()),
        "ratio_min": float(_each(runs, lambda samples: samples["ratio_min"].min()).min()),
    }


def drift_bin_rows(group: Group, runs: Sequence[RunFolder]) -> list[Row]:
    """The table `drift_by_staleness`: the samples of all the group's runs, by the bin that their staleness falls into.

    Bins without samples have no row, and no sample of a synchronous schedule is counted: it has no drift.
    """
    samples = pd.concat([run.samples for run in runs])
    samples = samples[samples["distance"].notna()]
    place = np.searchsorted(BINS, samples["staleness"].to_numpy(), side="right") - 1
    return [
        {
            **group.key,
            "staleness": BINS[index],
            "label": BIN_LABELS[index],
            "samples": len(mine),
            **{name: float(mine[name].mean()) for name in ("distance", "gradient_cosine", "gradient_norm_ratio", "kl")},
            "ratio_max": float(mine["ratio_max"].max()),
        }
        for index in np.unique(place)
        for mine in [samples[place == index]]
    ]


def _each(runs: Sequence[RunFolder], statistic: Callable[[pd.DataFrame], float]) -> Floats:
    """A statistic of each run's samples, float64 [runs]."""
    return np.array([statistic(run.samples) for run in runs], dtype=np.float64)


def _means(runs: Sequence[RunFolder], name: str, unit: float = 1.0) -> Floats:
    """Each run's mean of a column over the samples that have it, float64 [runs]; NaN where none has."""
    return _each(runs, lambda samples: unit * samples[name].mean())


def _lock_wait_share(samples: pd.DataFrame) -> float:
    total = float(samples[[f"{phase}_seconds" for phase in PHASES]].to_numpy().sum())
    return float(samples["lock_wait_seconds"].sum()) / total if total else np.nan


def _lost(run: RunFolder) -> float:
    lost = run.manifest.get("lost_update_fraction")
    return np.nan if lost is None else float(lost)
