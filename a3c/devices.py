"""What torch computes on: a run's bits depend on it."""

from __future__ import annotations

from typing import Any

import torch

from a3c import machine
from a3c.problems import InvalidInput, Problem
from a3c.settings import Settings


def cpu_capability() -> str:
    """Which vector instructions torch uses, such as `AVX512`: other ones sum in another order."""
    return torch.backends.cpu.get_cpu_capability()


def gpu(settings: Settings) -> str | None:
    """The name of the GPU that a run would compute on here, if it does: another model sums in another order."""
    return torch.cuda.get_device_name() if settings.device == "cuda" and torch.cuda.is_available() else None


def conditions(settings: Settings) -> dict[str, Any]:
    """What a run's bits depend on beside settings and code, by name: libraries, processor, instructions, GPU."""
    here = {"cpu": machine.cpu(), "cpu_capability": cpu_capability(), "gpu": gpu(settings)}
    return machine.versions() | here


def check(settings: Settings) -> None:
    """Looks for the device that a run is to compute on.

    Raises:
      InvalidInput: if torch does not find it.
    """
    if settings.device == "cpu":
        return
    if not torch.cuda.is_available():
        why = f"got {settings.device!r}, but torch {torch.__version__} finds no GPU here; allowed here: cpu"
        remedy = "" if torch.version.cuda else "; this torch is built without CUDA: install one that is built with it"
        raise InvalidInput([Problem("device", why + remedy)])
