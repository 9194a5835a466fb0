"""A benchmark that was made before is printed and drawn; nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a3c.__main__ import main
from a3c.analysis.benchmark_figure import benchmark_figure

GOAL = {"what": "speed over theirs", "low": 1.4, "median": 1.5, "high": 1.6, "rounds": 3, "bound": 3.0}


def document(**changes: Any) -> dict[str, Any]:
    facts = {"cpu": "a processor", "cores": 2, "commit": "0123456789abcdef"}
    measured = {
        "seconds": {"push": [0.001, 0.0012, 0.0011], "pull": [0.0001] * 3, "help": [0.1] * 3},
        "steps_per_second": {"a3c, 2 workers": [900.0, 1_000.0, 1_100.0], "sb3 a2c, 16 games": [600.0] * 3},
        "goals": [{**GOAL, "at_most": False, "met": False}],
        "scaling": {},
    }
    return facts | measured | changes


def written(folder: Path, content: object) -> Path:
    path = folder / "one.json"
    path.write_text(json.dumps(content))
    return path


def test_it_is_printed_and_drawn_beside_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--show", str(written(tmp_path, document()))]) == 0
    said = capsys.readouterr().out
    assert "1000.00 (950.00 to 1050.00) steps/s, n=3" in said
    assert "1.50 (1.40 to 1.60)  goal >= 3: MISSED" in said
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".svg", ".png", ".pdf"}


def test_a_goal_is_drawn_as_a_multiple_with_more_always_better() -> None:
    """Twice as fast as asked, and in half the seconds asked, stand at the same place."""
    speed = {**GOAL, "low": 6.0, "median": 6.0, "high": 6.0, "at_most": False, "met": True}
    start = {**GOAL, "low": 1.5, "median": 1.5, "high": 1.5, "at_most": True, "met": True}
    goals = benchmark_figure(document(goals=[speed, start])).axes[0]
    points = [line.get_xdata()[0] for line in goals.lines if line.get_marker() == "o"]  # type: ignore[index]
    assert points == [2.0, 2.0]


def test_what_was_not_measured_is_said() -> None:
    axes = benchmark_figure(document(seconds={}, goals=[])).axes
    assert [ax.texts[0].get_text() for ax in axes] == ["not measured", "1,000", "not measured", "not measured"]


def test_the_start_of_a_command_is_no_part_of_a_turn() -> None:
    parts = benchmark_figure(document()).axes[2]
    assert [label.get_text() for label in parts.get_yticklabels()] == ["push", "pull"]


@pytest.mark.parametrize("content", [{}, {"goals": []}, None])
def test_another_file_is_refused(tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, content) if content is not None else tmp_path / "missing.json"
    assert main(["bench", "--show", str(path)]) == 2
    assert path.name in capsys.readouterr().err
