"""Where the time of a run's workers went, as a table and as a trace that timeline viewers open."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from a3c.records import run_folder
from a3c.records.storage import write_text

REST = "the rest"  # the loop itself, records, messages


class Span(NamedTuple):
    """One phase of one turn: nanoseconds of the monotonic clock at its beginning, by the clock, on the processor."""

    phase: str
    began_ns: int
    clock_ns: int
    processor_ns: int


class Phase(NamedTuple):
    """All of one phase, without the phases inside it.

    Attributes:
      calls: how many there were.
      clock_seconds: that they lasted.
      processor_seconds: that the worker computed in them.
    """

    calls: int
    clock_seconds: float
    processor_seconds: float


class Profile(NamedTuple):
    """What one worker did.

    Attributes:
      worker: its number.
      clock_seconds: from its first turn to its last.
      processor_seconds: that it computed in them.
      phases: by name.
      spans: the last ones, to be drawn.
    """

    worker: int
    clock_seconds: float
    processor_seconds: float
    phases: dict[str, Phase]
    spans: list[Span]


def write_profiles(folder: Path, profiles: Sequence[Profile]) -> None:
    """Writes `profile.csv`, a line a worker and phase, and `trace.json`, the last turns in the Trace Event format.

    Raises:
      StorageError: if they cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["worker", "phase", *Phase._fields, "clock_share", "processor_share"])
    for profile in profiles:
        for name, phase in phases(profile).items():
            shares = phase.clock_seconds / profile.clock_seconds, phase.processor_seconds / profile.processor_seconds
            writer.writerow([profile.worker, name, phase.calls, *(f"{x:.6f}" for x in (*phase[1:], *shares))])
    write_text(folder / run_folder.PROFILE, table.getvalue())
    write_text(folder / run_folder.TRACE, json.dumps(_trace(profiles), separators=(",", ":")))


def phases(profile: Profile) -> dict[str, Phase]:
    """A worker's phases and what lies between them, by name; longest first."""
    found = profile.phases.values()
    clock = profile.clock_seconds - sum(phase.clock_seconds for phase in found)
    processor = profile.processor_seconds - sum(phase.processor_seconds for phase in found)
    every = {**{name: phase for name, phase in profile.phases.items() if phase.calls}, REST: Phase(1, clock, processor)}
    return dict(sorted(every.items(), key=lambda item: -item[1].clock_seconds))


def profile_text(folder: Path) -> str:
    """All workers' phases in a run folder together, as a table to be read; longest first."""
    sums: dict[str, list[float]] = {}
    with (folder / run_folder.PROFILE).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers = [float(row[name]) for name in Phase._fields]
            sums[row["phase"]] = [a + b for a, b in zip(sums.get(row["phase"], [0.0] * 3), numbers, strict=True)]
    clock, processor = (sum(numbers[i] for numbers in sums.values()) for i in (1, 2))
    lines = [f"{'phase':<14}{'by the clock':>14}{'processor':>11}{'calls':>12}{'ms a call':>11}"]
    for name, (calls, seconds, computed) in sorted(sums.items(), key=lambda item: -item[1][1]):
        number, each = ("", "") if name == REST else (f"{calls:,.0f}", f"{1e3 * seconds / calls:.3f}")
        lines.append(f"{name:<14}{seconds / clock:>14.1%}{computed / processor:>11.1%}{number:>12}{each:>11}")
    waited = "otherwise they waited, for a core or for each other"
    return "\n".join([*lines, f"the workers computed for {processor / clock:.0%} of the time; {waited}"])


def _trace(profiles: Sequence[Profile]) -> dict[str, object]:
    """A track a worker; times in microseconds from the first span that is drawn."""
    origin = min((span.began_ns for profile in profiles for span in profile.spans), default=0)
    events: list[dict[str, object]] = []
    for worker, _, _, _, spans in profiles:
        place = {"pid": 0, "tid": worker}
        events.append({"name": "thread_name", "ph": "M", **place, "args": {"name": f"worker {worker}"}})
        for span in spans:
            when = {"ts": (span.began_ns - origin) / 1e3, "dur": span.clock_ns / 1e3}
            computed = {"processor_us": span.processor_ns / 1e3}
            events.append({"name": span.phase, "ph": "X", **place, **when, "args": computed})
    return {"displayTimeUnit": "ms", "traceEvents": events}
