"""The workflow over a real SLURM of one node: the same tables, and a cancelled job goes on from its checkpoint.

Needs root, `slurmctld`, `slurmd`, `munged` and the extra `slurm`, and no other configuration in /etc/slurm:

    apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
    pytest -s tests/slurm
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from a3c.plan import load_study, studies
from a3c.records import run_folder

ROOT = Path(__file__).parent.parent.parent
CONFIGURATION = Path("/etc/slurm/slurm.conf")  # inner steps look nowhere else
PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sinfo", "squeue", "scancel")
PATIENCE_SECONDS = 400.0
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

STUDY = """
title: One
question: Is it the same over SLURM?
variants:
  a2c: {schedule: synchronous}
  a3c: {schedule: drawn, order: {kind: geometric, mean: 3.0, max_lag: 9}}
scales:
  smoke:
    - settings: cliff_world
      games: [CliffWorld]
      workers: [2]
      seeds: 1
      override: {budget_frames: 100_000, evaluation: {points: 2, episodes: 3}, records: {intervals: 4}}
"""

SLURM = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=20
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={megabytes} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no cluster here; nothing if there can."""
    if os.geteuid():
        return "needs root"
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"needs {', '.join(absent)}"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "needs pip install 'a3c[slurm]'"
    return f"{CONFIGURATION} is somebody's" if CONFIGURATION.exists() else ""


def until(condition: Callable[[], object], what: str) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_SECONDS, f"{what} did not come"
        time.sleep(0.2)


def said(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A SLURM of this machine alone, reachable from nowhere else."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("slurm")
    munge = folder / "munge"
    for made in (munge, folder / "state", folder / "spool"):
        made.mkdir()
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o011)  # munged is not root and has to come through
    said("mungekey", "--create", f"--keyfile={munge}/key")
    said("chown", "-R", "munge:munge", munge)
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    said("runuser", "-u", "munge", "--", "munged", *(f"--{name}={munge}/{file}" for name, file in files.items()))
    cores, megabytes = os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    facts = {"host": socket.gethostname(), "ports": free_ports(2), "cpus": cores, "megabytes": megabytes * 3 // 4}
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(SLURM.format(folder=folder, **facts))
    try:
        said("slurmctld")
        said("slurmd")
        until(lambda: said("sinfo", "-h", "-o", "%T").strip() == "idle", "an idle node")
        yield folder
        assert said("squeue", "-h") == ""
    finally:
        for pid_file in (folder / "slurmd.pid", folder / "slurmctld.pid", munge / "pid"):
            if pid_file.exists():
                subprocess.run(["kill", pid_file.read_text().strip()])
        CONFIGURATION.unlink()


def checkout(path: Path) -> Path:
    """A copy of the project with one study, whose trainers make a checkpoint twice a second."""
    for name in ("a3c", "experiments", "profiles"):
        shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in studies(path / "experiments"):
        (path / f"experiments/{name}.yaml").unlink()
    (path / "experiments/one.yaml").write_text(STUDY)
    rules = (ROOT / "Snakefile").read_text().replace("--no-track", "--no-track --checkpoint-seconds 0.5")
    (path / "Snakefile").write_text(rules.replace("setsid {PYTHON} -m a3c track", "true"))  # MLflow is not tested
    return path


def snakemake(path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "snakemake", *options, "--config", "scale=smoke"]
    return subprocess.Popen(command, cwd=path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished(process: subprocess.Popen[str]) -> str:
    text = process.communicate(timeout=PATIENCE_SECONDS)[0]
    assert process.returncode == 0, text
    return text


@pytest.mark.slow
def test_over_slurm_the_tables_are_the_same_and_a_cancelled_job_goes_on(
    cluster: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    here, there = checkout(tmp_path / "here"), checkout(tmp_path / "there")
    finished(snakemake(here, "--cores", "2"))

    polling = ("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2")
    own = ("--slurm-no-account", "--default-resources", "slurm_partition=main", "--latency-wait", "5")
    over = snakemake(there, "--profile", "profiles/slurm", *own, *polling)
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
