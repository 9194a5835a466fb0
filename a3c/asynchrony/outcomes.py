"""How a run can end, and where it is until then."""

from __future__ import annotations

import math
import signal
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from a3c.asynchrony.comparing import Difference, Examination
from a3c.records.checkpoints import State


class EndedEarlyError(RuntimeError):
    """The run ended before its time.

    Attributes:
      remains: what the same command goes on from, in words.
    """

    remains = ""

    def __str__(self) -> str:
        message = super().__str__().rstrip()
        return message + ("\n" if "\n" in message else "; ") * bool(self.remains) + self.remains


class ProcessFailedError(EndedEarlyError):
    """A process of the run ended abnormally, or makes no progress.

    The message names it, with its exit code or signal and its traceback, or with what it was doing.
    """


class DiffersError(RuntimeError):
    """A replayed run went another way than the record.

    Attributes:
      difference: the first.
    """

    def __init__(self, difference: Difference) -> None:
        turn, worker, what, recorded, replayed = difference
        super().__init__(f"turn {turn} (worker {worker}) differs in {what}: recorded {recorded}, replayed {replayed}")
        self.difference = difference


class ExaminedError(RuntimeError):
    """A replayed run has come to the turn that was to be examined.

    Attributes:
      examination: what the turn was made of.
    """

    def __init__(self, examination: Examination) -> None:
        super().__init__(f"stopped at turn {examination.turn}")
        self.examination = examination


class StoppedError(EndedEarlyError):
    """The run was asked to stop by a signal.

    Attributes:
      signal_number: which.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number = signal_number


@dataclass(frozen=True)
class Progress:
    """Where a run is, for a progress bar: frames, seconds of training, updates, recent mean score, workers alive."""

    frames: int
    seconds: float
    updates: int
    score: float | None
    workers_alive: int
    evaluating: bool


class Best(NamedTuple):
    """The evaluation point with the highest mean score so far; the first one of equals.

    Attributes:
      point: from 1; 0 before any has been evaluated.
      score: its mean.
      parameters: float32 [P].
    """

    point: int
    score: float
    parameters: Tensor

    @classmethod
    def none(cls, size: int) -> Best:
        """Before any evaluation."""
        return cls(0, -math.inf, torch.zeros(size))

    def saved(self) -> State:
        """For a checkpoint."""
        return self._asdict() | {"parameters": self.parameters.numpy()}

    @classmethod
    def restored(cls, state: State) -> Best:
        """From a checkpoint."""
        return cls(int(state["point"]), float(state["score"]), torch.from_numpy(state["parameters"]))


@dataclass(frozen=True)
class Result:
    """What training left in memory.

    Attributes:
      parameters: float32 [P], final.
      best: the parameters with the highest score in evaluation.
      statistics: float32 [1 or N, S, P], the optimizer's: shared, or of each worker.
      frames: global frames.
      updates: versions applied.
      train_seconds: from letting the workers go to the last turn.
      start_seconds: from the call to letting the workers go.
      lost_update_fraction: of writes to single parameters, by the probe.
      peak_memory_bytes: that a worker process held at most, what it shares with others included.
    """

    parameters: Tensor
    best: Best
    statistics: Tensor
    frames: int
    updates: int
    train_seconds: float
    start_seconds: float
    lost_update_fraction: float
    peak_memory_bytes: int
