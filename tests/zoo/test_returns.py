"""Groups B and K, what a return bootstraps from: the right value, at the right place, or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from a3c.environments.cliff_world import CliffWorld
from a3c.learning.returns import n_step_returns
from a3c.learning.rollouts import Rollout

from .pieces import Lane, Make, actor_of

GAMMA = 0.5
VALUE = 100.0  # of one step taken: what `value_of_observation` gives

Returns = Callable[[Rollout, bool], Tensor]  # of a rollout, and whether its episode has ended


def play(make: Make, returns: Returns, length: int, *, truncated: bool = False) -> list[float]:
    """What is made of one lane's first rollout of at most 3 steps."""
    actor = actor_of(make(learning={"rollout_steps": 3, "gamma": GAMMA}), Lane(length, truncated=truncated))
    rollout = actor.collect(0)
    made: list[float] = returns(rollout, bool(actor.episodes))[:, 0].tolist()
    return made


def of_this_project(rollout: Rollout, ended: bool) -> Tensor:
    return n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)


def ending_with(rollout: Rollout, value: Tensor) -> Tensor:
    """R = value, and then R = r + γ R backward over the rollout, as in Algorithm S3."""
    return n_step_returns(rollout.reward, torch.full_like(rollout.reward, GAMMA), value)


def of_the_last_observation_acted_on(rollout: Rollout, ended: bool) -> Tensor:
    return ending_with(rollout, torch.zeros(1) if ended else VALUE * rollout.observation[-1, :, 0])


def test_NVlabs_GA3C_40_a_rollout_is_bootstrapped_from_what_follows_its_last_action(cartpole: Make) -> None:
    """NVlabs/GA3C#40, dennybritz/reinforcement-learning#39, kengz/SLM-Lab#154: the value is that of the last
    observation acted on, one step too early."""

    def check(returns: Returns) -> None:
        end = 3 * VALUE
        expected = [1.75 + end / 8, 1.5 + end / 4, 1 + end / 2]
        assert play(cartpole, returns, 99) == pytest.approx(expected), "another observation was valued"

    check(of_this_project)
    with pytest.raises(AssertionError, match="another observation was valued"):
        check(of_the_last_observation_acted_on)


def always(rollout: Rollout, ended: bool) -> Tensor:
    return ending_with(rollout, VALUE * (rollout.observation[-1, :, 0] + 1))


def never_at_an_end(rollout: Rollout, ended: bool) -> Tensor:
    return ending_with(rollout, torch.zeros(1)) if ended else always(rollout, ended)


def test_lazyprogrammer_machine_learning_examples_13_nothing_follows_a_game_over(cartpole: Make) -> None:
    """lazyprogrammer/machine_learning_examples#13: values near the end grow without bound, for the value after it
    counts."""

    def check(returns: Returns) -> None:
        assert play(cartpole, returns, 2) == pytest.approx([1.5, 1.0]), "something followed the game's end"

    check(of_this_project)
    with pytest.raises(AssertionError, match="something followed the game's end"):
        check(always)


def test_DLR_RM_stable_baselines3_633_a_frame_limit_is_bootstrapped_from_the_final_observation(cartpole: Make) -> None:
    """DLR-RM/stable-baselines3#633 and #1864, Toni-SM/skrl#449, openai/gym#3102, jsboige/CoursIA#7821,
    hill-a/stable-baselines#863; ikostrikov/pytorch-a3c counts its `max_episode_length` as done, and so has this too."""

    def check(returns: Returns) -> None:
        end = 2 * VALUE
        expected = [1.5 + end / 4, 1 + end / 2]
        assert play(cartpole, returns, 2, truncated=True) == pytest.approx(expected), "a time-out counted as an end"

    check(of_this_project)
    with pytest.raises(AssertionError, match="a time-out counted as an end"):
        check(never_at_an_end)


def test_Denys88_rl_games_128_side_by_side_a_time_out_is_worth_its_own_final_observation(cartpole: Make) -> None:
    """Denys88/rl_games#128: where games start anew inside a rollout, the final observation is gone, and another one's
    value is added: that of the last one acted on, or of the next game's first."""
    settings = cartpole(learning={"rollout_steps": 4, "gamma": GAMMA})

    def rollout_of_this_project() -> Rollout:
        return actor_of(settings, Lane(2, truncated=True), Lane(99)).collect(0)

    def as_it_is_copied() -> Rollout:
        rollout = rollout_of_this_project()
        for t in (1, 3):
            rollout.reward[t, 0] = 1.0 + GAMMA * VALUE * rollout.observation[t, 0, 0]
        return rollout

    def check(rollout: Rollout) -> None:
        returns = n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)[:, 0]
        end = 2 * VALUE
        assert returns.tolist() == pytest.approx([1.5 + end / 4, 1 + end / 2] * 2), "another observation was valued"

    check(rollout_of_this_project())
    with pytest.raises(AssertionError, match="another observation was valued"):
        check(as_it_is_copied())


def test_DLR_RM_stable_baselines3_1276_a_game_that_ends_on_its_last_frame_has_ended() -> None:
    """DLR-RM/stable-baselines3#1276: what if an episode is over and hits its limit in one step?"""
    way = [0, *[1] * 11, 2]

    def discount_of_this_project() -> float:
        world = CliffWorld(len(way), 1.0)
        world.reset()
        return [world.step(action) for action in way][-1].discount

    def as_it_is_copied() -> float:
        elapsed_steps, over = len(way), True
        truncated = elapsed_steps >= len(way)
        return 1.0 if truncated else float(not over)

    def check(discount: float) -> None:
        assert discount == 0.0, "an end counted as a time-out"

    check(discount_of_this_project())
    with pytest.raises(AssertionError, match="an end counted as a time-out"):
        check(as_it_is_copied())


def test_NVlabs_GA3C_31_the_last_reward_of_an_episode_is_learnt_from(cartpole: Make) -> None:
    """NVlabs/GA3C#31: a game that pays at its end only cannot be learnt, for the last step is dropped."""

    def check(keep: Callable[[Rollout], list[float]]) -> None:
        rollout = actor_of(cartpole(learning={"rollout_steps": 5}), Lane(3)).collect(0)
        assert sum(keep(rollout)) == 3.0, "a reward was lost"

    check(lambda rollout: rollout.reward[:, 0].tolist())
    with pytest.raises(AssertionError, match="a reward was lost"):
        check(lambda rollout: rollout.reward[:-1, 0].tolist())


def one_step_late(reward: Tensor, discount: Tensor, bootstrap_value: Tensor) -> Tensor:
    """The mask of step t + 1 where that of step t belongs."""
    shifted = torch.cat([discount[1:], discount[-1:]])
    return n_step_returns(reward, shifted, bootstrap_value)


def without_discount(reward: Tensor, discount: Tensor, bootstrap_value: Tensor) -> Tensor:
    """The first of the rewards to come, but not the bootstrap value, is discounted one time too few."""
    returns = n_step_returns(reward, discount, bootstrap_value)
    return torch.cat([returns[1:], bootstrap_value.view(1)])


@pytest.mark.parametrize("as_it_is_copied", [one_step_late, without_discount])
def test_AechPro_rlgym_ppo_23_a_return_is_cut_where_the_life_was_lost_and_not_beside_it(
    as_it_is_copied: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> None:
    """AechPro/rlgym-ppo#23, hill-a/stable-baselines#1004 ("fixed off by one bug")."""

    def check(returns: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        reward, discount = torch.tensor([1.0, 2.0, 4.0, 8.0]), torch.tensor([0.5, 0.0, 0.5, 0.5])
        expected = [1 + 0.5 * 2, 2.0, 4 + 0.5 * (8 + 0.5 * 16), 8 + 0.5 * 16]
        assert returns(reward, discount, torch.tensor(16.0)).tolist() == expected, "off by one"

    check(n_step_returns)
    with pytest.raises(AssertionError, match="off by one"):
        check(as_it_is_copied)
