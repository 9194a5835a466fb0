"""Markdown that MLflow shows, told apart from what a person wrote in its place."""

from __future__ import annotations

import re
import zlib

NOTE = "mlflow.note.content"  # the tag whose text MLflow shows as the description of a run or an experiment
FENCE = "```"


def signed(text: str) -> str:
    """A note with a last line that nobody sees, by which it is known again as long as nobody has changed it."""
    return f"{text}\n\n[//]: # (a3c {zlib.crc32(text.encode()):08x})"


def is_ours(note: str) -> bool:
    """Whether a note may be replaced: there is none, or it is as we wrote it."""
    text, mark, _ = note.rpartition("\n\n[//]: # (a3c ")
    return not note or (bool(mark) and note == signed(text))


def plain(text: str) -> str:
    """A text as it is, for the middle of a line of Markdown: no sign in it means anything."""
    return re.sub(r"([\\`*_\[\]|<>~&])", r"\\\1", " ".join(text.split()))


def code_block(command: str) -> str:
    """A command of a shell, whatever it holds."""
    longest = max(map(len, re.findall("`+", command)), default=0)
    fence = FENCE + "`" * max(0, longest + 1 - len(FENCE))
    return f"{fence}bash\n{command}\n{fence}"


def table(row: dict[str, str]) -> str:
    """One row below the names of its columns, with spaces that MLflow's style sheet leaves out."""
    names, values = (" |&emsp;".join(cells) for cells in (row.keys(), row.values()))
    return f"| {names} |\n|{' --- |' * len(row)}\n| {values} |"
