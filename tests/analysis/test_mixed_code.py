"""Runs that different code has trained are told from each other, and nothing else is."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import mixed_code, outputs, report, tables
from a3c.analysis.mixed_code import Kind, Mixture, mixtures, remark

OLD, NEW = "0123456789ab", "ba9876543210"
SAID = f"MIXED CODE, which may be why runs differ: of the runs, 3 trained by {NEW}, 1 trained by {OLD}."


def write_mixed(synthetic: Any, results: Path, runs: list[Any], codes: Sequence[str] = (OLD, NEW, NEW, NEW)) -> None:
    for run, code in zip(runs, codes, strict=True):
        synthetic.write_run(results, run, fingerprint=code)


def test_what_one_code_has_trained_is_put_together_without_a_word(synthetic: Any, tmp_path: Path) -> None:
    study = synthetic.make_study(*(synthetic.make_run(seed=seed) for seed in range(2)))
    synthetic.write_study(tmp_path, study)
    assert mixtures(study, tmp_path) == []
    assert remark(study, tmp_path) == ""


def test_a_mixture_has_every_fingerprint_with_its_runs_the_most_first(synthetic: Any, tmp_path: Path) -> None:
    runs = [synthetic.make_run(seed=seed) for seed in range(4)]
    study = synthetic.make_study(*runs, dataclasses.replace(runs[0], variant="the same run"))
    write_mixed(synthetic, tmp_path, runs)
    first, *others = [tmp_path / "runs" / run.folder for run in runs]
    (found,) = mixtures(study, tmp_path)
    assert found == Mixture(Kind(None, ()), {NEW: others, OLD: [first]})
    assert list(found.folders) == [NEW, OLD]
    assert remark(study, tmp_path) == SAID


def test_like_is_held_against_like(synthetic: Any, tmp_path: Path) -> None:
    def runs(**about: Any) -> list[Any]:
        return [synthetic.make_run(seed=seed, **about) for seed in (0, 1)]

    ours, own = runs(), runs(game="mine.games:make")
    peers = [dataclasses.replace(run, variant="peer", peer="pfrl_a3c") for run in runs(schedule="hogwild")]
    study = synthetic.make_study(*ours, *own, *peers)
    write_mixed(synthetic, tmp_path, [*ours, *own, *peers], [OLD, OLD, NEW, NEW, *[f"{OLD} pfrl 0.4.0"] * 2])
    assert mixtures(study, tmp_path) == []
    for run, old, new in ((own[0], NEW, OLD), (peers[1], "0.4.0", "0.3.0")):
        manifest = tmp_path / "runs" / run.folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace(old, new))
    assert [mixture.kind for mixture in mixtures(study, tmp_path)] == [
        Kind(None, ("mine.games:make",)),
        Kind("pfrl_a3c", ()),
    ]
    assert remark(study, tmp_path) == (
        f"MIXED CODE, which may be why runs differ: of the runs with mine.games:make, 1 trained by {OLD}, 1 trained by"
        f" {NEW}; of the runs of the peer pfrl_a3c, 1 trained by {OLD} pfrl 0.3.0, 1 trained by {OLD} pfrl 0.4.0."
    )


def test_every_text_of_a_table_says_that_code_was_mixed_and_is_otherwise_the_same(
    synthetic: Any, tmp_path: Path
) -> None:
    runs = [synthetic.make_run(seed=seed) for seed in range(4)]
    study = synthetic.make_study(*runs)
    write_mixed(synthetic, tmp_path, runs)
    tables.write_tables(study, tmp_path)
    mixed = {path: path.read_text() for path in outputs.table_files(study, tmp_path)}
    for run in runs:
        manifest = tmp_path / "runs" / run.folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace(OLD, NEW))
    tables.write_tables(study, tmp_path)
    for path, text in mixed.items():
        assert text.count(SAID) == (path.suffix != ".csv"), path
        without = text.replace(f"\n{SAID}\n", "").replace(f". {SAID}", "")
        assert without == path.read_text()


def test_the_report_says_that_code_was_mixed_and_how_to_make_it_again(
    synthetic: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [synthetic.make_run(seed=seed) for seed in range(4)]
    study = synthetic.make_study(*runs)
    write_mixed(synthetic, tmp_path, runs)
    tables.write_tables(study, tmp_path)
    monkeypatch.setattr(report, "figure_names", lambda _: [])
    asked: list[str] = []
    monkeypatch.setattr(report, "remark", lambda *of: asked.append(of[0].name) or mixed_code.remark(*of))
    report.write_report([study], tmp_path, "smoke")
    assert asked == ["trial"], "once a study, since it reads every manifest"
    page = outputs.report_path(tmp_path, "smoke").read_text()
    assert html.escape(SAID) in page
    assert "snakemake --cores all --config scale=smoke studies=trial mix_code=true" in page
