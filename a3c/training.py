"""One run, from settings to a finished run folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c import machine, preflight
from a3c.asynchrony.watchdog import STALL_SECONDS
from a3c.fingerprint import run_fingerprint
from a3c.problems import InvalidInput, Problem
from a3c.records import manifest as manifests
from a3c.records import run_folder
from a3c.records.checkpoints import Checkpoint, Checkpoints
from a3c.records.manifest import Manifest
from a3c.records.storage import StorageError
from a3c.run_results import finish, write_models, write_policy
from a3c.settings import MeasuredHistogram, Settings

if TYPE_CHECKING:
    from a3c.asynchrony.comparing import Recorded
    from a3c.asynchrony.outcomes import Progress, Result
    from a3c.learning.flat import FlatNetwork


@dataclass(frozen=True)
class Conditions:
    """How a run is made, as far as it cannot change what is learnt.

    Attributes:
      timing: this run's seconds will be compared with others', so evaluation waits until training has ended.
      recorded: a run to execute again, turn by turn, instead of letting chance decide.
      worker_processes: execute it with worker processes behind a turnstile, not in one process.
      checkpoint_seconds: between two checkpoints; None for none.
      stall_seconds: a worker that makes no turn for that long, and for ten times as long as its slowest turn, ends the
        run; None for never.
      profile: write down where the workers' time goes.
    """

    timing: bool = False
    recorded: Recorded | None = None
    worker_processes: bool = False
    checkpoint_seconds: float | None = None
    stall_seconds: float | None = STALL_SECONDS
    profile: bool = False


def train(
    settings: Settings,
    folder: Path,
    conditions: Conditions = Conditions(),
    progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Trains one run and leaves its records in `folder`; `done.json` is written last.

    Args:
      settings: what the run is.
      folder: its run folder. A run that was interrupted goes on from its newest checkpoint; whatever else an earlier
        run of these settings left there is removed.
      conditions: what does not change the result.
      progress: called several times a second.

    Returns:
      The content of `done.json`.

    Raises:
      InvalidInput: if the machine has too little of something, every checkpoint is damaged, or the folder holds another
        run, finished or with a checkpoint; nothing was changed.
      RunFolderBusy: if another process trains in this folder.
      ProcessFailedError: if a worker dies.
      StorageError: if a file cannot be written.
      StoppedError: if SIGINT or SIGTERM came.
    """
    _one_thread()
    preflight.check_limits(settings)
    from a3c.asynchrony.start import process_context

    process_context()  # its server imports torch while this process does
    from a3c import devices

    network = _network(settings)
    devices.check(settings)
    preflight.check_room(settings, len(network.vector), folder, checkpoints=bool(conditions.checkpoint_seconds))
    with run_folder.own(folder):
        return _train_owned(settings, folder, network, conditions, progress or _silent)


def _train_owned(
    settings: Settings,
    folder: Path,
    network: FlatNetwork,
    conditions: Conditions,
    progress: Callable[[Progress], None],
) -> dict[str, Any]:
    from a3c import devices
    from a3c.asynchrony.outcomes import StoppedError

    _leave_others_alone(folder, settings, replay=conditions.recorded is not None)
    run = _prepare(settings, folder, conditions)
    manifest = Manifest(
        folder,
        settings,
        timing=conditions.timing,
        cpu_capability=devices.cpu_capability(),
        earlier_seconds=run.earlier_seconds,
    )
    source = run.source.facts if run.source else None
    manifest.add(gpu=devices.gpu(settings), resumed_from=source, replay=conditions.recorded is not None)
    try:
        result = _train(settings, folder, network, conditions, run, progress)
    except BaseException as error:
        run.checkpoints.abandon()
        stopped = isinstance(error, StoppedError | KeyboardInterrupt)
        outcome = manifests.KILLED if stopped else manifests.FAILED
        with suppress(StorageError):  # the disk may be what has failed
            manifest.end(outcome, error=str(error) or type(error).__name__)
        raise
    done = finish(folder, manifest, result)
    run.checkpoints.remove()
    return done


def _leave_others_alone(folder: Path, settings: Settings, *, replay: bool) -> None:
    """A folder with the work of another run is not taken over; one with a replay is, for its record is still there.

    Raises:
      InvalidInput: if it holds such a run, finished or with a checkpoint.
    """
    if not (folder / run_folder.DONE).exists() and not Checkpoints(folder).any:
        return
    try:
        manifest = run_folder.read_json(folder / run_folder.MANIFEST)
        theirs = run_folder.read_json(folder / run_folder.SETTINGS)
    except (FileNotFoundError, ValueError):  # cut short by a power failure: nobody can tell whose it is
        return
    ours = settings.model_dump(mode="json")
    if manifest.get("replay", replay) or (theirs == ours and not replay):
        return
    differ = ", ".join(sorted(key for key in ours if theirs.get(key) != ours[key]))
    what = f"holds a run of another {differ}" if differ else "holds a run that was trained, which is no replay"
    raise InvalidInput([Problem(str(folder), f"{what}; delete it or name another folder")])


def _network(settings: Settings) -> FlatNetwork:
    """The network with its initial parameters; a game that is made to be asked what it looks like is closed again."""
    from a3c.asynchrony.agents import make_network
    from a3c.environments import make

    game = make(settings, 0, 0)
    try:
        return make_network(settings, game.spec)
    finally:
        game.close()


@dataclass(frozen=True)
class _Run:
    """What a run begins with: turns by staleness to draw from, its checkpoints, the one to go on from.

    Of that one, how long its growing files were, and how many seconds the run had been trained for.
    """

    histogram: list[int] | None
    checkpoints: Checkpoints
    facts: dict[str, Any]
    source: Checkpoint | None
    lengths: dict[str, int] | None
    earlier_seconds: float


def _prepare(settings: Settings, folder: Path, conditions: Conditions) -> _Run:
    """Makes the folder ready: cut to the newest checkpoint, or empty."""
    histogram = None if conditions.recorded else _histogram(settings, folder)  # a record needs none
    checkpoints = Checkpoints(folder)
    facts: dict[str, Any] = {"settings": settings.to_json()}
    facts |= {"code": run_fingerprint(settings.own_functions), "histogram": histogram}
    source = checkpoints.newest(facts) if conditions.checkpoint_seconds else None
    facts["conditions"] = _conditions_of_all_starts(settings, source)
    if source is None:
        if (folder / run_folder.SCHEDULE).exists():
            why = "no checkpoint to go on from" if conditions.checkpoint_seconds else "run without checkpoints"
            print(f"a3c: {folder}: {why}, the run begins anew", file=sys.stderr)
        checkpoints.remove()
        run_folder.clear(folder)
    else:
        print(f"a3c: going on from {source.folder}", file=sys.stderr)
    run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
    if histogram is not None and isinstance(settings.order, MeasuredHistogram):
        run_folder.write_json(folder / run_folder.HISTOGRAM, {"run": settings.order.run, "counts": histogram})
    if source is None:
        return _Run(histogram, checkpoints, facts, None, None, 0.0)
    state = source.load("run")
    return _Run(histogram, checkpoints, facts, source, state["lengths"], float(state["shared"]["seconds"]))


def _conditions_of_all_starts(settings: Settings, source: Checkpoint | None) -> list[dict[str, Any]]:
    """What bits depend on, of this start and of those before it; a difference is said, for it spoils a replay."""
    from a3c import devices

    now, earlier = devices.conditions(settings), source.facts.get("conditions", []) if source else []
    if earlier and settings.schedule != "hogwild":
        for name in (name for name in now if earlier[-1].get(name) != now[name]):
            before = earlier[-1].get(name)
            print(f"a3c: {name} is {now[name]}, {before} before: a replay will not be equal", file=sys.stderr)
    return [*earlier, *([] if now in earlier else [now])]


def _train(
    settings: Settings,
    folder: Path,
    network: FlatNetwork,
    conditions: Conditions,
    run: _Run,
    progress: Callable[[Progress], None],
) -> Result:
    from a3c.asynchrony.checkpointing import Checkpointer
    from a3c.asynchrony.crew import Orders
    from a3c.asynchrony.live import Supervisor
    from a3c.records.run_writer import RunWriter

    writer = RunWriter(folder, settings, run.lengths)
    every, checkpointer = conditions.checkpoint_seconds, None
    if every:
        checkpointer = Checkpointer(run.checkpoints, run.facts, every_seconds=every)
    with preflight.allocating():
        supervisor = Supervisor(
            settings,
            network.vector,
            writer,
            orders=Orders(run.histogram, conditions.recorded, conditions.worker_processes),
            checkpointer=checkpointer,
            source=run.source,
            evaluate_after_training=conditions.timing,
            stall_seconds=conditions.stall_seconds,
            profile=conditions.profile,
        )
    result = supervisor.run(progress)
    writer.close()
    write_models(folder, network, settings, result)
    write_policy(folder, network, settings)
    return result


def _histogram(settings: Settings, folder: Path) -> list[int] | None:
    """Turns by staleness in the run that the order names, after its warm-up.

    Raises:
      InvalidInput: if there is no such finished run below a folder that this one is in.
    """
    if not isinstance(settings.order, MeasuredHistogram):
        return None
    from a3c.records.schedule_file import staleness_counts

    source = run_folder.find_finished(settings.order.run, beside=folder)
    if source is None:
        what = f"no folder above {folder} holds the finished run {settings.order.run}; train it first"
        raise InvalidInput([Problem("order.run", what)])
    return staleness_counts(source / run_folder.SCHEDULE)


def _silent(progress: Progress) -> None:
    del progress


def _one_thread() -> None:
    """Whatever the caller exported: libraries read these variables when they are first imported."""
    for variable in machine.THREAD_VARIABLES:
        os.environ[variable] = "1"
