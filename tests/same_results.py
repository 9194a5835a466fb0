"""Fails unless two results folders hold the same of what settings determine: `same_results.py ONE OTHER`.

Compared are runs whose order of turns is drawn or synchronous, in schedule, final parameters, episodes and evaluations,
and the tables of studies that consist of such runs; in both whatever measures time is left out. Runs of other
schedules, of peers, and those that draw from another run's staleness are others each time.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from a3c.peers import PEER_ID
from a3c.records import run_folder

OF_TIME = r"seconds|per_second|^timing$|^cores$|^oversubscribed$"  # columns
TABLES_OF_TIME = ("phases", "throughput", "learning_curves_time", "prediction", "speed_up")
WHOLE_FILES = (run_folder.SCHEDULE, run_folder.MODEL)
ROWS = (run_folder.EPISODES, run_folder.EVALUATIONS)


def determined(folder: Path) -> bool:
    """Whether a run's settings say all that it computes."""
    settings = run_folder.read_json(folder / run_folder.SETTINGS)
    of_another_run = "run" in (settings["order"] or {})
    return settings["schedule"] in ("drawn", "synchronous") and not of_another_run


def finished(results: Path) -> set[str]:
    """Runs of ours, by their folder below `runs/`."""
    found = (path.parent.relative_to(results / "runs") for path in results.glob(f"runs/*/*/seed*/{run_folder.DONE}"))
    return {str(path) for path in found if not re.fullmatch(PEER_ID, path.parts[1])}


def differing_rows(one: Path, other: Path) -> bool:
    """Whether two CSV files differ in anything but time, numbers digit by digit, and the order of their rows.

    Workers' episodes are written as they come.
    """
    tables = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in (one, other)]
    plain = [table.loc[:, ~table.columns.str.contains(OF_TIME)] for table in tables]
    rows = [sorted(table.itertuples(index=False, name=None)) for table in plain]
    return list(plain[0]) != list(plain[1]) or rows[0] != rows[1]


def differences_of_run(one: Path, other: Path) -> Iterator[str]:
    """The files in which two folders of one run differ."""
    for name in WHOLE_FILES:
        if (one / name).read_bytes() != (other / name).read_bytes():
            yield f"{one / name}"
    for name in ROWS:
        if differing_rows(one / name, other / name):
            yield f"{one / name}"


def determined_tables(results: Path) -> Iterator[Path]:
    """Tables of studies all of whose runs are determined, below `tables/`."""
    for runs in sorted(results.glob("tables/*/*/runs.csv")):
        if all(determined(results / "runs" / folder) for folder in pd.read_csv(runs)["folder"]):
            for table in sorted(runs.parent.glob("*.csv")):
                if not table.stem.startswith(TABLES_OF_TIME):
                    yield table.relative_to(results / "tables")


def main(one: Path, other: Path) -> int:
    """Prints what differs and what was compared; 0 if nothing differs and there was something to compare."""
    if only := finished(one) ^ finished(other):
        print(f"{len(only)} runs in one of them alone, such as {min(only)}")
        return 1
    runs = sorted(run for run in finished(one) if determined(one / "runs" / run))
    differing = [d for run in runs for d in differences_of_run(one / "runs" / run, other / "runs" / run)]
    tables = list(determined_tables(one))
    for table in tables:
        if differing_rows(one / "tables" / table, other / "tables" / table):
            differing.append(str(one / "tables" / table))
    print(*(f"differs: {path}" for path in differing), sep="\n", end="\n" if differing else "")
    print(f"{len(runs)} runs that their settings determine and {len(tables)} tables of them: {len(differing)} differ")
    return 1 if differing or not runs else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    arguments = parser.parse_args()
    sys.exit(main(arguments.one, arguments.other))
