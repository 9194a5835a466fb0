"""What every algorithm with a policy and a state value has in common, whatever it descends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from a3c.learning.drift import PolicyShift, policy_shift
from a3c.learning.flat import FlatNetwork
from a3c.learning.policies import Policy
from a3c.learning.rollouts import Rollout


@dataclass(frozen=True)
class PolicyAndValue:
    """The network's output columns are the policy's, then the value.

    Attributes:
      policy: the distribution over actions.
    """

    policy: Policy

    one_step: ClassVar[bool] = False
    values_next_action: ClassVar[bool] = False

    @property
    def outputs(self) -> int:
        """Columns of the network's output, K."""
        return self.policy.columns + 1

    def bootstrap(self, output: Tensor, action: Tensor | None = None) -> Tensor:
        """V of each observation, float32 [...], of output float32 [..., K]."""
        del action
        return output[..., -1]

    @torch.no_grad()
    def valued_anew(self, network: FlatNetwork, rollout: Rollout) -> Rollout:
        """The rollout with the value that the network gives to what follows it; a bootstrap of 0 for none stays 0."""
        _, state = network.unroll(rollout)
        value = self.bootstrap(network.act(rollout.final_observation, state)[0])
        return replace(rollout, bootstrap_value=value)

    def shift(self, then: Tensor, now: Tensor, action: Tensor) -> PolicyShift | None:
        """What became of the policy; arguments as for `policy_shift`, with whole outputs [N, K]."""
        return policy_shift(self.policy, then[:, :-1], now[:, :-1], action)
