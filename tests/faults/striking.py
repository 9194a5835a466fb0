"""`a3c` with a fault: one process of a run is killed or stopped by itself in the middle of what it does.

Run as `python striking.py train ...` in place of `a3c train ...`, with STRIKE in the environment: JSON with `process`
(`worker 1`, `evaluator`), `place` (a key of `PLACES`), `passage` (at which one, from 1), `signal`, and `mark`, a file
that is written at that moment. Nothing of this is in the package: the server that forks the processes of a run imports
this module, too, and passes on what it has changed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT_SECONDS = 0.05  # after which a process that has begun to wait is taken to wait


def arm(order: dict[str, Any]) -> None:
    """Changes what the process is to be struck in."""
    passages = 0

    def is_due() -> bool:
        nonlocal passages
        passages += multiprocessing.current_process().name == order["process"]
        return passages == order["passage"]

    def strike() -> None:
        Path(order["mark"]).touch()
        os.kill(os.getpid(), order["signal"])

    PLACES[order["place"]](is_due, strike)


def _before(owner: Any, name: str) -> Callable[..., None]:
    """In a function of this name, before it does anything."""

    def change(is_due: Callable[[], bool], strike: Callable[[], None]) -> None:
        original = getattr(owner(), name)

        def changed(*arguments: Any, **named: Any) -> Any:
            if is_due():
                strike()
            return original(*arguments, **named)

        setattr(owner(), name, changed)

    return change


def _while_it_waits(owner: Any, name: str) -> Callable[..., None]:
    """In a function of this name that waits, a moment after it has begun to."""

    def change(is_due: Callable[[], bool], strike: Callable[[], None]) -> None:
        original = getattr(owner(), name)

        def changed(*arguments: Any, **named: Any) -> Any:
            if is_due():
                threading.Timer(WAIT_SECONDS, strike).start()
            return original(*arguments, **named)

        setattr(owner(), name, changed)

    return change


def _half_written(is_due: Callable[[], bool], strike: Callable[[], None]) -> None:
    """In the writing of a worker's part of a checkpoint, of which a half is there."""
    from a3c.asynchrony import pausing

    original = pausing.save_state

    def changed(path: Path, state: Any) -> None:
        original(path, state)
        if is_due():
            os.truncate(path, path.stat().st_size // 2)
            strike()

    pausing.save_state = changed  # type: ignore[attr-defined]


def _store() -> Any:
    from a3c.asynchrony.store import SharedStore

    return SharedStore


def _synchronous_store() -> Any:
    from a3c.asynchrony.synchronous import SynchronousStore

    return SynchronousStore


def _batch() -> Any:
    from a3c.environments.batch import Batch

    return Batch


def _entry() -> Any:
    from a3c.asynchrony import entry

    return entry


def _pausing() -> Any:
    from a3c.asynchrony import pausing

    return pausing


def _evaluator() -> Any:
    from a3c.asynchrony import evaluator

    return evaluator


PLACES: dict[str, Callable[..., None]] = {
    "start": _while_it_waits(_entry, "wait_to_go_on"),
    "idle": _while_it_waits(_pausing, "wait_to_go_on"),
    "rollout": _before(_batch, "step"),
    "reset": _before(_batch, "reset"),
    "turn recorded, version not yet made known": _before(_store, "_advance"),
    "parameters changed, turn not yet recorded": _before(_store, "_record"),
    "rendezvous": _while_it_waits(_synchronous_store, "_meet"),
    "checkpoint": _half_written,
    "evaluation": _before(_evaluator, "play"),
}

if __name__ == "striking":  # in the server; the children that it forks import this file once more, as their main module
    arm(json.loads(os.environ["STRIKE"]))

if __name__ == "__main__":
    from a3c.asynchrony import start

    if "STRIKE" in os.environ:
        start.PRELOADED.append("striking")

    from a3c.__main__ import main

    sys.exit(main(sys.argv[1:]))
