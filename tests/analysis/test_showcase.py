"""A folder for a repository: complete without the run folders, and every number's run can be found."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import claim_file, outputs, showcase
from a3c.analysis.figures import write_figures
from a3c.analysis.report import write_report
from a3c.analysis.showcase import showcase_path, write_showcase
from a3c.analysis.tables import write_tables


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, synthetic: Any) -> tuple[Path, Any]:
    """A showcase whose runs, tables and figures are gone, and its study."""
    results = tmp_path_factory.mktemp("results")
    study = synthetic.make_study(*(synthetic.make_run(v, seed=seed) for v in ("hogwild", "locked") for seed in (0, 1)))
    synthetic.write_study(results, study)
    write_tables(study, results)
    write_figures(study, results)
    write_report([study], results, "smoke")
    for file in (
        *(claim_file.ledger_path(results, "smoke", e) for e in ("csv", "md")),
        claim_file.properties_path(results, "smoke"),
    ):
        file.parent.mkdir(exist_ok=True)
        file.write_text("claim\n")
    (showcase_path(results, "smoke") / "figures").mkdir(parents=True)
    (showcase_path(results, "smoke") / "figures" / "old.svg").write_text("")
    write_showcase([study, study], results, "smoke")
    schedules = {str(run.folder): _sha256(results / "runs" / run.folder / "schedule.bin") for run in study.runs}
    for made in ("runs", "tables", "figures", "report", "claims"):
        shutil.rmtree(results / made)
    return showcase_path(results, "smoke"), (study, schedules)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_reports_links_hold_without_the_results(shown: tuple[Path, Any]) -> None:
    folder, _ = shown
    page = outputs.report_path(folder, "smoke")
    targets = {t for t in re.findall(r'href="([^"#]+)"', page.read_text())}
    assert len(targets) > 5
    assert all((page.parent / target).is_file() for target in targets)


def test_each_run_has_one_line_with_its_command_and_the_digest_of_its_schedule(shown: tuple[Path, Any]) -> None:
    folder, (study, schedules) = shown
    lines = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    assert {line["folder"]: line["sha256"]["schedule.bin"] for line in lines} == schedules
    assert len(lines) == len(study.runs)
    assert all("commit" in line["manifest"] and line["schedule"]["staleness_mean"] >= 0.0 for line in lines)


def test_the_readme_leads_to_the_report_and_says_what_was_asked(shown: tuple[Path, Any]) -> None:
    folder, (study, _) = shown
    text = (folder / "README.md").read_text()
    assert all((folder / target).is_file() for target in re.findall(r"\]\(([^)]+)\)", text))
    assert study.question in text
    assert "4 runs" in text
    assert "snakemake --cores all showcase --config scale=smoke\n" in text
    assert "](figures/smoke/trial/learning_curves.svg)" in text
    assert "`a3c replay RUN`" in text


def test_the_command_names_the_studies_where_they_are_not_all_of_the_scales(synthetic: Any) -> None:
    studies = [synthetic.make_study(synthetic.make_run())] * 2
    assert showcase._command(studies, "smoke_claims") == "snakemake --cores all showcase --config scale=smoke"
    named = "snakemake --cores all showcase --config scale=smoke studies=trial"
    assert showcase._command(studies, "smoke_trial") == named


def test_what_an_earlier_showcase_held_is_gone(shown: tuple[Path, Any]) -> None:
    assert not (shown[0] / "figures" / "old.svg").exists()


def test_an_earlier_showcase_stays_until_the_new_one_is_whole(tmp_path: Path, synthetic: Any) -> None:
    old = showcase_path(tmp_path, "smoke") / "figures" / "old.svg"
    old.parent.mkdir(parents=True)
    old.write_text("")
    with pytest.raises(FileNotFoundError):
        write_showcase([synthetic.make_study(synthetic.make_run())], tmp_path, "smoke")
    assert old.exists()
