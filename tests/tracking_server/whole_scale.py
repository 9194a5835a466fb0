"""A whole scale over an MLflow server on PostgreSQL that is killed midway and comes back a while later.

    whole_scale.py CHECKOUT [--scale smoke] [--studies a,b] [--after-runs 40] [--away-seconds 60]

Fails unless Snakemake and every trainer succeed, and MLflow then holds every point of every run's files, once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from a3c.records import run_folder
from a3c.records.manifest import FINISHED

sys.path.append(str(Path(__file__).parents[1]))

import check_store
from servers import Database, TrackingServer, missing, wait_for


def runs(checkout: Path, name: str) -> list[Path]:
    """Folders of the runs that have a file."""
    return [path.parent for path in (checkout / "results/runs").glob(f"*/*/seed*/{name}")]


def count(checkout: Path) -> int:
    return len(runs(checkout, run_folder.DONE))


def train_all(options: argparse.Namespace, server: TrackingServer) -> int:
    """Starts Snakemake, kills the server, starts it again; returns Snakemake's exit code."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "all", "--config"]
    command += [f"scale={options.scale}", *([f"studies={options.studies}"] if options.studies else [])]
    environment, began = os.environ | {"MLFLOW_TRACKING_URI": server.uri}, time.monotonic()
    process = subprocess.Popen(command, cwd=options.checkout, env=environment)
    wait_for(lambda: process.poll() is not None or count(options.checkout) >= options.after_runs, seconds=1e9)
    server.kill()
    before = count(options.checkout)
    print(f"{time.monotonic() - began:.0f} s: the server is killed, {before} runs are finished", flush=True)
    time.sleep(options.away_seconds)
    meanwhile = count(options.checkout) - before
    server.start()
    print(f"{time.monotonic() - began:.0f} s: it answers again, {meanwhile} runs finished without it", flush=True)
    code = process.wait()
    print(f"{time.monotonic() - began:.0f} s: Snakemake has ended, exit code {code}", flush=True)
    return code


def main(options: argparse.Namespace) -> int:
    """Prints what came of it; 0 if all is as it should be."""
    if reason := missing():
        print(reason)
        return 2
    with tempfile.TemporaryDirectory(prefix="a3c-postgresql-") as folder, tempfile.TemporaryDirectory() as served:
        database = Database(Path(folder))
        server = TrackingServer(database.uri, Path(served))
        try:
            database.start()
            server.start()
            code = train_all(options, server)
            folders = runs(options.checkout, run_folder.MANIFEST)
            outcomes = [run_folder.read_json(found / run_folder.MANIFEST)["outcome"] for found in folders]
            failed = len(outcomes) - outcomes.count(FINISHED)
            print(f"{len(outcomes)} runs, {failed} of them not finished")
            wrong = check_store.main(server.uri, len(outcomes), f"{options.checkout.resolve()}/results/")
        finally:
            server.kill()
            database.kill()
    return 1 if code or failed or wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--scale", default="smoke")
    parser.add_argument("--studies", default="", help="by default all")
    parser.add_argument("--after-runs", type=int, default=40, help="runs that finish before the server is killed")
    parser.add_argument("--away-seconds", type=float, default=60)
    sys.exit(main(parser.parse_args()))
