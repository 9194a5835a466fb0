"""A policy and a state value that descend a loss of the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import Diagnostics, flat_gradient
from a3c.learning.policy_and_value import PolicyAndValue
from a3c.learning.rollouts import Rollout

# log π(aₜ|oₜ) and H(π(·|oₜ)) in nats and V(oₜ), float32 [T, B] each with gradient, and the rollout -> float32 [].
Loss = Callable[[Tensor, Tensor, Tensor, Rollout], Tensor]


@dataclass(frozen=True)
class OwnLoss(PolicyAndValue):
    """What is to be descended, returns included, is a function of a rollout and of what the network makes of it.

    Attributes:
      loss: summed over the T steps of the B environments; see `Loss`. It draws no chance and changes no argument.
    """

    loss: Loss

    def gradient(self, network: FlatNetwork, rollout: Rollout) -> tuple[Tensor, Diagnostics]:
        """The gradient of the loss on one rollout, averaged over its B environments.

        Args:
          network: its parameters are those the rollout was acted with.
          rollout: see `Rollout`.

        Returns:
          float32 [P], laid out as the network's vector, and the turn's numbers; the whole loss is its `policy_loss`.

        Raises:
          NonFiniteError: if the gradient is not finite.
        """
        output, _ = network.unroll(rollout)
        log_policy, entropy = self.policy.judge(output[..., :-1], rollout.action)
        value = output[..., -1]
        loss = self.loss(log_policy, entropy, value, rollout)
        gradient, norm = flat_gradient(network, loss / rollout.reward.shape[1])
        per_step, of_policy = float(loss.detach()) / rollout.steps, float(entropy.detach().mean())
        return gradient, Diagnostics(per_step, math.nan, of_policy, float(value.detach().mean()), norm)
