"""What the command line says of itself."""

from __future__ import annotations

import argparse
from typing import get_args

import pytest

from a3c.__main__ import parser
from a3c.analysis.method import PARTS
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
