"""Group I, numbers that are none, and gradients on their way there: that they stay with the worker who met them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

from a3c.asynchrony.behaviors import Behavior, EpsilonGreedy, Softmax
from a3c.asynchrony.shared import SNAPSHOTS, VERSION
from a3c.environments.step import Step
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, clip_
from a3c.learning.policies import Categorical
from a3c.learning.rollouts import Rollout
from a3c.records import run_folder
from a3c.training import train

from .pieces import ACTIONS, PLAIN_DESCENT, Lane, Make, actor_of, empty_copy, linear, memory_of, push_of, store_of

Judge = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def logarithm_of_softmax(logits: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Two steps, of which the first rounds to 0 and the second to −∞."""
    probability = logits.softmax(-1)
    logarithm = probability.log()
    return logarithm.gather(-1, action.unsqueeze(-1)).squeeze(-1), -(probability * logarithm).sum(-1)


def with_a_small_number_added(logits: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Finite, but whoever has become certain learns nothing more from a surprise."""
    probability = logits.softmax(-1)
    logarithm = (probability + 1e-10).log()
    return logarithm.gather(-1, action.unsqueeze(-1)).squeeze(-1), -(probability * logarithm).sum(-1)


@pytest.mark.parametrize("as_it_is_copied", [logarithm_of_softmax, with_a_small_number_added])
def test_rlcode_reinforcement_learning_76_a_policy_that_is_certain_has_finite_terms_and_gradients(
    as_it_is_copied: Judge,
) -> None:
    """rlcode/reinforcement-learning#76, MatheusMRFM/A3C-LSTM-with-Tensorflow#3, awjuliani/DeepRL-Agents#27: NaN after
    hours, from the logarithm of a probability that had become 0."""

    def check(judge: Judge) -> None:
        logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
        chosen, entropy = judge(logits, torch.tensor([1]))
        (gradient,) = torch.autograd.grad((chosen + 0.01 * entropy).sum(), logits)
        assert gradient[0].tolist() == pytest.approx([-1.0, 1.0]), "a zero probability was taken the logarithm of"

    check(Categorical(2).judge)
    with pytest.raises(AssertionError, match="a zero probability"):
        check(as_it_is_copied)


class Poisoned(Lane):
    """Pays what is no number."""

    def __init__(self, reward: float) -> None:
        super().__init__(9)
        self._reward = reward

    def step(self, action: int) -> Step:
        return super().step(action)._replace(reward=self._reward)


@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_Kaixhin_Atari_67_a_workers_nan_does_not_reach_the_shared_parameters(cartpole: Make, reward: float) -> None:
    """Kaixhin/Atari#67, awjuliani/DeepRL-Agents#27: the norms grow, and within one update all workers have NaN;
    pytorch/torchtitan#3751: the check comes before the checkpoint, here the snapshot that is evaluated."""
    settings = cartpole(
        schedule="locked", optimizer=PLAIN_DESCENT, budget_frames=3, learning={"rollout_steps": 3}, algorithm=CRITIC
    )

    def of_this_project(network: FlatNetwork, rollout: Rollout) -> Tensor:
        return ActorCritic(Categorical(ACTIONS), 0.5, 0.01).gradient(network, rollout)[0]

    def as_it_is_copied(network: FlatNetwork, rollout: Rollout) -> Tensor:
        output, _ = network.unroll(rollout)
        torch.autograd.backward((rollout.reward - output[..., -1]).square().sum())
        torch.nn.utils.clip_grad_norm_(network.tensors, 40.0)
        return network.flatten([tensor.grad for tensor in network.tensors if tensor.grad is not None])

    def check(gradient_of: Callable[[FlatNetwork, Rollout], Tensor]) -> None:
        memory, network = memory_of(settings), linear([0.1, 0.2, 0.3], offset=1.0)
        actor = actor_of(settings, Poisoned(reward), network=network)
        try:
            push = push_of(gradient_of(network, actor.collect(0)), steps=3)
            store_of(memory, settings).push(push, empty_copy())
        except NonFiniteError:
            assert int(memory.counters[VERSION]) == int(memory.counters[SNAPSHOTS]) == 0
        assert memory.parameters.isfinite().all(), "everybody's parameters are poisoned"

    check(of_this_project)
    with pytest.raises(AssertionError, match="everybody's parameters are poisoned"):
        check(as_it_is_copied)


CRITIC = {"kind": "actor_critic", "value_weight": 0.5, "entropy_weight": 0.01, "gae_lambda": 1.0}


@pytest.mark.parametrize("behavior", [Softmax(), EpsilonGreedy(np.zeros(1), 0)])
def test_rlcode_reinforcement_learning_76_nobody_acts_on_what_is_no_number(behavior: Behavior) -> None:
    """rlcode/reinforcement-learning#76: once the network says NaN, an arg max still gives an action, always the same
    one, and the run looks alive."""

    def as_it_is_copied(output: np.ndarray) -> int:
        return int(np.argmax(output))

    def check(choose: Callable[[np.ndarray], object]) -> None:
        with pytest.raises(NonFiniteError):
            choose(np.array([[0.0, np.nan, 0.0]], np.float32))

    check(lambda output: behavior.choose(output, np.random.default_rng(0), 0))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(as_it_is_copied)


def elements_clipped(gradients: list[Tensor], limit: float) -> Iterator[Tensor]:
    return (gradient.clamp(-limit, limit) for gradient in gradients)


def layers_clipped(gradients: list[Tensor], limit: float) -> Iterator[Tensor]:
    return (gradient * min(1.0, limit / float(gradient.norm())) for gradient in gradients)


@pytest.mark.parametrize("as_it_is_copied", [elements_clipped, layers_clipped])
def test_keras_team_keras_13575_clipping_shortens_a_gradient_and_keeps_its_direction(
    as_it_is_copied: Callable[[list[Tensor], float], Iterator[Tensor]],
) -> None:
    """keras-team/keras#13575, hiwonjoon/tf-a3c-gpu#1, Happy-Algorithms-League/hal-cgp#210.

    A3C clips the norm of the whole gradient; clipping every number, or every layer, turns it.
    """
    layers = [torch.tensor([30.0, 0.0, 40.0]), torch.tensor([0.3, 0.4])]
    whole = torch.cat(layers)

    def check(clipped: Tensor) -> None:
        cosine = torch.nn.functional.cosine_similarity(clipped, whole, dim=0)
        assert float(cosine) == pytest.approx(1.0, abs=1e-6), "the gradient was turned"
        assert float(clipped.norm()) == pytest.approx(1.0, rel=1e-6)

    ours = whole.clone()
    clip_(ours, float(ours.norm()), 1.0)
    check(ours)
    with pytest.raises(AssertionError, match="the gradient was turned"):
        check(torch.cat(list(as_it_is_copied(layers, 1.0))))


class LateNaN(gymnasium.Env[Any, Any]):
    """Pays NaN after fifty steps."""

    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        return 0, math.nan if self._steps > 50 else 1.0, False, False, {}


@pytest.mark.slow
def test_Kaixhin_Atari_67_a_run_that_meets_a_nan_fails_and_says_so(
    cliff: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kaixhin/Atari#67 with processes: the run ends with the worker's reason, and leaves no model."""
    from a3c.asynchrony.outcomes import ProcessFailedError

    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    environment = {"kind": "custom", "reward_scale": 1.0, "options": {}}
    settings = cliff(game=f"{__name__}:LateNaN", schedule="locked", workers=2, environment=environment)
    with pytest.raises(ProcessFailedError, match=r"(?s)worker \d raised.*NonFiniteError: the gradient is not finite"):
        train(settings, tmp_path)
    assert not (tmp_path / run_folder.MODEL).exists()
    assert not (tmp_path / run_folder.DONE).exists()
