"""The ledger: every claim of the sources with the effect measured, its interval and n, and a verdict.

Made from tables alone. A verdict is one of: supported, contradicted, undecided at n = k, not tested at this scale.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from a3c.analysis.claim_arms import DERIVED, Row
from a3c.analysis.claim_file import claims_path, ledger_path, properties_path, read_claims
from a3c.analysis.claim_properties import COLUMNS as PROPERTY_COLUMNS
from a3c.analysis.claim_properties import property_rows
from a3c.analysis.claim_schema import Claim, Claims, Difference, Quantity
from a3c.analysis.claim_tests import CONTRADICTED, SIGNS, SUPPORTED, UNDECIDED, Effect, effects, judged
from a3c.analysis.claim_text import COLUMNS, NOT_TESTED, UNITS, ledger_text
from a3c.analysis.claim_words import tested_by
from a3c.analysis.intervals import RESAMPLES, Estimate, generator, percentile_interval, resampled
from a3c.analysis.intervals import probability_of_improvement as improvement
from a3c.analysis.outputs import table_names, table_path
from a3c.analysis.tables import cell, read_table, table_columns
from a3c.analysis.verdicts import FEWEST_SEEDS
from a3c.plan import Study
from a3c.problems import InvalidInput, Problem, unknown
from a3c.records.storage import make_folder, write_text

ALL_GAMES = "all games"


class Finding(NamedTuple):
    """What came of one claim.

    Attributes:
      verdict: as the ledger has it.
      n: runs behind it, in the game and pair of arms that has the fewest; None if it was not tested.
      effects: of every game and arm held against, then of all games together where that says more.
      note: why it was not tested; else the claim's own.
    """

    verdict: str
    n: int | None
    effects: list[Effect]
    note: str


def write_claims(studies: Sequence[Study], experiments: Path, results: Path, name: str) -> None:
    """Writes `<results>/claims/<name>.csv` and `.md`, and the table of A3C against A2C beside them.

    Args:
      studies: of one scale, their tables written; claims about other studies are not tested.
      experiments: folder of the YAML files.
      results: the folder that holds `tables/`.
      name: of the files.

    Raises:
      InvalidInput: with everything that is wrong with the claims, such as a column that a study's table lacks.
      FileNotFoundError: if a table is missing.
    """
    found, scale = read_claims(experiments), studies[0].scale
    by_name = {study.name: study for study in studies}
    wrong = [problem.within(f"{claims_path(experiments)}: ") for problem in _unknown_columns(found, by_name)]
    if wrong:
        raise InvalidInput(wrong)
    rows = [row for claim in found.claims for row in _rows(claim, finding(claim, by_name, results), scale)]
    properties = property_rows(found, by_name, results)
    make_folder(ledger_path(results, name).parent)
    _write(ledger_path(results, name), COLUMNS, rows)
    _write(properties_path(results, name), PROPERTY_COLUMNS, properties)
    text = ledger_text(results, name, scale)
    write_text(ledger_path(results, name, "md"), text, durable=False)


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    file, cells = io.StringIO(), [[cell(row.get(column)) for column in columns] for row in rows]
    csv.writer(file, lineterminator="\n").writerows([columns, *cells])
    write_text(path, file.getvalue(), durable=False)


def finding(claim: Claim, studies: Mapping[str, Study], results: Path) -> Finding:
    """Tests a claim on the tables of its study, if that is among those given."""
    if claim.study not in studies:
        return Finding(NOT_TESTED, None, [], f"the study {claim.study} is not in this report")
    study = studies[claim.study]
    names = {"runs", getattr(claim.test, "table", "runs")}
    tables = {name: read_table(table_path(study, results, name)).to_dict("records") for name in names}
    if claim.games:
        tables = {name: [row for row in rows if row["game"] in claim.games] for name, rows in tables.items()}
    found = effects(claim.test, tables, study.sweep.name if study.sweep else None)
    if not all(found):
        return Finding(NOT_TESTED, None, [], f"the study {claim.study} has not all that the test compares")
    return _combined(claim, found)


def _combined(claim: Claim, found: Sequence[Sequence[Effect]]) -> Finding:
    """One verdict over games, for each arm held against, and over those: all must be supported, and none contradicted.

    Games with too few seeds do not count where others have enough. A difference of scores is supported over several
    games if the probability of improvement is, and no game contradicts it.
    """
    shown: list[Effect] = []
    verdicts: list[str] = []
    for games in found:
        counted = _counted(games)
        shown += games
        if isinstance(claim.test, Difference) and len(counted) > 1 and all(e.groups for e in counted):
            together = _over_games(claim.test, counted)
            shown.append(together)
            verdicts.append(together.verdict)
        else:
            verdicts.append(_joined([effect.verdict for effect in counted]))
    n = min(effect.n for games in found for effect in _counted(games))
    verdict = _joined(verdicts)
    return Finding(f"{verdict} at n = {n}" if verdict == UNDECIDED else verdict, n, shown, claim.note)


def _counted(games: Sequence[Effect]) -> list[Effect]:
    return [effect for effect in games if effect.n >= FEWEST_SEEDS] or list(games)


def _joined(verdicts: Sequence[str]) -> str:
    if CONTRADICTED in verdicts:
        return CONTRADICTED
    return SUPPORTED if set(verdicts) == {SUPPORTED} else UNDECIDED


def _over_games(test: Difference, games: Sequence[Effect]) -> Effect:
    """The probability of improvement, each game counting as much as any other, with its stratified interval."""
    draws = generator()
    pairs = [tuple(group[:, None] for group in effect.groups) for effect in games if effect.groups]
    value = float(np.mean([improvement(x, y) for x, y in pairs]))
    drawn = [improvement(resampled(x, draws, RESAMPLES), resampled(y, draws, RESAMPLES)) for x, y in pairs]
    estimate = Estimate(value, percentile_interval(np.mean(drawn, axis=0)))
    n = min(effect.n for effect in games)
    low, high = SIGNS[test.expect]
    verdict = judged(estimate.interval, (low + 0.5, high + 0.5), n)
    against_it = {SUPPORTED: CONTRADICTED, CONTRADICTED: SUPPORTED}
    if against_it.get(verdict) in {effect.verdict for effect in games}:
        verdict = UNDECIDED
    crowded = any(effect.crowded for effect in games)
    return Effect(ALL_GAMES, games[0].arm, games[0].against, *estimate, n, verdict, crowded)


def _rows(claim: Claim, found: Finding, scale: str) -> Iterator[Row]:
    """A row an effect; one without an effect if nothing was tested."""
    table = getattr(claim.test, "table", "runs")
    about: Row = {
        "claim": claim.id, "verdict": found.verdict, "n": found.n, "sentence": claim.sentence, "source": claim.source,
        "test": tested_by(claim.test), "scale": scale, "study": claim.study, "note": found.note,
        "table": f"tables/{scale}/{claim.study}/{table}.csv" if found.effects else None,
    }  # fmt: skip
    for e in found.effects:
        together = e.game == ALL_GAMES
        yield about | {
            "game": e.game, "arm": e.arm, "against": e.against, "effect": e.value, "effect_lo": e.interval[0],
            "effect_hi": e.interval[1], "effect_n": e.n, "oversubscribed": e.crowded,
            "quantity": "probability of improvement" if together else UNITS[claim.test.kind],
            "effect_verdict": f"{e.verdict} at n = {e.n}" if e.verdict == UNDECIDED else e.verdict,
        }  # fmt: skip
    if not found.effects:
        yield about


def _unknown_columns(found: Claims, studies: Mapping[str, Study]) -> Iterator[Problem]:
    """Tables and columns that a study, where it is there, does not have."""
    for index, claim in enumerate(found.claims):
        test = claim.test
        counted = [test.counted_by] if isinstance(test, Quantity) and test.table != "runs" else []
        wanted = [*DERIVED.get(test.column, (test.column,)), *counted]
        yield from _unknown(f"claims[{index}].test", studies.get(claim.study), getattr(test, "table", "runs"), wanted)
    for index, row in enumerate(found.properties):
        yield from _unknown(f"properties[{index}]", studies.get(row.study), row.table, [row.column, row.counted_by])


def _unknown(where: str, study: Study | None, table: str, columns: Sequence[str]) -> Iterator[Problem]:
    if study is None:
        return
    if table not in table_names(study):
        yield Problem(f"{where}.table", unknown(table, table_names(study), "table"))
        return
    for column in columns:
        if column not in table_columns(study, table):
            yield Problem(f"{where}.column", unknown(column, table_columns(study, table), "column"))
