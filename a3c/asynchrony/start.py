"""How processes start. Imports no torch, so that the server can import it at the same time as its parent."""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

PRELOADED = ["a3c.asynchrony.worker", "a3c.asynchrony.evaluator"]


def process_context() -> ForkServerContext:
    """The start method of every process here: forked from a server that has imported torch but never used it.

    Plain fork hangs after the parent has used OpenMP; spawn imports torch once per worker, seconds for sixteen of them.
    The server is started by the first call.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    return context
