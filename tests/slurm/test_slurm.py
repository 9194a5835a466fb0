"""The workflow over a real SLURM of one node: the same tables, and a cancelled job goes on from its checkpoint.

Needs root, `slurmctld`, `slurmd`, `munged` and the extra `slurm`, and no other configuration in /etc/slurm:

    apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
    pytest -s tests/slurm
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster import OPTIONS, PATIENCE_SECONDS, cluster, missing, said, until
from determined_study import determined_study

from a3c.plan import load_study
from a3c.records import run_folder

# Those without seconds.
EQUAL_TABLES = (
    "scores",
    "evaluations",
    "comparison",
    "staleness",
    "staleness_histogram",
    "drift",
    "cliff_world_policy",
)

STUDY = determined_study(100_000)


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A SLURM of this machine alone."""
    if why := missing():
        pytest.skip(why)
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


def snakemake(path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "snakemake", *options, "--config", "scale=smoke"]
    return subprocess.Popen(command, cwd=path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished(process: subprocess.Popen[str]) -> str:
    text = process.communicate(timeout=PATIENCE_SECONDS)[0]
    assert process.returncode == 0, text
    return text


@pytest.mark.slow
def test_over_slurm_the_tables_are_the_same_and_a_cancelled_job_goes_on(
    slurm: None, copy_project: Callable[[Path, str], Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    here, there = (copy_project(tmp_path / name, STUDY) for name in ("here", "there"))
    finished(snakemake(here, "--cores", "2"))

    over = snakemake(there, "--profile", "profiles/slurm", *OPTIONS)
    request.addfinalizer(over.kill)
    drawn = next(r.folder for r in load_study("one", "smoke", there / "experiments").runs if r.variant == "a3c")
    folder = there / "results/runs" / drawn
    until(lambda: list((folder / "checkpoints").glob("0*/checkpoint.json")) or over.poll() is not None, "a checkpoint")
    assert not (folder / run_folder.DONE).exists(), "the run is too short for this machine"
    jobs = [line.split("|") for line in said("squeue", "-h", "-o", "%i|%k").splitlines()]
    (job,) = [number for number, comment in jobs if drawn.split("/")[1] in comment]
    said("scancel", job)
    text = finished(over)

    assert "going on from" in (folder / "train.log").read_text(), text
    made = [{path.stem for path in (root / "results/tables/smoke/one").glob("*.csv")} for root in (here, there)]
    assert made[0] == made[1] >= set(EQUAL_TABLES)
    for name in EQUAL_TABLES:
        tables = [root / f"results/tables/smoke/one/{name}.csv" for root in (here, there)]
        assert tables[0].read_bytes() == tables[1].read_bytes(), name
    for run in load_study("one", "smoke", there / "experiments").runs:
        files = [root / "results/runs" / run.folder / run_folder.SCHEDULE for root in (here, there)]
        assert files[0].read_bytes() == files[1].read_bytes(), run.folder
