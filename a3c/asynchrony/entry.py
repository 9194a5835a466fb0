"""What every child process does first: one thread, signals, and an end with its supervisor, however that comes."""

from __future__ import annotations

import faulthandler
import fcntl
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch

from a3c.asynchrony.allocation import keep_freed_memory, memory_error
from a3c.asynchrony.children import END, END_SIGNAL, STACK_SIGNAL
from a3c.environments.checked import EnvironmentFaultError
from a3c.learning.gradients import NonFiniteError
from a3c.problems import InvalidInput
from a3c.records.states import DamagedCheckpoint
from a3c.records.storage import StorageError

READY, FAILED, UNSTORED = "ready", "failed", "unstored"
OOM_SCORE = Path("/proc/self/oom_score_adj")
OOM_SCORE_OF_CHILDREN = 300  # of 1000; the supervisor, which can tell of a child's death, keeps what it has
IGNORED = (signal.SIGINT, signal.SIGHUP)
ENDED = 128 + signal.SIGTERM  # the exit code of a child that its supervisor ends


class Assigned(Protocol):
    """What a child process is given has a pipe to the supervisor."""

    @property
    def pipe(self) -> Connection:
        """To and from the supervisor."""


def enter(target: Callable[[Any], None], assignment: Assigned, stack: Connection) -> None:
    """A child process, from its beginning to its end; a fault is sent with its traceback.

    It leads a process group of its own, so that what it starts (a game engine) can be ended with it, and it leaves the
    signals of terminals and batch systems to the supervisor, who stops a run between two turns.

    Args:
      target: does the work.
      assignment: its argument.
      stack: takes the Python stack, if the process crashes or is asked for it.
    """
    os.setpgrp()
    threading.Thread(target=_die_with_supervisor, daemon=True).start()
    _heed_signals()
    faulthandler.enable(stack.fileno(), all_threads=False)
    faulthandler.register(STACK_SIGNAL, stack.fileno(), all_threads=False)
    _prefer_to_die()
    keep_freed_memory()
    use_one_thread()
    try:
        target(assignment)
    except SystemExit:
        raise
    except (StorageError, DamagedCheckpoint) as error:
        _send_last(assignment.pipe, UNSTORED, error)
    except (EnvironmentFaultError, InvalidInput, NonFiniteError) as error:  # which say all there is to say
        _send_last(assignment.pipe, FAILED, str(error))
    except BaseException as error:
        if out_of_memory := memory_error(error):
            _send_last(assignment.pipe, UNSTORED, out_of_memory)
        _send_last(assignment.pipe, FAILED, traceback.format_exc())


def use_one_thread() -> None:
    """One thread for tensors.

    It is set here and asserted because a workflow engine may export OMP_NUM_THREADS as it likes: two workers with two
    threads each run about a hundred times slower than with one.
    """
    torch.set_num_threads(1)
    if torch.get_num_threads() != 1:
        raise RuntimeError("torch did not accept one thread per worker")


def wait_to_begin(pipe: Connection) -> None:
    """Says that this process is ready and waits until it may begin; then it dies with its supervisor at once.

    From then on what the work has opened is closed if the supervisor ends this process.
    """
    pipe.send((READY, None))
    wait_to_go_on(pipe)
    _be_killed_with_supervisor()
    signal.signal(END_SIGNAL, _leave)


def wait_to_go_on(pipe: Connection) -> None:
    """Waits for the supervisor's word.

    Raises:
      SystemExit: if it is that the process shall end, or if the supervisor is gone.
    """
    try:
        word = pipe.recv()
    except (EOFError, OSError):
        word = END
    if word == END:
        raise SystemExit(1)


def _heed_signals() -> None:
    """Only the supervisor's signal counts: one to all processes would spoil the last checkpoint."""

    def end(number: int, frame: FrameType | None) -> None:
        """At once: an exception would abort a C++ library that is just being loaded, in many words."""
        os._exit(ENDED)

    def pass_over(number: int, frame: FrameType | None) -> None:
        """Unlike `SIG_IGN`, it is not handed on to programs that this process starts."""

    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, pass_over)
    signal.signal(END_SIGNAL, end)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the server that forks children has them blocked


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(ENDED)


def _send_last(pipe: Connection, what: str, content: object) -> None:
    with suppress(OSError):
        pipe.send((what, content))
    sys.exit(1)


def _prefer_to_die() -> None:
    """Where memory runs out, the kernel should choose a child: its death ends the run with a message."""
    with suppress(OSError, ValueError):
        OOM_SCORE.write_text(str(max(OOM_SCORE_OF_CHILDREN, int(OOM_SCORE.read_text()))))


def _die_with_supervisor() -> None:
    """Waits for the supervisor's end, however it came.

    The kernel's signal on a parent's death would not do: the parent is the server that forked this process, and it
    lives on as long as one of its children does.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.killpg(os.getpid(), signal.SIGKILL)


def _be_killed_with_supervisor() -> None:
    """Has the kernel kill this process group when the supervisor's end of a pipe is closed.

    Unlike the thread above, that reaches a process that is stopped, or that never comes back from a library. It may not
    be asked for earlier: the supervisor's writing to that pipe would kill, too.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None or not hasattr(fcntl, "F_SETSIG"):
        return
    sentinel = int(supervisor.sentinel)
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
