"""Claims as they are written in `experiments/claims/claims.yaml`, and everything that is wrong with them.

The file stands in a folder of its own, since it is no study. Nothing here imports pandas: Snakemake reads the claims
before anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from a3c.analysis.claim_schema import Arm, Claim, Claims, Equivalence, Property, Quantity, Test
from a3c.environments.games import kind_of, known_games
from a3c.problems import InvalidInput, Problem, unknown
from a3c.study_file import read_study_file
from a3c.validation import Frozen
from a3c.yaml_files import read_yaml


def claims_path(experiments: Path) -> Path:
    """Where the claims stand."""
    return experiments / "claims" / "claims.yaml"


def ledger_path(results: Path, name: str, ending: str = "csv") -> Path:
    """Where a target's ledger stands: `<results>/claims/<name>.<ending>`."""
    return results / "claims" / f"{name}.{ending}"


def properties_path(results: Path, name: str) -> Path:
    """Where a target's table of A3C against A2C stands."""
    return results / "claims" / f"{name}_a3c_and_a2c.csv"


def read_claims(experiments: Path) -> Claims:
    """The claims, each about variants that its study has. A study may be missing: then its claims are not tested.

    Raises:
      InvalidInput: with every problem of the file.
    """
    path = claims_path(experiments)
    if not path.exists():
        return Claims(claims=[])
    try:
        found = Claims.model_validate(read_yaml(path))
    except ValidationError as error:
        raise InvalidInput(_field_problems(path, error)) from None
    mistakes = [*_twice(found.claims), *_unknown_variants(found, experiments), *_unknown_games(found.claims)]
    wrong = [problem.within(f"{path}: ") for problem in mistakes]
    if wrong:
        raise InvalidInput(wrong)
    return found


def arms(test: Test) -> list[tuple[str, str]]:
    """Key path and variant of every arm of a test."""
    if isinstance(test, Quantity):
        return [(f"variants[{index}]", variant) for index, variant in enumerate(test.variants)]
    others = ((f"against[{i}].variant", arm.variant) for i, arm in enumerate(test.against))
    return [("arm.variant", test.arm.variant), *others]


def _twice(claims: Sequence[Claim]) -> Iterator[Problem]:
    ids = [claim.id for claim in claims]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            yield Problem(f"claims[{index}].id", f"got {name!r}, which an earlier claim has already")


def _unknown_variants(found: Claims, experiments: Path) -> Iterable[Problem]:
    paths = {claim.study: experiments / f"{claim.study}.yaml" for claim in found.claims}
    present = {name: read_study_file(path).variants for name, path in paths.items() if path.exists()}
    for index, claim in enumerate(found.claims):
        for where, variant in arms(claim.test):
            if variant not in present.get(claim.study, {variant: {}}):
                what = f"{unknown(variant, present[claim.study], 'variant')}, of the study {claim.study}"
                yield Problem(f"claims[{index}].test.{where}", what)


def _unknown_games(claims: Sequence[Claim]) -> Iterator[Problem]:
    """A margin for a game that is spelled otherwise would take the game out of the test."""
    for index, claim in enumerate(claims):
        margins = claim.test.margins if isinstance(claim.test, Equivalence) else {}
        for where, games in (("games", claim.games or []), ("test.margins", margins)):
            for game in games:
                if kind_of(game) is None:
                    yield Problem(f"claims[{index}].{where}", unknown(game, known_games(), "game"))


def _field_problems(path: Path, error: ValidationError) -> list[Problem]:
    kinds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Test)[0])}
    problems = []
    for e in error.errors(include_url=False):
        location = [
            part for place, part in enumerate(e["loc"]) if not (place == 3 and part in kinds)
        ]  # the union's tag
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location).lstrip(".")
        problems.append(Problem(f"{path}: {where}", _sentence(e, kinds)))
    return problems


def _sentence(error: Any, kinds: dict[str, type[Frozen]]) -> str:
    location = error["loc"]
    if error["type"] == "missing":
        return "missing; it needs a value"
    if error["type"] == "extra_forbidden":
        return unknown(location[-1], _model_at(location[:-1], kinds).model_fields)
    if error["type"] == "union_tag_invalid":
        return f"got kind {error['ctx']['tag']!r}; allowed: {', '.join(kinds)}"
    if error["type"] == "union_tag_not_found":
        return f"its `kind` is missing; allowed: {', '.join(kinds)}"
    return f"got {error['input']!r}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _model_at(location: Sequence[int | str], kinds: dict[str, type[Frozen]]) -> type[Frozen]:
    """The model whose keys are allowed there."""
    if "arm" in location or "against" in location:
        return Arm
    if len(location) > 3:
        return kinds[str(location[3])]
    outer: dict[str, type[Frozen]] = {"claims": Claim, "properties": Property}
    return outer.get(str(location[0]), Claims) if location else Claims
