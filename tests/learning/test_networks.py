"""Shapes and what the networks compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Architecture, Convolutional, build

IMAGES: dict[str, Any] = {"observation_shape": (4, 84, 84), "states": None}
FITTING: dict[str, dict[str, Any]] = {
    "conv2013": IMAGES,
    "conv2015": IMAGES,
    "conv_minatar": {"observation_shape": (4, 10, 10), "states": None},
    "mlp": {"observation_shape": (5,), "states": None},
    "table": {"observation_shape": (), "states": 48},
}


def made(kind: str, outputs: int = 7, seed: int = 0, **options: Any) -> FlatNetwork:
    architecture = Architecture(kind, hidden=(300, 200), **options)
    return FlatNetwork(build(architecture, outputs=outputs, seed=seed, **FITTING[kind]))


def observations(kind: str, B: int) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    if kind.startswith("conv"):
        return torch.randint(256, (B, *FITTING[kind]["observation_shape"]), dtype=torch.uint8, generator=draws)
    return torch.randn(B, 5, generator=draws) if kind == "mlp" else torch.randint(48, (B,), generator=draws)


def output_of(flat: FlatNetwork, observation: Tensor) -> Tensor:
    with torch.no_grad():
        return flat.act(observation, flat.initial_state(len(observation)))[0]


def layers(flat: FlatNetwork) -> list[nn.Conv2d | nn.Linear]:
    return [layer for layer in flat.network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def computed_by_its_layers(flat: FlatNetwork, observation: Tensor) -> Tensor:
    """By torch's own modules: convolutions, a fully connected layer and an output layer, ReLU after all but that."""
    *convolutions, hidden, output = layers(flat)
    steps = [step for convolution in convolutions for step in (convolution, nn.ReLU())]
    with torch.no_grad():
        found: Tensor = nn.Sequential(*steps, nn.Flatten(), hidden, nn.ReLU(), output)(observation / 255)
    return found


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize(("T", "B", "outputs"), [(1, 1, 3), (3, 2, 19)])
def test_there_is_a_row_of_outputs_for_every_step_of_every_environment(kind: str, T: int, B: int, outputs: int) -> None:
    flat, seen = made(kind, outputs), observations(kind, T * B).unflatten(0, (T, B))
    output, state = flat(seen, flat.initial_state(B), torch.zeros(T, B))
    assert (output.shape, output.dtype) == ((T, B, outputs), torch.float32)
    assert state.shape == (B, 0)
    for t in range(T):
        torch.testing.assert_close(output[t], output_of(flat, seen[t]), rtol=1e-5, atol=1e-6)  # float32


def test_the_convolutional_network_of_2013_has_two_layers_and_256_units() -> None:
    assert shapes_of(made("conv2013")) == [(4, 16, 8, 4), (16, 32, 4, 2)]
    # conv 4·16·8² + 16, conv 16·32·4² + 32, fully connected 32·9·9·256 + 256, 7 outputs of 256 + 1 each
    assert count(made("conv2013")) == 4_112 + 8_224 + 663_808 + 1_799


def test_the_convolutional_network_of_2015_has_three_layers_and_512_units() -> None:
    assert shapes_of(made("conv2015")) == [(4, 32, 8, 4), (32, 64, 4, 2), (64, 64, 3, 1)]
    # conv 4·32·8² + 32, 32·64·4² + 64, 64·64·3² + 64, fully connected 64·7·7·512 + 512, 7 outputs of 512 + 1 each
    assert count(made("conv2015")) == 8_224 + 32_832 + 36_928 + 1_606_144 + 3_591


def test_the_convolutional_network_of_minatar_has_one_layer_and_128_units() -> None:
    assert shapes_of(made("conv_minatar")) == [(4, 16, 3, 1)]
    # conv 4·16·3² + 16, fully connected 16·8·8·128 + 128, 7 outputs of 128 + 1 each
    assert count(made("conv_minatar")) == 592 + 131_200 + 903


def shapes_of(flat: FlatNetwork) -> list[tuple[int, int, int, int]]:
    convolutions = [layer for layer in layers(flat) if isinstance(layer, nn.Conv2d)]
    return [(c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0]) for c in convolutions]


def count(flat: FlatNetwork) -> int:
    return sum(tensor.numel() for tensor in flat.tensors)


@pytest.mark.parametrize("kind", ["conv2013", "conv2015", "conv_minatar"])
def test_the_convolutional_networks_compute_what_their_layers_say(kind: str) -> None:
    flat, seen = made(kind), observations(kind, 2)
    expected = computed_by_its_layers(flat, seen)
    torch.testing.assert_close(output_of(flat, seen), expected, rtol=1e-5, atol=1e-6)  # float32


@pytest.mark.parametrize(("activation", "applied"), [("tanh", torch.tanh), ("relu", nn.functional.relu)])
def test_the_mlp_computes_what_its_layers_say(activation: str, applied: Any) -> None:
    flat, x = made("mlp", activation=activation), observations("mlp", 3)
    *hidden, (weight, bias) = ([p.detach() for p in layer.parameters()] for layer in layers(flat))
    assert [w.shape for w, _ in hidden] == [(300, 5), (200, 300)]
    for w, b in hidden:
        x = applied(x @ w.T + b)
    found = output_of(flat, observations("mlp", 3))
    torch.testing.assert_close(found, x @ weight.T + bias, rtol=1e-5, atol=1e-6)  # float32


def test_the_table_looks_up_its_rows_and_begins_at_zero() -> None:
    flat = made("table")
    assert not output_of(flat, torch.arange(48)).any()
    with torch.no_grad():
        flat.tensors[0][7] = torch.arange(7.0)
    assert output_of(flat, torch.tensor([7, 8])).tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 7]


@pytest.mark.parametrize("cells", [None, 4])
@pytest.mark.parametrize("kind", ["conv2013", "mlp"])
def test_separate_networks_share_nothing(kind: str, cells: int | None) -> None:
    """The last column is the value's alone: its gradient is 0 in the policy's parameters, and the other way round."""
    flat = made(kind, separate=True, lstm_cells=cells)
    assert count(flat) > 1.9 * count(made(kind, lstm_cells=cells))
    output, _ = flat.act(observations(kind, 2), torch.ones(2, flat.state_size))
    parts = {"policy": output[:, :-1], "value": output[:, -1]}
    for name, part in parts.items():
        found = torch.autograd.grad(part.square().sum(), flat.tensors, allow_unused=True, retain_graph=True)
        for place, gradient in zip((n for n, _ in flat.network.named_parameters()), found, strict=True):
            assert (gradient is not None and bool(gradient.any())) is place.startswith(f"{name}."), place


def test_separate_networks_do_not_begin_alike() -> None:
    named = dict(made("mlp", separate=True).network.named_parameters())
    assert not torch.equal(named["policy.body.hidden.0.weight"], named["value.body.hidden.0.weight"])


@pytest.mark.parametrize("kind", FITTING)
def test_building_leaves_torchs_own_stream_as_it_was(kind: str) -> None:
    before = torch.get_rng_state()
    made(kind)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("kind", "shape", "states", "needs"),
    [
        ("conv2013", (4, 84, 83), None, r"\[C, 84, 84\]"),
        ("conv2013", (84, 84), None, r"\[C, 84, 84\]"),
        ("conv2015", (84, 84, 4), None, r"\[C, 84, 84\]"),
        ("conv2015", (4,), None, r"\[C, 84, 84\]"),
        ("conv_minatar", (4, 84, 84), None, r"\[C, 10, 10\]"),
        ("conv_minatar", (10, 10, 4), None, r"\[C, 10, 10\]"),
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
        build(Architecture(kind, hidden=(8,)), observation_shape=shape, outputs=2, states=states, seed=0)


@pytest.mark.parametrize("kind", FITTING)
def test_looking_at_an_observation_does_not_change_it(kind: str) -> None:
    seen = observations(kind, 2)
    before = seen.clone()
    output_of(made(kind), seen)
    assert torch.equal(seen, before)


def test_looking_at_an_image_of_floats_does_not_change_it() -> None:
    seen = observations("conv2013", 2).float()
    before = seen.clone()
    output_of(made("conv2013"), seen)
    assert torch.equal(seen, before)


def test_pictures_lie_pixel_by_pixel_where_a_gradient_follows_and_nothing_else_changes() -> None:
    body = Convolutional("conv2013", 4)
    observation = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    seen: list[Tensor] = []
    body.convolutions[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    learnt = body(observation)
    with torch.inference_mode():
        acted = body(observation)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert seen[1].is_contiguous()
    torch.testing.assert_close(learnt, acted, rtol=1e-5, atol=1e-6)

    plain = observation / 255
    for convolution in body.convolutions:
        plain = torch.relu(nn.functional.conv2d(plain, convolution.weight, convolution.bias, convolution.stride))
    plain = torch.relu(body.hidden(plain.flatten(1)))
    gradients = torch.autograd.grad(learnt.square().sum(), list(body.parameters()))
    expected = torch.autograd.grad(plain.square().sum(), list(body.parameters()))
    torch.testing.assert_close(gradients, expected, rtol=1e-4, atol=1e-5)
