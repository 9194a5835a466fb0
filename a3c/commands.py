"""What each command of the command line does. Imports are inside: `a3c --help` loads none of this."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.frozen_commands import evaluate as evaluate
from a3c.frozen_commands import watch as watch
from a3c.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from a3c.asynchrony.outcomes import Progress
    from a3c.plan import Study
    from a3c.settings import Settings


def train(options: argparse.Namespace) -> int:
    """Trains one run; the process that shows it in MLflow runs beside it and cannot fail it."""
    from a3c.progress import Bar
    from a3c.records.run_folder import RunFolderBusy
    from a3c.training import Conditions
    from a3c.training import train as train_run

    settings = _settings(options)
    folder = options.into or options.results / "runs" / _run_folder(settings)
    bar = Bar(settings, quiet=options.quiet)
    mirror = _Mirroring(options, folder)

    def watch(progress: Progress) -> None:
        mirror.start()
        bar.show(progress)

    conditions = Conditions(timing=options.timing, checkpoint_seconds=options.checkpoint_seconds or None)
    try:
        train_run(settings, folder, conditions, watch)
    except RunFolderBusy as error:
        print(f"a3c train: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        return _failed(error, folder)
    finally:
        bar.close()
    print(f"finished: {folder}", file=sys.stderr)
    return 0


def _failed(error: Exception, folder: Path) -> int:
    """One clear message for a run that ended early; what is not known here keeps its traceback."""
    from a3c.asynchrony.outcomes import ProcessFailedError, StoppedError

    if isinstance(error, StoppedError):
        print(f"a3c train: {error}; the run in {folder} is not finished", file=sys.stderr)
        return 128 + error.signal_number
    if isinstance(error, ProcessFailedError):
        print(f"a3c train: {error}\nthe run in {folder} has failed", file=sys.stderr)
        return 1
    raise error


class _Mirroring:
    """The process that shows a run in MLflow while it trains, at the lowest priority."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._command = [sys.executable, "-m", "a3c", "track", str(folder), "--watch", str(os.getpid())]
        self._command += ["--results", str(options.results), "--experiments", str(options.experiments)]
        if options.tracking_uri:
            self._command += ["--tracking-uri", options.tracking_uri]
        self._wanted = not options.no_track
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, once; the run folder has its manifest by then."""
        if self._wanted and self._process is None:
            self._process = subprocess.Popen(self._command, start_new_session=True)


def _settings(options: argparse.Namespace) -> Settings:
    from a3c.settings import Settings, resolve
    from a3c.settings_files import load_settings, merge

    if options.settings:
        return Settings.from_json(options.settings)
    path = Path(options.file)
    raw = load_settings(path.stem, path.parent)
    return resolve(merge(raw, *(_assignment(text) for text in options.assignments)))


def _assignment(text: str) -> dict[str, Any]:
    """`learning.gamma=0.9` -> {"learning": {"gamma": 0.9}}; the value is read as YAML."""
    import yaml

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidInput(
            [Problem(text, "settings are given as key.path=value, such as optimizer.learning_rate=1.0e-3")]
        )
    try:
        content: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InvalidInput([Problem(key, f"the value {value!r} is not YAML")]) from None
    for part in reversed(key.split(".")):
        content = {part: content}
    return dict(content)


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
    from a3c.records import run_folder
    from a3c.replaying import changed_conditions

    into = options.into or options.run / "correlations.csv"
    try:
        measure_run(options.run, into)
    except DiffersError as error:
        for condition in changed_conditions(run_folder.read_json(options.run / run_folder.MANIFEST)):
            print(f"not as recorded: {condition}", file=sys.stderr)
        print(f"a3c measure: {error}", file=sys.stderr)
        return 1
    print(f"measured: {into}")
    return 0


def plan(options: argparse.Namespace) -> int:
    """Lists the runs of studies, or says everything that is wrong with them."""
    for study in _studies(options):
        print(f"{study.name} ({study.scale}): {study.question}")
        for run in study.runs:
            finished = (options.results / "runs" / run.folder / "done.json").exists()
            swept = f"{study.sweep.name} {run.point}".ljust(9) + " " if study.sweep else ""
            print(f"  {'done' if finished else 'to do':5}  {run.variant:18} {swept}{run.folder}")
    return 0


def tables(options: argparse.Namespace) -> int:
    """Writes the tables of studies."""
    from a3c.analysis.tables import write_tables

    for study in _studies(options):
        write_tables(study, options.results)
    return 0


def figures(options: argparse.Namespace) -> int:
    """Draws the figures of studies from their tables."""
    from a3c.analysis.figures import write_figures

    for study in _studies(options):
        write_figures(study, options.results)
    return 0


def claims(options: argparse.Namespace) -> int:
    """Writes the ledger of claims on studies from their tables."""
    from a3c.analysis.claims import write_claims

    write_claims(_studies(options), options.experiments, options.results, options.name or options.scale)
    return 0


def report(options: argparse.Namespace) -> int:
    """Writes the report on studies from their tables and figures."""
    from a3c.analysis.report import write_report

    write_report(_studies(options), options.results, options.name or options.scale)
    return 0


def store(options: argparse.Namespace) -> int:
    """Creates the MLflow store and the experiments of the games that the studies name."""
    from a3c.records.tracking import create_store, default_uri

    games = sorted({run.settings.game for study in _studies(options) for run in study.runs})
    create_store(options.tracking_uri or default_uri(options.results), games, options.results)
    return 0


def track(options: argparse.Namespace) -> int:
    """Brings MLflow up to date with run folders, once or while a process lives."""
    from a3c.plan import studies_of
    from a3c.records.tracking import default_uri
    from a3c.records.view import View, watch

    def find() -> list[Path]:
        return options.runs or sorted(p.parent for p in (options.results / "runs").glob("*/*/seed*/manifest.json"))

    uri = options.tracking_uri or default_uri(options.results)
    view = View(uri, options.results, lambda folder: studies_of(folder, options.experiments))
    if options.watch:
        os.nice(19)
        wrong = watch(view, find, options.watch)
    else:
        wrong = view.update(find())
    for sentence in wrong:
        print(f"a3c track: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def progress(options: argparse.Namespace) -> int:
    """One line: how many planned runs are finished and how long the rest will take."""
    from a3c.progress import remaining

    print(remaining(options.plan, options.results), file=sys.stderr)
    return 0


def _studies(options: argparse.Namespace) -> list[Study]:
    """The studies named, or all that have the scale asked for."""
    from a3c.analysis.outputs import check_views
    from a3c.plan import load_studies, studies

    names = options.studies or studies(options.experiments, options.scale)
    found = load_studies(names, options.scale, options.experiments)
    check_views(found)
    return [study for study in found if options.part in (None, study.part)]
