"""The commands that plan studies, and make of their runs what people read. Imports are inside, as in `commands`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from a3c.frozen_commands import check_video_modules

if TYPE_CHECKING:
    from a3c.plan import Study


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

    for study in _studies(options, "runs"):
        write_tables(study, options.results)
    return 0


def figures(options: argparse.Namespace) -> int:
    """Draws the figures of studies from their tables."""
    from a3c.analysis.figures import write_figures

    for study in _studies(options, "tables"):
        write_figures(study, options.results)
    return 0


def summary(options: argparse.Namespace) -> int:
    """Draws the summary of those of the studies that have a panel in it."""
    from a3c import missing
    from a3c.analysis.outputs import summarized
    from a3c.analysis.summary_figure import write_summary

    shown = summarized(_studies(options))
    missing.check(shown, options.results, "tables")
    if not write_summary(shown, options.results, options.name or options.scale):
        print("a3c summary: none of the studies has a panel in the summary", file=sys.stderr)
    return 0


def claims(options: argparse.Namespace) -> int:
    """Writes the ledger of claims on studies from their tables."""
    from a3c.analysis.claim_file import read_claims
    from a3c.analysis.claims import write_claims

    read_claims(options.experiments)  # a mistake in the file is said before what is missing
    write_claims(_studies(options, "tables"), options.experiments, options.results, options.name or options.scale)
    return 0


def films(options: argparse.Namespace) -> int:
    """Makes a film of the best run of each game, for the report."""
    from a3c.films import write_films
    from a3c.progress import say

    check_video_modules()
    studies = _studies(options, "runs")
    write_films(studies, options.results, options.name or options.scale, lambda game: say(f"a3c films: {game}"))
    return 0


def report(options: argparse.Namespace) -> int:
    """Writes the report on studies from their tables and figures."""
    from a3c.analysis.report import write_report

    write_report(_drawn(options), options.results, options.name or options.scale)
    return 0


def showcase(options: argparse.Namespace) -> int:
    """Copies a report and what it is made of to a folder that a repository can hold."""
    from a3c.analysis.showcase import write_showcase

    write_showcase(_drawn(options), options.results, options.name or options.scale)
    return 0


def _drawn(options: argparse.Namespace) -> list[Study]:
    """The studies of a report; refused if something that it shows has not been made."""
    from a3c import missing

    found = _studies(options, "runs", "tables", "figures")
    missing.check_summary(found, options.results, options.name or options.scale)
    return found


def _studies(options: argparse.Namespace, *kinds: str) -> list[Study]:
    """The studies named, or all that have the scale; refused if one lacks any of the kinds of `missing.check`.

    Studies whose runs different code has trained are refused as well where they are put together, unless that is
    asked for.
    """
    from a3c import missing
    from a3c.analysis.outputs import check_views
    from a3c.plan import load_studies, studies
    from a3c.study_file import study_path

    if name := getattr(options, "name", None):
        study_path(name, options.results)  # it becomes a file of results, as a study's name does
    names = options.studies or studies(options.experiments, options.scale)
    found = load_studies(names, options.scale, options.experiments)
    check_views(found)
    found = [study for study in found if options.part in (None, study.part)]
    missing.check(found, options.results, *kinds)
    if not getattr(options, "mix_code", True):  # commands without the option put no runs together
        missing.check_code(found, options.results)
    return found
