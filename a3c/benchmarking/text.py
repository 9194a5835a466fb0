"""A benchmark's document, to be read in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from a3c.benchmarking.rounds import spread


def text(document: Mapping[str, Any]) -> str:
    """The document as a table to be read: medians and quartiles, then the goals."""
    lines = [f"{document['cpu']}, {document['cores']} cores, commit {document['commit']}"]
    for measured, unit, scale in (("seconds", "ms", 1e3), ("steps_per_second", "steps/s", 1.0)):
        for name, values in document[measured].items():
            median, low, high, rounds = spread([scale * value for value in values])
            lines.append(f"  {name:32} {median:10.2f} ({low:.2f} to {high:.2f}) {unit}, n={rounds}")
    for goal in document["goals"]:
        sign, verdict = ("<=" if goal["at_most"] else ">="), ("met" if goal["met"] else "MISSED")
        lines.append(
            f"  {goal['what']:48} {goal['median']:6.2f} ({goal['low']:.2f} to {goal['high']:.2f})"
            f"  goal {sign} {goal['bound']:g}: {verdict}"
        )
    if document["scaling"]:
        lines += _scaling(document["scaling"])
    return "\n".join(lines)


def _scaling(scaling: Mapping[str, Any]) -> list[str]:
    """Workers of one game on as many cores, as far as arithmetic and a simulation can say."""
    cores, most = scaling["cores"], scaling["memory_bytes_per_second"] / 1e9
    lines = [f"  {'simulated steps/s on cores:':32}" + "".join(f"{count:>9}" for count in cores)]
    for schedule, speeds in scaling["steps_per_second"].items():
        lines.append(f"    {schedule:30}" + "".join(f"{speed:>9,.0f}" for speed in speeds))
    filled = ", ".join(
        f"{name} with {scaling[key]:.0f} workers"
        for key, name in (
            ("workers_that_fill_one_lock", "one lock"),
            ("workers_that_fill_8_locks", "8 locks on shards"),
            ("workers_that_fill_the_memory", f"memory of {most:.0f} GB/s"),
        )
    )
    return [*lines, f"  on paper, full: {filled}"]
