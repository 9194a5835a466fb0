"""The part of a network below its output layers, of the shape that our settings give."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from a3c import seeding
from a3c.environments.step import Spec
from a3c.learning.networks import Architecture, Convolutional, FeedForward, FullyConnected, build
from a3c.settings import Settings


class Plain(nn.Module):
    """Our convolutional layers as anybody would write them, in the memory layout that torch gives them."""

    def __init__(self, ours: Convolutional) -> None:
        super().__init__()
        self.convolutions, self.hidden, self.width = ours.convolutions, ours.hidden, ours.width

    def forward(self, observation: Tensor) -> Tensor:
        """Features float32 [N, width] of uint8 [N, C, side, side]."""
        x = observation.float() / 255
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        return torch.relu(self.hidden(x.flatten(1)))


def body(settings: Settings, spec: Spec) -> Plain | FullyConnected:
    """The layers between an observation and the output layers, with our initialization."""
    network = build(
        Architecture(**settings.network.model_dump()),
        observation_shape=spec.observation_shape,
        outputs=1,
        states=None,
        seed=seeding.integer(settings.seed, "initialization"),
    )
    assert isinstance(network, FeedForward)  # `a3c.peers.check` has seen to it
    return Plain(network.body) if isinstance(network.body, Convolutional) else network.body
