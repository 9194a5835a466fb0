"""Networks from observations to output columns, with or without recurrent cells.

What the columns mean is an algorithm's business: an actor-critic's policy and value share every layer but the last
(Mnih et al., 2016, section 4), and one output layer for both is, with torch's default initialization, uniform in
±1/√fan_in, the same network as two. A network is a body, from an observation to features, LSTM cells if it has any,
and an output layer; or two of these side by side that share nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh}

# Side of the observation; filters, kernel size and stride of each layer; width of the fully connected one. ReLU follows
# each, as in Young and Tian's DQN; their actor-critic has the same layers with SiLU and its derivative instead.
CONVOLUTIONS = {
    "conv2013": (84, [(16, 8, 4), (32, 4, 2)], 256),  # Mnih et al. (2013, arXiv:1312.5602)
    "conv2015": (84, [(32, 8, 4), (64, 4, 2), (64, 3, 1)], 512),  # Mnih et al. (2015)
    "conv_minatar": (10, [(16, 3, 1)], 128),  # Young and Tian (2019, arXiv:1903.03176)
}


# Observations by dtype: whole numbers that are divided by 255, numbers as they are, the index of a state. A convolution
# of floats would divide them as well, in place; a table takes uint8 for a mask.
WHOLE = ("int64", "int32", "int16", "int8")
OBSERVATION_DTYPES = dict.fromkeys(CONVOLUTIONS, ("uint8", "bool", *WHOLE)) | {"mlp": ("float32",), "table": WHOLE}


class MisfitError(ValueError):
    """A network cannot take the observations that an environment gives."""


class Convolutional(nn.Module):
    """Convolutions and one fully connected layer; observations uint8 [N, C, side, side] are divided by 255 here."""

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        side, layers, self.width = CONVOLUTIONS[kind]
        inputs = channels
        self.convolutions = nn.ModuleList()
        for filters, size, stride in layers:
            self.convolutions.append(nn.Conv2d(inputs, filters, kernel_size=size, stride=stride))
            side, inputs = (side - size) // stride + 1, filters
        self.hidden = nn.Linear(inputs * side * side, self.width)

    def forward(self, observation: Tensor) -> Tensor:
        """Features float32 [N, width]."""
        x = observation.to(torch.float32, memory_format=self._layout()).mul_(1 / 255)
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        return torch.relu(self.hidden(x.flatten(1)))

    @staticmethod
    def _layout() -> torch.memory_format:
        """How pictures lie in memory: pixel by pixel, unless they are only acted on.

        Measured with torch 2.13 on a 2013 net: the backward pass of the first convolution is then 3 times as fast for 5
        observations and 5 times for 80. Acting has none, and would lose more by the conversion than it gains.
        """
        return torch.contiguous_format if torch.is_inference_mode_enabled() else torch.channels_last


class FullyConnected(nn.Module):
    """Fully connected layers, for observations that are vectors float32 [N, inputs]."""

    def __init__(self, inputs: int, hidden: Sequence[int], activation: str) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise([inputs, *hidden]))
        self.width = hidden[-1]
        self._activation = ACTIVATIONS[activation]

    def forward(self, observation: Tensor) -> Tensor:
        """Features float32 [N, width]."""
        x = observation
        for layer in self.hidden:
            x = self._activation(layer(x))
        return x


class FeedForward(nn.Module):
    """A body and an output layer."""

    state_size = 0

    def __init__(self, body: Convolutional | FullyConnected, outputs: int) -> None:
        super().__init__()
        self.body = body
        self.output = nn.Linear(body.width, outputs)

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Output [T, B, K] of observations [T, B, *shape]; the state, [B, 0], is handed through."""
        del first
        output = self.output(self.body(observation.flatten(0, 1)))
        return output.unflatten(0, observation.shape[:2]), state

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, K] of observations [B, *shape]: a T of 1 without its reshaping, which acting would pay for."""
        return self.output(self.body(observation)), state


class Recurrent(nn.Module):
    """A body, LSTM cells and an output layer (Mnih et al., 2016, section 5.1); the state is [hidden, cell]."""

    def __init__(self, body: Convolutional | FullyConnected, cells: int, outputs: int) -> None:
        super().__init__()
        self.body = body
        self.lstm = nn.LSTMCell(body.width, cells)
        self.output = nn.Linear(cells, outputs)
        self.state_size = 2 * cells

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Unrolls over T, with the state reset where an episode begins.

        Args:
          observation: [T, B, *shape].
          state: float32 [B, S], before the first step.
          first: float32 [T, B], 1 where an episode begins with that observation.

        Returns:
          Output [T, B, K], and the state after the last step.
        """
        features = self.body(observation.flatten(0, 1)).unflatten(0, observation.shape[:2])
        going_on = (1.0 - first).unsqueeze(-1)
        outputs = []
        for t in range(len(features)):
            hidden, state = self._advance(features[t], state * going_on[t])
            outputs.append(hidden)
        return self.output(torch.stack(outputs)), state

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, K] of observations [B, *shape] and state [B, S], and the state after them."""
        hidden, state = self._advance(self.body(observation), state)
        return self.output(hidden), state

    def _advance(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden, cell = self.lstm(features, state.chunk(2, -1))
        return hidden, torch.cat([hidden, cell], -1)


class Separate(nn.Module):
    """Two networks that share nothing, for the policy's columns and for the value (supplement 9)."""

    def __init__(self, policy: FeedForward | Recurrent, value: FeedForward | Recurrent) -> None:
        super().__init__()
        self.policy = policy
        self.value = value
        self.state_size = policy.state_size + value.state_size

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs side by side, and both states."""
        policy_state, value_state = self._split(state)
        policy, policy_state = self.policy(observation, policy_state, first)
        value, value_state = self.value(observation, value_state, first)
        return torch.cat([policy, value], -1), torch.cat([policy_state, value_state], -1)

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, K] of observations [B, *shape], and both states."""
        policy_state, value_state = self._split(state)
        policy, policy_state = self.policy.step(observation, policy_state)
        value, value_state = self.value.step(observation, value_state)
        return torch.cat([policy, value], -1), torch.cat([policy_state, value_state], -1)

    def _split(self, state: Tensor) -> tuple[Tensor, ...]:
        return torch.split(state, [self.policy.state_size, self.value.state_size], -1)


class Table(nn.Module):
    """One row of output columns a state, all zeros at first: a uniform policy, or values of nothing."""

    state_size = 0

    def __init__(self, states: int, outputs: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(states, outputs))

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Output [T, B, K] of state indices int64 [T, B]; the recurrent state, [B, 0], is handed through."""
        del first
        return self.rows[observation], state

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, K] of state indices int64 [B]."""
        return self.rows[observation], state


class Wrapped(nn.Module):
    """A module of the user's own that knows nothing of time: output [N, K] of observations [N, *shape]."""

    state_size = 0

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Output [T, B, K] of observations [T, B, *shape]; the state, [B, 0], is handed through."""
        del first
        output = self.module(observation.flatten(0, 1))
        return output.unflatten(0, observation.shape[:2]), state

    def step(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, K] of observations [B, *shape]."""
        return self.module(observation), state


Network = FeedForward | Recurrent | Separate | Table | Wrapped


@dataclass(frozen=True)
class Architecture:
    """What a network is made of.

    Attributes:
      kind: `conv2013`, `conv2015`, `conv_minatar`, `mlp` or `table`.
      hidden: widths of the hidden layers, for the MLP.
      activation: `relu` or `tanh`, for the MLP.
      lstm_cells: after the last hidden layer; None for a feed-forward network.
      separate: two networks, one for all columns but the last and one for the last.
      initialization: `torch`, uniform in ±1/√fan_in; or `orthogonal`, see `orthogonal_`.
    """

    kind: str
    hidden: Sequence[int] = ()
    activation: str = "tanh"
    lstm_cells: int | None = None
    separate: bool = False
    initialization: str = "torch"


def build(
    architecture: Architecture, *, observation_shape: Sequence[int], outputs: int, states: int | None, seed: int
) -> Network:
    """A freshly initialized network.

    Args:
      architecture: what it is made of.
      observation_shape: of one observation.
      outputs: columns of the output, K.
      states: number of states, for tables.
      seed: of the initialization; torch's global stream is left as it was.

    Raises:
      MisfitError: if the observation does not fit the network.
    """
    shape, kind = tuple(observation_shape), architecture.kind
    if kind == "table":
        if shape != () or states is None:
            raise _misfit(kind, "a state index", shape)
        return Table(states, outputs)

    def body() -> Convolutional | FullyConnected:
        if kind in CONVOLUTIONS:
            side = CONVOLUTIONS[kind][0]
            if len(shape) != 3 or shape[1:] != (side, side):
                raise _misfit(kind, f"[C, {side}, {side}]", shape)
            return Convolutional(kind, shape[0])
        if len(shape) != 1:
            raise _misfit(kind, "[inputs]", shape)
        return FullyConnected(shape[0], architecture.hidden, architecture.activation)

    def column(width: int) -> FeedForward | Recurrent:
        cells = architecture.lstm_cells
        return FeedForward(body(), width) if cells is None else Recurrent(body(), cells, width)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Network = Separate(column(outputs - 1), column(1)) if architecture.separate else column(outputs)
        if architecture.initialization == "orthogonal":
            orthogonal_(network)
    return network


@torch.no_grad()
def orthogonal_(network: nn.Module) -> None:
    """Orthogonal weights and zero biases, in place: gain √2, 1 in LSTM cells, 0.01 in output layers.

    What later actor-critic implementations use (Engstrom et al., 2020, arXiv:2005.12729; Saxe et al., 2014); outputs
    begin near 0, so the first policy is nearly uniform.
    """
    for name, parameter in network.named_parameters():
        layer = name.split(".")
        if parameter.dim() < 2:
            parameter.zero_()
        else:
            gain = 0.01 if "output" in layer else 1.0 if "lstm" in layer else math.sqrt(2.0)
            nn.init.orthogonal_(parameter, gain)


def _misfit(kind: str, needs: str, shape: tuple[int, ...]) -> MisfitError:
    return MisfitError(f"network {kind} needs observations of shape {needs}, the environment gives {list(shape)}")
