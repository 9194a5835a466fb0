from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from a3c.asynchrony.acting import Actor, policy_probabilities, sample
from a3c.environments.batch import Batch
from a3c.environments.step import Spec, Step
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.learning.returns import n_step_returns

GAMMA = 0.9


class Corridor:
    """An episode of `length` steps with reward 1 each; ends as a game over or as a frame limit. Observes its step."""

    def __init__(self, length: int, truncated: bool) -> None:
        self.spec = Spec((1,), "float32", 2)
        self.tape: list[str] = []
        self._length, self._truncated, self._at = length, truncated, 0

    def reset(self) -> np.ndarray:
        self.tape.append("reset")
        self._at = 0
        return np.zeros(1, np.float32)

    def step(self, action: int) -> Step:
        del action
        self.tape.append("step")
        self._at += 1
        last = self._at == self._length
        discount = 0.0 if last and not self._truncated else 1.0
        return Step(np.full(1, self._at, np.float32), 1.0, discount, last, 10.0)

    def save(self) -> dict[str, object]:
        return {}

    def restore(self, state: dict[str, object]) -> None: ...

    def close(self) -> None: ...


class ValueOfObservation(nn.Module):
    """Uniform policy; the value of an observation is 100 times the observation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([100.0]))

    def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(observation), 2), observation[:, 0] * self.weight


def actor_of(*games: Corridor, rollout_steps: int) -> Actor:
    generator = np.random.default_rng(0)
    network = FlatNetwork(ValueOfObservation())
    return Actor(network, Batch(games), generator, rollout_steps=rollout_steps, gamma=GAMMA, action_repeat=4)


def returns_of(actor: Actor) -> np.ndarray:
    rollout = actor.collect()
    return n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value).numpy()


def test_a_rollout_of_one_game_ends_with_the_episode() -> None:
    game = Corridor(3, truncated=False)
    actor = actor_of(game, rollout_steps=5)
    rollout = actor.collect()
    assert rollout.steps == 3
    assert rollout.discount[:, 0].tolist() == pytest.approx([GAMMA, GAMMA, 0.0])
    assert game.tape == ["reset", "step", "step", "step", "reset"]
    assert rollout.observation[:, 0, 0].tolist() == [0, 1, 2], "what was acted on, not what came of it"


def test_in_play_the_return_bootstraps_from_the_observation_after_the_last_step() -> None:
    actor = actor_of(Corridor(100, truncated=False), rollout_steps=2)
    assert returns_of(actor)[:, 0] == pytest.approx([1 + GAMMA + GAMMA**2 * 200, 1 + GAMMA * 200])


@pytest.mark.parametrize("games", [1, 3])
def test_a_frame_limit_bootstraps_and_a_game_over_does_not(games: int) -> None:
    """Whether rollouts end with the episode (one game) or go on past it (several), the return is the same."""
    over = returns_of(actor_of(*(Corridor(2, truncated=False) for _ in range(games)), rollout_steps=4))
    limit = returns_of(actor_of(*(Corridor(2, truncated=True) for _ in range(games)), rollout_steps=4))
    for env in range(games):
        assert over[:2, env] == pytest.approx([1 + GAMMA, 1.0])
        assert limit[:2, env] == pytest.approx([1 + GAMMA + GAMMA**2 * 200, 1 + GAMMA * 200])


def test_several_games_start_anew_inside_a_rollout() -> None:
    actor = actor_of(Corridor(2, truncated=False), Corridor(3, truncated=False), rollout_steps=4)
    rollout = actor.collect()
    assert rollout.observation[:, 0, 0].tolist() == [0, 1, 0, 1]
    assert rollout.observation[:, 1, 0].tolist() == [0, 1, 2, 0]


def test_an_episode_reports_its_unscaled_score_and_place() -> None:
    actor = actor_of(Corridor(3, truncated=True), rollout_steps=2)
    actor.collect()
    assert actor.episodes == []
    actor.collect()
    (episode,) = actor.episodes
    assert (episode.score, episode.steps, episode.truncated, episode.frames_after_pull) == (30.0, 3, True, 4)


def test_actions_are_drawn_with_the_policys_probabilities() -> None:
    logits = np.tile(np.log([[0.5, 0.2, 0.2, 0.1]]).astype(np.float32), (40_000, 1))
    actions = sample(policy_probabilities(logits), np.random.default_rng(1))
    shares = np.bincount(actions, minlength=4) / len(actions)
    assert shares == pytest.approx([0.5, 0.2, 0.2, 0.1], abs=0.01)  # four standard errors


def test_one_uniform_number_is_drawn_per_game_and_step() -> None:
    """Streams stay aligned whatever the policy: a replay draws the same numbers."""
    a, b = np.random.default_rng(2), np.random.default_rng(2)
    sample(policy_probabilities(np.array([[9.0, 0.0, 0.0]], np.float32)), a)
    b.random(1)
    assert a.random() == b.random()


def test_a_non_finite_policy_is_refused() -> None:
    with pytest.raises(NonFiniteError):
        policy_probabilities(np.array([[0.0, np.nan]], np.float32))
