"""What is wrong with an input, said all at once: where, what was found, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


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
        return f"{self.where}: {self.what}"

    def within(self, prefix: str) -> Problem:
        """The same problem, its key path prefixed by where the mapping stands."""
        joint = "" if not prefix or prefix.endswith(" ") or self.where.startswith("[") else "."
        return Problem(f"{prefix}{joint}{self.where}", self.what)


class InvalidInput(ValueError):
    """Raised with every problem of an input at once; commands turn it into exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__("\n".join([f"{head} found:", *(f"  - {p}" for p in self.problems)]))


def unknown(word: object, allowed: Iterable[str], kind: str = "key") -> str:
    """The sentence for a word that is not among the allowed ones, with the nearest of them."""
    known = sorted(allowed)
    near = difflib.get_close_matches(str(word), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    shown = ", ".join(known) if len(known) <= 20 else f"{', '.join(known[:20])}, ... ({len(known)})"
    return f"unknown {kind} {word!r}{hint} Allowed: {shown}"
