"""What a command is made of, and a sentence where that is not there yet. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from a3c.analysis import outputs
from a3c.analysis.views import VIEWS
from a3c.plan import Study
from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder


def finished(study: Study, results: Path) -> list[Path]:
    """The files that say that the study's runs are finished."""
    return sorted({results / "runs" / run.folder / run_folder.DONE for run in study.runs})


def made_of(study: Study, results: Path) -> list[Path]:
    """What the study's tables are made of: its finished runs, and what its views have made of each of them."""
    ours = [run for run in study.runs if run.peer is None and run.settings.schedule != "hogwild"]
    files = {file.format(run=run.folder) for view in study.views for file in VIEWS[view].made_of for run in ours}
    return [*finished(study, results), *sorted(results / file for file in files)]


def check(studies: Sequence[Study], results: Path, *kinds: str) -> None:
    """Makes sure that what a command needs is there.

    Args:
      studies: those that it was asked for.
      results: folder of everything that is made.
      kinds: of what it needs, among `runs`, `tables` and `figures`.

    Raises:
      InvalidInput: with what is missing of each study, and the command that makes it.
    """
    of = {"runs": made_of, "tables": outputs.table_files, "figures": outputs.figure_files}
    wrong = [
        problem for study in studies for kind in kinds for problem in _missing(study, kind, of[kind](study, results))
    ]
    if wrong:
        raise InvalidInput(wrong)


def _missing(study: Study, kind: str, paths: Sequence[Path]) -> Iterable[Problem]:
    absent = [path for path in paths if not path.exists()]
    if absent:
        first = absent[0].parent if absent[0].name == run_folder.DONE else absent[0]
        what = "finished" if kind == "runs" else "made"
        command = f"snakemake --cores all --config scale={study.scale} studies={study.name}"
        sentence = f"{len(absent)} of {len(paths)} {kind} not {what} yet, such as {first}; this makes them: {command}"
        yield Problem(f"study {study.name} at {study.scale} scale", sentence)
