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
    return "\n".join(lines)
