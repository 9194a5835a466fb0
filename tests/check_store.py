"""Fails unless an MLflow SQLite store shows what the run folders hold: `check_store.py mlflow.db [how many runs]`.

Every run is FINISHED and the only one of its folder, and has every point that the folder's files make, once.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from pathlib import Path

from a3c.records import run_folder
from a3c.records.points import points_of
from a3c.settings import Settings

RUNS = """SELECT runs.run_uuid, status, tags.value FROM runs
    LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'run_folder' WHERE lifecycle_stage = 'active'"""
POINTS = "SELECT key, step, value, is_nan FROM metrics WHERE run_uuid = ?"


def expected(folder: Path) -> Counter[tuple[str, int, float, bool]]:
    """The points of a finished run, as an SQL store holds them: no number is a marked 0."""
    settings = Settings.from_json((folder / run_folder.SETTINGS).read_text(encoding="utf-8"))
    points = points_of(folder, settings.evaluation.episodes, ended=True)
    numbers = [(p, p.value == p.value) for p in points]
    return Counter((p.metric, p.frames, p.value if number else 0.0, not number) for p, number in numbers)


def main(path: str, count: int | None) -> int:
    """Prints what is wrong; 0 if nothing is."""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    runs = store.execute(RUNS).fetchall()
    statuses = Counter(status for _, status, _ in runs)
    print(f"runs in MLflow by status: {dict(statuses)}")
    wrong = []
    if set(statuses) != {"FINISHED"} or count not in (None, len(runs)):
        wrong.append(f"not {count or 'all'} FINISHED")
    wrong += [f"{folder} is shown {n} times" for folder, n in Counter(run[2] for run in runs).items() if n > 1]
    points = 0
    for run_id, _, folder in runs:
        held = Counter((key, step, value, bool(nan)) for key, step, value, nan in store.execute(POINTS, (run_id,)))
        points += held.total()
        if held != expected(Path(folder)):
            wrong.append(f"{folder} does not hold what run {run_id} shows")
    print("\n".join([f"points: {points}", *wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else None))
