"""Group K, lives, ends and protocols: what a score of a game means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ale_py
import pytest
import torch

from a3c.asynchrony.agents import make_network
from a3c.asynchrony.evaluator import play
from a3c.environments import make
from a3c.settings import Settings

from .machine import Insert, Machine, steps_of
from .pieces import Make


def first_life(settings: Settings) -> float:
    """The score of what an environment that ends with a life calls an episode."""
    score = 0.0
    for step in steps_of(settings, 1000):
        score += step.score
        if not step.discount:
            break
    return score


def clipped(settings: Settings) -> float:
    """The sum of what is learnt from."""
    return sum(step.reward for step in steps_of(settings, 1000))


@pytest.mark.parametrize("as_it_is_copied", [first_life, clipped])
def test_ray_project_rl_experiments_1_a_score_is_of_a_whole_game(
    pong: Make, insert: Insert, as_it_is_copied: Callable[[Settings], float]
) -> None:
    """ray-project/rl-experiments#1, Kaixhin/Rainbow#36, alex-petrenko/sample-factory#270, ShangtongZhang/DeepRL#48,
    dennybritz/reinforcement-learning#235, rlcode/reinforcement-learning#124: scores of one life of five; and
    openai/baselines#140: of clipped rewards. Three lives of 40 frames at 5 pay 600, less what the no-ops took."""
    settings = pong(evaluation={"points": 1, "episodes": 1, "policy": "greedy"})

    def of_this_project(settings: Settings) -> float:
        network = make_network(settings, make(settings, 0, 0).spec)
        (game,) = play(network, settings, 1)
        return float(game.score)

    def check(evaluate: Callable[[Settings], float]) -> None:
        insert(Machine(lives=3))
        assert 600 - 30 * 5 <= evaluate(settings) <= 600, "that was not a whole game"

    check(of_this_project)
    with pytest.raises(AssertionError, match="that was not a whole game"):
        check(as_it_is_copied)


def test_dennybritz_reinforcement_learning_235_a_lost_life_ends_the_return_and_the_game_goes_on(
    pong: Make, insert: Insert
) -> None:
    """dennybritz/reinforcement-learning#235: do we carry on after a lost life? Gymnasium's `terminal_on_life_loss` ends
    the episode, and its next reset the game: nobody ever sees the second life."""

    def check(goes_on: Callable[[Any], None]) -> None:
        machine = insert(Machine(lives=3))
        environment, seen = make(pong(), 0, 0), {3}
        environment.reset()
        for _ in range(60):
            step = environment.step(0)
            seen.add(machine.lives())
            if step.last:
                break
            if not step.discount:
                goes_on(environment)
        assert seen == {3, 2, 1, 0}, "the game began anew with a lost life"

    check(lambda environment: None)
    with pytest.raises(AssertionError, match="began anew with a lost life"):
        check(lambda environment: environment.reset())


def test_openai_baselines_568_a_game_without_lives_is_never_cut(pong: Make, insert: Insert) -> None:
    """openai/baselines#568: Pong has no lives; to take "none left" for a lost one ends every return at once."""

    def check(discounts: Callable[[Machine], list[float]]) -> None:
        assert set(discounts(insert(Machine(lives=0)))[:-1]) == {1.0}, "a game without lives was cut"

    def as_it_is_copied(machine: Machine) -> list[float]:
        return [float(machine.lives() > 0) for _ in steps_of(pong(), 1000)]

    check(lambda machine: [step.discount for step in steps_of(pong(), 1000)])
    with pytest.raises(AssertionError, match="a game without lives was cut"):
        check(as_it_is_copied)


def test_Farama_Foundation_ALE_435_the_modern_protocol_does_not_look_at_lives(pong: Make, insert: Insert) -> None:
    """Farama-Foundation/Arcade-Learning-Environment#435: the life signal is advised against; who uses it says so."""

    def check(protocol: str) -> None:
        insert(Machine(lives=3))
        steps = list(steps_of(pong(environment={"protocol": protocol}), 1000))
        assert [step.discount for step in steps] == [1.0] * (len(steps) - 1) + [0.0], "a life was looked at"

    check("sticky")
    with pytest.raises(AssertionError, match="a life was looked at"):
        check("paper")


def test_muupan_async_rl_5_an_evaluation_ends_although_the_game_was_never_started(pong: Make, insert: Insert) -> None:
    """muupan/async-rl#5, HorizonRobotics/alf#79 and #103, openai/gym#833: a policy that never presses FIRE plays
    Breakout for ever, and its evaluation is missing. The frame limit ends it, and the game says that it was cut off."""
    settings = pong(
        environment={"frame_limit_frames": 200}, evaluation={"points": 1, "episodes": 1, "policy": "greedy"}
    )

    def of_this_project() -> tuple[float, bool]:
        network = make_network(settings, make(settings, 0, 0).spec)
        network.tensors[-1].data.copy_(torch.tensor([9.0, -9.0, 0.0]))
        (game,) = play(network, settings, 1)
        return game.score, game.truncated

    def as_it_is_copied() -> tuple[float, bool]:
        machine = insert(Machine(starts_by_itself=False))
        while not machine.game_over(with_truncation=False):
            machine.act(ale_py.Action.NOOP)
        return 0.0, False

    def check(evaluate: Callable[[], tuple[float, bool]]) -> None:
        insert(Machine(starts_by_itself=False))
        assert evaluate() == (0.0, True), "nobody ended the game"

    check(of_this_project)
    with pytest.raises(AssertionError, match="nobody ended the game"):
        check(as_it_is_copied)


CHAIN = {
    "protocol": "sticky",
    "action_repeat": 2,
    "stacked_frames": 1,
    "frame_limit_frames": 1000,
    "clip_rewards": False,
}


@pytest.mark.parametrize("key", CHAIN)
def test_kengz_SLM_Lab_231_whatever_is_done_to_a_game_makes_it_another_run(pong: Make, key: str) -> None:
    """kengz/SLM-Lab#231: wrappers that nobody mentioned once took a score from 600 to 1000. Each link of the chain
    is a setting, and no two runs that differ in one share a folder or a row."""

    def check(name: Callable[[Settings], str]) -> None:
        assert name(pong(environment={key: CHAIN[key]})) != name(pong()), "two protocols under one name"

    check(lambda settings: settings.id)
    with pytest.raises(AssertionError, match="two protocols under one name"):
        check(lambda settings: f"{settings.algorithm.kind}-{settings.game}-w{settings.workers}")
