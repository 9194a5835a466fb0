"""What `a3c watch` refuses before anything is played."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from a3c.__main__ import main


@pytest.mark.parametrize("module", ["PIL", "av"])
def test_a_missing_package_is_one_line_that_says_what_to_install(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("a3c.watching.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["watch", str(run), "--into", str(tmp_path / "game.gif")]) == 2
    assert f"needs the module {module}: pip install 'a3c[video]'" in capsys.readouterr().err


def test_a_gif_is_not_faster_than_browsers_show_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(run), "--into", str(tmp_path / "game.gif"), "--frames-per-second", "60"]) == 2
    assert "at most 50 pictures" in capsys.readouterr().err


@pytest.mark.parametrize(("into", "words"), [("game.avi", "ends in .mp4 or .gif"), ("nowhere/game.gif", "no folder")])
def test_a_film_that_could_not_be_written_is_refused_before_anything_is_played(
    run: Path, capsys: pytest.CaptureFixture[str], into: str, words: str
) -> None:
    assert main(["watch", str(run), "--into", into]) == 2
    assert words in capsys.readouterr().err
