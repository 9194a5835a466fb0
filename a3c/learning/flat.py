"""All parameters of a network as one contiguous float32 vector, of which the layers are views.

A pull is then one copy and an optimizer step one pass, and what is shared between processes is allocated once. Each
layer begins on a 64-byte boundary, as torch's own tensors do: matrix kernels may choose another order of summation
for other alignments, and a replay must not depend on where a copy of the parameters happens to lie.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

ALIGNMENT_FLOATS = 16


class FlatNetwork:
    """A network whose parameters are views of `vector`: writing to the vector changes the network.

    Attributes:
      network: the module, from observations to (logits, value).
      vector: float32 [P], the parameters; the padding between layers is 0.
      tensors: the parameters as the module sees them, in its order.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.tensors = list(network.parameters())
        self._places: list[slice] = []
        offset = 0
        for tensor in self.tensors:
            self._places.append(slice(offset, offset + tensor.numel()))
            offset += -(-tensor.numel() // ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS
        self._size = offset
        self.vector = self.flatten(self.tensors)
        for place, tensor in zip(self._places, self.tensors, strict=True):
            tensor.data = self.vector[place].view(tensor.shape)

    def __call__(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 [B, A] and value float32 [B]."""
        logits, value = self.network(observation)
        return logits, value

    def flatten(self, tensors: Iterable[Tensor]) -> Tensor:
        """One tensor per parameter (its gradient, say) as a fresh float32 [P], each at its parameter's place."""
        flat = torch.zeros(self._size)
        with torch.no_grad():
            for place, tensor in zip(self._places, tensors, strict=True):
                flat[place].copy_(tensor.reshape(-1))
        return flat

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """A flat vector's layers under the network's parameter names, as copies that can be stored."""
        names = [name for name, _ in self.network.named_parameters()]
        return {
            name: flat[place].view(tensor.shape).clone()
            for name, place, tensor in zip(names, self._places, self.tensors, strict=True)
        }
