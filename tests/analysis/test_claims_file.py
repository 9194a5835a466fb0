"""Claims as they are written, and that everything wrong with them is said at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from a3c.analysis.claim_file import claims_path, read_claims
from a3c.problems import InvalidInput

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

STUDY = """
title: A study
question: Is it so?
variants:
  a: {schedule: locked}
  b: {schedule: hogwild}
scales: {}
"""

CLAIM: dict[str, Any] = {
    "id": "one",
    "sentence": "A beats B.",
    "source": "Somebody (2016), section 1",
    "study": "known",
    "test": {
        "kind": "difference",
        "column": "mean_score",
        "arm": {"variant": "a"},
        "against": [{"variant": "b", "workers": 1}],
        "expect": "higher",
    },
}


def written(experiments: Path, *claims: dict[str, Any]) -> Path:
    """A folder with one study and these claims."""
    claims_path(experiments).parent.mkdir(parents=True, exist_ok=True)
    (experiments / "known.yaml").write_text(STUDY)
    claims_path(experiments).write_text(yaml.safe_dump({"claims": list(claims)}))
    return experiments


def changed(**changes: Any) -> dict[str, Any]:
    """The claim with keys of its test replaced, or taken out if they are None."""
    claim = copy.deepcopy(CLAIM)
    claim["test"] = {key: value for key, value in (claim["test"] | changes).items() if value is not None}
    return claim


def test_the_claims_of_this_repository_are_read_and_are_no_study() -> None:
    claims = read_claims(EXPERIMENTS).claims
    assert len(claims) >= 20
    assert all(claim.source.strip() and claim.sentence.endswith(".") for claim in claims)
    assert claims_path(EXPERIMENTS) not in EXPERIMENTS.glob("*.yaml")  # where studies are looked for


def test_experiments_without_claims_have_none(tmp_path: Path) -> None:
    assert read_claims(tmp_path).claims == []


def test_a_claim_about_a_study_that_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    [claim] = read_claims(written(tmp_path, CLAIM | {"study": "to_come"})).claims
    assert claim.study == "to_come"


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (changed(kind="differences"), ["claims[0].test", "got kind 'differences'", "equivalence"]),
        (changed(kind=None), ["claims[0].test", "`kind` is missing"]),
        (changed(expects="higher"), ["claims[0].test.expects", "did you mean 'expect'"]),
        (changed(expect=None), ["claims[0].test.expect", "missing"]),
        (changed(expect="more"), ["claims[0].test.expect", "'more'", "'higher'"]),
        (changed(arm={"variant": "c"}), ["claims[0].test.arm.variant", "'c'", "Allowed: a, b, of the study known"]),
        (changed(against=[{"variant": "d"}]), ["claims[0].test.against[0].variant", "'d'"]),
        (changed(against=[]), ["claims[0].test.against"]),
        (changed(arm={"variant": "a", "workers": 0}), ["claims[0].test.arm.workers", "got 0", "fewest"]),
        (changed(arm={"variant": "a", "workers": "all"}), ["claims[0].test.arm.workers", "'all'", "most_within_cores"]),
        (changed(arm={"variant": "a", "value": "mean"}), ["claims[0].test.arm.value", "'mean'", "natural"]),
        (changed(arm={"variant": "a", "lag": 1}), ["claims[0].test.arm.lag", "Allowed: value, variant, workers"]),
        (changed(kind="ratio", expect=None), ["claims[0].test", "`above`, `below` or both"]),
        (changed(kind="equivalence", expect=None, margins={"Pong": 0}), ["claims[0].test.margins.Pong", "got 0"]),
        (
            changed(kind="equivalence", expect=None, margins={"Pnog": 4}),
            ["claims[0].test.margins", "did you mean 'Pong'"],
        ),
        (CLAIM | {"games": ["Breakuot"]}, ["claims[0].games", "did you mean 'Breakout'"]),
        (CLAIM | {"claim": "x"}, ["claims[0].claim", "unknown key"]),
        ({k: v for k, v in CLAIM.items() if k != "source"}, ["claims[0].source", "missing"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(
    claim: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_claims(written(tmp_path, claim))
    text = str(caught.value)
    assert text.startswith("1 problem found")
    assert [word for word in [*words, "claims.yaml"] if word not in text] == [], text


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_claims(written(tmp_path, CLAIM, changed(arm={"variant": "c"})))
    assert [problem.what.split(",")[0] for problem in caught.value.problems] == [
        "got 'one'",
        "unknown variant 'c'. Allowed: a",
    ]
