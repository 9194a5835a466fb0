"""Fails unless MLflow shows what the run folders hold: `check_store.py STORE [how many runs] [below which folder]`.

STORE is the file of an SQLite store, or the address of a server. Every run is FINISHED and the only one of its folder,
and has every point that the folder's files make, once. On a server that others use, too, name the folder of the runs.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from a3c.records import run_folder
from a3c.records.points import points_of
from a3c.settings import Settings

RUNS = """SELECT runs.run_uuid, status, tags.value FROM runs
    LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'run_folder' WHERE lifecycle_stage = 'active'"""
POINTS = "SELECT key, step, value, is_nan FROM metrics WHERE run_uuid = ?"

Points = Counter[tuple[str, int, float, bool]]


class Shown(NamedTuple):
    """One run in MLflow, as SQL stores hold it: what is no number is a marked 0."""

    run_id: str
    status: str
    folder: str
    points: Points


def expected(folder: Path) -> Points:
    """The points of a finished run."""
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text(encoding="utf-8"))
    points = points_of(folder, settings.evaluation.episodes, ended=True)
    return Counter(held(p.metric, p.frames, p.value) for p in points)


def held(metric: str, frames: int, value: float) -> tuple[str, int, float, bool]:
    return metric, frames, 0.0 if math.isnan(value) else value, math.isnan(value)


def in_file(path: str) -> Iterator[Shown]:
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for run_id, status, folder in store.execute(RUNS).fetchall():
        rows = store.execute(POINTS, (run_id,)).fetchall()
        yield Shown(run_id, status, folder, Counter((key, step, value, bool(nan)) for key, step, value, nan in rows))


def on_server(uri: str, below: str) -> Iterator[Shown]:
    from a3c.records.tracking import connect

    client, token = connect(uri), None
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    while experiments:
        page = client.search_runs(experiments, f"tags.run_folder LIKE '{below}%'", page_token=token)
        for run in page:
            history = [point for key in run.data.metrics for point in client.get_metric_history(run.info.run_id, key)]
            points = Counter(held(point.key, point.step, point.value) for point in history)
            yield Shown(run.info.run_id, run.info.status, run.data.tags["run_folder"], points)
        token = page.token
        if not token:
            return


def main(store: str, count: int | None, below: str) -> int:
    """Prints what is wrong; 0 if nothing is."""
    found = on_server(store, below) if "://" in store else in_file(store)
    runs = [run for run in found if (run.folder or "").startswith(below)]
    statuses = Counter(run.status for run in runs)
    print(f"runs in MLflow by status: {dict(statuses)}")
    wrong = []
    if set(statuses) != {"FINISHED"} or count not in (None, len(runs)):
        wrong.append(f"not {count or 'all'} FINISHED")
    wrong += [f"{folder} is shown {n} times" for folder, n in Counter(run.folder for run in runs).items() if n > 1]
    wrong += [
        f"{run.folder} does not hold what run {run.run_id} shows"
        for run in runs
        if run.points != expected(Path(run.folder))
    ]
    print("\n".join([f"points: {sum(run.points.total() for run in runs)}", *wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("count", type=int, nargs="?")
    parser.add_argument("below", default="", nargs="?")
    options = parser.parse_args()
    sys.exit(main(options.store, options.count, options.below))
