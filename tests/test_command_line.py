"""What the command line says of itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

import pytest

from a3c.__main__ import main, parser
from a3c.analysis.method import PARTS
from a3c.records import tracking_store
from a3c.study_file import StudyFile


def commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


@pytest.mark.parametrize("name", commands())
def test_help_fits_a_terminal_of_80_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = commands()[name].format_help()
    assert "examples:" in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_the_parts_that_can_be_asked_for_are_those_of_studies() -> None:
    assert set(PARTS) == set(get_args(StudyFile.model_fields["part"].annotation))


@pytest.mark.parametrize("words", [["seed=5"], ["experiments/cartpole.yaml"], ["experiments/cartpole.yaml", "seed=5"]])
def test_what_would_not_count_beside_complete_settings_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--settings", "{}", *words]) == 2
    said = capsys.readouterr().err
    assert "--settings: are complete" in said
    assert all(word in said for word in words)


def test_the_examples_that_take_no_studies_name_those_that_snakemake_makes() -> None:
    for name in ("claims", "report", "showcase"):
        assert f"  a3c {name} --part questions\n" in commands()[name].format_help() + "\n"


def test_a_store_that_cannot_be_set_aside_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(uri: str) -> None:
        raise PermissionError(13, "Permission denied", uri)

    monkeypatch.setattr(tracking_store, "set_aside", refuse)
    assert main(["track", "--rebuild", "--results", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Permission denied" in line
