"""The ledger: from tables to verdicts, in three files and the report."""

from __future__ import annotations

import csv
import dataclasses
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from a3c.__main__ import main
from a3c.analysis import outputs
from a3c.analysis.claim_file import claims_path, ledger_path, properties_path, read_claims
from a3c.analysis.claim_properties import property_rows
from a3c.analysis.claim_text import NOT_MEASURED, NOT_TESTED, claims_section
from a3c.analysis.claims import finding, write_claims
from a3c.analysis.tables import COLUMNS
from a3c.plan import Study, load_study, studies
from a3c.problems import InvalidInput
from a3c.workflow import Workflow

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
HOSTILE = "<script>alert('x')</script> & | more."

Write = Callable[..., Study]


def claim(name: str = "faster", study: str = "trial", sentence: str = "One is faster.", **test: Any) -> dict[str, Any]:
    """A claim that hogwild scores higher than locked, or another."""
    usual = {
        "kind": "difference", "column": "mean_score", "arm": {"variant": "hogwild"},
        "against": [{"variant": "locked"}], "expect": "higher",
    }  # fmt: skip
    found = {"id": name, "sentence": sentence, "source": "Somebody (2016), Figure 1", "study": study}
    return found | {"test": usual | test}


def experiments(folder: Path, *claims: dict[str, Any], **more: Any) -> Path:
    """A folder of experiments with these claims and no study."""
    path = claims_path(folder / "experiments")
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"claims": list(claims)} | more))
    return folder / "experiments"


@pytest.fixture
def trial(tmp_path: Path, synthetic: Any) -> Write:
    """Writes the table of runs of a study of hogwild against locked, from the scores of both by game."""

    def write(**games: tuple[list[float], list[float]]) -> Study:
        runs = [synthetic.make_run(v, game) for game in games for v in ("hogwild", "locked")]
        study: Study = synthetic.make_study(*runs)
        rows = [
            {"game": game, "variant": variant, "workers": 2, "seed": seed, "mean_score": score, "oversubscribed": "no"}
            for game, sides in games.items()
            for variant, scores in zip(("hogwild", "locked"), sides, strict=True)
            for seed, score in enumerate(scores)
        ]
        table(study, tmp_path, "runs", rows)
        return study

    return write


def table(study: Study, results: Path, name: str, rows: list[dict[str, Any]]) -> None:
    path = outputs.table_path(study, results, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS.get(name, tuple(rows[0])))
        writer.writeheader()
        writer.writerows(rows)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


HIGH, LOW = [11.0, 12.0, 13.0, 14.0, 15.0], [1.0, 2.5, 2.0, 4.0, 5.5]


def test_a_ledger_has_the_effect_its_interval_n_and_a_verdict(tmp_path: Path, trial: Write) -> None:
    write_claims([trial(Pong=(HIGH, LOW))], experiments(tmp_path, claim()), tmp_path, "smoke")
    [row] = rows(ledger_path(tmp_path, "smoke"))
    assert (row["verdict"], row["n"], row["game"], row["effect"]) == ("supported", "5", "Pong", "10")
    assert float(row["effect_lo"]) < 10 < float(row["effect_hi"])
    assert (tmp_path / row["table"]).is_file()
    text = ledger_path(tmp_path, "smoke", "md").read_text()
    made = "snakemake --cores all --config scale=smoke studies=trial"
    for words in ("supported (n = 5)", "One is faster.", "Somebody (2016)", made):
        assert words in text


def test_what_cannot_be_tested_says_so_and_why(tmp_path: Path, trial: Write) -> None:
    there = claim("alone", arm={"variant": "locked", "workers": 16})
    write_claims([trial(Pong=(HIGH, LOW))], experiments(tmp_path, claim(study="to_come"), there), tmp_path, "smoke")
    absent, alone = rows(ledger_path(tmp_path, "smoke"))
    assert absent["verdict"] == alone["verdict"] == NOT_TESTED
    assert (absent["n"], absent["effect"]) == ("", "")
    assert "to_come is not in this report" in absent["note"]
    assert "trial has not all that the test compares" in alone["note"]


def test_a_column_that_a_study_lacks_is_named_before_anything_is_written(tmp_path: Path, trial: Write) -> None:
    folder = experiments(tmp_path, claim(column="mean_scor"), claim("two", table="scors", column="x"))
    with pytest.raises(InvalidInput) as caught:
        write_claims([trial(Pong=(HIGH, LOW))], folder, tmp_path, "smoke")
    assert [p.where.rpartition(" ")[2] for p in caught.value.problems] == [
        "claims[0].test.column",
        "claims[1].test.table",
    ]
    assert "did you mean 'mean_score'" in str(caught.value)
    assert not ledger_path(tmp_path, "smoke").exists()


def verdict_of(study: Study, results: Path, **test: Any) -> tuple[str, int | None, list[Any]]:
    read = read_claims(experiments(results, claim(**test))).claims[0]
    found = finding(read, {"trial": study}, results)
    return found.verdict, found.n, found.effects


def test_games_are_put_together_by_who_wins(tmp_path: Path, trial: Write) -> None:
    """Neither game decides by its mean, for one run each that stands out; who wins in both together does."""
    mine, others = [11.0, 12.0, 13.0, 14.0, 90.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    verdict, n, effects = verdict_of(trial(Pong=(mine, others), Breakout=(mine, others)), tmp_path)
    assert [effect.verdict for effect in effects] == ["undecided", "undecided", "supported"]
    assert (effects[-1].game, effects[-1].value, verdict, n) == ("all games", 1.0, "supported", 5)


def test_a_game_that_contradicts_keeps_the_others_from_deciding(tmp_path: Path, trial: Write) -> None:
    study = trial(Pong=(HIGH, LOW), Breakout=(HIGH, LOW), Qbert=(HIGH, LOW), Seaquest=([9.1, 9.2, 9.3, 9.1, 9.4], HIGH))
    verdict, _, effects = verdict_of(study, tmp_path)
    assert [effect.verdict for effect in effects] == ["supported"] * 2 + ["supported", "contradicted", "undecided"]
    assert effects[-1].interval[0] > 0.5
    assert verdict == "undecided at n = 5"


def test_games_with_too_few_seeds_are_shown_and_do_not_count(tmp_path: Path, trial: Write) -> None:
    verdict, n, effects = verdict_of(trial(Pong=(HIGH, LOW), Breakout=([1.0], [2.0])), tmp_path)
    assert [(effect.game, effect.n) for effect in effects] == [("Pong", 5), ("Breakout", 1)]
    assert (verdict, n) == ("supported", 5)


def test_each_of_several_comparisons_must_hold(tmp_path: Path, trial: Write) -> None:
    against = [{"variant": "locked"}, {"variant": "hogwild", "workers": 2}]
    assert verdict_of(trial(Pong=(HIGH, LOW)), tmp_path, against=against)[0] == NOT_TESTED


def test_equivalence_must_hold_in_every_game(tmp_path: Path, trial: Write) -> None:
    near = [value + 0.1 for value in HIGH]
    test = {"kind": "equivalence", "margins": {"Pong": 1.0, "Breakout": 1.0}}
    read = {key: value for key, value in claim(**test)["test"].items() if key != "expect"}
    folder = experiments(tmp_path, claim() | {"test": read})
    studied = {"trial": trial(Pong=(HIGH, near), Breakout=(HIGH, LOW))}
    [one] = read_claims(folder).claims
    assert finding(one, studied, tmp_path).verdict == "contradicted"
    assert finding(one.model_copy(update={"games": ["Pong"]}), studied, tmp_path).verdict == "supported"


PROPERTIES = {
    "columns": {"hogwild": "A3C", "locked": "A3C, locked"},
    "properties": [
        {"name": "idle time", "unit": "share", "study": "trial", "table": "phases", "column": "lock_wait_share"},
        {"name": "memory", "unit": "MiB", "study": "to_come", "table": "memory", "column": "peak"},
    ],
}


def test_the_table_of_a3c_against_a2c_measures_or_says_that_nobody_did(tmp_path: Path, trial: Write) -> None:
    study = trial(Pong=(HIGH, LOW))
    phases = [{"game": "Pong", "variant": v, "workers": 2, "n": 5, "lock_wait_share": 0.25, "lock_wait_share_lo": 0.2,
               "lock_wait_share_hi": 0.3} for v in ("hogwild", "locked")]  # fmt: skip
    table(study, tmp_path, "phases", phases)
    write_claims([study], experiments(tmp_path, claim(), **PROPERTIES), tmp_path, "smoke")
    found = rows(properties_path(tmp_path, "smoke"))
    assert [(row["property"], row["heading"], row["value"]) for row in found] == [
        ("idle time", "A3C", "0.25"), ("idle time", "A3C, locked", "0.25"), ("memory", "A3C", ""),
        ("memory", "A3C, locked", ""),
    ]  # fmt: skip
    text = ledger_path(tmp_path, "smoke", "md").read_text()
    assert "| idle time, share | Pong | 2 | 0.25 [0.2, 0.3] (n = 5) | 0.25 [0.2, 0.3] (n = 5) |" in text
    assert f"| memory, MiB |  |  | {NOT_MEASURED} | {NOT_MEASURED} |" in text


def test_where_nothing_of_the_table_was_measured_it_is_left_out(tmp_path: Path, trial: Write) -> None:
    study, idle = trial(Pong=(HIGH, LOW)), PROPERTIES["properties"][0] | {"study": "to_come"}
    write_claims([study], experiments(tmp_path, claim(), **PROPERTIES | {"properties": [idle]}), tmp_path, "smoke")
    [section] = claims_section(tmp_path, "smoke")
    assert len(rows(properties_path(tmp_path, "smoke"))) == 2
    assert NOT_MEASURED not in section + ledger_path(tmp_path, "smoke", "md").read_text()


def test_the_report_shows_the_ledger_and_believes_nothing_it_is_told(tmp_path: Path, trial: Write) -> None:
    assert claims_section(tmp_path, "smoke") == []
    folder = experiments(tmp_path, claim(sentence=HOSTILE), claim("two", study="to_come"))
    write_claims([trial(Pong=(HIGH, LOW))], folder, tmp_path, "smoke")
    [section] = claims_section(tmp_path, "smoke")
    assert "<script" not in section
    assert html.escape(HOSTILE) in section
    assert "2 claims: 1 supported, 0 contradicted, 0 undecided, 1 not tested at this scale." in section
    assert 'href="../tables/smoke/trial/runs.csv"' in section


def test_a_ledger_written_again_is_the_same(tmp_path: Path, trial: Write) -> None:
    study, folder = trial(Pong=(HIGH, LOW), Breakout=(HIGH, LOW)), experiments(tmp_path, claim())
    write_claims([study], folder, tmp_path, "smoke")
    write_claims([dataclasses.replace(study)], folder, tmp_path, "again")
    assert ledger_path(tmp_path, "smoke").read_bytes() == ledger_path(tmp_path, "again").read_bytes()


@pytest.mark.slow
def test_every_column_that_a_claim_of_this_repository_names_is_there(tmp_path: Path) -> None:
    """Tables are missing here, so what stops the ledger is the first of them and no problem of the claims."""
    names = {one.study for one in read_claims(EXPERIMENTS).claims} & set(studies(EXPERIMENTS, "smoke"))
    there = [load_study(name, "smoke", EXPERIMENTS) for name in sorted(names)]
    assert there
    with pytest.raises(FileNotFoundError):
        write_claims(there, EXPERIMENTS, tmp_path, "smoke")


def with_a_study(folder: Path) -> Path:
    """The study of staleness, and the settings that it stands on."""
    folder.mkdir(exist_ok=True)
    for name in ("paper", "cartpole", "atari_laptop", "staleness"):
        (folder / f"{name}.yaml").write_text((EXPERIMENTS / f"{name}.yaml").read_text())
    return folder


def test_a_target_has_a_ledger_made_from_its_tables_and_the_claims(tmp_path: Path) -> None:
    with_a_study(tmp_path / "experiments")
    workflow = Workflow({"scale": "smoke"}, tmp_path / "experiments", tmp_path)
    [target] = workflow.targets
    before = workflow.claimed(target)
    assert all("/tables/smoke/staleness/" in path for path in before)
    claims = claims_path(tmp_path / "experiments")
    claims.parent.mkdir()
    claims.write_text("claims: []\n")
    assert workflow.claimed(target) == [*before, str(claims)]
    assert [Path(path).name for path in workflow.ledger(target)] == ["smoke.csv", "smoke.md", "smoke_a3c_and_a2c.csv"]


def test_a_mistake_in_the_claims_ends_the_command_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_a_study(experiments(tmp_path, claim(expect="more")))
    places = ["--experiments", str(folder), "--results", str(tmp_path)]
    assert main(["claims", "staleness", "--scale", "smoke", *places]) == 2
    assert "claims[0].test.expect" in capsys.readouterr().err


def test_a_property_that_each_seed_has_is_the_greatest_of_all_seeds(tmp_path: Path, trial: Write) -> None:
    study = trial(Pong=(HIGH, LOW))
    models = [{"game": "Pong", "variant": "hogwild", "workers": 2, "seed": s, "n": 5, "models": m} for s, m in
              enumerate((2, 5, 1))]  # fmt: skip
    table(study, tmp_path, "reproducibility", models)
    asked = {"name": "models", "unit": "", "study": "trial", "table": "reproducibility", "column": "models"}
    read = read_claims(experiments(tmp_path, claim(), **PROPERTIES | {"properties": [asked]}))
    found = {row["heading"]: row["value"] for row in property_rows(read, {"trial": study}, tmp_path)}
    assert found == {"A3C": 5}
