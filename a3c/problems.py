"""What is wrong with an input, said all at once: where, what was found, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

MOST_SHOWN, MOST_PATH, MOST_SENTENCE = 200, 300, 2_000  # characters of a value, of a place, of a problem


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input.

    Attributes:
      where: file and key path, such as `experiments/staleness.yaml: scales.laptop[0].workers`.
      what: what was found and what is allowed, in one sentence.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{_printable(self.where, MOST_PATH)}: {_printable(self.what, MOST_SENTENCE)}"

    def within(self, prefix: str) -> Problem:
        """The same problem, its key path prefixed by where the mapping stands."""
        joint = "" if not prefix or prefix.endswith(" ") or self.where.startswith("[") else "."
        return Problem(f"{prefix}{joint}{self.where}", self.what)


def shown(value: object) -> str:
    """A value as a message quotes it: `repr`, cut where it would fill the screen."""
    if isinstance(value, str | bytes) and len(value) > MOST_SHOWN:
        return f"{value[:MOST_SHOWN]!r}... ({len(value):,} characters)"
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}... ({len(text):,} characters)"


class InvalidInput(ValueError):
    """Raised with every problem of an input at once; commands turn it into exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__("\n".join([f"{head} found:", *(f"  - {p}" for p in self.problems)]))


def _printable(text: str, most: int) -> str:
    """A text on one line that cannot steer a terminal, whoever wrote the names in it."""
    cut = text if len(text) <= most else f"{text[: most - 100]}...{text[-97:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def unknown(word: object, allowed: Iterable[str], kind: str = "key") -> str:
    """The sentence for a word that is not among the allowed ones, with the nearest of them."""
    known = sorted(allowed)
    near = difflib.get_close_matches(word[:MOST_SHOWN], known, n=1) if isinstance(word, str) else []
    hint = f"; did you mean {near[0]!r}?" if near else "."
    listed = ", ".join(known) if len(known) <= 20 else f"{', '.join(known[:20])}, ... ({len(known)})"
    return f"unknown {kind} {shown(word)}{hint} Allowed: {listed}"
