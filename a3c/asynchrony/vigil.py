"""Ends a run whose processes make no progress; says which of the silent ones keeps others waiting, and where it is."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Sequence

from a3c.asynchrony.children import STACK_LINES, STACK_SECONDS, STACK_SIGNAL, Child, activity, state_letter
from a3c.asynchrony.crew import Crew
from a3c.asynchrony.outcomes import ProcessFailedError
from a3c.asynchrony.watchdog import Watchdog

LOOK_SECONDS = 0.25

# Where a process of a run waits for other processes of it, as the innermost line of its stack.
WAITING = re.compile(r"/(a3c/asynchrony/\w+|multiprocessing/(synchronize|connection))\.py\"")


class Vigil:
    """Watches over the progress of a crew."""

    def __init__(self, crew: Crew, stall_seconds: float | None) -> None:
        """Nobody has been silent yet.

        Args:
          crew: whose processes are watched.
          stall_seconds: the shortest silence that may be too long; None if none is.
        """
        self._crew, self._watchdog = crew, Watchdog(stall_seconds, activity)
        self._next = 0.0

    def progressed(self, *children: Child, regular: bool = True) -> None:
        """Some have made progress; `regular` if nobody had kept them waiting."""
        for child in children:
            self._watchdog.progressed(child.name, regular=regular)

    def look(self, pending_evaluations: int) -> None:
        """Looks after everybody; to be called often.

        Args:
          pending_evaluations: how many snapshots the evaluator has still to evaluate.

        Raises:
          ProcessFailedError: if a process is silent for too long.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        self._watchdog.tick()
        late = [child for child in self._crew.children if child.alive and self._is_late(child, pending_evaluations)]
        if not late:
            return
        longest = max(self._watchdog.silence(child.name) for child in late)
        # Who keeps the others waiting is among the workers, but need not be the first of them that is late.
        workers = [] if self._crew.evaluator in late else self._crew.workers
        silent = [c for c in workers if c.alive and self._watchdog.silence(c.name) >= longest / 2]
        raise ProcessFailedError(f"no progress for {longest:.0f} s (--stall-seconds): {who_and_what(silent or late)}")

    def _is_late(self, child: Child, pending_evaluations: int) -> bool:
        evaluates = child is self._crew.evaluator
        if child.ready and not self._has_to_do(evaluates, pending_evaluations):
            self.progressed(child, regular=False)
        return child.pid is not None and self._watchdog.is_late(child.name, child.pid, patient_if_busy=evaluates)

    def _has_to_do(self, evaluates: bool, pending_evaluations: int) -> bool:
        """Whether a process that is ready has something to do but wait."""
        if not evaluates:
            return self._crew.begun
        return self._crew.evaluates and (pending_evaluations > 0 or self._crew.evaluating)


def who_and_what(silent: Sequence[Child]) -> str:
    """Names those of some silent processes that do not merely wait for another, and says what they are doing.

    Args:
      silent: not empty; all that have been silent for about as long as the first.
    """
    stacks = {child.name: _stack(child) for child in silent}
    at_fault = [child for child in silent if not _waits(stacks[child.name])]
    if at_fault:
        return "; ".join(f"{child.name} {_doing(child, stacks[child.name])}" for child in at_fault)
    names = ", ".join(child.name for child in silent)
    return f"{names}: each waits for another process of the run, so a lock or a semaphore was lost"


def _stack(child: Child) -> list[str] | None:
    """Its Python stack, innermost first; empty if it does not answer, None if it is stopped and cannot."""
    if child.pid is None or state_letter(child.pid) in "Tt":
        return None
    child.last_stack()  # what it may have said before
    child.interrupt(STACK_SIGNAL)
    return child.last_stack(STACK_SECONDS)


def _waits(stack: list[str] | None) -> bool:
    return stack is not None and len(stack) > 0 and WAITING.search(stack[0]) is not None


def _doing(child: Child, stack: list[str] | None) -> str:
    if stack is None:
        return f"is stopped: by {signal.SIGSTOP.name}, a terminal or a debugger"
    if not stack:
        return f"does not answer (state {state_letter(child.pid or 0)} in /proc)"
    return "".join(["is at", *(f"\n    {line}" for line in stack[:STACK_LINES])])
