"""The page of settings is what the code checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from a3c.__main__ import main
from a3c.settings_files import load_settings

ROOT = Path(__file__).parent.parent


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["settings", "--experiments", str(ROOT / "experiments")]) == 0
    return capsys.readouterr().out


def test_the_page_in_the_documentation_is_the_one_that_the_code_makes(page: str) -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page, "a3c settings > docs/settings.md"


def keys(settings: Any, prefix: str = "") -> set[str]:
    if not isinstance(settings, dict):
        return {prefix.removesuffix(".")}
    return {key for name, value in settings.items() for key in keys(value, f"{prefix}{name}.")}


FILES = [p for p in sorted((ROOT / "experiments").glob("*.yaml")) if p.stem == "paper" or "\nbase:" in p.read_text()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_key_of_every_settings_file_is_on_it(page: str, path: Path) -> None:
    known = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    used = {key for key in keys(load_settings(path.stem, path.parent)) if not key.endswith("kind")}
    used = {re.sub(r"^(environment\.options|network\.hidden).*", r"\1", key) for key in used} - {"order", "base"}
    assert used <= known


def test_the_papers_values_stand_beside_their_keys(page: str) -> None:
    assert "| `optimizer.learning_rate` | a number above 0 | `0.0007` |" in page
    assert "| `network.lstm_cells` | a whole number at least 1 or `null` | `null` |" in page
    assert page.count("`0.0007`") == 1, "the other optimizers are not the paper's"
