"""One page a scale that needs no other file: question, answer, figures, tables and where every number came from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a3c.analysis import page
from a3c.analysis.answers import answer
from a3c.analysis.claim_text import claims_section
from a3c.analysis.films import films_section
from a3c.analysis.method import DEVIATION_COLUMNS, DEVIATIONS, METHOD, PARTS
from a3c.analysis.mixed_code import remark
from a3c.analysis.outputs import (
    figure_names,
    figure_path,
    is_text,
    protocols,
    remake_command,
    report_path,
    summarized,
    summary_path,
    table_names,
    table_path,
)
from a3c.analysis.reading import read_run
from a3c.analysis.table_text import notes, oversubscription, readable, title_of
from a3c.analysis.tables import read_table
from a3c.analysis.verdicts import FEWEST_SEEDS
from a3c.plan import Study
from a3c.records.storage import make_folder, write_text

CAUTION = (
    "Intervals of means and of their differences are 95% t intervals over seeds, all others percentile bootstrap "
    "intervals, unless a table's note names another kind. In simulations with 3, 5 and 10 seeds the former hold the "
    "true mean in 95, 95 and 95% of cases if scores are normal, in 84, 82 and 85% if they are lognormal, and in 78, "
    "86 and 89% if half of the seeds reach the highest score there is; percentile intervals of a mean do so in 75, "
    f"83 and 90%, 65, 72 and 81%, and 67, 79 and 86%. With fewer than {FEWEST_SEEDS} seeds nothing is called higher "
    "or lower."
)

INTRODUCTION = (
    "Every number here comes from runs that this project trained, by the commands that stand under each study. Each "
    "table opens on a click and links to its CSV."
)


def write_report(studies: list[Study], results: Path, name: str) -> None:
    """Writes `<results>/report/<name>.html`.

    Args:
      studies: of one scale, their tables and figures written.
      results: the folder that holds `runs/`, `tables/` and `figures/`, and the ledger of claims and the films if there
        are any.
      name: of the file.

    Raises:
      FileNotFoundError: if a table, a figure or a run's manifest is missing.
    """
    answers = {study.name: answer_of(study, results) for study in studies}
    title = f"Asynchronous advantage actor-critic: results at {studies[0].scale} scale"
    body = [page.element("h1", title), *_summary(studies, results, name), page.element("p", INTRODUCTION)]
    for part, heading in PARTS.items():
        mine = [study for study in studies if study.part == part]
        if mine:
            body += [page.element("h2", heading), _overview(mine, answers)]
    body += claims_section(results, name)
    body += films_section(results, name)
    body += [_section(study, results, answers[study.name]) for study in studies]
    body.append(_method())
    path = report_path(results, name)
    make_folder(path.parent)
    write_text(path, page.document(title, body), durable=False)


def _summary(studies: list[Study], results: Path, name: str) -> list[str]:
    """The answers of three studies in one figure, if the report has any of them."""
    if not (shown := summarized(studies)):
        return []
    return [page.picture(summary_path(shown[0].scale, results, name), summary_words(shown))]


def summary_words(shown: Sequence[Study]) -> str:
    """What the summary of these studies, which are `summarized`, says to those who cannot see it."""
    return f"Summary: {' '.join(study.question for study in shown)}"


def answer_of(study: Study, results: Path) -> str:
    """What a study's tables say to its question, in sentences."""
    texts = [name for name in table_names(study) if is_text(name)]
    return answer(study, {name: read_table(table_path(study, results, name)) for name in texts})


def _overview(studies: list[Study], answers: dict[str, str]) -> str:
    """Each study's question, which leads to its section, and the first sentence of its answer."""
    entries = []
    for study in studies:
        first, stop, rest = answers[study.name].partition(". ")
        words = page.element("span", first + (stop.strip() if rest else ""))
        entries.append(f"<li>{page.link(f'#{study.name}', study.question)}<br>{words}</li>")
    return f'<nav><ul class="overview">{"".join(entries)}</ul></nav>'


def _method() -> str:
    parts = [page.element("h2", "Method")]
    for heading, text in METHOD:
        parts += [page.element("h3", heading), page.element("p", text)]
    parts += [page.element("p", CAUTION), page.element("h2", "What differs from the paper")]
    parts.append(page.table(DEVIATION_COLUMNS, DEVIATIONS))
    return '<section id="method">\n' + "\n".join(parts) + "\n</section>"


def _section(study: Study, results: Path, answered: str) -> str:
    mixed = remark(study, results)
    parts = [
        page.element("h2", study.title),
        page.element("p", study.question, "question"),
        page.element("p", answered, "answer"),
        *([page.element("p", mixed)] if mixed else []),
        *(
            page.picture(figure_path(study, results, name), f"{study.title}: {name.replace('_', ' ')}")
            for name in figure_names(study)
        ),
        *(_table(study, results, name) for name in table_names(study)),
        page.facts(_provenance(study, results, mixed=bool(mixed))),
    ]
    return f'<section id="{study.name}">\n' + "\n".join(parts) + "\n</section>"


def _table(study: Study, results: Path, name: str) -> str:
    target = f"../tables/{study.scale}/{study.name}/{name}.csv"
    if not is_text(name):
        return f'<p class="note">{page.link(target, name.replace("_", " ") + " (CSV)")}</p>'
    columns, *cells = _cells(table_path(study, results, name))
    runs = read_table(table_path(study, results, "runs")).to_dict("records")
    for run in runs:
        run["oversubscribed"] = run["oversubscribed"] == "yes"
    content = page.table(*readable(columns, cells)) + page.element("p", notes(name, columns, runs), "note")
    return page.fold(f"{page.element('span', title_of(name))} {page.link(target, 'CSV')}", content)


def _cells(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def _provenance(study: Study, results: Path, *, mixed: bool) -> list[tuple[str, str]]:
    """Names and values: what the runs of a study were made with, from their manifests."""
    folders = [read_run(run, results) for run in study.runs]
    manifests = [folder.manifest for folder in folders]
    hours = sum(folder.train_seconds for folder in folders) / 3600.0
    seeds = sorted({run.settings.seed for run in study.runs})
    versions = sorted({f"{name} {version}" for m in manifests for name, version in m["versions"].items()})
    over = [
        {
            "workers": f.run.settings.workers,
            "cores": f.manifest["cores"],
            "oversubscribed": f.manifest["oversubscribed"],
        }
        for f in folders
    ]
    return [
        ("runs", f"{len(folders)}, {sum(bool(m['timing']) for m in manifests)} of them alone on the machine"),
        ("seeds", ", ".join(map(str, seeds)) if len(seeds) <= 20 else f"{seeds[0]} to {seeds[-1]} ({len(seeds)})"),
        ("protocol", ", ".join(protocols(study)) or "none: no Atari game"),
        ("training time", f"{hours:,.2f} hours in all"),
        ("commit", _distinct(manifests, "commit")),
        ("code fingerprint", _distinct(manifests, "fingerprint")),
        ("processor", _distinct(manifests, "cpu")),
        ("cores", _distinct(manifests, "cores")),
        ("oversubscription", oversubscription(over)),
        ("versions", ", ".join(versions)),
        ("made by", remake_command(study.scale, [study.name]) + (" mix_code=true" if mixed else "")),
    ]


def _distinct(manifests: list[dict[str, Any]], name: str) -> str:
    return ", ".join(sorted({str(manifest[name]) for manifest in manifests}))
