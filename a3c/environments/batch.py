"""Several environments stepped as one, for a learner that decides for all of them in one forward pass.

They are stepped one after another. Threads would gain nothing: the emulator holds Python's interpreter lock while it
runs (ale-py 0.12.1: two threads on two cores took 2.0 times as long for twice the frames).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.environments.step import Environment, Spec, Step


class Batch:
    """Environments of one game, each on its own random stream."""

    def __init__(self, environments: Sequence[Environment]) -> None:
        """Takes the environments over.

        Raises:
          ValueError: if there is none, or if they do not have one `Spec`.
        """
        specs = {environment.spec for environment in environments}
        if len(specs) != 1:
            raise ValueError(f"a batch needs environments of one spec, got {len(environments)} with {len(specs)}")
        self._environments = list(environments)
        self.spec: Spec = environments[0].spec

    def __len__(self) -> int:
        """Number of environments, E."""
        return len(self._environments)

    def reset(self, index: int) -> np.ndarray:
        """Resets one environment and returns its first observation."""
        return self._environments[index].reset()

    def step(self, actions: np.ndarray) -> list[Step]:
        """Steps every environment once, in order.

        Args:
          actions: int64 `[E]`, or float32 `[E, actions]` if they are continuous.

        Raises:
          ValueError: if there are not as many actions as environments.
        """
        each = actions if self.spec.continuous else actions.tolist()
        return [environment.step(action) for environment, action in zip(self._environments, each, strict=True)]

    def save(self) -> list[dict[str, Any] | None]:
        """The exact state of every environment; None for one that cannot say."""
        return [_saved(environment) for environment in self._environments]

    def restore(self, index: int, state: dict[str, Any]) -> None:
        """Continues one environment exactly where it was saved."""
        self._environments[index].restore(state)

    def replace(self, index: int, environment: Environment) -> None:
        """Closes one environment, whose place another of the same game takes."""
        self._environments[index].close()
        self._environments[index] = environment

    def close(self) -> None:
        """Closes every environment."""
        for environment in self._environments:
            environment.close()


def _saved(environment: Environment) -> dict[str, Any] | None:
    try:
        return environment.save()
    except NotImplementedError:
        return None
