"""Which published runs a study's runs stand beside: the paper's words for ours, and its scatter plots."""

from __future__ import annotations

import pandas as pd

from a3c.analysis import published
from a3c.analysis.published import EXPERIMENTS, METHODS
from a3c.plan import Run, Study
from a3c.settings import Settings

# What the paper calls an algorithm and an optimizer; it has no Adam.
OPTIMIZERS = {
    "momentum_sgd": "SGD",
    "rmsprop": "RMSProp",
    "shared_rmsprop": "Shared RMSProp",
    "shared_adam": "Shared Adam",
}

Place = tuple[str, int, str]  # game, workers, variant


def method_of(settings: Settings) -> tuple[str, str]:
    """What the paper calls a run's method and its optimizer; a loss of the user's own has no name there."""
    return METHODS.get(settings.algorithm.kind, settings.algorithm.kind), OPTIMIZERS[settings.optimizer.kind]


def runs_of(study: Study) -> dict[Place, list[Run]]:
    """A study's runs at all values of its sweep together."""
    found: dict[Place, list[Run]] = {}
    for run in study.runs:
        found.setdefault((run.settings.game, run.settings.workers, run.variant), []).append(run)
    return found


def published_clouds(study: Study) -> dict[Place, pd.DataFrame]:
    """The published runs of each place that has any: columns `x` and `score`.

    A study that names Figure 2 gets Figure S11, too: the same axis, other methods. All of them used shared RMSProp.
    """
    if study.published is None:
        return {}
    axis = published.FIGURES[study.published].x if study.published in published.FIGURES else None
    names = [name for name, figure in published.FIGURES.items() if figure.x == axis] or [study.published]
    every = pd.concat([published.curves(name, EXPERIMENTS) for name in names])
    found = {}
    for place, runs in runs_of(study).items():
        method, optimizer = method_of(runs[0].settings)
        mine = every[(every["game"] == place[0]) & (every["method"] == method)]
        if len(mine) and optimizer == OPTIMIZERS["shared_rmsprop"]:
            found[place] = mine.sort_values("x")[["x", "score"]]
    return found
