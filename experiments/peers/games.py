"""Our environments as peers expect one: a Gymnasium environment, or one of the older Gym protocol.

Where a life is lost, `discount` is 0 and `last` is not set: learn as if the episode ended, and play on. Peers have one
signal for both. They are told that the episode ended, and when they ask for the next one, the same game goes on from
the observation they have seen; a new game begins after the last life only. Scores are recorded here, over whole games.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from recording import Recording

from a3c.environments import make
from a3c.environments.step import Spec


class Outcome(NamedTuple):
    """What a peer learns of a decision: `terminated` where nothing follows, `truncated` at the frame limit."""

    observation: np.ndarray
    reward: float
    terminated: bool
    truncated: bool


class Game:
    """One of our environments, its games recorded.

    Attributes:
      spec: of the environment.
    """

    def __init__(self, recording: Recording, worker: int, index: int) -> None:
        """Makes the environment that a run of ours has at this place, on the same random stream.

        Args:
          recording: of the run.
          worker: whose environment.
          index: which of the worker's.
        """
        self._recording, self._place = recording, (worker, index)
        self._environment = make(recording.settings, worker, index)
        self.spec: Spec = self._environment.spec
        self._after_life: np.ndarray | None = None
        self._score, self._steps = 0.0, 0

    def begin(self) -> np.ndarray:
        """The first observation of what the peer takes for an episode."""
        observation, self._after_life = self._after_life, None
        if observation is None:
            self._score, self._steps = 0.0, 0
            observation = np.asarray(self._environment.reset())
        return observation

    def step(self, action: Any) -> Outcome:
        """Takes one decision and records it."""
        step = self._environment.step(int(action))
        self._score += step.score
        self._steps += 1
        terminated = step.discount == 0.0
        truncated = step.last and not terminated
        self._recording.stepped(self._place, (self._score, self._steps, truncated) if step.last else None)
        if terminated and not step.last:
            self._after_life = step.observation
        return Outcome(step.observation, step.reward, terminated, truncated)

    def close(self) -> None:
        """Frees what the environment holds."""
        self._environment.close()


class GymnasiumGame(gymnasium.Env[np.ndarray, Any]):
    """A game by the protocol of Gymnasium. Its randomness comes from our settings, so `seed` changes nothing."""

    def __init__(self, game: Game) -> None:
        self._game, spec = game, game.spec
        image = spec.observation_dtype == "uint8"
        low, high = (0, 255) if image else (-np.inf, np.inf)
        dtype: Any = np.uint8 if image else np.float32
        self.observation_space = gymnasium.spaces.Box(low, high, spec.observation_shape, dtype)
        self.action_space = gymnasium.spaces.Discrete(spec.actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """The first observation of an episode."""
        super().reset(seed=seed)
        return self._game.begin(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One decision."""
        return *self._game.step(action), {}

    def close(self) -> None:
        """Frees what the environment holds."""
        self._game.close()


class GymGame:
    """A game by the protocol before Gymnasium, with the key `needs_reset` by which PFRL knows a truncation."""

    def __init__(self, game: Game) -> None:
        self._game = game

    def reset(self) -> np.ndarray:
        """The first observation of an episode."""
        return self._game.begin()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, dict[str, Any]]:
        """One decision."""
        observation, reward, terminated, truncated = self._game.step(action)
        return observation, reward, terminated, {"needs_reset": truncated}

    def close(self) -> None:
        """Frees what the environment holds."""
        self._game.close()
