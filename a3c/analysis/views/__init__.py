"""Tables and figures that a study asks for by name, beside those that every study has.

Here stands only what there will be, which Snakemake asks before anything is trained: nothing here imports pandas or
matplotlib. A view `x` is made by the module `a3c.analysis.views.x`, which has

    rows(study, results, base) -> dict[str, list[Row]]      the rows of its tables, by table
    FIGURES: dict[str, (study, tables) -> Figure]           its figures, by name
    answer(study, tables) -> str | None                     optional: one sentence that answers the study's question

`base` are the rows of the study's standard tables (`runs` always among them), `tables` all tables as data frames.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from a3c.analysis.views.declared import Table, View
from a3c.analysis.views.of_the_claims import CLAIM_VIEWS
from a3c.analysis.views.of_the_paper import PAPER_VIEWS

VIEWS: dict[str, View] = PAPER_VIEWS | CLAIM_VIEWS
VIEW_TABLES: dict[str, Table] = {name: table for view in VIEWS.values() for name, table in view.tables.items()}


def implementation(view: str) -> ModuleType:
    """The module that makes a view; it imports pandas, and matplotlib if the view has figures."""
    return import_module(f"{__name__}.{view}")
