"""Group K, what happens between the emulator and the agent, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ale_py
import cv2
import gymnasium
import numpy as np
import pytest

from a3c.environments import make
from a3c.environments.atari import PROTOCOLS
from a3c.problems import InvalidInput
from a3c.settings import resolve

from .machine import HEIGHT, WIDTH, Insert, Machine, steps_of
from .pieces import Make


def test_openai_gym_1724_an_action_is_repeated_once_and_not_once_more(pong: Make, insert: Insert) -> None:
    """openai/gym#1724, #2512 and #2454, higgsfield/RL-Adventure#12: an environment that skips frames inside a wrapper
    that skips frames, so that every action lasts sixteen."""

    def of_this_project() -> int:
        machine = insert(Machine())
        environment = make(pong(), 0, 0)
        environment.reset()
        before = machine.getEpisodeFrameNumber()
        environment.step(0)
        return machine.getEpisodeFrameNumber() - before

    def as_it_is_copied() -> int:
        gymnasium.register_envs(ale_py)
        environment: Any = gymnasium.make("ALE/Pong-v5")
        environment.reset(seed=0)
        before = environment.unwrapped.ale.getEpisodeFrameNumber()
        for _ in range(4):
            environment.step(0)
        return int(environment.unwrapped.ale.getEpisodeFrameNumber() - before)

    def check(frames: int) -> None:
        assert frames == 4, "frames were skipped twice"

    check(of_this_project())
    with pytest.raises(AssertionError, match="frames were skipped twice"):
        check(as_it_is_copied())


@pytest.mark.parametrize("given", [{}, {"action_repeat": 0}], ids=["nothing", "zero"])
def test_Farama_Foundation_ALE_443_how_many_frames_an_action_lasts_is_said_and_possible(
    pong: Make, given: dict[str, int]
) -> None:
    """Farama-Foundation/Arcade-Learning-Environment#443 and #449, Farama-Foundation/Gymnasium#703: the default was 5
    where everybody read 4, and 0 froze the game."""
    raw = pong().model_dump(mode="json")
    del raw["environment"]["action_repeat"]
    raw["environment"] |= given

    def check(read: Callable[[dict[str, Any]], object]) -> None:
        with pytest.raises(InvalidInput, match=r"environment.*action_repeat"):
            read(raw)

    check(resolve)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(lambda settings: range(settings["environment"].get("action_repeat", 5)))


def test_sail_sg_envpool_49_in_the_papers_protocol_the_action_chosen_is_the_action_played(
    pong: Make, insert: Insert
) -> None:
    """sail-sg/envpool#49, Stable-Baselines-Team/stable-baselines3-contrib#13, muupan/async-rl#9: since v5 a quarter of
    the frames repeats the action before, which A3C's era did not know; scores with and without cannot be compared."""

    def check(protocol: str) -> None:
        machine = insert(Machine())
        environment = make(pong(environment={"protocol": protocol}), 0, 0)
        environment.reset()
        machine.acted.clear()
        for step in range(16):
            environment.step(step % 2)
        chosen = [machine.getMinimalActionSet()[frame // 4 % 2] for frame in range(64)]
        assert machine.acted == chosen, "an action stuck"

    check("paper")
    with pytest.raises(AssertionError, match="an action stuck"):
        check("sticky")


def test_Farama_Foundation_ALE_441_the_protocol_says_which_actions_there_are(pong: Make) -> None:
    """Farama-Foundation/Arcade-Learning-Environment#441: all eighteen actions, or those that the game reads? Three of
    Breakout's four move or fire; a policy over eighteen explores another game."""

    def check(actions: dict[str, int]) -> None:
        assert actions == {"paper": 4, "sticky": 18}, "another set of actions"

    def of_this_project(protocol: str) -> int:
        return make(pong(game="Breakout", environment={"protocol": protocol}), 0, 0).spec.actions

    def as_it_is_copied() -> int:
        gymnasium.register_envs(ale_py)
        environment: Any = gymnasium.make("ALE/Breakout-v5")  # whatever its arguments leave out
        return int(environment.action_space.n)

    check({protocol: of_this_project(protocol) for protocol in PROTOCOLS})
    with pytest.raises(AssertionError, match="another set of actions"):
        check(dict.fromkeys(PROTOCOLS, as_it_is_copied()))


@pytest.mark.parametrize("interpolation", [cv2.INTER_NEAREST, cv2.INTER_LINEAR])
def test_openai_gym_2454_a_thin_sprite_is_as_bright_wherever_it_is(
    pong: Make, insert: Insert, interpolation: int
) -> None:
    """openai/gym#2454 and DQN Zoo's notes: an 84x84 picture has room for every second column; other ways to resize than
    by area lose the ball, or let it blink."""

    def of_this_project(column: int) -> float:
        insert(Machine(column=column))
        (step,) = steps_of(pong(), 1)
        return float(step.observation[-1].sum())

    def as_it_is_copied(column: int) -> float:
        screen = np.zeros((HEIGHT, WIDTH), np.uint8)
        screen[:, column] = 200
        return float(cv2.resize(screen, (84, 84), interpolation=interpolation).sum())

    def check(brightness: Callable[[int], float]) -> None:
        seen = [brightness(column) for column in range(70, 90)]
        assert min(seen) > 0.95 * max(seen), "a sprite is lost in places"

    check(of_this_project)
    with pytest.raises(AssertionError, match="a sprite is lost in places"):
        check(as_it_is_copied)


def test_Kaixhin_Rainbow_59_a_sprite_of_every_other_frame_is_always_seen(pong: Make, insert: Insert) -> None:
    """Kaixhin/Rainbow#59, Farama-Foundation/Arcade-Learning-Environment#467 and #524, Farama-Foundation/Gymnasium#702:
    the maximum of the last two screens, or sprites that take turns are not seen; sail-sg/envpool#370: of this step's.

    Four sprites that take turns, as Pacman's ghosts do, are lost all the same
    (Farama-Foundation/Arcade-Learning-Environment#709): two screens of four are looked at, as the papers do.
    """

    def check(newest: Callable[[], Iterator[float]]) -> None:
        insert(Machine(shown_every=2, lives=9))
        assert all(brightness > 0 for brightness in newest()), "a sprite was not seen"

    def of_this_project() -> Iterator[float]:
        settings = pong(environment={"action_repeat": 3})
        return (float(step.observation[-1].max()) for step in steps_of(settings, 20))

    def as_it_is_copied() -> Iterator[float]:
        machine, screen = Machine(shown_every=2), np.zeros((HEIGHT, WIDTH), np.uint8)
        for _ in range(20):
            for _ in range(3):
                machine.act(ale_py.Action.NOOP)
            machine.getScreenGrayscale(screen)
            yield float(screen.max())

    check(of_this_project)
    with pytest.raises(AssertionError, match="a sprite was not seen"):
        check(as_it_is_copied)
