"""The network of one batched learner on another device, here another copy of the parameters on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from a3c import measuring
from a3c.asynchrony import acting, agents
from a3c.environments.step import Spec
from a3c.learning.flat import FlatNetwork
from a3c.learning.mirrored import MirroredNetwork
from a3c.learning.networks import Architecture, build
from a3c.problems import InvalidInput
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]


def module(cells: int | None) -> Any:
    architecture = Architecture("mlp", hidden=(7,), lstm_cells=cells)
    return build(architecture, observation_shape=[5], outputs=3, states=None, seed=1)


@pytest.mark.parametrize("cells", [None, 6])
def test_outputs_and_gradients_are_those_of_the_network_itself(cells: int | None) -> None:
    plain, mirrored = FlatNetwork(module(cells)), MirroredNetwork(module(cells), "cpu")
    observation, first = torch.randn(4, 2, 5), torch.zeros(4, 2)
    losses = [network(observation, network.initial_state(2), first)[0].square().sum() for network in (plain, mirrored)]
    assert torch.equal(losses[0], losses[1])
    gradients = [
        network.flatten(torch.autograd.grad(loss, network.tensors))
        for network, loss in zip((plain, mirrored), losses, strict=True)
    ]
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(plain.vector, mirrored.vector)


def test_it_computes_with_the_parameters_of_the_last_refresh() -> None:
    network, observation = MirroredNetwork(module(None), "cpu"), torch.randn(2, 5)
    before = network.act(observation, network.initial_state(2))[0]
    network.vector.mul_(2.0)
    assert torch.equal(network.act(observation, network.initial_state(2))[0], before)
    network.refresh()
    assert not torch.equal(network.act(observation, network.initial_state(2))[0], before)


BATCHED = {"schedule": "synchronous", "executor": "batched", "workers": 3, "budget_frames": 2_000}
VALUES = {
    "kind": "n_step_q",
    "target_interval_frames": 200,
    "exploration": {
        "final_epsilons": [0.1], "probabilities": [1.0], "annealing_frames": 1_000, "evaluation_epsilon": 0.05
    },
}  # fmt: skip
LSTM = {
    "kind": "mlp",
    "hidden": [16],
    "activation": "tanh",
    "lstm_cells": 8,
    "separate": False,
    "initialization": "torch",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"algorithm": VALUES}, marks=pytest.mark.slow),
        pytest.param({"network": LSTM}, marks=pytest.mark.slow),
    ],
    ids=["actor-critic", "target network", "LSTM"],
)
def test_a_run_is_the_same_bit_for_bit_with_a_second_copy_of_its_parameters(
    cartpole: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    train(cartpole(**BATCHED, **changes), tmp_path / "run")

    def mirrored(settings: Settings, spec: Spec, device: str) -> FlatNetwork:
        assert device == "cpu"
        return MirroredNetwork(agents._module(settings, spec), device)

    monkeypatch.setattr(acting, "make_network", mirrored)
    measuring.measure(tmp_path / "run", tmp_path / "measured.csv")  # which raises at the first turn that differs
    assert len((tmp_path / "measured.csv").read_text().splitlines()) > 1


@pytest.mark.parametrize("schedule", ["hogwild", "locked", "synchronous"])
def test_workers_of_their_own_cannot_share_a_gpu(cartpole: Make, schedule: str) -> None:
    with pytest.raises(InvalidInput, match=r"device: got 'cuda', but only executor 'batched' has one learner"):
        cartpole(schedule=schedule, device="cuda")


def test_a_missing_gpu_is_said_before_anything_starts(
    cartpole: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidInput, match=r"device: got 'cuda', but torch .* finds no GPU here; allowed here: cpu"):
        train(cartpole(**BATCHED, device="cuda"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
