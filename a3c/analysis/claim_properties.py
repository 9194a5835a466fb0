"""A3C against A2C, property by property: a measured number, its interval and n, wherever a study measures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from a3c.analysis.claim_schema import Claims, Property
from a3c.analysis.outputs import table_path
from a3c.analysis.tables import read_table
from a3c.plan import Study

COLUMNS = (
    "property", "unit", "game", "workers", "heading", "variant", "value", "value_lo", "value_hi", "n",
    "oversubscribed", "study", "table",
)  # fmt: skip

Row = dict[str, Any]


def property_rows(found: Claims, studies: Mapping[str, Study], results: Path) -> list[Row]:
    """A row for every property, game and variant; one without a number for what no study measures at this scale.

    Variants are compared at the greatest number of workers that they share in a game, curves against seconds at the
    latest second that all of them reach.

    Args:
      found: the claims' file.
      studies: by name, their tables written.
      results: the folder that holds `tables/`.
    """
    rows: list[Row] = []
    for row in found.properties:
        measured = _measured(row, found.columns, studies[row.study], results) if row.study in studies else []
        rows += measured or [{"property": row.name, "unit": row.unit, "heading": h} for h in found.columns.values()]
    return rows


def _measured(row: Property, headings: Mapping[str, str], study: Study, results: Path) -> list[Row]:
    table = read_table(table_path(study, results, row.table)).to_dict("records")
    runs = read_table(table_path(study, results, "runs")).to_dict("records")
    crowded = {(run["game"], run["workers"]) for run in runs if run["oversubscribed"] == "yes"}
    about = {"property": row.name, "unit": row.unit, "study": study.name}
    about["table"] = f"tables/{study.scale}/{study.name}/{row.table}.csv"
    rows: list[Row] = []
    for game in dict.fromkeys(line["game"] for line in table):
        lines = {v: _lines(table, str(game), row.variants.get(v, v)) for v in headings}
        for variant, line in _at_one_place({v: found for v, found in lines.items() if found}, row.column).items():
            ends = {f"value_{end}": line.get(f"{row.column}_{end}") for end in ("lo", "hi")}
            place = {"game": game, "workers": line["workers"], "variant": line["variant"], "n": line[row.counted_by]}
            place["heading"] = headings[variant]
            over = (game, line["workers"]) in crowded
            rows.append(about | place | {"value": line[row.column], "oversubscribed": over} | ends)
    return rows


def _lines(table: Sequence[Row], game: str, variant: str) -> list[Row]:
    return [line for line in table if (line["game"], line["variant"]) == (game, variant)]


def _at_one_place(lines: Mapping[str, Sequence[Row]], column: str) -> dict[str, Row]:
    """One line a variant, all of as many workers and, of curves, at one time."""
    shared = set.intersection(*({line["workers"] for line in found} for found in lines.values())) if lines else set()
    if not shared:
        return {}
    mine = {v: [line for line in found if line["workers"] == max(shared)] for v, found in lines.items()}
    if "seconds" in next(iter(mine.values()))[0]:
        end = min(found[-1]["seconds"] for found in mine.values())
        mine = {v: [line for line in found if line["seconds"] <= end] or found[:1] for v, found in mine.items()}
    return {v: _of_all_seeds(found, column) for v, found in mine.items()}


def _of_all_seeds(lines: Sequence[Row], column: str) -> Row:
    """The last line; where each is of one seed, the one with the greatest value, so that no seed is passed over."""
    return max(lines, key=lambda line: line[column]) if "seed" in lines[0] else lines[-1]
