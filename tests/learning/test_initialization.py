"""What weights begin as: torch's default, uniform; or orthogonal."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.learning.networks import Architecture, build

SHAPES = {"conv2013": (4, 84, 84), "conv2015": (4, 84, 84), "mlp": (5,)}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "conv2013": {"kind": "conv2013"},
    "mlp": {"kind": "mlp", "hidden": (300, 200)},
    "lstm": {"kind": "mlp", "hidden": (30,), "lstm_cells": 20},
    "separate": {"kind": "mlp", "hidden": (30, 40), "separate": True, "lstm_cells": 20},
}


def made(name: str, initialization: str = "torch", seed: int = 0) -> nn.Module:
    architecture = Architecture(initialization=initialization, **ARCHITECTURES[name])
    return build(architecture, observation_shape=SHAPES[architecture.kind], outputs=7, states=None, seed=seed)


def vector(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters())


@pytest.mark.parametrize("name", ["conv2013", "mlp"])
def test_weights_begin_uniform_within_one_over_the_root_of_the_fan_in(name: str) -> None:
    """Torch's default, and Torch7's, with which the paper's networks began."""
    for layer in made(name).modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for tensor in layer.parameters():
            assert float(tensor.detach().abs().max()) <= bound
        share = layer.weight.detach().flatten() / bound
        if share.numel() >= 1000:
            assert float(share.abs().max()) > 0.99  # missed by n uniform draws with probability 0.99 ** n < 1e-4
            # The mean square of a uniform variable is 1/3; its standard error is 0.298 / √n.
            assert float(share.square().mean()) == pytest.approx(1 / 3, abs=5 * 0.298 / math.sqrt(share.numel()))


@pytest.mark.parametrize("initialization", ["torch", "orthogonal"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_seed_decides_every_weight_whatever_was_drawn_before(name: str, initialization: str) -> None:
    first = vector(made(name, initialization, seed=1))
    torch.rand(17)
    assert torch.equal(vector(made(name, initialization, seed=1)), first)
    assert not torch.equal(vector(made(name, initialization, seed=2)), first)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_orthogonal_weights_are_orthogonal_with_their_gain_and_biases_are_zero(name: str) -> None:
    """W Wᵀ = gain² I, or WᵀW where W has more rows than columns: gain √2, 1 in LSTM cells, 0.01 in output layers."""
    for place, parameter in made(name, "orthogonal").named_parameters():
        if parameter.dim() < 2:
            assert not parameter.any(), place
            continue
        gain = 0.01 if "output" in place else 1.0 if "lstm" in place else math.sqrt(2)
        rows = parameter.detach().double().flatten(1)
        square = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
        # Float32 orthogonalization of up to 2592 columns: measured below 2e-6 of gain².
        expected = gain**2 * torch.eye(len(square), dtype=torch.float64)
        assert torch.allclose(square, expected, rtol=0.0, atol=1e-5 * gain**2), place


def test_the_first_policy_of_an_orthogonal_network_is_nearly_uniform() -> None:
    seen = torch.randn(1, 50, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output, _ = made("mlp", "orthogonal")(seen, torch.zeros(50, 0), torch.zeros(1, 50))
    # Rows of length 0.01 on tanh features of length at most √200: logits within 0.15 of 0.
    assert (output[..., :-1].softmax(-1) - 1 / 6).abs().max() < 0.05
