"""Reproducible experiments with asynchronous deep reinforcement learning (Mnih et al., 2016).

In reading order:

    settings      what a run is
    plan          experiments/*.yaml -> runs and their folders
    environments  Step(observation, reward, discount, last)
    learning      the mathematics: networks, returns, losses, gradients, optimizers
    asynchrony    who reads which parameters when: stores, workers, supervisor
    training      one run, from settings to a finished folder
    records       what a run leaves on disk, and its mirror in MLflow
    analysis      run folders -> tables -> intervals -> figures -> report

Programs use `make_settings`, `train` and `open_run`, which are loaded when they are first asked for:

    settings = a3c.make_settings("experiments/cartpole.yaml", "schedule=locked", workers=4)
    run = a3c.train(settings, "results/runs/try")
    print(run.score, run.turns["staleness"].mean(), run.replay()["equal"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from a3c.api import FinishedRun as FinishedRun
    from a3c.api import make_settings as make_settings
    from a3c.api import open_run as open_run
    from a3c.api import train as train

__version__ = "0.1.0"
__all__ = ["FinishedRun", "make_settings", "open_run", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from a3c import api

    return getattr(api, name)
