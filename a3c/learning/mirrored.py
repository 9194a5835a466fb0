"""A network that computes on another device, while its parameters stay where everybody else's are.

The vector of parameters in the CPU's memory remains the truth, so that pulls, optimizers, checkpoints and records are
what they are for every other network. What goes to the device and back is observations, outputs, one gradient and
one copy of the parameters an update.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor

from a3c.learning.flat import FlatNetwork
from a3c.learning.networks import Network


class MirroredNetwork(FlatNetwork):
    """A network on a device; it takes and gives tensors of the CPU, through which gradients flow.

    Attributes:
      vector: float32 [P], in the CPU's memory; the network computes with what it was at the last `refresh`.
      tensors: the parameters as the module sees them, on the device.
    """

    def __init__(self, network: Network, device: str) -> None:
        """Moves a network.

        Args:
          network: the module, freshly initialized on the CPU.
          device: as torch names it, such as `cuda`.
        """
        super().__init__(network)
        if device == "cuda":
            _compute_reproducibly()
        self._device = torch.device(device)
        self._mirror = self.vector.to(self._device, copy=True)
        network.to(self._device)  # buffers of modules of the user's own, too
        self._view(self._mirror)

    def refresh(self) -> None:
        """Takes over what has been written to `vector`."""
        self._mirror.copy_(self.vector)

    def __call__(self, observation: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """See `FlatNetwork`."""
        output, state = super().__call__(*self._there(observation, state, first))
        return output.cpu(), state.cpu()

    def act(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See `FlatNetwork`."""
        output, state = super().act(*self._there(observation, state))
        return output.cpu(), state.cpu()

    def flatten(self, tensors: Iterable[Tensor]) -> Tensor:
        """See `FlatNetwork`; put together on the device, so that one copy crosses over and not one a layer."""
        return self._flatten(tensors, self._device).cpu()

    def _there(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(tensor.to(self._device) for tensor in tensors)


def _compute_reproducibly() -> None:
    """The same bits each time on the same GPU, in full float32, without the shortcuts that are the default there."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA is first used in this process
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
