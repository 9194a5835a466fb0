"""What a command is made of, and a sentence where that is not there or does not go together. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from a3c.analysis import outputs
from a3c.analysis.mixed_code import Mixture, mixtures
from a3c.analysis.views import VIEWS
from a3c.fingerprint import run_fingerprint
from a3c.plan import Run, Study
from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder

MOST_NAMED = 4  # fingerprints in one sentence

# What every finished run has beside `done.json`, which is written last but may have been copied first.
WHOLE = (
    run_folder.SETTINGS, run_folder.MANIFEST, run_folder.EPISODES, run_folder.INTERVALS, run_folder.EVALUATIONS,
)  # fmt: skip
OURS = (run_folder.SAMPLES, run_folder.SCHEDULE)  # and what a peer's run has not


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
    if "runs" in kinds:
        wrong += [problem for study in studies for problem in _incomplete(study, results)]
    if wrong:
        raise InvalidInput(wrong)


def check_summary(studies: Sequence[Study], results: Path, name: str) -> None:
    """Makes sure that the summary of a report is there, if one can be drawn.

    Args:
      studies: those of the report.
      results: folder of everything that is made.
      name: of the report.

    Raises:
      InvalidInput: with the file that is missing, and the command that makes it.
    """
    shown = outputs.summarized(studies)
    absent = [path for path in outputs.summary_files(shown, results, name) if not path.exists()]
    if absent:
        words = ["a3c", "summary", *(study.name for study in shown), "--scale", shown[0].scale, "--name", name]
        raise InvalidInput([Problem("summary", f"{absent[0]} is not made yet; this makes it: {' '.join(words)}")])


def check_code(studies: Sequence[Study], results: Path) -> None:
    """Makes sure that the runs which each study's tables put together were trained by one code.

    Args:
      studies: those that a command was asked for, every run of them finished.
      results: folder of everything that is made.

    Raises:
      InvalidInput: with the fingerprints that a study mixes, and the commands by which it mixes none or is let.
    """
    wrong = [problem for study in studies for problem in _mixed(study, mixtures(study, results))]
    if wrong:
        raise InvalidInput(wrong)


def _missing(study: Study, kind: str, paths: Sequence[Path]) -> Iterable[Problem]:
    absent = [path for path in paths if not path.exists()]
    if absent:
        first = absent[0].parent if absent[0].name == run_folder.DONE else absent[0]
        what = "finished" if kind == "runs" else "made"
        command = outputs.remake_command(study.scale, [study.name])
        sentence = f"{len(absent)} of {len(paths)} {kind} not {what} yet, such as {first}; this makes them: {command}"
        yield Problem(_named(study), sentence)


def _incomplete(study: Study, results: Path) -> Iterable[Problem]:
    """What a copy that broke off leaves: runs that say they are finished and lack a file."""
    folders = {results / "runs" / run.folder: run for run in study.runs}
    lacking = {folder: name for folder, run in folders.items() if (name := _lacking(folder, run))}
    if lacking:
        folder, name = next(iter(lacking.items()))
        remedy = "copy them again from where they were trained, or delete them to train them here"
        what = f"{len(lacking)} of {len(folders)} runs incomplete, such as {folder}, which has no {name}; {remedy}"
        yield Problem(_named(study), what)


def _lacking(folder: Path, run: Run) -> str | None:
    """The first file that a run lacks though it is said to be finished."""
    done = (folder / run_folder.DONE).exists()
    names = WHOLE if run.peer else (*WHOLE, *OURS)
    return next((name for name in names if done and not (folder / name).exists()), None)


def _mixed(study: Study, found: Sequence[Mixture]) -> Iterable[Problem]:
    for kind, folders in found:
        now = None if kind.peer else run_fingerprint(kind.own_functions)
        parts = [
            f"{len(of)} by {code}{' (the code as it is)' if code == now else ''}, such as {of[0]}"
            for code, of in list(folders.items())[:MOST_NAMED]
        ]
        if len(folders) > MOST_NAMED:
            parts.append(f"the rest by {len(folders) - MOST_NAMED} more")
        rule = "train_peer" if kind.peer else "train"
        command = outputs.remake_command(study.scale, [study.name])
        remedy = (
            f"this trains again what the code as it is did not: {command} --forcerun {rule}; this puts them together "
            f"all the same, as --mix-code does: {command} mix_code=true"
        )
        yield Problem(_named(study), f"its {kind} were trained by different code: {'; '.join(parts)}; {remedy}")


def _named(study: Study) -> str:
    return f"study {study.name} at {study.scale} scale"
