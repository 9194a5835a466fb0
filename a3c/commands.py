"""What each command of the command line does. Imports are inside: `a3c --help` loads none of this."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.bench_command import bench as bench
from a3c.frozen_commands import evaluate as evaluate
from a3c.frozen_commands import watch as watch
from a3c.problems import InvalidInput, Problem
from a3c.study_commands import claims as claims
from a3c.study_commands import figures as figures
from a3c.study_commands import films as films
from a3c.study_commands import plan as plan
from a3c.study_commands import report as report
from a3c.study_commands import showcase as showcase
from a3c.study_commands import summary as summary
from a3c.study_commands import tables as tables
from a3c.tracking_commands import Mirroring
from a3c.tracking_commands import track as track

if TYPE_CHECKING:
    from a3c.asynchrony.outcomes import Progress
    from a3c.settings import Settings
    from a3c.training import Conditions


def train(options: argparse.Namespace) -> int:
    """Trains one run; the process that shows it in MLflow runs beside it and cannot fail it."""
    from a3c import finished, lifeline
    from a3c.fingerprint import run_fingerprint
    from a3c.progress import Bar
    from a3c.records.run_folder import PROFILE, RunFolderBusy
    from a3c.records.storage import storing
    from a3c.run_summary import run_summary
    from a3c.training import train as train_run

    settings = _settings(options)
    folder = options.into or options.results / "runs" / _run_folder(settings)
    if options.stop_with:
        lifeline.wait_for_an_ending_trainer(folder)
    with storing(folder):
        restored = finished.restore(folder, settings, run_fingerprint(settings.own_functions))
    if restored:
        print(f"finished before: {folder}; delete it to train this run again", file=sys.stderr)
        return 0
    bar = Bar(settings, quiet=options.quiet)
    mirror = Mirroring(options, folder)

    def watch(progress: Progress) -> None:
        mirror.start()
        bar.show(progress)

    try:
        train_run(settings, folder, _conditions(options), watch)
    except RunFolderBusy as error:
        print(f"a3c train: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        bar.close()  # which the message must not stand behind
        return _failed(error, folder)
    finally:
        bar.close()
        mirror.close()
    if options.profile:
        from a3c.records.profiles import profile_text

        trained = (folder / PROFILE).exists()  # not if it had been trained before, and was evaluated by this start
        print(profile_text(folder) if trained else "no profile: nothing was left to be trained")
    print(f"finished: {run_summary(folder)}", file=sys.stderr)
    return 0


def _conditions(options: argparse.Namespace) -> Conditions:
    from a3c.training import Conditions

    return Conditions(
        timing=options.timing,
        checkpoint_seconds=options.checkpoint_seconds or None,
        stall_seconds=options.stall_seconds or None,
        profile=options.profile,
    )


def _failed(error: Exception, folder: Path) -> int:
    """One clear message for a run that ended early; what is not known here keeps its traceback."""
    from a3c.preflight import MEMORY_REMEDY
    from a3c.records.checkpoints import Checkpoints, DamagedCheckpoint
    from a3c.records.storage import StorageError

    if isinstance(error, InvalidInput):
        raise error  # before anything heavier is imported, which may be what cannot be done here
    if isinstance(error, StorageError):
        goes_on = "; then the same command goes on from the last checkpoint" if Checkpoints(folder).any else ""
        print(f"a3c train: {error}{goes_on}", file=sys.stderr)
        return 1
    if isinstance(error, MemoryError):
        print(f"a3c train: out of memory: {error or 'no more can be had'}; {MEMORY_REMEDY}", file=sys.stderr)
        return 1
    if isinstance(error, DamagedCheckpoint):
        print(f"a3c train: a checkpoint in {folder} changed while it was read: {error}", file=sys.stderr)
        return 1
    from a3c.asynchrony.outcomes import ProcessFailedError, StoppedError

    if isinstance(error, StoppedError):
        print(f"a3c train: {error}; the run in {folder} is not finished", file=sys.stderr)
        return 128 + error.signal_number
    if isinstance(error, ProcessFailedError):
        print(f"a3c train: {error}\nthe run in {folder} has failed", file=sys.stderr)
        return 1
    raise error


def _settings(options: argparse.Namespace) -> Settings:
    from a3c.api import make_settings
    from a3c.settings import Settings

    if options.settings is not None:
        if more := [word for word in (options.file, *options.assignments) if word]:
            what = f"are complete, so that {', '.join(more)} would not count; change the JSON, or begin with a file"
            raise InvalidInput([Problem("--settings", what)])
        return Settings.from_json(options.settings)
    path = Path(options.file or "experiments/paper.yaml")
    if path.suffix != ".yaml":
        raise InvalidInput([Problem(str(path), "is no settings file: its name must end in .yaml")])
    return make_settings(path, *options.assignments, experiments=options.experiments)


def _run_folder(settings: Settings) -> str:
    from a3c.plan import Run

    return Run("", settings).folder


def replay(options: argparse.Namespace) -> int:
    """Makes a recorded run again; exit code 0 if it is equal byte for byte, 1 if not."""
    from a3c.progress import Bar
    from a3c.replaying import replay as replay_run
    from a3c.settings import Settings

    into = options.into or options.run / "replay"
    text = options.run / "settings.json"
    if not text.exists():
        raise InvalidInput([Problem(str(options.run), "is no run folder: it has no settings.json")])
    bar = Bar(Settings.from_json(text.read_text()), quiet=options.quiet)
    try:
        found = replay_run(
            options.run, into, until=options.until, worker_processes=options.processes, progress=bar.show
        )
    finally:
        bar.close()
    for condition in found["conditions"]:
        print(f"not as recorded: {condition}", file=sys.stderr)
    if found["until"]:
        print(f"turn {options.until}: {found['until']['numbers']}; tensors in {into / 'turn.npz'}")
        return 0
    if found["equal"]:
        print(f"equal byte for byte: {found['turns']} turns, every episode and evaluation, final state")
        return 0
    blame = "; the conditions above may be why" if found["conditions"] else ""
    print(f"different: {found['difference']}{blame}")
    return 1


def measure(options: argparse.Namespace) -> int:
    """Measures how alike consecutive updates of a recorded run are; exit code 1 if it cannot be made again."""
    from a3c.asynchrony.outcomes import DiffersError
    from a3c.measuring import measure as measure_run
    from a3c.replaying import changed_between_starts, changed_conditions

    into = options.into or options.run / "correlations.csv"
    try:
        measure_run(options.run, into)
    except DiffersError as error:
        for condition in (*changed_conditions(options.run), *changed_between_starts(options.run)):
            print(f"not as recorded: {condition}", file=sys.stderr)
        print(f"a3c measure: {error}", file=sys.stderr)
        return 1
    print(f"measured: {into}")
    return 0


def settings(options: argparse.Namespace) -> int:
    """Prints what can be set, and what the paper's values are."""
    from a3c.settings_files import load_settings
    from a3c.settings_reference import reference

    print(reference(load_settings("paper", options.experiments)), end="")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Says what may be wrong with the machine, the installation and the results; exit code 1 if there is a problem."""
    import json

    from a3c import doctor as doctors
    from a3c.records.tracking_store import default_uri

    uri = options.tracking_uri or default_uri(options.results)
    found = list(doctors.examine(options.results, options.experiments, options.scale, uri))
    print(json.dumps([f._asdict() for f in found], indent=2) if options.json else "\n".join(map(str, found)))
    return 1 if any(finding.state == doctors.PROBLEM for finding in found) else 0


def progress(options: argparse.Namespace) -> int:
    """One line: how many planned runs are finished and how long the rest will take."""
    from a3c.progress import remaining

    print(remaining(options.plan, options.results), file=sys.stderr)
    return 0
