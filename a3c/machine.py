"""Facts about the machine and the code that a result depends on. Named facts only, never the whole environment."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "gymnasium", "ale-py", "pydantic")
DOMAIN_PACKAGES = ("mujoco", "box2d", "vizdoom", "minatar")  # named only where they are installed


def cores() -> int:
    """Processors this process may use: its affinity mask, cut by the control group's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota()
    return max(1, min(allowed, int(quota))) if quota else allowed


def _quota() -> float | None:
    """CPU seconds per second that the control group (version 2) grants; None for no limit."""
    try:
        granted, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if granted == "max" else max(1.0, int(granted) / int(period))


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
    """Git commit of the code and whether it had uncommitted changes; `unknown` outside a checkout."""
    where = Path(__file__).parent
    try:
        name = _git(where, "rev-parse", "HEAD")
        dirty = bool(_git(where, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "dirty": None}
    return {"commit": name, "dirty": dirty}


def _git(where: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(where), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
