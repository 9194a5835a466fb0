"""What is done to a stale gradient at the moment it is applied, where the parameters it meets are known."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from a3c.asynchrony.agents import make_learner, make_network
from a3c.asynchrony.exchange import Push
from a3c.environments.step import Spec
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.corrections import delay_compensated, scaled_by_staleness
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, clip_
from a3c.settings import DelayCompensation, ScaledRate, Settings, VTrace


class Correction(Protocol):
    """How a push of some staleness is changed; at staleness 0 none of them is asked."""

    def gradient(self, push: Push, now: Tensor) -> Tensor:
        """The gradient to apply, float32 [P], given the parameters that it is applied to."""

    def rate(self, learning_rate: float, staleness: int) -> float:
        """The learning rate to apply it with."""


class Uncorrected:
    """As in the paper: however stale, a gradient is applied as it is."""

    def gradient(self, push: Push, now: Tensor) -> Tensor:
        """The gradient as pushed."""
        del now
        return push.gradient

    def rate(self, learning_rate: float, staleness: int) -> float:
        """The learning rate as it is."""
        del staleness
        return learning_rate


class ScaledByStaleness(Uncorrected):
    """The learning rate divided by the staleness."""

    def rate(self, learning_rate: float, staleness: int) -> float:
        """See `scaled_by_staleness`."""
        return scaled_by_staleness(learning_rate, staleness)


class DelayCompensated(Uncorrected):
    """The clipped gradient, carried to the present parameters."""

    def __init__(self, strength: float) -> None:
        self._strength = strength

    def gradient(self, push: Push, now: Tensor) -> Tensor:
        """See `delay_compensated`."""
        return _finite(delay_compensated(push.gradient, now, push.parameters, strength=self._strength))


class VTraced(Uncorrected):
    """The gradient taken anew at the push, with the present parameters and truncated ratios.

    The rollout is then as stale as before, but the gradient is fresh: what IMPALA's learner computes. Under a lock the
    whole gradient is computed while others wait; the turn stays a function of the versions read and pushed onto.
    """

    def __init__(self, settings: Settings, vtrace: VTrace, learner: ActorCritic, network: FlatNetwork) -> None:
        """Takes a network of its own, for the parameters of a worker may be kept for the next rollout.

        Args:
          settings: of the run.
          vtrace: the limits of the ratios.
          learner: the algorithm.
          network: nobody else's.
        """
        self._norm_limit = settings.learning.gradient_norm_limit
        self._limits = {"rho_limit": vtrace.rho_limit, "c_limit": vtrace.c_limit}
        self._learner = learner
        self._network = network

    def gradient(self, push: Push, now: Tensor) -> Tensor:
        """See `ActorCritic.vtrace_gradient`; clipped like any other."""
        self._network.vector.copy_(push.parameters)
        then = self._learner.log_probabilities(self._network, push.rollout)
        self._network.vector.copy_(now)
        gradient, norm = self._learner.vtrace_gradient(self._network, push.rollout, then, **self._limits)
        clip_(gradient, norm, self._norm_limit)
        return gradient


def make_correction(settings: Settings, spec: Spec) -> Correction:
    """The correction that the settings name, for games of this spec."""
    match settings.correction:
        case ScaledRate():
            return ScaledByStaleness()
        case DelayCompensation(strength=strength):
            return DelayCompensated(strength)
        case VTrace() as vtrace:
            learner = make_learner(settings, spec)
            assert isinstance(learner, ActorCritic)  # refused otherwise, see `conflicts`
            return VTraced(settings, vtrace, learner, make_network(settings, spec))
        case _:
            return Uncorrected()


def _finite(gradient: Tensor) -> Tensor:
    if not bool(torch.isfinite(gradient).all()):
        raise NonFiniteError("the corrected gradient is not finite")
    return gradient
