"""The loop of Algorithm S3: pull, act, differentiate, push; and what goes with each pull."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from a3c.asynchrony.acting import Actor, make_actor
from a3c.asynchrony.exchange import LocalCopy, Pulled, Push, Pushed
from a3c.asynchrony.pausing import Pause
from a3c.asynchrony.sampling import Sampler
from a3c.asynchrony.shared import FRAMES, SharedMemory, allocate
from a3c.asynchrony.store import LockedStore
from a3c.asynchrony.worker import Reporter, work
from a3c.learning.rollouts import Rollout
from a3c.settings import Settings

Make = Callable[..., Settings]


class BesideAnother(LockedStore):
    """Before each of worker 0's pushes worker 1 makes one of its own, of three steps.

    Attributes:
      frames: the global counter at each version.
      versions: the parameters.
    """

    def __init__(self, memory: SharedMemory, settings: Settings, tape: list[Any]) -> None:
        super().__init__(memory, threading.Lock(), settings)
        self._tape, self._elsewhere = tape, LocalCopy(torch.empty_like(memory.parameters))
        self.frames, self.versions = [0], [memory.parameters.clone()]

    def _advance(self, version: int) -> None:
        super()._advance(version)
        self.frames.append(int(self._memory.counters[FRAMES]))
        self.versions.append(self._memory.parameters.clone())

    def pull(self, into: LocalCopy) -> Pulled | None:
        self._tape.append("pull")
        return super().pull(into)

    def push(self, push: Push, into: LocalCopy) -> Pushed:
        zeros = torch.zeros(3, 1)
        rollout = Rollout(zeros, zeros.long(), zeros, zeros, torch.zeros(1), torch.zeros(1), torch.zeros(1, 0), zeros)
        pulled = self.pull(LocalCopy(torch.empty_like(push.gradient)))
        self._tape.pop()
        if pulled is not None:
            theirs = Push(1, pulled.version, torch.ones_like(push.gradient), rollout, push.diagnostics, push.gradient)
            super().push(theirs, self._elsewhere)
        self._tape.append("push")
        return super().push(push, into)


def watched(actor: Actor, tape: list[Any]) -> None:
    """Writes down with which frames and parameters the actor collects, and by which it values what follows."""
    collect, networks = actor.collect, actor.networks

    def collect_and_tell(frames: int) -> Rollout:
        tape.append((frames, networks.online.vector.clone(), networks.bootstrapping.vector.clone()))
        return collect(frames)

    actor.collect = collect_and_tell


@pytest.mark.parametrize("kind", ["actor_critic", "n_step_q"])
def test_each_rollout_is_acted_with_the_parameters_and_the_counter_of_its_pull(
    scripted_settings: Make, valuing: Callable[..., dict[str, Any]], kind: str
) -> None:
    """And with the target network as it was then, if there is one."""
    algorithm = valuing(kind, 20) if kind == "n_step_q" else {}
    settings = scripted_settings(schedule="locked", workers=2, budget_frames=100, algorithm=algorithm,
                                 learning={"rollout_steps": 5}, records={"sample_interval_turns": None})  # fmt: skip
    tape: list[Any] = []
    actor = make_actor(settings, 0)
    memory = allocate(settings, actor.networks.online.vector)
    memory.start_time[0] = 0.0
    store = BesideAnother(memory, settings, tape)
    watched(actor, tape)
    examined: list[Push] = []
    pipe = SimpleNamespace(send=lambda message: None)
    report, pause = Reporter(0, pipe, 0.0), Pause(None, memory, pipe, 0, agreed=False)
    sampler = Sampler(settings, actor.spec, lambda row: None)
    work(0, store, actor, examine=examined.append, sampler=sampler, report=report, pause=pause)
    acted = [entry for entry in tape if isinstance(entry, tuple)]
    assert [entry if isinstance(entry, str) else "act" for entry in tape] == ["pull", *["act", "push"] * len(acted)]
    assert len(acted) == len(examined) >= 12
    for push, (frames, parameters, bootstrapping) in zip(examined, acted, strict=True):
        assert frames == store.frames[push.read]
        assert torch.equal(parameters, store.versions[push.read])
        refreshed = min(v for v, f in enumerate(store.frames) if f // 20 == frames // 20)
        assert torch.equal(bootstrapping, store.versions[refreshed if kind == "n_step_q" else push.read])
    assert [push.read for push in examined] == list(range(0, 2 * len(examined), 2)), "one of the other's in between"
