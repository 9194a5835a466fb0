"""Samples of what staleness does, taken beside the run: nothing here changes what is learnt.

On a sampled turn the worker keeps the policy and the parameters that it pulled, the store copies those that it pushes
onto, and after the push the gradient is computed once more, on the same rollout, with the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

import torch
from torch import Tensor

from a3c.asynchrony.agents import make_learner, make_network
from a3c.asynchrony.exchange import Pulled, Push, Pushed
from a3c.environments.step import Spec
from a3c.learning.drift import gradient_shift
from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import NonFiniteError
from a3c.learning.rollouts import Rollout
from a3c.records.checkpoints import State
from a3c.records.rows import SampleRow
from a3c.settings import Settings


class TurnSeconds(NamedTuple):
    """Where a turn's time went before its push: pulling, rolling out, differentiating."""

    pull: float
    rollout: float
    gradient: float


class _Pulled(NamedTuple):
    parameters: Tensor
    output: Tensor


class _Drift(NamedTuple):
    """The columns of `SampleRow` that compare what was pulled with what was pushed onto."""

    distance: float | None = None
    gradient_cosine: float | None = None
    gradient_norm_ratio: float | None = None
    kl: float | None = None
    ratio_max: float | None = None
    ratio_min: float | None = None


class Sampler:
    """Watches every so many turns of each worker; one for all workers that live in a process."""

    def __init__(self, settings: Settings, spec: Spec, send: Callable[[SampleRow], None]) -> None:
        """Prepares for sampling.

        Args:
          settings: of the run.
          spec: of its games.
          send: takes each finished sample.
        """
        self._settings = settings
        self._interval = settings.records.sample_interval_turns
        self._send = send
        self._turns: Counter[int] = Counter()
        self._pulled: _Pulled | None = None
        compares = self._interval is not None and settings.schedule != "synchronous"
        self._learner = make_learner(settings, spec)
        self._network = make_network(settings, spec) if compares else None

    def save(self) -> State:
        """How many turns each worker has had."""
        return {str(worker): turns for worker, turns in self._turns.items()}

    def restore(self, state: State) -> None:
        """Continues where `save` was called."""
        self._turns = Counter({int(worker): int(turns) for worker, turns in state.items()})

    def watch(self, push: Push, network: FlatNetwork) -> Push:
        """The push, which on sampled turns asks for the parameters that it is applied to.

        Args:
          push: about to be made.
          network: with the parameters pulled, as `push.parameters`.
        """
        self._turns[push.worker] += 1
        self._pulled = None
        if not self._is_due(push.worker) or self._network is None:
            return push
        self._pulled = _Pulled(push.parameters.clone(), _output(network, push.rollout))
        return push._replace(onto=self._network.vector)

    def report(self, push: Push, pushed: Pushed, seconds: TurnSeconds, start_time: float) -> None:
        """Sends the sample of a turn that was sampled and applied.

        Args:
          push: as `watch` returned it.
          pushed: what it came to.
          seconds: of the phases before it.
          start_time: monotonic clock when the workers were let go.
        """
        if not self._is_due(push.worker) or pushed.onto is None:
            return
        now = monotonic() - start_time
        drift = self._drift(push, self._pulled) if self._pulled else _Drift()
        self._send(
            SampleRow(
                turn=self._turn(push, pushed.onto),
                frames=pushed.onto.frames,
                seconds=now,
                worker=push.worker,
                staleness=pushed.onto.version - push.read,
                steps=push.rollout.steps,
                pull_seconds=seconds.pull,
                rollout_seconds=seconds.rollout,
                gradient_seconds=seconds.gradient,
                lock_wait_seconds=pushed.seconds.lock_wait,
                push_seconds=pushed.seconds.push,
                **drift._asdict(),
                torn=None if pushed.torn is None else int(pushed.torn),
            )
        )

    def _is_due(self, worker: int) -> bool:
        return self._interval is not None and self._turns[worker] % self._interval == 0

    def _turn(self, push: Push, onto: Pulled) -> int:
        if self._settings.schedule == "synchronous":
            return onto.version * self._settings.turn_workers + push.worker
        return onto.version

    def _drift(self, push: Push, pulled: _Pulled) -> _Drift:
        """Compares; a second gradient that is not finite leaves its columns empty and harms nobody."""
        assert self._network is not None
        distance = float(torch.linalg.vector_norm(self._network.vector - pulled.parameters))
        now, actions = _output(self._network, push.rollout), push.rollout.action.flatten(0, 1)
        shift = self._learner.shift(pulled.output, now, actions) or (None, None, None)
        anew = self._learner.valued_anew(self._network, push.rollout)
        try:
            fresh, diagnostics = self._learner.gradient(self._network, anew)
        except NonFiniteError:
            return _Drift(distance, None, None, *shift)
        cosine, _ = gradient_shift(push.gradient, fresh)
        ratio = push.diagnostics.gradient_norm / diagnostics.gradient_norm if diagnostics.gradient_norm else None
        return _Drift(distance, cosine, ratio, *shift)


@torch.no_grad()
def _output(network: FlatNetwork, rollout: Rollout) -> Tensor:
    """float32 [T x B, K]."""
    return network.unroll(rollout)[0].flatten(0, 1)
