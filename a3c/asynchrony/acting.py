"""Playing: from observations to actions, from actions to rollouts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from a3c.environments.batch import Batch
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, Rollout


class Episode(NamedTuple):
    """A finished training episode.

    Attributes:
      env: which of the worker's environments.
      frames_after_pull: the worker's own frames since its last pull when it ended.
      score: unclipped, whole game.
      steps: decisions taken.
      truncated: whether the frame limit ended it.
    """

    env: int
    frames_after_pull: int
    score: float
    steps: int
    truncated: bool


def policy_probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64 [B, A] of float32 [B, A].

    Raises:
      NonFiniteError: if a logit is not finite.
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    exponential = np.exp(shifted)
    total = exponential.sum(axis=-1, keepdims=True)
    if not np.isfinite(total).all():
        raise NonFiniteError(f"the policy's logits are not finite: {logits}")
    return np.asarray(exponential / total)


def sample(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One action a row, int64 [B], by inversion of the cumulative distribution: one uniform number a row."""
    cumulative = probabilities.cumsum(axis=-1)
    threshold = generator.random(len(probabilities)) * cumulative[:, -1]
    return np.asarray((cumulative <= threshold[:, None]).sum(axis=-1))


class Actor:
    """One worker's games and its copy of the network: collects rollouts.

    With one environment a rollout ends with the episode, as in Algorithm S3. With several, rollouts have full length
    and games start anew inside them: a game over has discount 0, and a frame limit has discount 0 with γ V of the
    final observation added to the reward, which is the same return.

    Attributes:
      network: the worker's copy; `network.vector` is what a pull writes to.
      spec: of the games.
      episodes: finished since they were last taken; the caller clears the list.
    """

    def __init__(
        self,
        network: FlatNetwork,
        batch: Batch,
        generator: np.random.Generator,
        *,
        rollout_steps: int,
        gamma: float,
        action_repeat: int,
    ) -> None:
        self.network = network
        self.episodes: list[Episode] = []
        self._batch = batch
        self._generator = generator
        self._gamma = gamma
        self._action_repeat = action_repeat
        self.spec = spec = batch.spec
        size = len(batch)
        dtype = getattr(torch, spec.observation_dtype)
        self._observation = torch.empty([rollout_steps, size, *spec.observation_shape], dtype=dtype)
        self._action = torch.empty([rollout_steps, size], dtype=torch.int64)
        self._reward = torch.empty([rollout_steps, size])
        self._discount = torch.empty([rollout_steps, size])
        self._final = torch.empty([size, *spec.observation_shape], dtype=dtype)
        self._now = torch.stack([torch.from_numpy(np.asarray(batch.reset(i))) for i in range(size)])
        self._scores, self._steps = [0.0] * size, [0] * size

    def collect(self) -> Rollout:
        """Plays on with the parameters last pulled.

        Returns:
          A rollout of views of this actor's buffers, valid until the next call.

        Raises:
          NonFiniteError: if the network's output is not finite.
        """
        length, (limit, size) = 0, self._action.shape
        final_value = None
        while length < limit:
            actions = self._choose(length)
            ended = False
            for env, step in enumerate(self._batch.step(actions)):
                self._reward[length, env] = step.reward
                self._discount[length, env] = step.discount * self._gamma
                self._now[env] = torch.from_numpy(np.asarray(step.observation))
                self._scores[env] += step.score
                self._steps[env] += 1
                if step.last:
                    ended = True
                    final_value = self._end_episode(env, length, step.discount > 0.0)
            length += 1
            if ended and size == 1:
                break
        if final_value is None or size > 1:
            final_value = self._values(self._now)
            self._final.copy_(self._now)
        return Rollout(
            self._observation[:length],
            self._action[:length],
            self._reward[:length],
            self._discount[:length],
            final_value,
            self._final,
        )

    def _choose(self, t: int) -> np.ndarray:
        self._observation[t] = self._now
        with torch.inference_mode():
            logits, _ = self.network(self._now)
        actions = sample(policy_probabilities(logits.numpy()), self._generator)
        self._action[t] = torch.from_numpy(actions)
        return actions

    def _values(self, observation: Tensor) -> Tensor:
        with torch.no_grad():
            return self.network(observation)[1].clone()

    def _end_episode(self, env: int, t: int, truncated: bool) -> Tensor:
        """Books a finished episode and starts the next one; returns the value to bootstrap from, [1]."""
        value = torch.zeros(1)
        self._final[env] = self._now[env]
        if truncated:
            value = self._values(self._now[env : env + 1])
            if len(self._scores) > 1:
                self._reward[t, env] += self._gamma * value[0]
                self._discount[t, env] = 0.0
        frames = (t + 1) * len(self._scores) * self._action_repeat
        self.episodes.append(Episode(env, frames, self._scores[env], self._steps[env], truncated))
        self._scores[env], self._steps[env] = 0.0, 0
        self._now[env] = torch.from_numpy(np.asarray(self._batch.reset(env)))
        return value
