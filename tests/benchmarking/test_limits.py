"""What a network needs, counted; what the machine gives, measured."""

from __future__ import annotations

import torch

from a3c.benchmarking import limits
from a3c.learning.networks import Architecture, build


def test_the_operations_of_the_2013_network_are_those_counted_by_hand() -> None:
    network = build(Architecture("conv2013"), observation_shape=(4, 84, 84), outputs=7, states=None, seed=0)
    observation = torch.zeros(3, 4, 84, 84, dtype=torch.uint8)
    found = limits.forward_flops(network, lambda: network.step(observation, torch.zeros(3, 0)))
    products = 20 * 20 * 16 * (8 * 8 * 4) + 9 * 9 * 32 * (4 * 4 * 16) + 2592 * 256 + 256 * 7
    assert found == 2 * 3 * products


def test_counting_leaves_the_network_as_it_was() -> None:
    network = build(Architecture("mlp", hidden=(8,)), observation_shape=(4,), outputs=3, states=None, seed=0)
    limits.forward_flops(network, lambda: network.step(torch.zeros(1, 4), torch.zeros(1, 0)))
    assert not any(module._forward_hooks for module in network.modules())


def test_a_core_multiplies_faster_than_it_copies() -> None:
    """Loose bounds that any machine of this century keeps, to catch a wrong unit."""
    assert 1e9 < limits.peak_flops() < 1e13
    assert 1e8 < limits.copy_bytes_per_second() < 1e12
