"""Makes a recorded run again and says whether it is the same, bit for bit.

A run under `locked`, `synchronous` or `drawn` is a function of its settings, its seeds and its schedule, for one
build of the libraries on one kind of processor with one thread a worker. Those conditions are compared first.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.fingerprint import run_fingerprint
from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder
from a3c.records.schedule_file import why_not_replayable
from a3c.records.storage import write_bytes
from a3c.settings import CustomSettings, Settings
from a3c.training import Conditions, train

if TYPE_CHECKING:
    from a3c.asynchrony.comparing import Recorded
    from a3c.asynchrony.outcomes import Progress

AGREEMENT = "agreement.json"
EXAMINED = "turn.npz"


def replay(
    folder: Path,
    into: Path,
    *,
    until: int | None = None,
    worker_processes: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Executes a finished run again from its settings, seeds and schedule, and compares.

    Args:
      folder: the recorded run.
      into: a folder for the replayed one; its `agreement.json` holds what is returned.
      until: a turn, from 0, to stop at; its rollout, gradient and parameters are saved as `turn.npz`.
      worker_processes: with worker processes behind a turnstile, not in one process.
      progress: called several times a second.

    Returns:
      `equal`: whether everything compared was equal byte for byte (None if it stopped at `until`); `difference`: the
      first one, in words, or None; `conditions`: what is not as it was when the run was recorded, in words; `turns`;
      `until`: the numbers of the turn that was examined.

    Raises:
      InvalidInput: if the folder holds no finished run that can be replayed, or `into` a run that is no replay.
    """
    settings = replayable_settings(folder)
    if into.resolve() == folder.resolve():
        raise InvalidInput([Problem("--into", f"{into} is the recorded run itself; name another folder")])
    recorded = recorded_turns(folder, until)
    agreement: dict[str, Any] = {
        "conditions": changed_conditions(folder) + changed_between_starts(folder),
        "turns": len(recorded.turns),
        "until": None,
    }
    conditions = Conditions(recorded=recorded, worker_processes=worker_processes)
    agreement |= _outcome(lambda: train(settings, into, conditions, progress), folder, into)
    run_folder.write_json(into / AGREEMENT, agreement)
    return agreement


def _outcome(execute: Callable[[], Any], folder: Path, into: Path) -> dict[str, Any]:
    from a3c.asynchrony.outcomes import DiffersError, ExaminedError
    from a3c.asynchrony.recorded_order import ImpossibleTurn

    try:
        execute()
        found = first_difference(folder, into)
    except (DiffersError, ImpossibleTurn) as error:
        found = str(error)
    except ExaminedError as error:
        _save(into / EXAMINED, error.examination.tensors)
        return {"equal": None, "difference": None, "until": {**error.examination._asdict(), "tensors": EXAMINED}}
    return {"equal": found is None, "difference": found}


def changed_conditions(folder: Path) -> list[str]:
    """What a run's bits depend on and is not as it was: libraries, processor, instructions, GPU, code; or nothing."""
    from a3c import devices

    manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text(encoding="utf-8"))
    now = devices.conditions(settings) | {"training code": run_fingerprint(settings.own_functions)}
    then = {**manifest["versions"], **manifest, "training code": manifest["fingerprint"]}
    return [
        f"{name}: recorded with {then.get(name)}, now {value}" for name, value in now.items() if then.get(name) != value
    ]


def changed_between_starts(folder: Path) -> list[str]:
    """What was not the same throughout a run that went on from a checkpoint, which no replay can follow."""
    manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text(encoding="utf-8"))
    source, last = manifest.get("resumed_from") or {}, {**manifest["versions"], **manifest}
    found = [
        f"{name}: recorded with {value} before a checkpoint, with {last.get(name)} after it"
        for earlier in source.get("conditions", [])
        for name, value in earlier.items()
        if last.get(name) != value
    ]
    if source and isinstance(settings.environment, CustomSettings):
        found.append(f"{settings.game}: it went on from a checkpoint, with new episodes if the game cannot be saved")
    return found


def first_difference(recorded: Path, replayed: Path) -> str | None:
    """The first difference of two run folders in turns, episodes, evaluations or final state; None if there is none."""
    import numpy as np

    from a3c.records.schedule_file import read_schedule

    before, after = (read_schedule(folder / run_folder.SCHEDULE)[1] for folder in (recorded, replayed))
    shared = min(len(before), len(after))
    unequal = np.flatnonzero(before[:shared] != after[:shared])
    if len(unequal):
        turn = int(unequal[0])
        return f"turn {turn} (worker {before[turn]['worker']}): recorded {before[turn]}, replayed {after[turn]}"
    if len(before) != len(after):
        return f"turn {shared}: {len(before)} turns recorded, {len(after)} replayed"
    for name, place in ((run_folder.EPISODES, "worker {worker}"), (run_folder.EVALUATIONS, "point {point}")):
        a, b = _rows(recorded / name), _rows(replayed / name)
        for row, other in zip(a, b, strict=False):
            if row != other:
                where = place.format(**row)
                return f"{name}, {where}: recorded {row}, replayed {other}"
        if len(a) != len(b):
            return f"{name}: {len(a)} rows recorded, {len(b)} replayed"
    return _model_difference(recorded / run_folder.MODEL, replayed / run_folder.MODEL)


def _rows(path: Path) -> list[dict[str, str]]:
    """A file's rows without wall-clock, in an order that does not depend on who came first."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
    return sorted(rows, key=lambda row: (int(row["frames"]), *row.values()))


def _model_difference(recorded: Path, replayed: Path) -> str | None:
    """Parameters and optimizer statistics, byte for byte."""
    import torch

    before, after = (torch.load(path, weights_only=True) for path in (recorded, replayed))
    for (place, tensor), (_, other) in zip(_tensors(before), _tensors(after), strict=True):
        if tensor.numpy().tobytes() != other.numpy().tobytes():
            return f"final {place}"
    return None


def _tensors(model: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every tensor of a model file with its place in words."""
    for layer, tensor in model["parameters"].items():
        yield f"parameters, layer {layer}", tensor
    for owner, statistics in enumerate(model["statistics"]):
        whose = f" of worker {owner}" if len(model["statistics"]) > 1 else ""
        for name, layers in statistics.items():
            for layer, tensor in layers.items():
                yield f"{name}{whose}, layer {layer}", tensor


def replayable_settings(folder: Path) -> Settings:
    """The settings of a finished run that its schedule determines.

    Raises:
      InvalidInput: if the folder holds no such run.
    """
    if not (folder / run_folder.DONE).exists():
        raise InvalidInput([Problem(str(folder), f"holds no finished run: it has no {run_folder.DONE}")])
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text(encoding="utf-8"))
    if problem := why_not_replayable(folder, settings):
        raise InvalidInput([problem])
    return settings


def recorded_turns(folder: Path, until: int | None = None) -> Recorded:
    """What to execute again.

    Args:
      folder: of the recorded run.
      until: a turn, from 0, to stop at.

    Raises:
      InvalidInput: if its schedule cannot be read or has no such turn.
    """
    from a3c.asynchrony.comparing import Recorded
    from a3c.records.schedule_file import read_schedule

    try:
        header, turns = read_schedule(folder / run_folder.SCHEDULE)
    except (OSError, ValueError) as error:
        raise InvalidInput([Problem(str(folder / run_folder.SCHEDULE), str(error))]) from None
    if until is not None and not 0 <= until < len(turns):
        raise InvalidInput([Problem("--until", f"got {until}; allowed: 0 to {len(turns) - 1}")])
    return Recorded(header, turns, until)


def _save(path: Path, tensors: dict[str, Any]) -> None:
    import numpy as np

    archive = BytesIO()
    np.savez(archive, allow_pickle=False, **tensors)
    write_bytes(path, archive.getbuffer())
