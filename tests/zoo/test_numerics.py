"""Group I, numbers that are none, and gradients on their way there: that they stay with the worker who met them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

from a3c.asynchrony.behaviors import Behavior, EpsilonGreedy, Softmax, policy_probabilities
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed
from a3c.asynchrony.shared import SNAPSHOTS, VERSION
from a3c.asynchrony.unfit import UnfitTurnError, push_fit
from a3c.asynchrony.worker import differentiate
from a3c.environments.step import Step
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, clip_, flat_gradient
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


def test_a_square_that_overflows_is_refused_although_its_derivative_does_not() -> None:
    network = linear([0.0, 0.0, 1e-3])
    total = network.tensors[0].sum()
    for loss, words in (
        ((1e-3 * total + 3e19).square(), "the loss is not finite"),
        (total * math.inf, "the loss and gradient are not finite"),
    ):
        with pytest.raises(NonFiniteError, match=words):
            flat_gradient(network, loss)


@pytest.mark.parametrize(
    ("reward", "weight", "words"),
    [
        (math.nan, 0.1, "not finite: reward nan at [0, 0] (3 of 3 numbers)"),
        (1e30, 0.1, "not finite: the loss and gradient are not finite"),
        (1.0, math.nan, "not finite: parameters nan at [0]"),
    ],
)
def test_who_met_what_is_not_finite_is_said_with_all_that_the_turn_was_made_of(
    cartpole: Make, reward: float, weight: float, words: str
) -> None:
    settings = cartpole(budget_frames=3, learning={"rollout_steps": 3}, algorithm=CRITIC)
    network = linear([weight, 0.2, 0.3], offset=1.0)
    actor = actor_of(settings, Poisoned(reward), network=network)
    with pytest.raises(UnfitTurnError) as caught:
        differentiate(5, Pulled(1_234, 5_678), actor, network.vector, 0.0)
    assert "worker 5, in the turn that read version 1,234 (frame 5,678), met a number" in str(caught.value)
    assert words in str(caught.value)
    batch = caught.value.batch
    np.testing.assert_array_equal(batch.arrays["parameters"], network.vector.numpy())
    assert batch.arrays["observation"].shape == ((3, 1, 1) if math.isfinite(weight) else (1, 1))


def test_a_correction_that_meets_no_number_names_the_turn_too(cartpole: Make) -> None:
    class Refusing:
        def push(self, push: Push, into: LocalCopy) -> Pushed:
            raise NonFiniteError("the corrected gradient is not finite")

    settings = cartpole(budget_frames=3, learning={"rollout_steps": 3}, algorithm=CRITIC)
    actor = actor_of(settings, Lane(9))
    with pytest.raises(UnfitTurnError, match=r"worker 2, in the turn that read version 7 .*the corrected gradient"):
        push_fit(cast(Any, Refusing()), push_of(torch.ones(4), worker=2), Pulled(7, 0), actor, empty_copy())


def test_a_policy_of_no_number_is_an_error_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrong in (math.nan, math.inf, -math.inf):
            with pytest.raises(NonFiniteError, match="logits are not finite"):
                policy_probabilities(np.array([[0.0, wrong]], np.float32))


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
    with pytest.raises(ProcessFailedError, match=r"(?s)worker \d.*LateNaN: step\(\) returned nan as reward"):
        train(settings, tmp_path)
    assert not (tmp_path / run_folder.MODEL).exists()
    assert not (tmp_path / run_folder.DONE).exists()
