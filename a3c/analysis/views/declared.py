"""What a view is, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Table:
    """A table of a view.

    Attributes:
      columns: its header; a column `x` with an interval has `x_lo` and `x_hi` beside it.
      title: a few words.
      meaning: what its numbers are, one paragraph.
      texts: those of its columns that hold words and that no standard table has.
      csv_only: whether it is too long to be read as text.
    """

    columns: tuple[str, ...]
    title: str
    meaning: str
    texts: frozenset[str] = frozenset()
    csv_only: bool = False


@dataclass(frozen=True)
class View:
    """What a view makes, and which studies it fits.

    Attributes:
      tables: by name; a name belongs to one view.
      figures: names, in the order in which the report shows them.
      published: the paper's figures that it can stand beside; a study with it names one of them.
      needs: `sweep` if it shows values of a swept setting, `no sweep` if it cannot; None if it fits both.
      made_of: files below the results, with `{run}` for a run's folder, that must have been made of each run that its
        recorded schedule determines before the tables can be.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    needs: Literal["sweep", "no sweep"] | None = None
    made_of: tuple[str, ...] = ()


def columns(names: str) -> tuple[str, ...]:
    """Names between spaces; one with an asterisk has its interval beside it."""
    found = []
    for name in names.split():
        plain = name.removesuffix("*")
        found += [plain, f"{plain}_lo", f"{plain}_hi"] if plain != name else [plain]
    return tuple(found)
