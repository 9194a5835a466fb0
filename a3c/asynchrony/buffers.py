"""Where a rollout is collected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from a3c.environments.step import Spec


class Arrays(NamedTuple):
    """The buffers as NumPy sees them: writing one number through a tensor takes ten times as long."""

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    first: np.ndarray


class Buffers:
    """Room for a rollout of some steps; `arrays` is the same memory."""

    def __init__(self, spec: Spec, capacity: int, size: int) -> None:
        action_shape, action_dtype = ([spec.actions], torch.float32) if spec.continuous else ([], torch.int64)
        dtype = getattr(torch, spec.observation_dtype)
        self.observation = torch.empty([capacity, size, *spec.observation_shape], dtype=dtype)
        self.action = torch.empty([capacity, size, *action_shape], dtype=action_dtype)
        self.reward, self.discount = torch.empty([capacity, size]), torch.empty([capacity, size])
        self.first = torch.zeros([capacity, size])  # only written, and only read, with a recurrent network
        self.arrays = self._arrays()

    def grow(self) -> None:
        """Doubles the room."""
        for name in Arrays._fields:
            tensor = getattr(self, name)
            setattr(self, name, torch.cat([tensor, torch.empty_like(tensor)]))
        self.arrays = self._arrays()

    def _arrays(self) -> Arrays:
        return Arrays(*(getattr(self, name).numpy() for name in Arrays._fields))
