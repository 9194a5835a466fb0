"""A user's own network and loss, defined below: what is taken, what is refused, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.asynchrony.agents import make_learner, make_network
from a3c.environments.step import Spec
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.losses import actor_critic_terms, objective
from a3c.learning.returns import lambda_returns
from a3c.learning.rollouts import Rollout
from a3c.problems import InvalidInput
from a3c.settings import Settings, resolve

Make = Callable[..., Settings]

SPEC = Spec((4,), "float32", 2)
PICTURES = Spec((1, 8, 8), "uint8", 3)


def two_layers(spec: Spec, outputs: int, width: int = 64) -> nn.Module:
    return nn.Sequential(nn.Linear(spec.observation_shape[0], width), nn.Tanh(), nn.Linear(width, outputs))


def of_pictures(spec: Spec, outputs: int) -> nn.Module:
    class Divided(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(64, outputs)

        def forward(self, observation: Tensor) -> Tensor:
            return self.hidden(observation.flatten(1).float() / 255)

    return Divided()


def normalized_by_batches(spec: Spec, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, outputs))


def drawing_chance(spec: Spec, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 64), nn.Dropout(), nn.Linear(64, outputs))


def with_a_layer_too_many(spec: Spec, outputs: int) -> nn.Module:
    module = nn.Linear(4, outputs)
    module.forgotten = nn.Linear(2, 2)
    return module


def one_column(spec: Spec, outputs: int) -> nn.Module:
    return nn.Linear(4, 1)


def of_five_inputs(spec: Spec, outputs: int) -> nn.Module:
    return nn.Linear(5, outputs)


def in_double_precision(spec: Spec, outputs: int) -> nn.Module:
    return nn.Linear(4, outputs).double()


def nothing_to_learn(spec: Spec, outputs: int) -> nn.Module:
    return nn.Identity()


def no_module(spec: Spec, outputs: int) -> int:
    return outputs


def the_papers(log_policy: Tensor, entropy: Tensor, value: Tensor, rollout: Rollout, entropy_weight: float) -> Tensor:
    returns = lambda_returns(rollout.reward, rollout.discount, value.detach(), rollout.bootstrap_value, 1.0)
    terms = actor_critic_terms(log_policy, entropy, value, returns)
    return objective(terms, value_weight=0.5, entropy_weight=entropy_weight)


def a_number(log_policy: Tensor, entropy: Tensor, value: Tensor, rollout: Rollout) -> float:
    return float(value.detach().sum())


def a_loss_a_step(log_policy: Tensor, entropy: Tensor, value: Tensor, rollout: Rollout) -> Tensor:
    return value


def of_nothing_learnt(log_policy: Tensor, entropy: Tensor, value: Tensor, rollout: Rollout) -> Tensor:
    return rollout.reward.sum()


def raising(log_policy: Tensor, entropy: Tensor, value: Tensor, rollout: Rollout) -> Tensor:
    raise KeyError("no such thing")


def network(factory: str, **options: Any) -> dict[str, Any]:
    return {"kind": "custom", "factory": f"{__name__}:{factory}", "options": options}


def loss(function: str, **options: Any) -> dict[str, Any]:
    return {"kind": "custom", "loss": f"{__name__}:{function}", "options": options}


def problem(make: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        make()
    (found,) = caught.value.problems
    return f"{found.where}: {found.what}"


@pytest.fixture
def drawn(cartpole: Make) -> Make:
    """Drawn CartPole with staleness and samples, a network of 64 and the paper's loss, but for what is changed."""
    below = {"schedule": "drawn", "order": {"kind": "constant_lag", "lag": 2}, "budget_frames": 200}
    return lambda **changes: cartpole(**below, records={"sample_interval_turns": 2}, **changes)


def test_the_papers_network_and_loss_as_own_parts_train_the_same_parameters_to_the_last_bit(
    drawn: Make, execute: Callable[..., SimpleNamespace]
) -> None:
    ours = execute(drawn())
    for own in (
        {"network": network("two_layers", width=64)},
        {"network": network("two_layers"), "algorithm": loss("the_papers", entropy_weight=0.01)},
    ):
        theirs = execute(drawn(**own))
        assert torch.equal(theirs.memory.parameters, ours.memory.parameters), own
        assert [s.gradient_cosine for s in theirs.samples] == [s.gradient_cosine for s in ours.samples] != []
    other = execute(drawn(algorithm=loss("the_papers", entropy_weight=0.5)))
    assert not torch.equal(other.memory.parameters, ours.memory.parameters)


def test_a_network_may_be_one_of_action_values_and_of_bytes(cartpole: Make) -> None:
    valuing = {"kind": "n_step_q", "target_interval_frames": 100}
    exploration = {"final_epsilons": [0.1], "probabilities": [1.0], "annealing_frames": 9, "evaluation_epsilon": 0.0}
    settings = cartpole(network=network("of_pictures"), algorithm={**valuing, "exploration": exploration})
    made = make_network(settings, PICTURES)
    observation = torch.randint(0, 256, (5, 2, 1, 8, 8), dtype=torch.uint8)
    output, _ = made(observation, made.initial_state(2), torch.zeros(5, 2))
    assert output.shape == (5, 2, 3)
    alone, _ = made.act(observation[3], made.initial_state(2))
    torch.testing.assert_close(alone, output[3])


def test_its_parameters_follow_from_the_runs_seed_alone(cartpole: Make) -> None:
    first = make_network(cartpole(network=network("two_layers")), SPEC)
    torch.rand(7)
    assert torch.equal(make_network(cartpole(network=network("two_layers")), SPEC).vector, first.vector)
    other = make_network(cartpole(network=network("two_layers"), seed=1), SPEC)
    assert not torch.equal(other.vector, first.vector)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("normalized_by_batches", "network.factory: {} returned a module that holds 1.num_batches_tracked, 1.running"),
        ("drawing_chance", "two outputs of the same observations"),
        ("with_a_layer_too_many", "output does not depend on forgotten.weight, forgotten.bias"),
        ("one_column", "makes float32 [2, 1] of observations float32 [2, 4]; float32 [2, 3] is needed"),
        ("of_five_inputs", "failed on observations float32 [2, 4]: RuntimeError: mat1 and mat2"),
        ("in_double_precision", "parameters that are not float32, or not learnt: weight, bias"),
        ("nothing_to_learn", "a module without parameters"),
        ("no_module", "returned an object of type int; a torch.nn.Module is needed"),
        ("missing", "has no function or class 'missing'"),
        ("SPEC", "has no function or class 'SPEC'"),
    ],
)
def test_what_is_no_network_is_named_with_its_key(factory: str, message: str, cartpole: Make) -> None:
    found = problem(lambda: make_network(cartpole(network=network(factory)), SPEC))
    assert found.startswith("network.factory: ")
    assert message.format(f"{__name__}:{factory}") in found


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("a_number", "returned an object of type float; a float32 tensor without axes"),
        ("a_loss_a_step", "returned float32 [2, 1]; a float32 tensor without axes"),
        ("of_nothing_learnt", "returned float32 []; a float32 tensor without axes that depends on log_policy"),
        ("raising", "failed on a rollout of zeros: KeyError: 'no such thing'"),
        ("missing", "has no function or class 'missing'"),
    ],
)
def test_what_is_no_loss_is_named_with_its_key(function: str, message: str, cartpole: Make) -> None:
    found = problem(lambda: make_learner(cartpole(algorithm=loss(function)), SPEC))
    assert found.startswith("algorithm.loss: ")
    assert message in found


def test_options_that_a_function_does_not_take_are_named_with_their_key(cartpole: Make) -> None:
    found = problem(lambda: make_network(cartpole(network=network("two_layers", widht=3)), SPEC))
    assert found.startswith("network.options: ")
    assert "'widht'" in found
    found = problem(lambda: make_learner(cartpole(algorithm=loss("the_papers")), SPEC))
    assert found.startswith("algorithm.options: ")
    assert "'entropy_weight'" in found


@pytest.mark.parametrize("name", ["os:system", "two_layers", "no.colon", "a:b:c", "http://a:b", ""])
def test_a_name_of_no_function_of_the_users_is_refused_before_anything_is_imported(name: str, cartpole: Make) -> None:
    plain = cartpole().model_dump(mode="json")
    assert problem(lambda: resolve(plain | {"network": {"kind": "custom", "factory": name, "options": {}}})).startswith(
        "network.factory: got "
    )
    assert problem(lambda: resolve(plain | {"algorithm": {"kind": "custom", "loss": name, "options": {}}})).startswith(
        "algorithm.loss: got "
    )


def test_an_own_loss_excludes_the_correction_that_makes_returns_of_its_own(cartpole: Make) -> None:
    correction = {"kind": "vtrace", "rho_limit": 1.0, "c_limit": 1.0}
    found = problem(lambda: cartpole(algorithm=loss("the_papers", entropy_weight=0.01), correction=correction))
    assert found.startswith("correction.kind: got 'vtrace'")


def test_an_own_loss_belongs_to_a_policy_whatever_its_actions(cartpole: Make) -> None:
    settings = cartpole(algorithm=loss("the_papers", entropy_weight=0.01))
    assert settings.target_interval_frames is None
    learner = make_learner(settings, Spec((3,), "float32", 2, continuous=True))
    assert learner.outputs == 4, "two means, a variance, a value"
    assert not isinstance(learner, ActorCritic)


@pytest.mark.parametrize(
    ("network", "spec", "said"),
    [
        ({"kind": "conv2013"}, Spec((4, 84, 84), "float32", 2), "dtype uint8, .* the environment gives float32"),
        ({"kind": "conv2013"}, Spec((84, 84, 3), "uint8", 2), r"shape \[C, 84, 84\], .* \[84, 84, 3\]"),
        ({"kind": "mlp", "hidden": [8], "activation": "tanh"}, Spec((4,), "uint8", 2), "dtype float32, .* uint8"),
        ({"kind": "table"}, Spec((4,), "float32", 2), "dtype int64, .* float32"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_take_what_an_environment_gives_is_named(
    cliff: Make, network: dict[str, Any], spec: Spec, said: str
) -> None:
    layers = {} if network["kind"] == "table" else {"lstm_cells": None, "separate": False, "initialization": "torch"}
    custom = {"kind": "custom", "reward_scale": 1.0, "options": {}}
    settings = cliff(game="my.games:make", environment=custom, network=network | layers)
    with pytest.raises(
        InvalidInput, match=rf"network\.kind: network {network['kind']} needs .*{said} \(my\.games:make\)"
    ):
        make_network(settings, spec)
