"""One benchmark: everything measured in turn, written down with the machine it was measured on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from a3c import machine
from a3c.benchmarking.components import Parts
from a3c.benchmarking.goals import Outcome, goals, outcomes
from a3c.benchmarking.limits import copy_bytes_per_second, peak_flops
from a3c.benchmarking.rounds import Measure, interleaved
from a3c.benchmarking.scaling import scaling
from a3c.benchmarking.trainers import Stopwatch, installed, trainers
from a3c.fingerprint import fingerprint
from a3c.problems import InvalidInput, Problem, unknown
from a3c.settings import resolve

FORMAT_VERSION = 1
WHAT = ("components", "trainers", "start")


def benchmark(
    settings: Mapping[str, Any],
    experiments: Path,
    *,
    what: tuple[str, ...],
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Measures and returns the document.

    Args:
      settings: of a game of Atari, not yet validated.
      experiments: the folder with the peers' scripts.
      what: of `WHAT`.
      rounds: how often everything is measured.
      seconds: that a trainer's run should take.
      say: is told what is being measured.

    Raises:
      InvalidInput: if the settings are wrong, or there is nothing of that name to be measured.
    """
    if wrong := [name for name in what if name not in WHAT]:
        raise InvalidInput([Problem("WHAT", unknown(name, WHAT, "part of the benchmark")) for name in wrong])
    parts, cores = Parts(resolve(settings)), machine.cores()
    watch = Stopwatch(settings, seconds, experiments)
    timed: dict[str, Measure] = parts.measures() if "components" in what else {}
    if "start" in what:
        timed |= {"first update": watch.first_update_seconds, "help": _help_seconds}
    trained = watch.measures(installed(trainers(cores))) if "trainers" in what else {}
    values = interleaved(timed | trained, rounds, say)
    limits = {"peak_flops": peak_flops(), "flops_per_step": parts.flops_per_step()}
    found = outcomes(goals(cores, limits["flops_per_step"], limits["peak_flops"]), values)
    return {
        **_machine(cores),
        "settings": dict(settings),
        "seconds_per_run": seconds,
        "limits": limits | {"copy_bytes_per_second": copy_bytes_per_second()},
        "seconds": {name: values[name] for name in timed},
        "steps_per_second": {name: values[name] for name in trained},
        "goals": [_goal(outcome) for outcome in found],
        "scaling": scaling(values, parts.parameters),
    }


def _machine(cores: int) -> dict[str, Any]:
    """When, where and of which code."""
    return {
        "format_version": FORMAT_VERSION,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **machine.commit(),
        "fingerprint": fingerprint(),
        "cpu": machine.cpu(),
        "cores": cores,
        "versions": machine.versions(),
    }


def _goal(outcome: Outcome) -> dict[str, Any]:
    return {
        "what": outcome.what,
        **outcome.found._asdict(),
        "bound": outcome.bound,
        "at_most": outcome.at_most,
        "met": outcome.met,
    }


def _help_seconds() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "a3c", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
