"""What a step says about learning and resetting, and what the two protocols stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import ale_py
import numpy as np
import pytest
from ale_py import roms

from a3c import seeding
from a3c.environments import make
from a3c.environments.atari import PROTOCOLS, Atari, Protocol
from a3c.environments.games import atari_games
from a3c.environments.step import Spec, Step
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]


def atari(settings: Settings, *place: int) -> Atari:
    environment = make(settings, *place)
    assert isinstance(environment, Atari)
    return environment


def random_play(environment: Atari, steps: int, seed: int = 3) -> Iterator[Step]:
    """Plays on over the ends of games; each step with an action drawn evenly."""
    environment.reset()
    for action in np.random.default_rng(seed).integers(environment.spec.actions, size=steps):
        step = environment.step(int(action))
        yield step
        if step.last:
            environment.reset()


def frames_of(environment: Atari) -> int:
    return environment._ale.getEpisodeFrameNumber()


def test_a_lost_life_stops_the_return_but_not_the_game(settings_for: SettingsFor) -> None:
    seen = {(step.discount, step.last) for step in random_play(atari(settings_for("Breakout")), 600)}
    assert seen == {(1.0, False), (0.0, False), (0.0, True)}


def test_a_lost_life_is_nothing_to_the_sticky_protocol(settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Breakout", protocol="sticky"))
    lives = [environment._lives for _ in random_play(environment, 600)]
    assert min(lives) < max(lives)
    seen = {(step.discount, step.last) for step in random_play(environment, 600)}
    assert seen == {(1.0, False), (0.0, True)}


def test_the_frame_limit_ends_the_episode_and_keeps_the_discount(settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Pong", frame_limit_frames=200))
    lengths = [(frames_of(environment), step.discount, step.last) for step in random_play(environment, 120)]
    assert all(last == (frames >= 200) for frames, _, last in lengths)
    assert {(discount, last) for _, discount, last in lengths} == {(1.0, False), (1.0, True)}


def test_a_life_lost_on_the_frame_limit_still_stops_the_return(settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Breakout"))
    lost_at = next(frames_of(environment) for step in random_play(environment, 600) if step.discount == 0.0)
    limited = atari(settings_for("Breakout", frame_limit_frames=lost_at))
    ends = next(step for step in random_play(limited, 600) if step.last)
    assert (ends.discount, ends.last) == (0.0, True)


def test_rewards_are_clipped_to_their_sign_and_scores_are_not(settings_for: SettingsFor) -> None:
    clipped = list(random_play(atari(settings_for("SpaceInvaders")), 400))
    plain = list(random_play(atari(settings_for("SpaceInvaders", clip_rewards=False)), 400))
    assert [step.score for step in clipped] == [step.score for step in plain] == [step.reward for step in plain]
    assert max(step.score for step in clipped) >= 5.0
    assert {step.reward for step in clipped} == {0.0, 1.0}
    lost_points = {(step.reward, step.score) for step in random_play(atari(settings_for("Pong")), 400)}
    assert (-1.0, -1.0) in lost_points


def test_an_observation_is_never_written_again(settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Breakout"))
    kept = [environment.reset()]
    copies = [kept[0].copy()]
    for index in range(20):
        kept.append(environment.step(index % environment.spec.actions).observation)
        copies.append(kept[-1].copy())
    environment.reset()
    np.testing.assert_array_equal(kept, copies)
    assert kept[0].base is None


def test_the_stack_holds_the_newest_frame_last_and_opens_with_copies_of_the_first(settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Pong", stacked_frames=3))
    before = environment.reset()
    assert before.shape == (3, 84, 84)
    assert (before == before[0]).all()
    for _ in range(5):
        after = environment.step(1).observation
        np.testing.assert_array_equal(after[:-1], before[1:])
        before = after


@pytest.mark.parametrize("action_repeat", [2, 3, 4, 7])
def test_a_step_advances_the_emulator_by_the_action_repeat(action_repeat: int, settings_for: SettingsFor) -> None:
    environment = atari(settings_for("Pong", action_repeat=action_repeat))
    environment.reset()
    before = frames_of(environment)
    environment.step(0)
    assert frames_of(environment) - before == action_repeat


def test_the_protocols_are_as_published() -> None:
    assert PROTOCOLS["paper"] == Protocol(0.0, 30, False, True)
    assert PROTOCOLS["sticky"] == Protocol(0.25, 0, True, False)


def test_the_protocols_differ_in_actions_and_in_how_a_game_opens(settings_for: SettingsFor) -> None:
    paper, sticky = atari(settings_for("Pong")), atari(settings_for("Pong", protocol="sticky"))
    assert paper.spec == Spec((4, 84, 84), "uint8", 6)
    assert sticky.spec == Spec((4, 84, 84), "uint8", 18)
    opening: dict[str, list[int]] = {"paper": [], "sticky": []}
    for _ in range(25):
        for name, environment in (("paper", paper), ("sticky", sticky)):
            environment.reset()
            opening[name].append(frames_of(environment))
    assert set(opening["sticky"]) == {0}
    assert 1 <= min(opening["paper"]) < max(opening["paper"]) <= 30
    assert len(set(opening["paper"])) > 8


def test_an_action_sticks_with_a_quarter_of_the_frames_and_nothing_else_changes(settings_for: SettingsFor) -> None:
    """The rule of Machado et al. (2018), section 5, written out on a bare emulator."""
    settings = settings_for("Seaquest", seed=4, protocol="sticky")
    environment = atari(settings, 0)
    environment.reset()
    draws = seeding.generator(4, "environment", 0)
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", seeding.integer(4, "environment", 0))
    ale.setFloat("repeat_action_probability", 0.0)
    rom = roms.get_rom_path("seaquest")
    assert rom is not None
    ale.loadROM(rom)
    ale.reset_game()
    held, stuck = ale_py.Action.NOOP, 0
    for action in np.random.default_rng(8).integers(18, size=150):
        environment.step(int(action))
        for _ in range(4):
            sticks = draws.random() < 0.25
            held = held if sticks else ale.getLegalActionSet()[action]
            stuck += sticks
            ale.act(held)
        np.testing.assert_array_equal(environment._ale.getRAM(), ale.getRAM())
    assert 0.2 < stuck / 600 < 0.3


def test_workers_play_different_games_and_worker_zero_the_same_whatever_their_number(settings_for: SettingsFor) -> None:
    def play(workers: int, worker: int) -> np.ndarray:
        environment = atari(settings_for("Breakout", workers=workers, protocol="sticky"), worker)
        return np.stack([step.observation for step in random_play(environment, 60)])

    alone = play(1, 0)
    np.testing.assert_array_equal(alone, play(16, 0))
    assert not np.array_equal(alone, play(16, 1))


@pytest.mark.parametrize("game", ["MontezumaRevenge", "Surround", "YarsRevenge"])
def test_a_game_can_be_made_and_stepped(game: str, settings_for: SettingsFor) -> None:
    for step in random_play(atari(settings_for(game)), 10):
        assert step.observation.any()


@pytest.mark.slow
@pytest.mark.parametrize("game", atari_games())
def test_each_of_the_57_games_can_be_made_and_stepped(game: str, settings_for: SettingsFor) -> None:
    for protocol in PROTOCOLS:
        for step in random_play(atari(settings_for(game, protocol=protocol)), 100):
            assert isinstance(step.score, float)
            assert isinstance(step.last, bool)
            assert step.observation.shape == (4, 84, 84)
