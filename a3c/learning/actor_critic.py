"""Advantage actor-critic on one rollout: A3C's gradient (Mnih et al., 2016, Algorithm S3), and V-trace's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from a3c.learning.corrections import truncated_ratios, vtrace_targets
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import Diagnostics, flat_gradient
from a3c.learning.losses import Terms, actor_critic_terms, objective
from a3c.learning.policy_and_value import PolicyAndValue
from a3c.learning.returns import lambda_returns
from a3c.learning.rollouts import Rollout


@dataclass(frozen=True)
class ActorCritic(PolicyAndValue):
    """A policy and a state value that descend the paper's objective.

    Attributes:
      value_weight: c_v, times the squared error (0.5 in the paper's own code, by e-mail).
      entropy_weight: β.
      gae_lambda: λ of `lambda_returns`; 1 in the paper.
    """

    value_weight: float
    entropy_weight: float
    gae_lambda: float = 1.0

    def gradient(self, network: FlatNetwork, rollout: Rollout) -> tuple[Tensor, Diagnostics]:
        """The gradient of the objective on one rollout, summed over its T steps and averaged over its B environments.

        Args:
          network: its parameters are those the rollout was acted with.
          rollout: see `Rollout`.

        Returns:
          float32 [P], laid out as the network's vector, and the turn's numbers.

        Raises:
          NonFiniteError: if the gradient is not finite.
        """
        output, _ = network.unroll(rollout)
        value = output[..., -1]
        returns = lambda_returns(
            rollout.reward, rollout.discount, value.detach(), rollout.bootstrap_value, self.gae_lambda
        )
        terms = self._terms(output, rollout, returns)
        gradient, norm = flat_gradient(network, self._loss(terms, rollout))
        policy_loss, value_loss, entropy = (float(term.detach()) / rollout.steps for term in terms)
        return gradient, Diagnostics(policy_loss, value_loss, entropy, float(value.detach().mean()), norm)

    @torch.no_grad()
    def log_probabilities(self, network: FlatNetwork, rollout: Rollout) -> Tensor:
        """How likely the actions taken are under the network, log π(aₜ|oₜ) in nats: float32 [T, B], without gradient.

        All T x B observations pass the network at once, as they do for the gradients: the same parameters give the
        same bits there and here, which they need not give for one observation at a time.
        """
        output, _ = network.unroll(rollout)
        return self.policy.judge(output[..., :-1], rollout.action)[0]

    def vtrace_gradient(
        self, network: FlatNetwork, rollout: Rollout, log_policy_then: Tensor, *, rho_limit: float, c_limit: float
    ) -> tuple[Tensor, float]:
        """The gradient for the present parameters from a rollout of older ones (V-trace; Espeholt et al., 2018).

            ∇ [−Σ Aₜ log π_now(aₜ|oₜ) + c_v Σ (vₜ − V_now(oₜ))² − β Σ H(π_now(·|oₜ))]

        summed over T, averaged over B, v and A being `vtrace_targets`. The final observation is valued anew; what a
        time limit inside the rollout added to a reward is not. Where the parameters are one, no limit is below 1 and
        λ is 1, this is `gradient` to the last bit.

        Args:
          network: it holds the present parameters.
          rollout: acted with older ones; its `bootstrap_value` is not used.
          log_policy_then: float32 [T, B], `log_probabilities` by the parameters it was acted with.
          rho_limit: ρ̄, as for `vtrace_targets`.
          c_limit: c̄, likewise.

        Returns:
          float32 [P], laid out as the network's vector, and its norm.

        Raises:
          NonFiniteError: if the gradient is not finite.
          ValueError: if the shapes do not fit.
        """
        output, state = network.unroll(rollout)
        bootstrap_value = self.bootstrap(network.act(rollout.final_observation, state)[0])
        log_policy, _ = self.policy.judge(output[..., :-1].detach(), rollout.action)
        ratio = truncated_ratios(log_policy, log_policy_then, max(rho_limit, c_limit))
        seen = (rollout.reward, rollout.discount, output[..., -1], bootstrap_value, ratio)
        targets, advantage = vtrace_targets(*seen, rho_limit=rho_limit, c_limit=c_limit)
        return flat_gradient(network, self._loss(self._terms(output, rollout, targets, advantage), rollout))

    def _terms(self, output: Tensor, rollout: Rollout, returns: Tensor, advantage: Tensor | None = None) -> Terms:
        log_policy, entropy = self.policy.judge(output[..., :-1], rollout.action)
        return actor_critic_terms(log_policy, entropy, output[..., -1], returns, advantage)

    def _loss(self, terms: Terms, rollout: Rollout) -> Tensor:
        loss = objective(terms, value_weight=self.value_weight, entropy_weight=self.entropy_weight)
        return loss / rollout.reward.shape[1]
