"""Holds an execution against the record of another, turn by turn, and stops it where they part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

from a3c.asynchrony.exchange import Push
from a3c.asynchrony.recorded_order import ImpossibleTurn
from a3c.records.schedule_file import Header, check

DIFFERS, EXAMINED = "differs", "examined"

Examine = Callable[[int, Push], None]


class Difference(NamedTuple):
    """Where an execution first differs from the record.

    Attributes:
      turn: its number, from 0.
      worker: whose turn it was.
      what: what differs, in words.
      recorded: as recorded.
      replayed: as executed.
    """

    turn: int
    worker: int
    what: str
    recorded: str
    replayed: str


class Examination(NamedTuple):
    """What one turn was made of.

    Attributes:
      turn: its number, from 0.
      worker: whose turn it is.
      read: the version it was computed with.
      tensors: the rollout's, the gradient after clipping or before it is averaged, and the parameters read.
      numbers: losses, entropy, value and gradient norm.
    """

    turn: int
    worker: int
    read: int
    tensors: dict[str, np.ndarray]
    numbers: dict[str, float]


@dataclass(frozen=True)
class Recorded:
    """What to execute again.

    Attributes:
      header: of the recorded schedule.
      turns: dtype `TURN`.
      until: the turn to examine and stop at; None for the whole run.
    """

    header: Header
    turns: np.ndarray
    until: int | None = None


class StopExecution(Exception):
    """The execution has gone as far as it was asked to, or as it agrees with the record."""


class Comparison:
    """Looks at every turn before it is applied."""

    def __init__(self, recorded: Recorded | None, pipe: Connection) -> None:
        """Compares with nothing if there is no record.

        Args:
          recorded: what to compare with.
          pipe: to the supervisor.
        """
        self._recorded = recorded
        self._pipe = pipe

    def examine(self, turn: int, push: Push) -> None:
        """Compares the turn's worker, steps and check of numbers with the record; examines it if it was asked for.

        Raises:
          StopExecution: after having sent the difference or the examination.
        """
        if self._recorded is None:
            return
        found = self._difference(turn, push)
        if found is not None:
            self._pipe.send((DIFFERS, found))
            raise StopExecution
        if turn == self._recorded.until:
            self._pipe.send((EXAMINED, _examination(turn, push)))
            raise StopExecution

    def of_worker(self, worker: int) -> Callable[[Push], None]:
        """The same for one worker process, which counts its own turns."""
        if self._recorded is None:
            return lambda push: None
        mine = iter(np.flatnonzero(self._recorded.turns["worker"] == worker).tolist())
        beyond = len(self._recorded.turns)
        return lambda push: self.examine(next(mine, beyond), push)

    def impossible(self, error: ImpossibleTurn) -> None:
        """Sends a turn that no run can have made as the difference that it is."""
        self._pipe.send((DIFFERS, Difference(error.turn, error.worker, "the turn is impossible", error.reason, "-")))

    def _difference(self, turn: int, push: Push) -> Difference | None:
        assert self._recorded is not None
        if turn >= len(self._recorded.turns):
            return Difference(
                turn, push.worker, "the record ends before the budget", "no turn", f"{push.rollout.steps} steps"
            )
        worker, steps, _, recorded_check = self._recorded.turns[turn].tolist()
        if worker != push.worker:
            return Difference(turn, push.worker, "worker", str(worker), str(push.worker))
        if steps != push.rollout.steps:
            return Difference(turn, worker, "steps of the rollout", str(steps), str(push.rollout.steps))
        replayed = check(push.diagnostics)
        if replayed != recorded_check:
            what = "check of losses, entropy, value and gradient norm"
            return Difference(turn, worker, what, f"{recorded_check:04x}", f"{replayed:04x}")
        return None


def _examination(turn: int, push: Push) -> Examination:
    tensors = {name: value.numpy().copy() for name, value in vars(push.rollout).items() if value is not None}
    tensors |= {"gradient": push.gradient.numpy().copy(), "parameters": push.parameters.numpy().copy()}
    return Examination(turn, push.worker, push.read, tensors, push.diagnostics._asdict())
