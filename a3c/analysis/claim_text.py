"""The ledger as it is read: a text beside the CSV, and a part of the report."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from a3c.analysis import page
from a3c.analysis.claim_file import ledger_path, properties_path
from a3c.analysis.outputs import remake_command
from a3c.analysis.table_text import shortened
from a3c.analysis.verdicts import FEWEST_SEEDS

NOT_TESTED = "not tested at this scale"
NOT_MEASURED = "not measured at this scale"

COLUMNS = (
    "claim", "verdict", "n", "sentence", "source", "test", "scale", "study", "table", "game", "arm", "against",
    "quantity", "effect", "effect_lo", "effect_hi", "effect_n", "effect_verdict", "oversubscribed", "note",
)  # fmt: skip

UNITS = {
    "difference": "difference",
    "equivalence": "difference, 90% interval",
    "ratio": "ratio",
    "quantity": "value",
}

RULES = (
    "An effect counts as supported if its interval lies inside the range that the claim names, as contradicted if "
    "it lies wholly outside, and else as undecided. Intervals are 95% t intervals of means over runs, paired where "
    "runs share a seed, Wilson's for shares; from tables without single runs, the interval of a difference is made "
    "from those of its two sides (Zou and Donner, 2008); equivalence is decided at 90% (two one-sided tests at 5%) "
    "against a margin that stands in the file of claims. What must hold in every run is contradicted by one that is "
    "outside, and its brackets are the least and the greatest run. Nothing is decided with fewer than "
    f"{FEWEST_SEEDS} runs, and games with fewer do not count where others have more. Over several games a difference "
    "is supported if the stratified interval of the probability of improvement says so and no game contradicts it; "
    "anything else must hold in every game. Where several comparisons make one claim, each must hold. Nothing is "
    "corrected for the number of claims: of twenty that are false, one may be supported by chance."
)

Row = dict[str, str]


def ledger_text(results: Path, name: str, scale: str) -> str:
    """The ledger as Markdown, from its CSV files."""
    lines = [f"# Claims and verdicts ({scale})", RULES, _markdown(*_overview(results, name))]
    for row, effects in _claims(results, name):
        facts = [f"- {key}: {value}" for key, value in _facts(row)]
        table = f"- table: [{row['table']}](../{row['table']})" if row["table"] else ""
        lines += [f"## {row['sentence']}", "\n".join([*facts, *filter(None, [table])])]
        lines += [_markdown(*effects)] if effects[1] else []
    header, rows = _properties(results, name)
    if rows:
        lines += ["## A3C against A2C", _markdown(header, rows)]
    return "\n\n".join(lines) + "\n"


def claims_section(results: Path, name: str) -> list[str]:
    """The ledger as markup for the report, from its CSV files; nothing where there is no ledger or it has no claim."""
    if not ledger_path(results, name).exists() or not (claims := list(_claims(results, name))):
        return []
    parts = [page.element("h2", "Claims and verdicts"), page.element("p", RULES, "note")]
    parts.append(page.element("p", _counts([row for row, _ in claims]), "answer"))
    untested = [row for row, _ in claims if row["verdict"] == NOT_TESTED]
    for row, (header, cells) in (claim for claim in claims if claim[0] not in untested):
        table = page.table(header, cells) if cells else ""
        link = f"<p>{page.link('../' + row['table'], row['table'])}</p>" if row["table"] else ""
        verdict = page.element("strong", _with_n(row))
        summary = f"{verdict}: {html.escape(row['sentence'])}"
        parts.append(page.fold(summary, table + page.facts(_facts(row)[1:]) + link))
    if untested:
        why = page.table(["claim", "source", "why not"], [[r["sentence"], r["source"], r["note"]] for r in untested])
        parts.append(page.fold(page.element("strong", f"{len(untested)} {NOT_TESTED}"), why))
    header, cells = _properties(results, name)
    if cells:
        parts += [page.element("h3", "A3C against A2C"), page.table(header, cells)]
    files = (ledger_path(results, name), properties_path(results, name))
    links = " ".join(page.link(f"../claims/{path.name}", path.name) for path in files)
    return [f'<section id="claims">\n{chr(10).join(parts)}\n<p class="note">{links}</p>\n</section>']


def _counts(rows: Sequence[Row]) -> str:
    words = [row["verdict"].partition(" at n")[0] for row in rows]
    kinds = ("supported", "contradicted", "undecided", NOT_TESTED)
    return f"{len(rows)} claims: {', '.join(f'{words.count(kind)} {kind}' for kind in kinds)}."


def _claims(results: Path, name: str) -> Iterator[tuple[Row, tuple[list[str], list[list[str]]]]]:
    """Each claim's first row, and the header and rows of its effects."""
    for _, group in groupby(_read(ledger_path(results, name)), key=lambda row: row["claim"]):
        rows = list(group)
        header = ["game", "runs", "against", rows[0]["quantity"], "n", "verdict"]
        over = "yes" if any(row["oversubscribed"] == "yes" for row in rows) else "no"
        effects = [_effect(row, rows[0]["quantity"]) for row in rows if row["effect"]]
        yield rows[0] | {"oversubscribed": over}, (header, effects)


def _effect(row: Row, quantity: str) -> list[str]:
    over = ", oversubscribed" if row["oversubscribed"] == "yes" else ""
    value = _number(row, "effect") + (f" ({row['quantity']})" if row["quantity"] != quantity else "")
    return [row["game"], row["arm"] + over, row["against"], value, row["effect_n"], row["effect_verdict"]]


def _facts(row: Row) -> list[tuple[str, str]]:
    made = remake_command(row["scale"], [row["study"]])
    facts = [("verdict", _with_n(row)), ("source", row["source"]), ("test", row["test"]), ("study", row["study"])]
    return [*facts, *([("made by", made)] if row["table"] else []), *([("note", row["note"])] if row["note"] else [])]


def _with_n(row: Row) -> str:
    notes = [] if " at " in row["verdict"] else [f"n = {row['n']}"]
    notes += ["oversubscribed"] if row["oversubscribed"] == "yes" and row["verdict"] != NOT_TESTED else []
    return f"{row['verdict']} ({', '.join(notes)})" if notes else row["verdict"]


def _number(row: Row, name: str) -> str:
    low, high = row[f"{name}_lo"], row[f"{name}_hi"]
    return shortened(row[name]) + (f" [{shortened(low)}, {shortened(high)}]" if low or high else "")


def _overview(results: Path, name: str) -> tuple[list[str], list[list[str]]]:
    rows = [[row["sentence"], _with_n(row), row["source"]] for row, _ in _claims(results, name)]
    return ["claim", "verdict", "source"], rows


def _properties(results: Path, name: str) -> tuple[list[str], list[list[str]]]:
    """A row a property and game, a column a heading; what nobody measured says so. No rows if nothing was measured."""
    rows = _read(properties_path(results, name))
    if not any(row["value"] for row in rows):
        return [], []
    headings = list(dict.fromkeys(row["heading"] for row in rows if row["heading"]))
    header = ["property", "game", "workers", *headings]
    lines = []
    for key, group in groupby(rows, key=lambda row: (row["property"], row["unit"], row["game"], row["workers"])):
        found = {row["heading"]: row for row in group}
        cells = [_property(found[h]) if h in found else NOT_MEASURED for h in headings]
        over = ", oversubscribed" if any(row["oversubscribed"] == "yes" for row in found.values()) else ""
        lines.append([f"{key[0]}, {key[1]}" if key[1] else key[0], key[2], key[3] + over, *cells])
    return header, lines


def _property(row: Row) -> str:
    return f"{_number(row, 'value')} (n = {row['n']})" if row["value"] else NOT_MEASURED


def _read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in line)} |" for line in lines)
