"""How processes start. Imports no torch, so that the server can import it at the same time as its parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = ["a3c.asynchrony.worker", "a3c.asynchrony.evaluator"]
SUPERVISORS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what a terminal or a batch system sends to everybody


def process_context() -> ForkServerContext:
    """The start method of every process here: forked from a server that has imported torch but never used it.

    Plain fork hangs after the parent has used OpenMP; spawn imports torch once per worker, seconds for sixteen of them.
    The server is started by the first call. It, and the process that takes away what others leave, block the signals
    that are for the supervisor: without them a run could not be stopped in order.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISORS)
    if _another_a3c_lies_here():
        os.environ["PYTHONSAFEPATH"] = "1"
    try:
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISORS)  # starting it has let some of them through again
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _another_a3c_lies_here() -> bool:
    """Whether the server would import some folder `a3c` of the current one, such as a checkout, in place of this."""
    return Path("a3c").is_dir() and Path("a3c").resolve() != Path(__file__).resolve().parents[1]
