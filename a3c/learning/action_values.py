"""Learning action values on one rollout: one-step Q-learning, one-step Sarsa, n-step Q-learning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from a3c.learning.drift import PolicyShift
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import Diagnostics, flat_gradient
from a3c.learning.losses import action_value_loss, of_actions
from a3c.learning.returns import n_step_returns, one_step_returns
from a3c.learning.rollouts import Rollout


@dataclass(frozen=True)
class ActionValues:
    """Q(o, a), one output column an action (Mnih et al., 2016, Algorithms 1 and S2, and section 4).

        one_step_q       yₜ = rₜ + dₜ maxₐ Q(oₜ₊₁, a; θ⁻)
        one_step_sarsa   yₜ = rₜ + dₜ Q(oₜ₊₁, aₜ₊₁; θ⁻), aₜ₊₁ being the action taken next
        n_step_q         yₜ = rₜ + dₜ yₜ₊₁, y_T = maxₐ Q(o_T, a; θ⁻)

    The values of what follows, by the target network θ⁻, come with the rollout.

    Attributes:
      actions: how many there are, A.
      method: which of them.
    """

    actions: int
    method: Literal["one_step_q", "one_step_sarsa", "n_step_q"]

    @property
    def outputs(self) -> int:
        """Columns of the network's output: one an action."""
        return self.actions

    @property
    def one_step(self) -> bool:
        """Whether every step is bootstrapped, so that a rollout needs `following_value`."""
        return self.method != "n_step_q"

    @property
    def values_next_action(self) -> bool:
        """Whether a bootstrap needs the action that is taken next."""
        return self.method == "one_step_sarsa"

    def bootstrap(self, output: Tensor, action: Tensor | None = None) -> Tensor:
        """The value of observations, float32 [...], of output float32 [..., A] and, for Sarsa, actions int64 [...]."""
        if not self.values_next_action:
            return output.amax(-1)
        assert action is not None
        return of_actions(output, action)

    def gradient(self, network: FlatNetwork, rollout: Rollout) -> tuple[Tensor, Diagnostics]:
        """The gradient of Σₜ (yₜ − Q(oₜ, aₜ))², summed over T steps and averaged over B environments.

        Args:
          network: its parameters are those the rollout was acted with.
          rollout: see `Rollout`; one-step methods need its `following_value`.

        Returns:
          float32 [P], laid out as the network's vector, and the turn's numbers.

        Raises:
          NonFiniteError: if the gradient is not finite.
        """
        output, _ = network.unroll(rollout)
        if rollout.following_value is not None:
            returns = one_step_returns(rollout.reward, rollout.discount, rollout.following_value)
        else:
            returns = n_step_returns(rollout.reward, rollout.discount, rollout.bootstrap_value)
        loss = action_value_loss(output, rollout.action, returns)
        gradient, norm = flat_gradient(network, loss / rollout.reward.shape[1])
        value = float(output.detach().amax(-1).mean())
        return gradient, Diagnostics(math.nan, float(loss.detach()) / rollout.steps, math.nan, value, norm)

    def valued_anew(self, network: FlatNetwork, rollout: Rollout) -> Rollout:
        """The rollout as it is: what follows is valued by the target network, whatever the present parameters are."""
        del network
        return rollout

    def shift(self, then: Tensor, now: Tensor, action: Tensor) -> PolicyShift | None:
        """None: an ε-greedy policy jumps where two actions change places, so a divergence of it says little."""
        del then, now, action
        return None
