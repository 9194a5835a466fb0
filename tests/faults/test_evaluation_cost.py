"""What evaluation takes from the workers: on a core that a worker needs whole, a tenth of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.asynchrony.children import activity
from a3c.settings import Settings

if TYPE_CHECKING:
    from trees import Trainer

NICENESS = 10
WORKER_SECONDS = 2.0


def niceness(pid: int) -> int:
    """Of a process, from -20 to 19."""
    return os.getpriority(os.PRIO_PROCESS, pid)


def processor_seconds(pid: int) -> float:
    """That a living process has used, in all its threads."""
    used = activity(pid).cpu_seconds
    assert used is not None
    return used


def test_evaluation_takes_a_tenth_of_a_core_from_the_worker_there(
    cartpole: Callable[..., Settings], trainer: Callable[..., Any]
) -> None:
    """The evaluator always has a point to evaluate, and shares one core with the only worker."""
    from sessions import wait_for

    settings = cartpole(workers=1, budget_frames=1_000_000, evaluation={"points": 1000, "episodes": 100})
    started: Trainer = trainer(settings, checkpoint_seconds=1000.0)
    started.wait_for_turns()
    core = min(os.sched_getaffinity(0))
    worker, evaluator = sorted(started.children(), key=niceness)
    assert [niceness(worker), niceness(evaluator)] == [0, NICENESS]
    for pid in (worker, evaluator):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
    assert wait_for(lambda: (started.folder / "evaluations.csv").read_text().count("\n") > 1, 60)
    before = [processor_seconds(pid) for pid in (worker, evaluator)]

    def used() -> list[float]:
        return [processor_seconds(pid) - s for pid, s in zip((worker, evaluator), before, strict=True)]

    assert wait_for(lambda: used()[0] >= WORKER_SECONDS, 60)
    working, evaluating = used()
    assert 0.05 * working < evaluating < 0.15 * working
