"""Which of our variants is which method of Mnih et al. (2016), and which of our games stands in for which of its."""

from __future__ import annotations

from a3c.analysis.published import METHODS
from a3c.plan import Run, Study

STAND_INS = {"Maze": "Labyrinth"}


def published_method(run: Run) -> str | None:
    """What the paper calls a run's method; nothing if it has no such method, as where workers wait for a lock."""
    settings = run.settings
    if settings.schedule != "hogwild" or settings.algorithm.kind not in METHODS:
        return None
    name = METHODS[settings.algorithm.kind]
    return f"{name} LSTM" if getattr(settings.network, "lstm_cells", None) else name


def variants_by_method(study: Study) -> dict[str, str]:
    """The study's first variant of each published method."""
    found: dict[str, str] = {}
    for variant in study.variants:
        methods = {published_method(run) for run in study.runs if run.variant == variant}
        for method in sorted(method for method in methods if method):
            found.setdefault(method, variant)
    return found
