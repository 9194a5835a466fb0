"""Measures on a recorded run how alike consecutive updates are, while its schedule is executed again.

Nothing is measured while a run trains, so that it costs training nothing and changes no trained model. Here one process
has every gradient and every rollout in hand, in the order in which they were applied, whoever made them.
"""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import torch

from a3c.asynchrony.agents import make_network
from a3c.asynchrony.comparing import DIFFERS, Comparison, Difference, Recorded, StopExecution
from a3c.asynchrony.exchange import Push
from a3c.asynchrony.outcomes import DiffersError
from a3c.asynchrony.serial import execute
from a3c.asynchrony.shared import DRAINED, TURNS, SharedMemory, allocate
from a3c.asynchrony.synchronous import Rendezvous
from a3c.asynchrony.worker import Assignment
from a3c.correlations import CorrelationRow, Correlations
from a3c.environments import make
from a3c.records.rows import RowWriter
from a3c.replaying import recorded_turns, replayable_settings
from a3c.settings import Settings


class _Messages:
    """Stands for the pipe to a supervisor: keeps where the execution parts from the record, if it does."""

    def __init__(self) -> None:
        self.difference: Difference | None = None

    def send(self, message: tuple[str, Any]) -> None:
        """Takes a message."""
        if message[0] == DIFFERS:
            self.difference = message[1]

    def recv(self) -> None:
        """Nobody has to be waited for."""


class _Measuring(Comparison):
    """Measures each turn that is as recorded."""

    def __init__(self, assignment: Assignment, correlations: Correlations) -> None:
        super().__init__(assignment.recorded, assignment.pipe)
        self._counters = assignment.memory.counters
        self._correlations = correlations

    def examine(self, turn: int, push: Push) -> None:
        """Compares the turn with the record, then with the turns before."""
        super().examine(turn, push)
        self._counters[DRAINED] = self._counters[TURNS]  # nobody else reads the ring, and a full one stops the run
        self._correlations.add(push.worker, push.gradient, push.rollout.observation)


def measure(folder: Path, into: Path) -> None:
    """Executes a finished run again from its record, in this process, and measures how alike consecutive updates are.

    Args:
      folder: the recorded run.
      into: a CSV file, see `CorrelationRow`; written only if every turn was as recorded.

    Raises:
      InvalidInput: if the folder holds no finished run that can be replayed.
      DiffersError: if the run goes another way than the record.
    """
    settings, recorded = replayable_settings(folder), recorded_turns(folder)
    into.parent.mkdir(parents=True, exist_ok=True)
    temporary = into.with_name(f".{into.name}")
    rows = RowWriter(temporary, CorrelationRow)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in every worker: sums over several threads have other last bits
    try:
        _execute(_without_records(settings), recorded, rows)
        rows.close()
        temporary.replace(into)
    finally:
        torch.set_num_threads(threads)
        rows.close()
        temporary.unlink(missing_ok=True)


def _without_records(settings: Settings) -> Settings:
    """The same run without what merely records it: no samples, and one snapshot to evaluate."""
    records = settings.records.model_copy(update={"sample_interval_turns": None})
    evaluation = settings.evaluation.model_copy(update={"points": 1})
    return settings.model_copy(update={"records": records, "evaluation": evaluation})


def _execute(settings: Settings, recorded: Recorded, rows: RowWriter) -> None:
    spec, messages = make(settings, 0, 0).spec, _Messages()
    memory = allocate(settings, make_network(settings, spec).vector)
    assignment = _assignment(settings, recorded, memory, messages)
    correlations = Correlations(rows, spec.states)
    with suppress(StopExecution):
        execute(assignment, _Measuring(assignment, correlations))
    if messages.difference is not None:
        raise DiffersError(messages.difference)
    correlations.finish()


def _assignment(settings: Settings, recorded: Recorded, memory: SharedMemory, messages: _Messages) -> Assignment:
    """A worker process's, for this process alone."""
    rendezvous = Rendezvous(multiprocessing.Semaphore(0), [])
    pipe = cast(Any, messages)
    return Assignment(0, settings, memory, multiprocessing.Lock(), rendezvous, pipe, recorded=recorded)
