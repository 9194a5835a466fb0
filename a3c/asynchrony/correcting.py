"""What is done to a stale gradient at the moment it is applied, where the parameters it meets are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from a3c.asynchrony.exchange import Push
from a3c.learning.corrections import delay_compensated, scaled_by_staleness
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError, action_log_probabilities, clip_, vtrace_gradient
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

    def __init__(self, settings: Settings, vtrace: VTrace, network: FlatNetwork) -> None:
        """Takes a network of its own, for the parameters of a worker may be kept for the next rollout.

        Args:
          settings: of the run.
          vtrace: the limits of the ratios.
          network: nobody else's.
        """
        self._learning = settings.learning
        self._limits = vtrace
        self._network = network

    def gradient(self, push: Push, now: Tensor) -> Tensor:
        """See `vtrace_gradient`; clipped like any other."""
        self._network.vector.copy_(push.parameters)
        then = action_log_probabilities(self._network, push.rollout)
        self._network.vector.copy_(now)
        gradient = vtrace_gradient(
            self._network,
            push.rollout,
            then,
            value_weight=self._learning.value_weight,
            entropy_weight=self._learning.entropy_weight,
            rho_limit=self._limits.rho_limit,
            c_limit=self._limits.c_limit,
        )
        clip_(_finite(gradient), float(torch.linalg.vector_norm(gradient)), self._learning.gradient_norm_limit)
        return gradient


def make_correction(settings: Settings, make_network: Callable[[], FlatNetwork]) -> Correction:
    """The correction that the settings name; the network is made only where it is needed."""
    match settings.correction:
        case ScaledRate():
            return ScaledByStaleness()
        case DelayCompensation(strength=strength):
            return DelayCompensated(strength)
        case VTrace() as vtrace:
            return VTraced(settings, vtrace, make_network())
        case _:
            return Uncorrected()


def _finite(gradient: Tensor) -> Tensor:
    if not bool(torch.isfinite(gradient).all()):
        raise NonFiniteError("the corrected gradient is not finite")
    return gradient
