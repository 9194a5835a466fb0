"""All parameters of a network as one contiguous float32 vector, of which the layers are views.

A pull is then one copy and an optimizer step one pass, and what is shared between processes is allocated once. Each
layer begins on a 64-byte boundary, as torch's own tensors do: matrix kernels may choose another order of summation
for other alignments, and a replay must not depend on where a copy of the parameters happens to lie.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from a3c.learning.networks import Network
from a3c.learning.rollouts import Rollout

ALIGNMENT_FLOATS = 16


class FlatNetwork:
    """A network whose parameters are views of `vector`: writing to the vector changes the network.

    Attributes:
      network: the module, from observations, state and `first` to (output, state).
      vector: float32 [P], the parameters; the padding between layers is 0.
      tensors: the parameters as the module sees them, in its order.
      state_size: numbers in the recurrent state, S; 0 for a feed-forward network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.state_size = network.state_size
        self.tensors = list(network.parameters())
        self._places: list[slice] = []
        offset = 0
        for tensor in self.tensors:
            self._places.append(slice(offset, offset + tensor.numel()))
            offset += -(-tensor.numel() // ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS
        self._size = offset
        self.vector = self._flatten(self.tensors, torch.device("cpu"))
        self._view(self.vector)

    def refresh(self) -> None:
        """To be called when `vector` has been written to, for networks that do not compute with it itself."""

    def __call__(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Output float32 [T, B, K] of observations [T, B, *shape], and the recurrent state after them.

        Args:
          observation: [T, B, *shape].
          state: float32 [B, S], before the first step.
          first: float32 [T, B], 1 where an episode begins with that observation.
        """
        output, state = self.network(observation, state, first)
        return output, state

    def act(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Output float32 [B, K] of one observation each, [B, *shape], and the state after it."""
        return self.network.step(observation, state)

    def unroll(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Output float32 [T, B, K] of a rollout's observations, and the state after them."""
        return self(rollout.observation, rollout.state, rollout.first)

    def initial_state(self, size: int) -> Tensor:
        """The recurrent state at the start of an episode: zeros float32 [size, S]."""
        return torch.zeros(size, self.state_size)

    def flatten(self, tensors: Iterable[Tensor]) -> Tensor:
        """One tensor per parameter (its gradient, say) as a fresh float32 [P], each at its parameter's place."""
        return self._flatten(tensors, torch.device("cpu"))

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """A flat vector's layers under the network's parameter names, as copies that can be stored."""
        names = [name for name, _ in self.network.named_parameters()]
        return {
            name: flat[place].view(tensor.shape).clone()
            for name, place, tensor in zip(names, self._places, self.tensors, strict=True)
        }

    def _flatten(self, tensors: Iterable[Tensor], device: torch.device) -> Tensor:
        flat = torch.zeros(self._size, device=device)
        with torch.no_grad():
            for place, tensor in zip(self._places, tensors, strict=True):
                flat[place].copy_(tensor.reshape(-1))
        return flat

    def _view(self, vector: Tensor) -> None:
        """Makes the layers views of a vector [P]."""
        for place, tensor in zip(self._places, self.tensors, strict=True):
            tensor.data = vector[place].view(tensor.shape)
