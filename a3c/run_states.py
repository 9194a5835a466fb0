"""How every run in a results folder stands: finished, being trained, waiting to go on, or damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from a3c.records import run_folder
from a3c.records.checkpoints import Checkpoint, Checkpoints

FINISHED, TRAINING, UNFINISHED, DAMAGED = "finished", "being trained", "unfinished", "damaged"


class RunState(NamedTuple):
    """How one run stands.

    Attributes:
      folder: of the run.
      state: one of this module's four.
      found: what was seen, in words.
      processes: that work on it now.
    """

    folder: Path
    state: str
    found: str
    processes: int = 0


def run_states(results: Path) -> Iterator[RunState]:
    """The state of every run below `results/runs`, by folder; nothing is changed."""
    for folder in sorted((results / "runs").glob("*/*/seed*")):
        if (folder / run_folder.SETTINGS).exists() or (folder / run_folder.DONE).exists():
            yield run_state(folder)


def run_state(folder: Path) -> RunState:
    """How the run in a folder stands."""
    owner = run_folder.owner(folder)
    if owner is not None:
        return RunState(folder, TRAINING, f"by {owner}", _processes(folder))
    if (folder / run_folder.DONE).exists():
        return _finished(folder)
    checkpoints = list(Checkpoints(folder).found())
    wrong = [f"{path.name}: {found}" for path, found in checkpoints if not isinstance(found, Checkpoint)]
    whole = [found for _, found in checkpoints if isinstance(found, Checkpoint)]
    if whole:
        made = datetime.fromtimestamp(whole[0].folder.stat().st_mtime, UTC).isoformat(timespec="seconds")
        damage = f"; damaged: {'; '.join(wrong)}" if wrong else ""
        return RunState(folder, UNFINISHED, f"goes on from checkpoint {whole[0].number} of {made}{damage}")
    if wrong:
        return RunState(folder, DAMAGED, f"no whole checkpoint: {'; '.join(wrong)}")
    return RunState(folder, UNFINISHED, "has no checkpoint and begins anew")


def _finished(folder: Path) -> RunState:
    wrong = []
    for name in (run_folder.DONE, run_folder.SETTINGS, run_folder.MANIFEST):
        try:
            run_folder.read_json(folder / name)
        except FileNotFoundError:
            if name != run_folder.MANIFEST:
                wrong.append(f"{name} is missing")
        except (OSError, ValueError) as error:
            wrong.append(f"{name} cannot be read: {error}")
    if wrong:
        return RunState(folder, DAMAGED, "; ".join(wrong))
    return RunState(folder, FINISHED, "")


def _processes(folder: Path) -> int:
    """Processes that train the run, from its settings as they stand there."""
    try:
        settings = run_folder.read_json(folder / run_folder.SETTINGS)
        alone = settings["schedule"] == "drawn" or settings["executor"] == "batched"
        return 1 if alone else int(settings["workers"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError, ValueError):
        return 0
