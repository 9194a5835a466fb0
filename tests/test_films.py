"""Films of the best runs, and the report's section with them."""

from __future__ import annotations

import csv
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c import films
from a3c.__main__ import main
from a3c.analysis.films import FilmRow, films_path, films_section
from a3c.plan import Run, Study
from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder
from a3c.settings import Settings

pytest.importorskip("av")

Make = Callable[..., Settings]
SCORES = {0: (9.0, 1.0), 1: (0.0, 4.0), 2: (5.0, 4.0)}  # by seed: at its evaluation points, the last of them the final


@pytest.fixture(scope="module")
def made(cliff: Make, finished: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study]:
    """Three finished runs in the cliff world; the second and third are equally good at the end."""
    results, runs = tmp_path_factory.mktemp("results"), []
    for seed, scores in SCORES.items():
        run = Run("locked", cliff(schedule="locked", seed=seed, evaluation={"points": 2, "episodes": 1}), None)
        folder = results / "runs" / run.folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        finished(folder, run.settings, scores)
        runs.append(run)
    return results, Study("trial", "A study", "Is it so?", "smoke", ("locked",), tuple(runs), False, None)


def rows(results: Path) -> list[dict[str, str]]:
    with films_path(results, "smoke").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_run_of_a_game_is_the_one_with_the_best_final_parameters(made: tuple[Path, Study]) -> None:
    results, study = made
    ((folder, score),) = films.best_runs([study, study], results)
    assert (folder.run.settings.seed, score) == (1, 4.0)


def test_a_film_is_listed_with_the_command_that_makes_it_again(
    made: tuple[Path, Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, study = made
    shown: list[str] = []
    films.write_films([study], results, "smoke", shown.append)
    (row,) = rows(results)
    assert shown == ["CliffWorld"]
    assert (row["run"], float(row["evaluated_score"])) == (study.runs[1].folder, 4.0)
    film = films_path(results, "smoke").with_name(row["file"])
    assert film.read_bytes()[4:8] == b"ftyp"
    monkeypatch.chdir(tmp_path)
    assert main([*row["command"].split()[1:], "--quiet"]) == 0
    assert Path("game.mp4").read_bytes() == film.read_bytes()


def test_a_game_that_cannot_be_drawn_here_is_left_out_and_said(
    made: tuple[Path, Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results, study = made
    (tmp_path / "runs").symlink_to(results / "runs")
    monkeypatch.setattr(films, "_film", _cannot)
    films.write_films([study], tmp_path, "smoke", print)
    assert rows(tmp_path) == []
    assert f"{study.runs[1].folder} is left out: 1 problem found" in capsys.readouterr().err
    assert films_section(tmp_path, "smoke") == []


def _cannot(*arguments: Any) -> FilmRow:
    raise InvalidInput([Problem("environment", "cannot be drawn")])


def test_the_report_shows_a_film_and_believes_nothing_it_is_told(tmp_path: Path) -> None:
    assert films_section(tmp_path, "smoke") == []
    path, hostile = films_path(tmp_path, "smoke"), "<script>alert('x')</script>"
    path.parent.mkdir(parents=True)
    (path.parent / "a.mp4").write_bytes(b"film")
    row = FilmRow(hostile, "Pong/locked-w1-0/seed0", 1_000, 1.5, -2.0, 30, "game over", "a.mp4", "a3c watch")
    path.write_text("\n".join(",".join(map(str, line)) for line in (FilmRow._fields, row)) + "\n")
    (section,) = films_section(tmp_path, "smoke")
    assert 'src="data:video/mp4;base64,ZmlsbQ=="' in section
    assert html.escape(hostile) in section
    assert "<script" not in section
    assert "-2 in 30 steps (game over); mean when evaluated 1.5" in section


def test_a_film_that_is_gone_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = films_path(tmp_path, "smoke")
    path.parent.mkdir(parents=True)
    (path.parent / "a.mp4").write_bytes(b"film")
    rows = [FilmRow("Pong", "Pong/x/seed0", 1, 1.0, 1.0, 1, "game over", f"{name}.mp4", "a3c watch") for name in "ab"]
    path.write_text("\n".join(",".join(map(str, line)) for line in (FilmRow._fields, *rows)) + "\n")
    (section,) = films_section(tmp_path, "smoke")
    assert section.count("<video") == 1
    said = capsys.readouterr().err
    assert said == f"a3c report: {path.with_name('b.mp4')} is missing and left out; without {path} it is made again\n"
    (path.parent / "a.mp4").unlink()
    assert films_section(tmp_path, "smoke") == []


def test_the_list_of_films_is_written_last(made: tuple[Path, Study], tmp_path: Path, monkeypatch: Any) -> None:
    """Snakemake takes it for all of them."""
    results, study = made
    (tmp_path / "runs").symlink_to(results / "runs")

    def killed(*arguments: Any) -> FilmRow:
        raise KeyboardInterrupt

    monkeypatch.setattr(films, "_film", killed)
    with pytest.raises(KeyboardInterrupt):
        films.write_films([study], tmp_path, "smoke", print)
    assert not films_path(tmp_path, "smoke").exists()
    assert (results / "runs" / study.runs[0].folder / run_folder.DONE).exists()
