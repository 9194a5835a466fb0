"""From observations to actions, from actions to rollouts."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scripted import Clock, Game, Given, Watched, table
from torch import nn

from a3c.asynchrony import acting
from a3c.asynchrony.acting import Actor
from a3c.asynchrony.behaviors import Softmax
from a3c.asynchrony.shared import TURNS
from a3c.asynchrony.worker import EPISODES
from a3c.environments.step import Spec, Step
from a3c.learning.flat import FlatNetwork
from a3c.learning.returns import n_step_returns
from a3c.problems import InvalidInput
from a3c.settings import Settings

GAMMA = 0.9

ActorOf = Callable[..., Actor]


class Corridor(Game):
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


class ValueOfObservation(nn.Module):
    """Uniform policy; the value of an observation is 100 times the observation."""

    state_size = 0

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([100.0]))

    def forward(
        self, observation: torch.Tensor, state: torch.Tensor, first: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        del first
        return self.step(observation, state)

    def step(self, observation: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.cat([torch.zeros(*observation.shape[:-1], 2), observation * self.weight], -1), state


@pytest.fixture
def playing(actor_of: ActorOf) -> ActorOf:
    """`playing(*games, rollout_steps)`: an actor with the network above."""
    return lambda *games, rollout_steps: actor_of(
        games, Given(FlatNetwork(ValueOfObservation())), rollout_steps=rollout_steps
    )


def returns_of(actor: Actor) -> np.ndarray:
    rollout = actor.collect(0)
    return n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value).numpy()


def test_a_rollout_of_one_game_ends_with_the_episode(playing: ActorOf) -> None:
    game = Corridor(3, truncated=False)
    rollout = playing(game, rollout_steps=5).collect(0)
    assert rollout.steps == 3
    assert rollout.discount[:, 0].tolist() == pytest.approx([GAMMA, GAMMA, 0.0])
    assert game.tape == ["reset", "step", "step", "step", "reset"]
    assert rollout.observation[:, 0, 0].tolist() == [0, 1, 2], "what was acted on, not what came of it"


def test_in_play_the_return_bootstraps_from_the_observation_after_the_last_step(playing: ActorOf) -> None:
    actor = playing(Corridor(100, truncated=False), rollout_steps=2)
    assert returns_of(actor)[:, 0] == pytest.approx([1 + GAMMA + GAMMA**2 * 200, 1 + GAMMA * 200])


@pytest.mark.parametrize("games", [1, 3])
def test_a_frame_limit_bootstraps_and_a_game_over_does_not(playing: ActorOf, games: int) -> None:
    """Whether rollouts end with the episode (one game) or go on past it (several), the return is the same."""
    over = returns_of(playing(*(Corridor(2, truncated=False) for _ in range(games)), rollout_steps=4))
    limit = returns_of(playing(*(Corridor(2, truncated=True) for _ in range(games)), rollout_steps=4))
    for env in range(games):
        assert over[:2, env] == pytest.approx([1 + GAMMA, 1.0])
        assert limit[:2, env] == pytest.approx([1 + GAMMA + GAMMA**2 * 200, 1 + GAMMA * 200])


def test_several_games_start_anew_inside_a_rollout(playing: ActorOf) -> None:
    rollout = playing(Corridor(2, truncated=False), Corridor(3, truncated=False), rollout_steps=4).collect(0)
    assert rollout.observation[:, 0, 0].tolist() == [0, 1, 0, 1]
    assert rollout.observation[:, 1, 0].tolist() == [0, 1, 2, 0]


def test_the_observation_that_is_bootstrapped_from_comes_with_the_rollout(playing: ActorOf) -> None:
    """With one game it may be the last of an episode; with several it is the present one of each."""
    limit = playing(Corridor(2, truncated=True), rollout_steps=4).collect(0)
    assert limit.final_observation.tolist() == [[2.0]]
    assert limit.bootstrap_value.tolist() == [200.0]
    several = playing(Corridor(2, truncated=True), Corridor(9, truncated=True), rollout_steps=5).collect(0)
    assert several.final_observation.tolist() == [[1.0], [5.0]]
    assert several.bootstrap_value.tolist() == [100.0, 500.0]


def test_an_episode_reports_its_unscaled_score_and_place(playing: ActorOf) -> None:
    actor = playing(Corridor(3, truncated=True), rollout_steps=2)
    actor.collect(0)
    assert actor.episodes == []
    actor.collect(0)
    (episode,) = actor.episodes
    assert (episode.score, episode.steps, episode.truncated, episode.frames_after_pull) == (30.0, 3, True, 4)


@pytest.mark.parametrize("games", [1, 3])
def test_frames_count_on_from_the_global_counter_at_the_pull(actor_of: ActorOf, games: int) -> None:
    """Four frames a step of each environment; other workers' frames are not seen until the next pull."""
    watched = Watched(Softmax())
    actor = actor_of([Clock() for _ in range(games)], Given(table(1, 3, seed=0)), behavior=watched, rollout_steps=3)
    actor.collect(0)
    actor.collect(1_000)
    assert watched.frames == [0, 4 * games, 8 * games, 1_000, 1_000 + 4 * games, 1_000 + 8 * games]


# One update an episode


@pytest.mark.parametrize("length", [1, 63, 64, 65, 300])
def test_without_a_length_a_rollout_is_one_whole_episode(actor_of: ActorOf, length: int) -> None:
    """Longer ones than the first buffers too, and nothing is bootstrapped: not even at a frame limit."""
    for truncated in (False, True):
        game = Corridor(length, truncated)
        actor = actor_of([game], Given(FlatNetwork(ValueOfObservation())), rollout_steps=None)
        for turn in range(3):
            rollout = actor.collect(0)
            assert rollout.steps == length
            assert rollout.observation[:, 0, 0].tolist() == list(range(length))
            assert rollout.discount[:, 0].tolist() == pytest.approx([GAMMA] * (length - 1) + [0.0])
            assert rollout.reward[:, 0].tolist() == [1.0] * length
            assert rollout.bootstrap_value.tolist() == [0.0]
            assert len(actor.episodes) == turn + 1
        returns = n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)[:, 0]
        finite = [(1 - GAMMA ** (length - t)) / (1 - GAMMA) for t in range(length)]
        assert returns.tolist() == pytest.approx(finite, rel=1e-5)


def test_such_a_run_has_one_turn_an_episode(
    scripted_settings: Callable[..., Settings], execute: Callable[..., SimpleNamespace]
) -> None:
    """The frame limit's episodes too, and the last one beyond the budget."""
    for ending in ("over", "limit"):
        settings = scripted_settings(
            options={"states": 9, "length": 70, "ending": ending}, schedule="drawn", order={"kind": "round_robin"},
            workers=3, budget_frames=1_000, learning={"rollout_steps": None},
        )  # fmt: skip
        run = execute(settings)
        episodes = [row for what, rows in run.sent if what == EPISODES for row in rows]
        turns = run.memory.turn_records[: int(run.memory.counters[TURNS])]
        assert len(turns) == len(episodes) == 15
        assert set(turns["steps"].tolist()) == {70}
        assert {(row.steps, row.truncated) for row in episodes} == {(70, int(ending == "limit"))}
        assert sorted(row.worker for row in episodes) == [0] * 5 + [1] * 5 + [2] * 5


def test_a_life_lost_inside_a_whole_episode_cuts_the_sum_there(actor_of: ActorOf) -> None:
    class Lives(Corridor):
        def step(self, action: int) -> Step:
            step = super().step(action)
            return step._replace(discount=0.0) if self._at == 2 else step

    rollout = actor_of([Lives(4, False)], Given(FlatNetwork(ValueOfObservation())), rollout_steps=None).collect(0)
    assert rollout.discount[:, 0].tolist() == pytest.approx([GAMMA, 0.0, GAMMA, 0.0])


def test_an_episode_of_more_steps_than_a_turn_may_have_is_refused(
    actor_of: ActorOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "MOST_STEPS", 100)
    network = Given(FlatNetwork(ValueOfObservation()))
    assert actor_of([Corridor(100, False)], network, rollout_steps=None).collect(0).steps == 100
    with pytest.raises(InvalidInput, match=r"learning\.rollout_steps: null, .* more than 100 steps"):
        actor_of([Corridor(101, False)], network, rollout_steps=None).collect(0)


class Unsaved(Corridor):
    """As a Gymnasium environment, it cannot say where it is."""

    def save(self) -> dict[str, object]:
        raise NotImplementedError


def test_a_game_that_cannot_be_saved_begins_on_another_stream_each_time(actor_of: ActorOf) -> None:
    asked: list[tuple[int, int]] = []

    def another(env: int, times: int) -> Unsaved:
        asked.append((env, times))
        return Unsaved(9, False)

    def actor() -> Actor:
        return actor_of([Unsaved(9, False)], Given(FlatNetwork(ValueOfObservation())), another=another)

    first, second, third = actor(), actor(), actor()
    first.collect(0)
    second.restore(first.save())
    third.restore(second.save())
    assert asked == [(0, 1), (0, 2)]
    assert second.collect(0).observation[:, 0, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
