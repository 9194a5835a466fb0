"""Every mistake at once, each with the line that has to be mended, whichever of several files that is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import a3c
from a3c.__main__ import main
from a3c.problems import InvalidInput
from a3c.yaml_files import key_lines

from .mutations import laughs

Edit = Callable[[str, str, str], None]
Refused = Callable[..., None]

MISTAKES = """\
base: cartpole
game: Pnog
colour: blue
workers: 0
learning:
  gamma: 2
  nsteps: 5
network: {hidden: [64, -1]}
optimizer: {learning_rate: fast}
"""

STUDY = "staleness.yaml"


def said(file: Path, experiments: Path, *assignments: str) -> list[str]:
    """What is wrong with a settings file, a line a problem."""
    with pytest.raises(InvalidInput) as caught:
        a3c.make_settings(file, *assignments, experiments=experiments)
    return [str(problem) for problem in caught.value.problems]


def line_of(file: Path, words: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), start=1) if words in line)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's own settings file with six mistakes, outside the project's folder."""
    path = tmp_path / "own" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(MISTAKES)
    return path


def test_all_mistakes_of_a_settings_file_are_said_with_their_lines(mine: Path, copied: Path) -> None:
    found = said(mine, copied)
    expected = [(2, "game"), (3, "colour"), (4, "workers"), (6, "learning.gamma"), (7, "learning.nsteps"),
                (8, "network.hidden[1]"), (9, "optimizer.learning_rate")]  # fmt: skip
    assert {line.split(": ")[0] + ": " + line.split(": ")[1] for line in found} == {
        f"{mine}:{number}: {key}" for number, key in expected
    }
    assert len(found) == len(expected)


def test_a_mistake_of_the_base_is_in_the_bases_file(mine: Path, copied: Path, edit: Edit) -> None:
    mine.write_text("base: cartpole\nworkers: 2\n")
    edit("cartpole.yaml", "gamma: 0.99", "gamma: 2")
    place = f"{copied / 'cartpole.yaml'}:{line_of(copied / 'cartpole.yaml', 'gamma: 2')}"
    assert said(mine, copied)[0].startswith(f"{place}: learning.gamma: got 2")


def test_a_mistake_on_the_command_line_has_no_line_of_a_file(mine: Path, copied: Path) -> None:
    mine.write_text("base: cartpole\nlearning: {gamma: 0.5}\nnetwork: {hidden: [64]}\n")
    found = said(mine, copied, "learning.gamma=2", "network.kind=conv2013", "workers=0")
    assert [line for line in found if ".yaml" in line] == [line for line in found if "hidden" in line]
    assert any(line.startswith("learning.gamma: got 2") for line in found)
    assert any(line.startswith("network.lstm_cells: missing") for line in found), "what its kind took away"


def test_a_base_stands_beside_the_file_or_else_among_the_projects(mine: Path, copied: Path) -> None:
    mine.write_text("base: cartpole\nworkers: 3\n")
    theirs = a3c.make_settings(mine, experiments=copied)
    assert theirs == a3c.make_settings(copied / "cartpole.yaml", "workers=3")
    (mine.parent / "cartpole.yaml").write_text("base: cliff_world\nbudget_frames: 777\n")
    beside = a3c.make_settings(mine, experiments=copied)
    assert (beside.game, beside.budget_frames, beside.workers) == ("CliffWorld", 777, 3)


def test_a_base_that_is_nowhere_names_the_folders_and_the_way_out(mine: Path, copied: Path) -> None:
    mine.write_text("workers: 2\nbase: cartpol\n")
    (found,) = said(mine, copied)
    assert found.startswith(f"{mine}:2: base: unknown base 'cartpol'; did you mean 'cartpole'?")
    assert f"Searched: {mine.parent}, {copied}" in found
    assert "--experiments" in found


def test_the_command_finds_a_base_in_its_folder_of_experiments(
    mine: Path, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "cartpole_of_mine.yaml").write_text("base: cartpole\nworkers: 0\n")
    mine.write_text("base: cartpole_of_mine\n")
    assert main(["train", str(mine), "--experiments", str(copied)]) == 2
    assert f"{copied / 'cartpole_of_mine.yaml'}:2: workers: got 0" in capsys.readouterr().err


def test_all_mistakes_of_a_study_are_said_with_their_lines(copied: Path, edit: Edit, refused: Refused) -> None:
    edit(STUDY, "title:", "colour: blue\ntitle:")
    edit(STUDY, "seeds: 1", "seeds: 0")
    edit(STUDY, "[CartPole-v1]", "[CartPole-v1, CartPol-v1]")
    file = copied / STUDY
    places = {"colour: unknown key": line_of(file, "colour"), "scales.smoke[0].seeds: got 0": line_of(file, "seeds: 0"),
              "scales.smoke[0].games[1]: unknown game 'CartPol-v1'": line_of(file, "CartPol-v1")}  # fmt: skip
    refused([f"{STUDY}:{line}: {what}" for what, line in places.items()])


def test_a_mistake_in_a_studys_variant_or_override_has_its_line(copied: Path, edit: Edit, refused: Refused) -> None:
    edit(STUDY, "{schedule: hogwild}", "{schedule: wild}")
    edit(STUDY, "points: 1", "point: 1")
    places = {"schedule: got 'wild'": "schedule: wild", "evaluation.point: unknown key": "point: 1"}
    lines = [line_of(copied / STUDY, words) for words in places.values()]
    refused([f"{STUDY}:{line}: scales.smoke[0] (CartPole-v1, " for line in lines] + list(places))


def test_a_mistake_in_the_settings_below_a_study_names_both_files(copied: Path, edit: Edit, refused: Refused) -> None:
    edit("cartpole.yaml", "gamma: 0.99", "gamma: 2")
    line, block = line_of(copied / "cartpole.yaml", "gamma: 2"), line_of(copied / STUDY, "smoke:") + 1
    words = ["learning.gamma: got 2", f"({copied / 'cartpole.yaml'}:{line})", f"{STUDY}:{block}: scales.smoke[0] ("]
    refused(words)


@pytest.mark.parametrize("text", ["", "[", "- 1", f"title: {laughs()}", "a: &a {b: *a}"])
def test_a_file_without_settings_has_no_lines_and_no_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    assert set(key_lines(path)) <= {"[0]"}
    assert key_lines(tmp_path / "absent.yaml") == {}
