"""A real SLURM of this machine alone, reachable from nowhere else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from a3c.records.view import is_alive

CONFIGURATION = Path("/etc/slurm/slurm.conf")  # inner steps look nowhere else
PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sinfo", "squeue", "scancel", "scontrol")
PATIENCE_SECONDS = 400.0
CPUS = max(16, os.cpu_count() or 1)  # so that runs of 16 workers find room, whatever there really is
# What the profile leaves to the cluster, and polling fit for jobs of seconds.
OPTIONS = ("--slurm-no-account", "--default-resources", "slurm_partition=main", "--latency-wait", "5")
OPTIONS += ("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2")

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
SlurmdParameters=config_overrides
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


def bring_back(node: str) -> None:
    """Lets a node that is drained or down have jobs again; one that is down may already have come back by itself."""
    subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], capture_output=True)
    until(lambda: said("sinfo", "-h", "-o", "%T").strip().rstrip("*") in ("idle", "mixed", "allocated"), "the node")


def end(pid: int) -> None:
    """Ends a process and waits for it, since it may write files until then."""
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), f"the end of process {pid}")


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Starts it, with all its files in an empty folder, and ends it.

    Raises:
      AssertionError: if jobs are left at the end.
    """
    munge = folder / "munge"
    for made in (munge, folder / "state", folder / "spool"):
        made.mkdir()
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o011)  # munged is not root and has to come through
    said("mungekey", "--create", f"--keyfile={munge}/key")
    said("chown", "-R", "munge:munge", munge)
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    said("runuser", "-u", "munge", "--", "munged", *(f"--{name}={munge}/{file}" for name, file in files.items()))
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    facts = {"host": socket.gethostname(), "ports": free_ports(2), "cpus": CPUS, "megabytes": megabytes * 3 // 4}
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(SLURM.format(folder=folder, **facts))
    try:
        said("slurmctld")
        said("slurmd")
        until(lambda: said("sinfo", "-h", "-o", "%T").strip() == "idle", "an idle node")
        yield
        assert said("squeue", "-h") == ""
    finally:
        for pid_file in (folder / "slurmd.pid", folder / "slurmctld.pid", munge / "pid"):
            if pid_file.exists():
                end(int(pid_file.read_text()))
        CONFIGURATION.unlink()
