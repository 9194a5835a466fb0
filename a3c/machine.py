"""Facts about the machine and the code that a result depends on. Named facts only, never the whole environment."""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

PACKAGES = ("torch", "numpy", "gymnasium", "ale-py", "pydantic")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
COMMIT_VARIABLE, COMMIT_PATTERN = "A3C_COMMIT", r"[0-9a-f]{7,40}"
PROCESS_GROUPS, CONTROL_GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
MEMORY_FACTS = Path("/proc/meminfo")
SHARED_MEMORY = Path("/dev/shm")
DOMAIN_PACKAGES = ("mujoco", "box2d", "vizdoom", "minatar")  # named only where they are installed


def cores() -> int:
    """Processors this process may use: its affinity mask, cut by the control groups' quota."""
    allowed = affinity()
    quota = cpu_quota()
    return max(1, min(allowed, int(quota))) if quota else allowed


def affinity() -> int:
    """Processors in this process's affinity mask."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_quota() -> float | None:
    """CPU seconds per second that the control groups grant, at least 1; None for no limit."""
    quotas = []
    for group in _control_groups("cpu"):
        try:
            if (group / "cpu.max").exists():
                granted, period = (group / "cpu.max").read_text().split()
            else:
                granted, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if granted != "max" and int(granted) > 0:
                quotas.append(max(1.0, int(granted) / int(period)))
        except (OSError, ValueError):
            continue
    return min(quotas, default=None)


class Memory(NamedTuple):
    """Memory that can still be had.

    Attributes:
      available_bytes: without swapping.
      limited_by: `the machine` or `the control group`.
    """

    available_bytes: int
    limited_by: str


def memory() -> Memory | None:
    """What can still be had of the machine's memory, and of what the control groups leave; None if nobody knows."""
    try:
        lines = (line.split() for line in MEMORY_FACTS.read_text().splitlines())
        free = [Memory(int(words[1]) * 1024, "the machine") for words in lines if words[0] == "MemAvailable:"]
    except (OSError, ValueError, IndexError):
        free = []
    for group in _control_groups("memory"):
        left = _left_in(group)
        if left is not None:
            free.append(Memory(left, "the control group"))
    return min(free, default=None)


def _left_in(group: Path) -> int | None:
    """Bytes below a control group's limit; pages that hold nothing but files not used lately count as free."""
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = int((group / limit).read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            return max(0, most - int((group / used).read_text()) + int(stat.get(cached, 0)))
        except (OSError, ValueError):  # `max` is no limit
            continue
    return None


def _control_groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control group and of those above it, in versions 1 and 2."""
    try:
        lines = [line.split(":", 2) for line in PROCESS_GROUPS.read_text().splitlines()]
    except OSError:
        return
    for number, controllers, path in lines:
        if number == "0" and not controllers:
            top = CONTROL_GROUPS
        elif controller in controllers.split(","):
            top = CONTROL_GROUPS / controller
        else:
            continue
        own = top / path.lstrip("/")
        yield from (group for group in (own, *own.parents) if group.is_relative_to(top))


def open_files_limit() -> int | None:
    """Files that one process may have open at once; None for no limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def address_space_limit() -> int | None:
    """Bytes of addresses that one process may have; None for no limit."""
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def cpu() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that training depends on."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *DOMAIN_PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            if package in PACKAGES:
                found[package] = "not installed"
    return found


def commit() -> dict[str, Any]:
    """Git commit of the code and whether it had uncommitted changes.

    Outside a checkout it is what the environment variable `A3C_COMMIT` says, such as that of an image, or `unknown`.
    """
    where = Path(__file__).parent
    try:
        name = _git(where, "rev-parse", "HEAD")
        dirty = bool(_git(where, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        told = os.environ.get(COMMIT_VARIABLE, "")
        return {"commit": told if re.fullmatch(COMMIT_PATTERN, told) else "unknown", "dirty": None}
    return {"commit": name, "dirty": dirty}


@cache
def code_name() -> str:
    """The commit in ten letters, `-dirty` behind it if the code is not quite that; for the names of files."""
    found = commit()
    return str(found["commit"])[:10] + ("-dirty" if found["dirty"] else "")


def _git(where: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(where), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
