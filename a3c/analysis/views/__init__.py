"""Tables and figures that a study asks for by name, beside those that every study has.

Here stands only what there will be, which Snakemake asks before anything is trained: nothing here imports pandas or
matplotlib. A view `x` is made by the module `a3c.analysis.views.x`, which has

    rows(study, results, base) -> dict[str, list[Row]]      the rows of its tables, by table
    FIGURES: dict[str, (study, tables) -> Figure]           its figures, by name
    answer(study, tables) -> str | None                     optional: one sentence that answers the study's question

`base` are the rows of the study's standard tables (`runs` always among them), `tables` all tables as data frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
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
      needs: `sweep` if it shows values of a swept setting, `no sweep` if it cannot; None if it fits both.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: tuple[str, ...] = ()
    needs: Literal["sweep", "no sweep"] | None = None


VIEWS: dict[str, View] = {}
VIEW_TABLES: dict[str, Table] = {name: table for view in VIEWS.values() for name, table in view.tables.items()}


def implementation(view: str) -> ModuleType:
    """The module that makes a view; it imports pandas, and matplotlib if the view has figures."""
    return import_module(f"{__name__}.{view}")
