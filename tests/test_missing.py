"""Commands refuse runs that do not go together, or are not all there, with what can be done about it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from a3c import missing
from a3c.__main__ import main
from a3c.analysis import outputs
from a3c.fingerprint import fingerprint
from a3c.plan import Study, load_study
from a3c.problems import InvalidInput
from a3c.records import run_folder

OTHER = "0123456789ab"
STUDY = """
title: {name}
question: Does it run?
variants:
  a3c_locked: {{schedule: locked}}
scales:
  smoke:
    - settings: cliff_world
      games: [CliffWorld]
      workers: [2]
      seeds: {seeds}
"""

Command = Callable[..., int]


@pytest.fixture
def command(experiments: Path, tmp_path: Path) -> Command:
    """Gives a command about the studies `one`, of three runs, and `other`, of the first of them."""
    folder = tmp_path / "experiments"
    folder.mkdir()
    for name in ("cliff_world", "paper"):
        shutil.copy(experiments / f"{name}.yaml", folder)
    for name, seeds in (("one", 3), ("other", 1)):
        (folder / f"{name}.yaml").write_text(STUDY.format(name=name, seeds=seeds))
    places = ["--scale", "smoke", "--experiments", str(folder), "--results", str(tmp_path / "results")]
    return lambda *words: main([*words, *places])


@pytest.fixture
def runs(command: Command, tmp_path: Path) -> list[Path]:
    """Folders of the three runs, which are finished; this code has trained the first two."""
    found = load_study("one", "smoke", tmp_path / "experiments").runs
    folders = [tmp_path / "results/runs" / run.folder for run in found]
    for folder, code in zip(folders, (fingerprint(), fingerprint(), OTHER), strict=True):
        folder.mkdir(parents=True)
        for name in (*missing.WHOLE, *missing.OURS, run_folder.DONE):
            (folder / name).touch()
        run_folder.write_json(folder / run_folder.MANIFEST, {"outcome": "finished", "fingerprint": code})
    return folders


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The studies of which a command makes something, in place of what it would make; tables and figures are there."""
    names: list[str] = []

    def note(studies: list[Study] | Study, *_: object) -> None:
        names.extend(study.name for study in (studies if isinstance(studies, list) else [studies]))

    for name in ("tables.write_tables", "report.write_report", "showcase.write_showcase"):
        monkeypatch.setattr(f"a3c.analysis.{name}", note)
    for name in ("table_files", "figure_files"):
        monkeypatch.setattr(outputs, name, lambda *_: [])
    return names


@pytest.mark.parametrize("what", ["tables", "report", "showcase"])
def test_runs_that_different_code_has_trained_are_refused_until_that_is_asked_for(
    what: str, command: Command, runs: list[Path], made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(what) == 2
    assert made == []
    make = "snakemake --cores all --config scale=smoke studies=one"
    assert capsys.readouterr().err == (
        f"a3c {what}: 1 problem found:\n"
        f"  - study one at smoke scale: its runs were trained by different code: 2 by {fingerprint()} (the code as it"
        f" is), such as {runs[0]}; 1 by {OTHER}, such as {runs[2]}; this trains again what the code as it is did not:"
        f" {make} --forcerun train; this puts them together all the same, as --mix-code does: {make} mix_code=true\n"
    )
    assert command(what, "other") == 0, "its one run is of one code"
    assert command(what, "--mix-code") == 0
    assert made == ["other", "one", "other"]


def test_a_report_without_its_summary_is_refused_with_the_command_that_draws_it(
    experiments: Path, tmp_path: Path
) -> None:
    every = [load_study(name, "smoke", experiments) for name in ("staleness", "thread_scaling", "a3c_vs_a2c")]
    drawn = tmp_path / "figures/smoke/mine_summary.svg"
    said = f"summary: {drawn} is not made yet; this makes it: a3c summary a3c_vs_a2c thread_scaling --scale smoke"
    with pytest.raises(InvalidInput, match=f"{re.escape(said)} --name mine$"):
        missing.check_summary(every, tmp_path, "mine")
    missing.check_summary(every[:1], tmp_path, "mine")
    drawn.parent.mkdir(parents=True)
    for ending in outputs.FIGURE_ENDINGS:
        drawn.with_suffix(f".{ending}").touch()
    missing.check_summary(every, tmp_path, "mine")


def test_many_fingerprints_are_counted_and_not_all_named(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "MOST_NAMED", 1)
    with pytest.raises(InvalidInput, match=f"2 by {fingerprint()} .*; the rest by 1 more; this trains"):
        missing.check_code([load_study("one", "smoke", tmp_path / "experiments")], tmp_path / "results")


@pytest.mark.parametrize("name", [run_folder.MANIFEST, run_folder.SCHEDULE])
def test_a_run_of_which_a_copy_brought_a_part_is_refused_and_named(
    name: str, command: Command, runs: list[Path], made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (runs[1] / name).unlink()
    assert command("tables", "one") == 2
    assert made == []
    said = capsys.readouterr().err
    assert f"1 of 3 runs incomplete, such as {runs[1]}, which has no {name}; copy them again from where" in said
    shutil.rmtree(runs[1])
    assert command("tables", "one") == 2
    said = capsys.readouterr().err
    assert f"1 of 3 runs not finished yet, such as {runs[1]}" in said
    assert "incomplete" not in said
