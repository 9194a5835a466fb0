"""A finished run's parameters, ready to play: what `a3c evaluate` and `a3c watch` begin with."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder
from a3c.settings import Settings

if TYPE_CHECKING:
    from a3c.learning.flat import FlatNetwork

FINAL, BEST = "final", "best"

# Training evaluates on streams at (point, game), with points from 1. Games here have those at (0, seed, game).
OWN_PLACE = 0


@dataclass(frozen=True)
class Frozen:
    """A finished run at one place of its training.

    Attributes:
      settings: of the run; the policy and the number of games in `settings.evaluation` are those asked for.
      network: with the parameters.
      point: which: `final`, or the number of an evaluation point.
      frames: of training behind them.
      description: the parameters in words, such as `best evaluation point (7 of 10), 112,004 frames`.
      notes: what is not as it was when the run was trained, in words.
    """

    settings: Settings
    network: FlatNetwork
    point: str
    frames: int
    description: str
    notes: list[str]


def load(folder: Path, point: str = FINAL, policy: str | None = None, episodes: int | None = None) -> Frozen:
    """Reads a finished run. Torch is held to one thread from here on, as in training.

    Args:
      folder: of the run.
      point: `final`; or `best`, the evaluation point with the highest mean score.
      policy: `greedy` or `sampled`; None for the one that the run was evaluated with.
      episodes: how many games; None likewise.

    Raises:
      InvalidInput: if there is no such run, the run is not finished or its files are damaged.
    """
    settings = _settings(folder)
    if not (folder / run_folder.DONE).exists():
        raise _invalid(folder, _unfinished(folder))
    number, frames, description = _place(folder, settings, point)
    from a3c.asynchrony.agents import make_network
    from a3c.environments import make
    from a3c.model_files import read_parameters
    from a3c.replaying import changed_conditions

    _one_thread()
    environment = make(settings, OWN_PLACE, use="evaluation")
    network = make_network(settings, environment.spec)
    environment.close()
    read_parameters(folder, network, best=number is not None)
    changes = {"policy": policy or settings.evaluation.policy, "episodes": episodes or settings.evaluation.episodes}
    evaluation = settings.evaluation.model_copy(update=changes)
    notes = changed_conditions(folder)
    name = FINAL if number is None else str(number)
    asked = settings.model_copy(update={"evaluation": evaluation})
    return Frozen(asked, network, name, frames, description, notes)


def _settings(folder: Path) -> Settings:
    path = folder / run_folder.SETTINGS
    if not folder.is_dir():
        raise _invalid(folder, "there is no such folder")
    if not path.exists():
        raise _invalid(folder, f"is no run folder: it has no {run_folder.SETTINGS}")
    try:
        return Settings.from_json(path.read_text(encoding="utf-8"))
    except InvalidInput as error:
        raise InvalidInput([problem.within(f"{path}: ") for problem in error.problems]) from None


def _unfinished(folder: Path) -> str:
    if run_folder.is_owned(folder):
        return f"is still being trained: it has no {run_folder.DONE} yet"
    return f"holds no finished run: it has no {run_folder.DONE}; train it again"


def _place(folder: Path, settings: Settings, point: str) -> tuple[int | None, int, str]:
    """The evaluation point's number (None for the end), its frames, and both in words."""
    if point == FINAL:
        frames = int(run_folder.read_json(folder / run_folder.DONE)["frames"])
        return None, frames, f"final parameters, {frames:,} frames"
    path = folder / run_folder.EVALUATIONS
    scores, frames_at = _evaluations(path)
    if not scores:
        raise _invalid(path, "has no evaluation point at all")
    number = max(scores, key=lambda p: (scores[p], -p))
    where = f"({number} of {settings.evaluation.points}), {frames_at[number]:,} frames"
    return number, frames_at[number], f"best evaluation point {where}"


def _evaluations(path: Path) -> tuple[dict[int, float], dict[int, int]]:
    """Mean score and frames of each evaluation point."""
    scores: dict[int, list[float]] = {}
    frames: dict[int, int] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                number = int(row["point"])
                scores.setdefault(number, []).append(float(row["score"]))
                frames[number] = int(row["frames"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _invalid(path, f"cannot be read: {error!r}") from None
    return {number: sum(values) / len(values) for number, values in scores.items()}, frames


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _invalid(path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), what)])
