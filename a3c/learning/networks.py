"""Networks from observations to policy logits and a value.

All of them share every layer but the last between policy and value (Mnih et al., 2016, section 4), and compute both
with one output layer of `actions + 1` columns: with torch's default initialization, uniform in ±1/√fan_in, that is
the same network as two separate layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv2013(nn.Module):
    """The convolutional network of Mnih et al. (2013): 16 8x8/4, 32 4x4/2, fully connected 256, ReLU after each.

    Observations are uint8 [B, C, 84, 84] and are divided by 255 here.
    """

    def __init__(self, channels: int, actions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, kernel_size=8, stride=4)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=4, stride=2)
        self.hidden = nn.Linear(32 * 9 * 9, 256)
        self.output = nn.Linear(256, actions + 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 [B, A] and value float32 [B] of observations uint8 [B, C, 84, 84]."""
        x = observation.float() * (1 / 255)
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))  # [B, 32, 9, 9]
        x = F.relu(self.hidden(x.flatten(1)))
        return _split(self.output(x))


class MLP(nn.Module):
    """Fully connected layers with tanh, for observations that are vectors."""

    def __init__(self, inputs: int, hidden: Sequence[int], actions: int) -> None:
        super().__init__()
        widths = [inputs, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.output = nn.Linear(widths[-1], actions + 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 [B, A] and value float32 [B] of observations float32 [B, inputs]."""
        x = observation
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return _split(self.output(x))


class Table(nn.Module):
    """A softmax actor table and a critic table, one row per state, all zeros at first: the uniform policy."""

    def __init__(self, states: int, actions: int) -> None:
        super().__init__()
        self.actor = nn.Parameter(torch.zeros(states, actions))
        self.critic = nn.Parameter(torch.zeros(states))

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 [B, A] and value float32 [B] of state indices int64 [B]."""
        return self.actor[observation], self.critic[observation]


def _split(output: Tensor) -> tuple[Tensor, Tensor]:
    return output[:, :-1], output[:, -1]


def build(
    kind: str,
    *,
    observation_shape: Sequence[int],
    actions: int,
    states: int | None,
    hidden: Sequence[int],
    seed: int,
) -> nn.Module:
    """A freshly initialized network.

    Args:
      kind: `conv2013`, `mlp` or `table`.
      observation_shape: of one observation.
      actions: number of discrete actions A.
      states: number of states, for tables.
      hidden: widths of the hidden layers, for the MLP.
      seed: of the initialization; torch's global stream is left as it was.

    Raises:
      ValueError: if the observation does not fit the network.
    """
    shape = tuple(observation_shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "conv2013" and len(shape) == 3 and shape[1:] == (84, 84):
            return Conv2013(shape[0], actions)
        if kind == "mlp" and len(shape) == 1:
            return MLP(shape[0], hidden, actions)
        if kind == "table" and shape == () and states is not None:
            return Table(states, actions)
    needs = {"conv2013": "[C, 84, 84]", "mlp": "[inputs]", "table": "a state index"}[kind]
    raise ValueError(f"network {kind} needs observations of shape {needs}, the environment gives {list(shape)}")
