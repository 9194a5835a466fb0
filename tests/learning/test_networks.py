"""Shapes, initialization and what the networks compute."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.learning.networks import build

SHAPES: dict[str, dict[str, Any]] = {
    "conv2013": {"observation_shape": (4, 84, 84), "states": None, "hidden": ()},
    "mlp": {"observation_shape": (5,), "states": None, "hidden": (300, 200)},
    "table": {"observation_shape": (), "states": 48, "hidden": ()},
}


def made(kind: str, seed: int = 0, actions: int = 6) -> nn.Module:
    return build(kind, actions=actions, seed=seed, **SHAPES[kind])


def observations(kind: str, B: int) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    if kind == "conv2013":
        return torch.randint(256, (B, 4, 84, 84), dtype=torch.uint8, generator=draws)
    return torch.randn(B, 5, generator=draws) if kind == "mlp" else torch.randint(48, (B,), generator=draws)


def layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize(("B", "actions"), [(1, 2), (3, 18)])
def test_outputs_are_logits_and_a_value_per_observation(kind: str, B: int, actions: int) -> None:
    logits, value = made(kind, actions=actions)(observations(kind, B))
    assert (logits.shape, value.shape) == ((B, actions), (B,))
    assert (logits.dtype, value.dtype) == (torch.float32, torch.float32)


def test_the_convolutional_network_is_that_of_2013() -> None:
    network = made("conv2013")
    convolutions = [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in layers(network)
        if isinstance(layer, nn.Conv2d)
    ]
    assert convolutions == [(4, 16, 8, 4), (16, 32, 4, 2)]
    # conv 4·16·8² + 16, conv 16·32·4² + 32, fully connected 32·9·9·256 + 256, policy and value 256·(6 + 1) + 7
    assert sum(p.numel() for p in network.parameters()) == 4_112 + 8_224 + 663_808 + 1_799


def test_the_convolutional_network_computes_what_its_layers_say() -> None:
    network, seen = made("conv2013"), observations("conv2013", 2)
    conv1, conv2, hidden, output = layers(network)
    relu = nn.ReLU()
    expected = nn.Sequential(conv1, relu, conv2, relu, nn.Flatten(), hidden, relu, output)(seen / 255)
    logits, value = network(seen)
    torch.testing.assert_close(torch.cat([logits, value[:, None]], 1), expected, rtol=1e-5, atol=1e-6)  # float32


def test_the_mlp_computes_what_its_layers_say() -> None:
    network, x = made("mlp"), observations("mlp", 3)
    *hidden, (weight, bias) = ([p.detach() for p in layer.parameters()] for layer in layers(network))
    for w, b in hidden:
        x = torch.tanh(x @ w.T + b)
    expected = x @ weight.T + bias
    logits, value = network(observations("mlp", 3))
    torch.testing.assert_close(logits, expected[:, :-1], rtol=1e-5, atol=1e-6)  # float32
    torch.testing.assert_close(value, expected[:, -1], rtol=1e-5, atol=1e-6)


def test_the_table_looks_up_its_rows_and_begins_uniform() -> None:
    network = made("table")
    logits, value = network(torch.arange(48))
    assert not logits.any()
    assert not value.any()
    with torch.no_grad():
        network.get_parameter("actor")[7] = torch.arange(6.0)
        network.get_parameter("critic")[7] = 3.0
    logits, value = network(torch.tensor([7, 8]))
    assert logits.tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.0] * 6]
    assert value.tolist() == [3.0, 0.0]


@pytest.mark.parametrize("kind", ["conv2013", "mlp"])
def test_weights_begin_uniform_within_one_over_the_root_of_the_fan_in(kind: str) -> None:
    """Torch's default, and Torch7's, with which the paper's networks began."""
    for layer in layers(made(kind)):
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for tensor in layer.parameters():
            assert float(tensor.detach().abs().max()) <= bound
        share = layer.weight.detach().flatten() / bound
        if share.numel() >= 1000:
            assert float(share.abs().max()) > 0.99  # missed by n uniform draws with probability 0.99 ** n < 1e-4
            # The mean square of a uniform variable is 1/3; its standard error is 0.298 / √n.
            assert float(share.square().mean()) == pytest.approx(1 / 3, abs=5 * 0.298 / math.sqrt(share.numel()))


@pytest.mark.parametrize("kind", ["conv2013", "mlp"])
def test_a_seed_decides_every_weight_whatever_was_drawn_before(kind: str) -> None:
    first = nn.utils.parameters_to_vector(made(kind, seed=1).parameters())
    torch.rand(17)
    assert torch.equal(nn.utils.parameters_to_vector(made(kind, seed=1).parameters()), first)
    assert not torch.equal(nn.utils.parameters_to_vector(made(kind, seed=2).parameters()), first)


@pytest.mark.parametrize("kind", SHAPES)
def test_building_leaves_torchs_own_stream_as_it_was(kind: str) -> None:
    before = torch.get_rng_state()
    made(kind)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("kind", "shape", "states", "needs"),
    [
        ("conv2013", (4, 84, 83), None, r"\[C, 84, 84\]"),
        ("conv2013", (84, 84), None, r"\[C, 84, 84\]"),
        ("conv2013", (84, 84, 4), None, r"\[C, 84, 84\]"),
        ("conv2013", (4,), None, r"\[C, 84, 84\]"),
        ("mlp", (4, 84, 84), None, r"\[inputs\]"),
        ("mlp", (), 48, r"\[inputs\]"),
        ("table", (), None, "a state index"),
        ("table", (4,), 48, "a state index"),
    ],
)
def test_observations_that_do_not_fit_are_refused_by_name(
    kind: str, shape: tuple[int, ...], states: int | None, needs: str
) -> None:
    with pytest.raises(ValueError, match=rf"network {kind} needs observations of shape {needs}"):
        build(kind, observation_shape=shape, actions=2, states=states, hidden=(8,), seed=0)


@pytest.mark.parametrize("kind", SHAPES)
def test_looking_at_an_observation_does_not_change_it(kind: str) -> None:
    seen = observations(kind, 2)
    before = seen.clone()
    made(kind)(seen)
    assert torch.equal(seen, before)


def test_looking_at_an_image_of_floats_does_not_change_it() -> None:
    seen = observations("conv2013", 2).float()
    before = seen.clone()
    made("conv2013")(seen)
    assert torch.equal(seen, before)
