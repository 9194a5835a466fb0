"""What a report leaves behind that a repository can hold: all but the run folders, and where each number is from.

    results/showcase/<name>/  README.md  report/  claims/  tables/  figures/  runs.jsonl

The folders are as those of `results/`, so the report's links hold. `runs.jsonl` has a line a run: its manifest
(command, settings, commit, machine, versions), a summary of its schedule, and the SHA-256 of what it left, by which
whoever makes it again can tell.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a3c.analysis import report
from a3c.analysis.claim_file import ledger_path, properties_path
from a3c.analysis.mixed_code import remark
from a3c.analysis.outputs import (
    figure_names,
    figure_path,
    is_text,
    remake_command,
    report_path,
    summarized,
    summary_path,
    table_names,
    table_path,
)
from a3c.analysis.reading import RunFolder, read_run
from a3c.plan import Run, Study
from a3c.records import run_folder
from a3c.records.storage import make_folder, write_text

HASHED = (run_folder.SCHEDULE, run_folder.MODEL, run_folder.EVALUATIONS)


def showcase_path(results: Path, name: str) -> Path:
    """Where a showcase stands."""
    return results / "showcase" / name


def write_showcase(studies: Sequence[Study], results: Path, name: str) -> None:
    """Copies a report and what it is made of to `<results>/showcase/<name>`, in place of what was there.

    Args:
      studies: of one scale, those of the report.
      results: the folder that holds `runs/`, `tables/`, `figures/`, `claims/` and `report/`.
      name: of the report.

    Raises:
      FileNotFoundError: if any of it is missing.
    """
    folder = showcase_path(results, name)
    unfinished = folder.with_name(f".{name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    ledger = [ledger_path(results, name, ending) for ending in ("csv", "md")]
    files = [report_path(results, name), *ledger, properties_path(results, name)]
    if shown := summarized(studies):
        files.append(summary_path(shown[0].scale, results, name))
    for study in studies:
        files += [figure_path(study, results, figure) for figure in figure_names(study)]
        for table in table_names(study):
            files += [table_path(study, results, table, ending) for ending in ("csv", *(["md"] * is_text(table)))]
    for file in files:
        make_folder((target := unfinished / file.relative_to(results)).parent)
        shutil.copyfile(file, target)
    runs = [read_run(run, results) for run in _distinct(studies)]
    lines = [json.dumps(_record(run), sort_keys=True) for run in runs]
    write_text(unfinished / "runs.jsonl", "\n".join([*lines, ""]), durable=False)
    write_text(unfinished / "README.md", _readme(studies, results, name, runs), durable=False)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def _distinct(studies: Sequence[Study]) -> list[Run]:
    """Every run once, by folder; studies share some."""
    return [run for _, run in sorted({str(run.folder): run for study in studies for run in study.runs}.items())]


def _record(run: RunFolder) -> dict[str, Any]:
    staleness = run.staleness
    turns: dict[str, float] = {"turns_after_warm_up": staleness.total}
    if staleness.total:
        shares = {f"staleness_p{int(100 * q)}": staleness.quantile(q) for q in (0.5, 0.9, 0.99)}
        turns |= {"staleness_mean": staleness.mean(), "staleness_sd": staleness.sd(), **shares}
    hashes = {name: _sha256(run.path / name) for name in HASHED if (run.path / name).exists()}
    return {"folder": str(run.run.folder), "schedule": turns, "sha256": hashes, "manifest": run.manifest}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _readme(studies: Sequence[Study], results: Path, name: str, runs: Sequence[RunFolder]) -> str:
    hours, scale = sum(run.train_seconds for run in runs) / 3600.0, studies[0].scale
    made = {key: ", ".join(sorted({str(run.manifest[key]) for run in runs})) for key in ("commit", "cpu", "cores")}
    remarks = {study.name: mixed for study in studies if (mixed := remark(study, results))}
    lines = [
        f"# {name}",
        "",
        *_summary(studies, name),
        f"{len(runs)} run{'s' * (len(runs) != 1)}, {hours:.1f} hours of training, at `scale={scale}`. Processor "
        f"{made['cpu']}, {made['cores']} cores; commit {made['commit']}. Made by",
        "",
        "```bash",
        _command(studies, name) + (" mix_code=true" if remarks else ""),
        "```",
        "",
        f"Open [report/{name}.html](report/{name}.html), one file that needs no other; the [ledger of claims]"
        f"(claims/{name}.md), the tables and the figures stand beside it. `runs.jsonl` says of each run how it was "
        "made, how its schedule went, and the SHA-256 of what it left.",
        "",
        "To look closer, train a run again: the command in its manifest does, at that commit. Then `a3c replay RUN` "
        "holds it against its schedule, `a3c evaluate RUN` plays more games, `a3c watch RUN --into x.mp4` shows one.",
        "",
        *(f"`{study}`: {mixed}\n" for study, mixed in remarks.items()),
        "| study | question | answer | figures |",
        "| --- | --- | --- | --- |",
    ]
    for study in studies:
        cells = [f"`{study.name}`", study.question, report.answer_of(study, results), _links(study)]
        lines.append(f"| {' | '.join(cells)} |".replace("\n", " "))
    return "\n".join([*lines, ""])


def _summary(studies: Sequence[Study], name: str) -> list[str]:
    """Lines with the answers of three studies in one figure, if the showcase has any of them."""
    if not (shown := summarized(studies)):
        return []
    return [f"![{report.summary_words(shown)}]({summary_path(shown[0].scale, Path(), name).as_posix()})", ""]


def _command(studies: Sequence[Study], name: str) -> str:
    """What makes the showcase: the studies are named where they are not all of the scale's."""
    scale = studies[0].scale
    names = [] if name in (scale, f"{scale}_claims") else dict.fromkeys(study.name for study in studies)
    return remake_command(scale, names, "showcase")


def _links(study: Study) -> str:
    """A study's figures; their paths are the same below `results/` and below the showcase."""
    paths = {name: figure_path(study, Path(), name).as_posix() for name in figure_names(study)}
    return ", ".join(f"[{name.replace('_', ' ')}]({path})" for name, path in paths.items())
