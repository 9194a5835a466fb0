"""From a network's output to actions, with all chance drawn from one NumPy stream."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from a3c.learning.gradients import NonFiniteError
from a3c.learning.policies import LEAST_VARIANCE


class Behavior(Protocol):
    """How a worker acts."""

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        """One action for each of B observations.

        Args:
          output: float32 [B, K], the network's.
          generator: of all chance in it.
          frames: the global counter, for what is annealed.

        Returns:
          int64 [B], or float32 [B, D] where actions are continuous.

        Raises:
          NonFiniteError: if the output is not finite.
        """

    def greedy(self, output: np.ndarray) -> np.ndarray:
        """The likeliest or most valued action; as `choose`, without chance."""


class Softmax:
    """Draws from the policy that the output's first columns are the logits of; the last one is the value."""

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        """See `Behavior`."""
        del frames
        return sample(policy_probabilities(output[:, :-1]), generator)

    def greedy(self, output: np.ndarray) -> np.ndarray:
        """See `Behavior`."""
        return np.asarray(output[:, :-1].argmax(-1))


class GaussianNoise:
    """Draws from N(μ, σ²I); columns are μ, the variance before softplus, the value."""

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        """See `Behavior`."""
        del frames
        mean, variance = output[:, :-2], np.logaddexp(0.0, output[:, -2:-1].astype(np.float64)) + LEAST_VARIANCE
        if not np.isfinite(output).all():
            raise NonFiniteError(f"the network's output is not finite: {output}")
        return (mean + np.sqrt(variance) * generator.standard_normal(mean.shape)).astype(np.float32)

    def greedy(self, output: np.ndarray) -> np.ndarray:
        """The mean."""
        return output[:, :-2].astype(np.float32)


class EpsilonGreedy:
    """The most valued action or, with probability ε, any; ε goes from 1 to a final value of each environment's own."""

    def __init__(self, final_epsilon: np.ndarray, annealing_frames: int) -> None:
        """Epsilons as they are in the end.

        Args:
          final_epsilon: float64 [B], one an environment; or [1], for all.
          annealing_frames: of the global counter, over which they go down from 1; 0 for at once.
        """
        self._final = final_epsilon
        self._annealing_frames = annealing_frames

    def epsilon(self, frames: int) -> np.ndarray:
        """ε at a place of the global counter, float64, the shape of the final ones."""
        progress = min(1.0, frames / self._annealing_frames) if self._annealing_frames else 1.0
        return 1.0 + (self._final - 1.0) * progress

    def choose(self, output: np.ndarray, generator: np.random.Generator, frames: int) -> np.ndarray:
        """See `Behavior`; two draws an observation whatever comes, so that streams do not depend on values."""
        if not np.isfinite(output).all():
            raise NonFiniteError(f"the action values are not finite: {output}")
        explores = generator.random(len(output)) < self.epsilon(frames)
        anything = generator.integers(output.shape[1], size=len(output))
        return np.where(explores, anything, self.greedy(output))

    def greedy(self, output: np.ndarray) -> np.ndarray:
        """See `Behavior`."""
        return np.asarray(output.argmax(-1))


def policy_probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64 [B, A] of float32 [B, A].

    Raises:
      NonFiniteError: if a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise NonFiniteError(f"the policy's logits are not finite: {logits}")
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    exponential = np.exp(shifted)
    return np.asarray(exponential / exponential.sum(axis=-1, keepdims=True))


def sample(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One action a row, int64 [B], by inversion of the cumulative distribution: one uniform number a row."""
    cumulative = probabilities.cumsum(axis=-1)
    threshold = generator.random(len(probabilities)) * cumulative[:, -1]
    return np.asarray((cumulative <= threshold[:, None]).sum(axis=-1))
