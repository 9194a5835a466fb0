"""Our frames against two other implementations of the same preprocessing, pixel for pixel.

Gymnasium's wrappers draw their no-ops as we do, so they get a twin of our generator. `AtariVectorEnv` draws its own in
C++, so both play without no-ops there; it fills the stack of a fresh episode with zeros, which is checked as such.

At a game's end both leave the action repeat early and pool screens that were read before it, while ours reads the
game's last: up to about a hundred pixels of that newest frame differ. It is neither acted upon nor learnt from (the
discount is 0), and it is the one thing that is not compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import ale_py
import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

from a3c import seeding
from a3c.environments import atari, make
from a3c.environments.games import atari_games
from a3c.settings import Settings

# Within STEPS a random player loses lives and a whole game of each but Pong, which takes longer and has no lives.
GAMES = ("Asterix", "Breakout", "Pong", "Qbert", "Seaquest", "SpaceInvaders")
STEPS = 400

gymnasium.register_envs(ale_py)


def wrappers(settings: Settings, **options: Any) -> gymnasium.Env[Any, Any]:
    """Gymnasium's preprocessing, its emulator seeded and its no-ops drawn as `make(settings, 0)` does."""
    env = gymnasium.make(f"ALE/{settings.game}-v5", frameskip=1, repeat_action_probability=0.0, **options)
    emulator: Any = env.unwrapped
    emulator.ale.setInt("random_seed", seeding.integer(settings.seed, "environment", 0))
    emulator.load_game()
    emulator._np_random = seeding.generator(settings.seed, "environment", 0)
    return FrameStackObservation(AtariPreprocessing(env, noop_max=30), 4)


@pytest.mark.parametrize("game", GAMES)
def test_every_frame_is_that_of_gymnasiums_wrappers(game: str, settings_for: Callable[..., Settings]) -> None:
    settings = settings_for(game, seed=11, clip_rewards=False)
    ours, oracle = make(settings, 0), wrappers(settings)
    lives_lost = games_lost = 0
    observation, info = oracle.reset()
    np.testing.assert_array_equal(ours.reset(), observation)
    for action in np.random.default_rng(1).integers(ours.spec.actions, size=STEPS):
        lives = info["lives"]
        step = ours.step(int(action))
        observation, reward, terminated, truncated, info = oracle.step(action)
        lost = info["lives"] < lives
        assert (step.score, step.discount, step.last) == (reward, 0.0 if lost or terminated else 1.0, terminated)
        assert step.reward == step.score
        newest = 3 if step.last else 4
        np.testing.assert_array_equal(step.observation[:newest], observation[:newest])
        assert not truncated
        lives_lost += lost
        games_lost += step.last
        if step.last:
            observation, info = oracle.reset()
            np.testing.assert_array_equal(ours.reset(), observation)
    assert (lives_lost > 1 and games_lost > 0) or game == "Pong"


@pytest.mark.slow
@pytest.mark.parametrize("game", GAMES)
def test_every_frame_is_that_of_the_vector_environment(
    game: str, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(atari.PROTOCOLS, "paper", dataclasses.replace(atari.PROTOCOLS["paper"], noop_max=0))
    settings = settings_for(game, seed=11)
    ours = make(settings, 0)
    oracle = ale_py.AtariVectorEnv(
        atari_games()[game], num_envs=1, num_threads=1, noop_max=0, use_fire_reset=False, reward_clipping=True
    )
    observations, info = oracle.reset(seed=seeding.integer(settings.seed, "environment", 0))
    stack, frames = ours.reset(), 1
    games_lost = 0
    for action in np.random.default_rng(1).integers(ours.spec.actions, size=STEPS):
        np.testing.assert_array_equal(observations[0, 4 - frames :], stack[4 - frames :])
        assert not observations[0, : 4 - frames].any()
        lives = info["lives"][0]
        step = ours.step(int(action))
        stack, frames = step.observation, min(frames + 1, 4)
        observations, rewards, terminated, truncated, info = oracle.step(np.array([action]))
        ended = terminated[0] or info["lives"][0] < lives
        assert (step.reward, step.discount, step.last) == (rewards[0], 0.0 if ended else 1.0, terminated[0])
        assert not truncated[0]
        if step.last:
            stack, frames = ours.reset(), 1
            # The step after a game's end starts the next one, whatever its action.
            observations, *_, info = oracle.step(np.array([0]))
            games_lost += 1
    assert games_lost > 0 or game == "Pong"


@pytest.mark.parametrize("limit", [400, 401, 402, 403])
def test_the_frame_limit_falls_on_the_step_on_which_it_falls_in_gymnasium(
    limit: int, settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for("Pong", frame_limit_frames=limit)
    ours, oracle = make(settings, 0), wrappers(settings, max_num_frames_per_episode=limit)
    ours.reset()
    oracle.reset()
    for _ in range(200):
        step = ours.step(0)
        _, _, terminated, truncated, _ = oracle.step(0)
        assert (step.discount, step.last) == (1.0, truncated)
        assert not terminated
        if step.last:
            return
    pytest.fail("no frame limit was reached")
