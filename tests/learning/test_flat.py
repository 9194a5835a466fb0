"""One vector, of which the layers are views."""

from __future__ import annotations

import pytest
import torch

from a3c.learning.flat import ALIGNMENT_FLOATS, FlatNetwork
from a3c.learning.networks import FeedForward, FullyConnected
from a3c.learning.optimizers import rmsprop_


def module() -> FeedForward:
    """Layers of 15, 3, 12 and 4 numbers: none fills its 64 bytes."""
    return FeedForward(FullyConnected(5, (3,), "tanh"), outputs=4)


def network() -> FlatNetwork:
    return FlatNetwork(module())


def output_of(flat: FlatNetwork, x: torch.Tensor) -> torch.Tensor:
    return flat.act(x, flat.initial_state(len(x)))[0]


def padding(flat: FlatNetwork) -> torch.Tensor:
    """Where the vector holds no parameter."""
    return flat.flatten(torch.ones_like(tensor) for tensor in flat.tensors) == 0


def test_every_layer_begins_on_64_bytes() -> None:
    flat = network()
    assert flat.vector.dtype == torch.float32
    assert flat.vector.is_contiguous()
    for tensor in flat.tensors:
        assert (tensor.data_ptr() - flat.vector.data_ptr()) % 64 == 0
    assert flat.vector.numel() % ALIGNMENT_FLOATS == 0
    assert 4 * ALIGNMENT_FLOATS == 64


def test_layers_follow_each_other_without_overlap() -> None:
    flat = network()
    begins = [(tensor.data_ptr() - flat.vector.data_ptr()) // 4 for tensor in flat.tensors]
    assert begins == [0, 16, 32, 48]
    assert flat.vector.numel() == 64


def test_flattening_changes_neither_the_parameters_nor_what_is_computed() -> None:
    bare, x = module(), torch.randn(3, 2, 5)
    before = [tensor.detach().clone() for tensor in bare.parameters()]
    expected, _ = bare(x, torch.zeros(2, 0), torch.zeros(3, 2))
    flat = FlatNetwork(bare)
    assert all(map(torch.equal, flat.tensors, before))
    torch.testing.assert_close(flat(x, flat.initial_state(2), torch.zeros(3, 2))[0], expected)
    torch.testing.assert_close(output_of(flat, x[1]), expected[1])


def test_writing_to_the_vector_changes_the_network() -> None:
    flat, x = network(), torch.randn(2, 5)
    before = output_of(flat, x)
    flat.vector.mul_(2.0)
    assert not torch.equal(output_of(flat, x), before)
    flat.vector.zero_()
    assert output_of(flat, x).shape == (2, 4)
    assert not output_of(flat, x).any()


def test_writing_to_a_layer_changes_the_vector() -> None:
    flat = network()
    with torch.no_grad():
        flat.tensors[1].fill_(7.0)
    assert flat.vector[16:19].tolist() == [7.0] * 3
    assert (flat.vector == 7.0).sum() == 3


def test_the_layers_are_still_views_after_a_pull_and_a_step() -> None:
    flat = network()
    flat.vector.copy_(torch.arange(64.0))
    rmsprop_(flat.vector, torch.zeros(64), torch.ones(64), learning_rate=0.1, decay=0.99, epsilon=0.1)
    for tensor in flat.tensors:
        assert tensor.untyped_storage().data_ptr() == flat.vector.untyped_storage().data_ptr()
    assert torch.equal(flat.tensors[2].flatten(), flat.vector[32:44])


def test_the_padding_stays_zero_through_updates() -> None:
    """Otherwise equal networks could have unequal vectors, and padding would count in the gradient's norm."""
    flat, mean_square = network(), torch.zeros(64)
    empty = padding(flat)
    assert int(empty.sum()) == 64 - (15 + 3 + 12 + 4)
    for _ in range(3):
        gradient = flat.flatten(torch.randn_like(tensor) for tensor in flat.tensors)
        assert not gradient[empty].any()
        rmsprop_(flat.vector, mean_square, gradient, learning_rate=0.1, decay=0.99, epsilon=0.1)
    assert not flat.vector[empty].any()
    assert not mean_square[empty].any()
    assert flat.vector[~empty].all()


def test_named_and_flatten_undo_each_other() -> None:
    flat = network()
    named = flat.named(flat.vector)
    assert {name: tensor.shape for name, tensor in named.items()} == {
        name: tensor.shape for name, tensor in flat.network.state_dict().items()
    }
    assert torch.equal(flat.flatten(named.values()), flat.vector)
    for name, tensor in flat.network.named_parameters():
        assert torch.equal(named[name], tensor)


def test_named_and_flatten_give_copies() -> None:
    flat = network()
    before = flat.vector.clone()
    for tensor in flat.named(flat.vector).values():
        tensor.fill_(9.0)
    flat.flatten(flat.tensors).fill_(9.0)
    assert torch.equal(flat.vector, before)


def test_a_missing_layer_is_an_error() -> None:
    flat = network()
    with pytest.raises(ValueError, match="shorter"):
        flat.flatten(flat.tensors[:-1])
