"""A peer's run, recorded as one of ours: the same files, the same evaluation, the same clocks.

A peer steps environments in one process or in several that it forks, so what is counted lies in shared memory, and
the files that grow are written under one lock. Evaluation waits until training has ended, as in our timed runs.
"""

from __future__ import annotations

import hashlib
import time
from multiprocessing import Lock, RawArray
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from a3c.asynchrony.evaluator import play
from a3c.asynchrony.store import evaluation_targets
from a3c.learning.flat import FlatNetwork
from a3c.records import run_folder
from a3c.records.rows import EpisodeRow, EvaluationRow, IntervalRow, RowWriter
from a3c.settings import Settings

STEPS, UPDATES, POINTS, INTERVALS, EPISODES = range(5)
STARTED, SCORES, LAST_SECONDS, LAST_FRAMES = range(4)


class Recording:
    """What a peer's run leaves while it trains.

    Attributes:
      settings: of the run.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Begins the files.

        Args:
          settings: of the run.
          folder: of the run.
        """
        self.settings = settings
        self._targets = evaluation_targets(settings)
        self._counts, self._numbers, self._lock = RawArray("q", 5), RawArray("d", 4), Lock()
        self._episodes = RowWriter(folder / run_folder.EPISODES, EpisodeRow)
        self._intervals = RowWriter(folder / run_folder.INTERVALS, IntervalRow)
        self._evaluations = RowWriter(folder / run_folder.EVALUATIONS, EvaluationRow)

    def begin(self, network: nn.Module) -> None:
        """Starts the clock. To be called before a peer forks.

        Args:
          network: from observations [B, *shape] to the output [B, K] that our evaluation acts by: logits and a value,
            or action values. Its parameters are the peer's own, and nothing else is evaluated.
        """
        self._network = network
        points, size = len(self._targets), parameters_to_vector(network.parameters()).numel()
        self._snapshots = torch.zeros(points, size).share_memory_()  # type: ignore[no-untyped-call]
        # frames, updates, seconds
        self._places = torch.zeros(points, 3, dtype=torch.float64).share_memory_()  # type: ignore[no-untyped-call]
        self._numbers[STARTED] = time.monotonic()

    def stepped(self, game: tuple[int, int], over: tuple[float, int, bool] | None) -> None:
        """Counts one decision.

        Args:
          game: worker and environment.
          over: if it ended a game, its score, decisions and whether the frame limit ended it.
        """
        with self._lock:
            self._counts[STEPS] += 1
            frames, seconds = self._now()
            if over is not None:
                self._counts[EPISODES] += 1
                self._numbers[SCORES] += over[0]
                self._episodes.write([EpisodeRow(frames, seconds, *game, over[0], over[1], int(over[2]))])
            due = self.settings.budget_frames * (self._counts[INTERVALS] + 1) / self.settings.records.intervals
            if frames >= due:
                self._write_interval(frames, seconds)

    def updated(self, *_: Any) -> None:
        """Counts one update: a hook for any torch optimizer, called after its step."""
        with self._lock:
            self._counts[UPDATES] += 1

    def keep_if_due(self) -> None:
        """Keeps the parameters for evaluation if the frames have come to the next point; the last one waits."""
        point = self._counts[POINTS]
        if point + 1 < len(self._targets) and self._now()[0] >= self._targets[point]:
            with self._lock:
                while self._counts[POINTS] + 1 < len(self._targets) and self._due():
                    self._keep()

    def end(self) -> dict[str, Any]:
        """Stops the clock, plays the evaluation games and returns what is known of the run as a whole."""
        frames, seconds = self._now()
        while self._counts[POINTS] < len(self._targets):
            self._keep()
        if frames > self._numbers[LAST_FRAMES]:
            self._write_interval(frames, seconds)
        for point, target in enumerate(self._targets):
            self._evaluations.write(self._games(point, target))
        return {"frames": frames, "updates": self._counts[UPDATES], "train_seconds": seconds}

    @property
    def started(self) -> float:
        """When the clock was started, on the machine's monotonic clock."""
        return float(self._numbers[STARTED])

    def _now(self) -> tuple[int, float]:
        return self._counts[STEPS] * self.settings.action_repeat, time.monotonic() - self._numbers[STARTED]

    def _due(self) -> bool:
        return bool(self._now()[0] >= self._targets[self._counts[POINTS]])

    def _keep(self) -> None:
        point, (frames, seconds) = self._counts[POINTS], self._now()
        self._snapshots[point] = parameters_to_vector(self._network.parameters()).detach()
        self._places[point] = torch.tensor([frames, self._counts[UPDATES], seconds], dtype=torch.float64)
        self._counts[POINTS] = point + 1

    def _write_interval(self, frames: int, seconds: float) -> None:
        """A row with what every peer has; losses and what staleness there was are its own business."""
        episodes, passed = self._counts[EPISODES], max(seconds - self._numbers[LAST_SECONDS], 1e-9)
        known: dict[str, Any] = dict.fromkeys(IntervalRow._fields) | {
            "frames": frames,
            "updates": self._counts[UPDATES],
            "seconds": seconds,
            "frames_per_second": (frames - self._numbers[LAST_FRAMES]) / passed,
            "episodes": episodes,
            "score_mean": self._numbers[SCORES] / episodes if episodes else None,
        }
        self._intervals.write([IntervalRow(**known)])
        self._counts[INTERVALS] = frames * self.settings.records.intervals // self.settings.budget_frames
        self._counts[EPISODES], self._numbers[SCORES] = 0, 0.0
        self._numbers[LAST_SECONDS], self._numbers[LAST_FRAMES] = seconds, frames

    def _games(self, point: int, target: int) -> list[EvaluationRow]:
        """The same games on the same random streams as a run of ours plays at this point."""
        vector = self._snapshots[point]
        vector_to_parameters(vector.clone(), self._network.parameters())
        frames, updates, seconds = self._places[point].tolist()
        start = (point + 1, target, int(frames), int(updates), seconds)
        digest = hashlib.sha256(vector.numpy().tobytes()).hexdigest()[:16]
        games = play(cast(FlatNetwork, _Actor(self._network)), self.settings, point + 1)
        return [EvaluationRow(*start, i, g.score, g.steps, int(g.truncated), digest) for i, g in enumerate(games)]


class _Actor:
    """A feed-forward network as our evaluation asks for actions."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def initial_state(self, size: int) -> Tensor:
        return torch.zeros(size, 0)

    def act(self, observation: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self._network(observation), state
