"""Playing: from observations to actions, from actions to rollouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from a3c import seeding
from a3c.asynchrony.agents import Learner, make_behavior, make_learner, make_network
from a3c.asynchrony.behaviors import Behavior
from a3c.asynchrony.buffers import Buffers
from a3c.asynchrony.exchange import LocalCopy
from a3c.environments import make
from a3c.environments.batch import Batch
from a3c.environments.step import Environment, Spec
from a3c.learning.flat import FlatNetwork
from a3c.learning.rollouts import Rollout
from a3c.problems import InvalidInput, Problem
from a3c.records.checkpoints import State
from a3c.records.schedule_file import MOST_STEPS
from a3c.settings import Settings

EPISODE_CAPACITY_STEPS = 64  # of the first buffers where a rollout is a whole episode; they double when full


class Episode(NamedTuple):
    """A finished training episode.

    Attributes:
      env: which of the worker's environments.
      frames_after_pull: the worker's own frames since its last pull when it ended.
      score: unclipped, whole game.
      steps: decisions taken.
      truncated: whether the time limit ended it.
    """

    env: int
    frames_after_pull: int
    score: float
    steps: int
    truncated: bool


class Networks:
    """The network that acts and learns and, for action values, the target network beside it, on the run's device.

    Attributes:
      online: its vector is what a pull writes to.
      target: values what follows; None for an algorithm that bootstraps from its own network.
    """

    def __init__(self, settings: Settings, spec: Spec) -> None:
        self.online = make_network(settings, spec, settings.device)
        interval = settings.target_interval_frames
        self.target = None if interval is None else make_network(settings, spec, settings.device)
        self._refreshes = -1

    @property
    def bootstrapping(self) -> FlatNetwork:
        """The one that values what follows."""
        return self.target or self.online

    def hold(self, copy: LocalCopy) -> None:
        """Takes over what was pulled, as far as it is not held already."""
        if copy.vector is not self.online.vector:
            self.online.vector.copy_(copy.vector)
        self.online.refresh()
        if self.target is not None and copy.refreshes != self._refreshes:
            assert copy.target is not None
            self.target.vector.copy_(copy.target)
            self.target.refresh()
            self._refreshes = copy.refreshes


class Actor:
    """One worker's games: collects rollouts with the parameters that its networks hold.

    With one environment a rollout ends with the episode, as in Algorithm S3. With several, rollouts have full length
    and games start anew inside them: a game over has discount 0, and a time limit has discount 0 with γ times the
    value of the final observation added to the reward, which is the same return. Without `rollout_steps` a rollout is
    one whole episode, and nothing is bootstrapped.

    Attributes:
      networks: which may be shared with other actors that act in turn.
      learner: the algorithm.
      spec: of the games.
      batch: the games.
      episodes: finished since they were last taken; the caller clears the list.
    """

    def __init__(
        self,
        settings: Settings,
        batch: Batch,
        networks: Networks,
        learner: Learner,
        behavior: Behavior,
        generator: np.random.Generator,
        another: Callable[[int, int], Environment] | None = None,
    ) -> None:
        """Starts the games.

        Args:
          settings: of the run.
          batch: of games.
          networks: see `Networks`.
          learner: the algorithm.
          behavior: how actions are chosen.
          generator: of all chance in choosing them.
          another: makes the batch's game of some index on a new random stream, the n-th since the run began; None
            if every game can be saved.
        """
        self._another, self._begun_anew = another, [0] * len(batch)
        self.networks, self.learner, self.spec = networks, learner, batch.spec
        self.episodes: list[Episode] = []
        self.batch, self._behavior, self._generator = batch, behavior, generator
        self._limit_steps, self._gamma = settings.learning.rollout_steps, settings.learning.gamma
        self._frames_per_step = settings.action_repeat * len(batch)
        size = len(batch)
        self._buffers = Buffers(self.spec, self._limit_steps or EPISODE_CAPACITY_STEPS, size)
        dtype = getattr(torch, self.spec.observation_dtype)
        self._final = torch.empty([size, *self.spec.observation_shape], dtype=dtype)
        self._now = torch.stack([torch.from_numpy(np.asarray(batch.reset(i))) for i in range(size)])
        self._now_array = self._now.numpy()
        self._recurrent = networks.online.state_size > 0
        self._state, self._first = networks.online.initial_state(size), torch.ones(size)
        self._next_action: np.ndarray | None = None  # chosen already, since Sarsa's last step needed it
        self._scores, self._steps = [0.0] * size, [0] * size

    def collect(self, frames: int) -> Rollout:
        """Plays on with the parameters last pulled.

        Args:
          frames: the global counter at the pull; exploration is annealed by it.

        Returns:
          A rollout of views of this actor's buffers, valid until the next call.

        Raises:
          NonFiniteError: if the network's output is not finite.
          InvalidInput: if a rollout is a whole episode, and that has more steps than a turn may have.
        """
        length, size, buffers = 0, len(self._scores), self._buffers
        state, following = self._state, None
        while (following is None or size > 1) and length != self._limit_steps:
            if length == MOST_STEPS:
                what = f"null, a whole episode, and one has more than {MOST_STEPS:,} steps; give a number of steps"
                raise InvalidInput([Problem("learning.rollout_steps", what)])
            if length == len(buffers.reward):
                buffers.grow()
            following = self._step(length, frames + length * self._frames_per_step)
            length += 1
        if following is None or size > 1:
            following = self._value_of_now(frames + length * self._frames_per_step)
            self._final.copy_(self._now)
        return Rollout(
            buffers.observation[:length],
            buffers.action[:length],
            buffers.reward[:length],
            buffers.discount[:length],
            following,
            self._final,
            state,
            buffers.first[:length],
            self._following_values(length, following) if self.learner.one_step else None,
        )

    def save(self) -> State:
        """Games, recurrent state, random stream and unfinished episodes; between two rollouts nothing else is held."""
        return {
            "environments": self.batch.save(),
            "now": self._now.numpy(),
            "state": self._state.numpy(),
            "first": self._first.numpy(),
            "next_action": self._next_action,
            "scores": list(self._scores),
            "steps": list(self._steps),
            "begun_anew": list(self._begun_anew),
            "generator": self._generator.bit_generator.state,
        }

    def restore(self, state: State) -> None:
        """Continues exactly where `save` was called; a game that cannot be restored begins anew, on a new stream."""
        self._generator.bit_generator.state = state["generator"]
        self._state.copy_(torch.from_numpy(state["state"]))
        self._first.copy_(torch.from_numpy(state["first"]))
        self._next_action = state["next_action"]
        self._begun_anew = [int(times) for times in state["begun_anew"]]
        for env, saved in enumerate(state["environments"]):
            if saved is None:
                assert self._another is not None
                self._begun_anew[env] += 1  # the stream of its beginning would repeat the episodes that it began with
                self.batch.replace(env, self._another(env, self._begun_anew[env]))
                self._now_array[env] = self.batch.reset(env)
                self._state[env], self._first[env], self._next_action = 0.0, 1.0, None
                continue
            self.batch.restore(env, saved)
            self._now_array[env] = state["now"][env]
            self._scores[env], self._steps[env] = float(state["scores"][env]), int(state["steps"][env])

    def _step(self, t: int, frames: int) -> Tensor | None:
        """Takes step t in every environment; if an episode ended, the value of what follows it, float32 [1]."""
        following, arrays = None, self._buffers.arrays
        for env, step in enumerate(self.batch.step(self._choose(t, frames))):
            discount = 0.0 if step.last and self._limit_steps is None else step.discount
            arrays.reward[t, env] = step.reward
            arrays.discount[t, env] = discount * self._gamma
            self._now_array[env] = step.observation
            self._scores[env] += step.score
            self._steps[env] += 1
            if step.last:
                following = self._end_episode(env, t, frames, truncated=step.discount > 0.0)
        return following

    def _choose(self, t: int, frames: int) -> np.ndarray:
        arrays = self._buffers.arrays
        arrays.observation[t] = self._now_array
        if self._recurrent:
            arrays.first[t] = self._first
            self._first.zero_()
        actions, self._state = self._decide(frames)
        arrays.action[t] = actions
        return actions

    def _decide(self, frames: int) -> tuple[np.ndarray, Tensor]:
        """Actions for the present observations, unless they have been chosen before, and the state after them."""
        if self._next_action is not None:
            actions, self._next_action = self._next_action, None
            return actions, self._state
        with torch.inference_mode():
            output, state = self.networks.online.act(self._now, self._state)
        actions = self._behavior.choose(output.numpy(), self._generator, frames)
        return actions, state.clone() if self._recurrent else state

    def _value_of_now(self, frames: int) -> Tensor:
        """What the present observations are worth, float32 [B]; Sarsa chooses its next actions for that."""
        if self.learner.values_next_action:
            self._next_action, _ = self._decide(frames)
        return self._values(self._now, self._state, self._next_action)

    def _values(self, observation: Tensor, state: Tensor, action: np.ndarray | None) -> Tensor:
        with torch.no_grad():
            output, _ = self.networks.bootstrapping.act(observation, state)
        return self.learner.bootstrap(output, None if action is None else torch.from_numpy(action))

    def _following_values(self, length: int, following: Tensor) -> Tensor:
        """The value of what follows each step, float32 [T, B]: one pass of the target network over the rollout."""
        observation, action = self._buffers.observation[1:length], self._buffers.action[1:length]
        with torch.no_grad():
            output, _ = self.networks.bootstrapping(observation, self._state, self._buffers.first[1:length])
        return torch.cat([self.learner.bootstrap(output, action), following.unsqueeze(0)])

    def _end_episode(self, env: int, t: int, frames: int, *, truncated: bool) -> Tensor:
        """Books an episode, values where it was cut off, and starts the next; returns that value, float32 [1]."""
        value = torch.zeros(1)
        self._final[env] = self._now[env]
        if truncated and self._limit_steps is not None:
            value = self._value_of_end(env, frames)
            if len(self._scores) > 1:
                self._buffers.reward[t, env] += self._gamma * value[0]
                self._buffers.discount[t, env] = 0.0
        frames_after_pull = (t + 1) * self._frames_per_step
        self.episodes.append(Episode(env, frames_after_pull, self._scores[env], self._steps[env], truncated))
        self._scores[env], self._steps[env] = 0.0, 0
        self._now_array[env] = self.batch.reset(env)
        self._first[env] = 1.0
        if self._recurrent:
            self._state[env] = 0.0
        return value

    def _value_of_end(self, env: int, frames: int) -> Tensor:
        """What a cut-off episode's final observation is worth, float32 [1]; Sarsa draws the action it would take."""
        observation, state, action = self._now[env : env + 1], self._state[env : env + 1], None
        if self.learner.values_next_action:
            with torch.inference_mode():
                output, _ = self.networks.online.act(self._now, self._state)
            action = self._behavior.choose(output.numpy(), self._generator, frames)[env : env + 1]
        return self._values(observation, state, action)


def make_actor(settings: Settings, worker: int, networks: Networks | None = None) -> Actor:
    """The worker's actor: its games, its networks (or the ones given), its random streams."""

    def another(env: int, times: int) -> Environment:
        return make(settings, worker, env, times)

    batch = Batch([make(settings, worker, env) for env in range(settings.envs_per_turn)])
    return Actor(
        settings,
        batch,
        networks or Networks(settings, batch.spec),
        make_learner(settings, batch.spec),
        make_behavior(settings, batch.spec, worker),
        seeding.generator(settings.seed, "policy", worker),
        another,
    )
