"""Where a worker's time goes, phase by phase: by the clock, and by what the processor spent on it.

The difference matters where there are more workers than cores: a phase that is twice as long by the clock may only
have waited for its turn on a core. Nothing is measured, and nothing is slower, unless a profile is asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter_ns, thread_time_ns
from typing import Any

from a3c.asynchrony.acting import Actor, Networks
from a3c.asynchrony.exchange import LocalCopy, Push, Pushed, Store
from a3c.asynchrony.pausing import Pause
from a3c.asynchrony.sampling import Sampler
from a3c.records.profiles import Phase, Profile, Span

MOST_SPANS = 4_000  # that a worker keeps to be drawn: the last hundred turns or so
PROFILE = "profile"
CHECKPOINT, ENVIRONMENT, GRADIENT, INFERENCE = "checkpoint", "environment", "gradient", "inference"
EXCHANGE, ROLLOUT, SAMPLES, WAIT = "push and pull", "rollout", "samples", "wait"


class Profiler:
    """Traces the parts of one process's loop; phases may lie inside one another."""

    def __init__(self, worker: int) -> None:
        """Begins to measure.

        Args:
          worker: the number of the process.
        """
        self._worker = worker
        self._spans: deque[Span] = deque(maxlen=MOST_SPANS)
        self._sums: dict[str, list[int]] = {}
        self._inside: list[list[int]] = []  # clock and processor time of the phases within each one that is open
        self._began = perf_counter_ns(), thread_time_ns()

    def trace(self, owner: object, method: str, phase: str) -> None:
        """From now on, every call of a method of this one object belongs to the phase."""
        object.__setattr__(owner, method, self._traced(getattr(owner, method), phase))  # it may be a frozen dataclass

    def trace_process(self, networks: Networks, store: Store, sampler: Sampler, pause: Pause) -> None:
        """What a process has once, however many workers live in it."""
        self.trace(networks.online, "act", INFERENCE)
        self.trace(sampler, "watch", SAMPLES)
        self.trace(sampler, "report", SAMPLES)
        self.trace(pause, "keep", CHECKPOINT)
        self._trace_store(store)

    def trace_actor(self, actor: Actor) -> None:
        """What an actor does: rollouts, in them the games, and gradients."""
        self.trace(actor, "collect", ROLLOUT)
        self.trace(actor.batch, "step", ENVIRONMENT)
        self.trace(actor.batch, "reset", ENVIRONMENT)
        self.trace(actor.learner, "gradient", GRADIENT)

    def profile(self) -> Profile:
        """What there is so far."""
        clock, processor = perf_counter_ns() - self._began[0], thread_time_ns() - self._began[1]
        phases = {name: Phase(n, 1e-9 * c, 1e-9 * p) for name, (n, c, p) in sorted(self._sums.items())}
        return Profile(self._worker, 1e-9 * clock, 1e-9 * processor, phases, list(self._spans))

    def _trace_store(self, store: Store) -> None:
        """Pushes with the pulls after them, and in them the wait for the lock or for the others."""
        self.trace(store, "pull", EXCHANGE)
        traced = self._traced(store.push, EXCHANGE)
        waits = self._sums.setdefault(WAIT, [0, 0, 0])

        def push(push: Push, into: LocalCopy) -> Pushed:
            pushed: Pushed = traced(push, into)
            waited = int(1e9 * pushed.seconds.lock_wait)
            self._sums[EXCHANGE][1] -= waited
            waits[0] += 1
            waits[1] += waited
            return pushed

        object.__setattr__(store, "push", push)

    def _traced(self, function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        sums, inside, spans = self._sums.setdefault(phase, [0, 0, 0]), self._inside, self._spans

        def traced(*arguments: Any) -> Any:
            inside.append(within := [0, 0])
            began, began_processor = perf_counter_ns(), thread_time_ns()
            try:
                return function(*arguments)
            finally:
                clock, processor = perf_counter_ns() - began, thread_time_ns() - began_processor
                inside.pop()
                if inside:
                    inside[-1][0] += clock
                    inside[-1][1] += processor
                sums[0] += 1
                sums[1] += clock - within[0]
                sums[2] += processor - within[1]
                spans.append(Span(phase, began, clock, processor))

        return traced
