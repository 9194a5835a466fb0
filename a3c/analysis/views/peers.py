"""Which other projects' programs a study compares with, and what was adapted in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from a3c.analysis.reading import read_run
from a3c.analysis.score_tables import Row
from a3c.plan import Study


def rows(study: Study, results: Path, base: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """The table `peers`: a row for each variant that a peer trained, and for each version of it that did.

    Args:
      study: every run of it finished.
      results: the folder that holds `runs/`; the manifests say what each peer was.
      base: the rows of the standard tables, which say nothing of this.
    """
    del base
    found: list[Row] = []
    for run in sorted((run for run in study.runs if run.peer), key=lambda run: study.variants.index(run.variant)):
        peer = read_run(run, results).manifest["peer"]
        row: Row = {"variant": run.variant, "peer": peer["name"], "version": peer["version"]}
        row["adapted"] = "; ".join(peer["adapted"])
        if row not in found:
            found.append(row)
    return {"peers": found}
