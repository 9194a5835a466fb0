"""How the rungs of the ladder are trained: for good, with processes, or for a moment, in the test's own."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from a3c.asynchrony.acting import Networks, make_actor
from a3c.asynchrony.exchange import LocalCopy
from a3c.asynchrony.hogwild import HogwildStore
from a3c.asynchrony.shared import FRAMES, allocate
from a3c.asynchrony.store import LockedStore
from a3c.asynchrony.synchronous import Rendezvous, SynchronousStore
from a3c.asynchrony.worker import differentiate
from a3c.environments import make
from a3c.records import run_folder
from a3c.settings import Settings
from a3c.training import train


@pytest.fixture
def final_score(tmp_path: Path) -> Callable[[Settings], float]:
    """Trains with all processes, and returns the mean score at the last evaluation."""

    def score(settings: Settings) -> float:
        folder = tmp_path / f"seed{settings.seed}"
        train(settings, folder)
        with (folder / run_folder.EVALUATIONS).open() as file:
            rows = list(csv.DictReader(file))
        last = [float(row["score"]) for row in rows if int(row["point"]) == settings.evaluation.points]
        assert len(last) == settings.evaluation.episodes
        return sum(last) / len(last)

    return score


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As workers have it: two threads cost more than they gain on networks as small as these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run_clean(one_thread: None) -> Callable[[Settings], None]:
    """Trains here, one worker and a few updates: all numbers stay finite, and the parameters move."""

    def run(settings: Settings) -> None:
        assert settings.workers == 1
        spec = make(settings, 0, 0).spec
        networks = Networks(settings, spec)
        memory, lock = allocate(settings, networks.online.vector), threading.Lock()
        memory.start_time[0] = 0.0
        before = memory.parameters.clone()
        store = {
            "hogwild": lambda: HogwildStore(memory, lock, settings),
            "locked": lambda: LockedStore(memory, lock, settings),
            "synchronous": lambda: SynchronousStore(memory, lock, settings, Rendezvous(threading.Semaphore(0), [])),
        }[settings.schedule]()
        actor = make_actor(settings, 0, networks)
        copy = LocalCopy(networks.online.vector)
        pulled = store.pull(copy)
        while pulled is not None:
            networks.hold(copy)
            push, _ = differentiate(0, pulled, actor, copy.vector, 0.0)
            assert torch.isfinite(push.gradient).all()
            pulled = store.push(push, into=copy).pulled
        assert int(memory.counters[FRAMES]) >= settings.budget_frames
        assert torch.isfinite(memory.parameters).all()
        assert torch.isfinite(memory.statistics).all()
        assert not torch.equal(memory.parameters, before)

    return run
