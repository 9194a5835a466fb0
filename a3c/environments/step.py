"""What an environment gives for an action, and what it is to an agent.

    situation      discount   last
    in play            1      False
    life lost          0      False    learn as if it ended, go on playing
    game over          0      True
    time limit         1      True     bootstrap from the final observation

"May I learn past this point?" and "must I reset?" are two questions, so they are two fields and never one `done`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np


class Step(NamedTuple):
    """One decision's outcome.

    Attributes:
      observation: what the agent sees next; dtype and shape as in the environment's `Spec`. It is a fresh array or
        one that the environment does not write to again.
      reward: what is learnt from (clipped or scaled), float.
      discount: 1.0, or 0.0 where nothing of what follows may be credited to what came before.
      last: True if the environment must be reset before the next step.
      score: the unclipped, unscaled reward of this decision, for reporting.
    """

    observation: np.ndarray
    reward: float
    discount: float
    last: bool
    score: float


@dataclass(frozen=True)
class Spec:
    """What a network has to fit.

    Attributes:
      observation_shape: shape of one observation, `(4, 84, 84)` for Atari, `()` for a state's index.
      observation_dtype: its NumPy dtype by name, such as `uint8`, `float32`, `int64`.
      actions: number of discrete actions, or of numbers in a continuous one.
      states: number of states if observations are state indices, else None.
      continuous: whether an action is a vector of real numbers.
    """

    observation_shape: tuple[int, ...]
    observation_dtype: str
    actions: int
    states: int | None = None
    continuous: bool = False


class Environment(Protocol):
    """A game: every draw of chance in it comes from the stream it was made with.

    An environment may have `action_names`, a sequence of texts, for people.
    """

    spec: Spec

    def reset(self) -> np.ndarray:
        """Starts an episode and returns its first observation."""

    def step(self, action: Any) -> Step:
        """Takes one decision: an int, or float32 [actions] if they are continuous.

        Must not be called after a step whose `last` is True, until `reset`.
        """

    def save(self) -> dict[str, Any]:
        """The exact state, its random stream included, as arrays, bytes, numbers and text: no pickles."""

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""

    def render(self) -> np.ndarray:
        """The present picture for people, uint8 [H, W, 3]; nothing is made ready for it before the first call.

        Must not be called before the first `reset`. Training never calls it.
        """

    def close(self) -> None:
        """Frees what the environment holds."""
