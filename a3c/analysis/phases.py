"""How long the phases of a run's turns took: what the scaling simulator starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ASLEEP_SECONDS = 2e-5  # who waits longer has slept: a semaphore that is free takes a microsecond


@dataclass(frozen=True)
class Phases:
    """Sampled turns of a run; entry i of every array is of the same turn.

    Attributes:
      rollout: float64 [n], seconds to act and step the environments.
      gradient: float64 [n], seconds to compute the gradient.
      pull: float64 [n], seconds to copy the parameters.
      push: float64 [n], seconds to apply the gradient: inside the lock if there is one, without waiting for it.
      steps: [n], steps of the rollout.

    Raises:
      ValueError: if arrays are empty, of different shapes, negative or not finite, or if turns take no time at all.
    """

    rollout: np.ndarray
    gradient: np.ndarray
    pull: np.ndarray
    push: np.ndarray
    steps: np.ndarray

    def __post_init__(self) -> None:
        shape = np.shape(self.rollout)
        for field in fields(self):
            values = np.asarray(getattr(self, field.name))
            if values.ndim != 1 or not len(values) or values.shape != shape:
                raise ValueError(f"{field.name} must be [n] with n >= 1 as rollout's {shape}, got {values.shape}")
            if not np.all(np.isfinite(values)) or np.any(values < 0):
                raise ValueError(f"{field.name} must be finite and not negative")
        if not np.any(self.rollout + self.gradient + self.pull + self.push):
            raise ValueError("turns that take no time cannot be simulated")


def phases_of(table: Mapping[str, Any]) -> Phases:
    """Phases from a table of a run's sampled turns: a pandas DataFrame, or arrays by name.

    Reads the columns `rollout_seconds`, `gradient_seconds`, `pull_seconds`, `push_seconds` and `steps`. A column
    `lock_wait_seconds` is left alone: waiting is what the model is to find.

    Raises:
      ValueError: if a column is missing or does not hold what `Phases` needs.
    """
    columns = {f.name: f.name if f.name == "steps" else f"{f.name}_seconds" for f in fields(Phases)}
    missing = [column for column in columns.values() if column not in table]
    if missing:
        raise ValueError(f"the table lacks the columns {', '.join(missing)}")
    return Phases(**{name: np.asarray(table[column], dtype=np.float64) for name, column in columns.items()})


def wake_seconds(table: pd.DataFrame, workers: int) -> float:
    """What waking a sleeping worker takes, from the sampled turns of one synchronous run; 0 with one worker.

    Where worker 0 had to wait, the last of the others to arrive waits for nobody: it waits until worker 0 is awake and
    has applied the average, and until it is awake itself, which is two wakings.

    Args:
      table: columns `turn`, `worker`, `lock_wait_seconds`, `push_seconds`.
      workers: N.
    """
    waits = table.pivot_table(index=table["turn"] // workers, columns="worker", values="lock_wait_seconds")
    pushes = table.pivot_table(index=table["turn"] // workers, columns="worker", values="push_seconds")
    if workers == 1 or len(waits.columns) < workers:
        return 0.0
    slept = waits[0] > ASLEEP_SECONDS
    wakings = (waits.drop(columns=0).min(axis=1) - pushes[0])[slept].dropna() / 2
    return max(0.0, float(wakings.median())) if len(wakings) else 0.0
