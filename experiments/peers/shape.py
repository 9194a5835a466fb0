"""The part of a network below its output layers, of the shape that our settings give."""

from __future__ import annotations

from a3c import seeding
from a3c.environments.step import Spec
from a3c.learning.networks import Architecture, Convolutional, FeedForward, FullyConnected, build
from a3c.settings import Settings


def body(settings: Settings, spec: Spec) -> Convolutional | FullyConnected:
    """The layers between an observation and the output layers, with our initialization."""
    network = build(
        Architecture(**settings.network.model_dump()),
        observation_shape=spec.observation_shape,
        outputs=1,
        states=None,
        seed=seeding.integer(settings.seed, "initialization"),
    )
    assert isinstance(network, FeedForward)  # `a3c.peers.check` has seen to it
    return network.body
