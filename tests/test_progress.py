"""What a run says while it trains, on a terminal and in a file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from a3c import progress
from a3c.records import run_folder


class Stream(io.StringIO):
    """Standard error that is shown as it is written, with all pieces it got."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return len(text)


def standard_error(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> Stream:
    stream = Stream(terminal)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "SHOW_SECONDS", 0.0)
    return stream


def test_every_line_in_a_file_is_written_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what another thread or process says comes before it or after it."""
    at = standard_error(monkeypatch, terminal=False)
    line = progress.Line(quiet=False)
    for share in (0.0, 0.1, 0.3, 1.0):
        line.show(share, lambda at=share: f"{at:.0%}")  # type: ignore[misc]
    progress.say("something is wrong")
    line.close()
    assert [piece for piece in at.pieces if piece] == ["0%\n", "30%\n", "100%\n", "something is wrong\n"]


def test_long_work_speaks_up_in_a_file_before_its_next_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    at = standard_error(monkeypatch, terminal=False)
    clock = iter((5.0, 6.0, 604.0, 606.0, 700.0, 800.0, 1400.0))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    line = progress.Line(quiet=False)
    for share in (0.6, 0.61, 0.62, 0.63, 0.64, 0.75, 0.8):
        line.show(share, lambda at=share: f"{at:.0%}")  # type: ignore[misc]
    assert [piece for piece in at.pieces if piece] == ["60%\n", "63%\n", "75%\n", "80%\n"]


def test_a_sentence_takes_the_place_of_the_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    at = standard_error(monkeypatch, terminal=True)
    line = progress.Line(quiet=False)
    line.show(0.1, lambda: "10%")
    progress.say("something is wrong")
    line.show(0.2, lambda: "20%")
    line.close()
    assert "".join(at.pieces).split(progress.ERASE) == ["", "10%", "something is wrong\n", "20%\n"]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_quiet_line_says_nothing(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    at = standard_error(monkeypatch, terminal=terminal)
    line = progress.Line(quiet=True)
    line.show(0.5, lambda: "50%")
    line.close()
    assert not at.pieces


def test_a_line_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit would go on to a second row, which nothing erases."""
    at = standard_error(monkeypatch, terminal=True)
    monkeypatch.setenv("COLUMNS", "20")
    line = progress.Line(quiet=False)
    line.show(0.5, lambda: "x" * 50)
    line.close()
    line.close()
    assert "".join(at.pieces) == progress.ERASE + "x" * 19 + "\n"


def test_what_is_left_counts_a_run_that_was_cut_short_as_not_finished(tmp_path: Path) -> None:
    plan = {name: {"game": "Pong", "budget_frames": 100} for name in ("whole", "cut", "none")}
    run_folder.write_json(tmp_path / "plan.json", plan)
    for name, text in (("whole", '{"outcome": "finished", "wall_seconds": 30.0}'), ("cut", '{"outcome": "fini')):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / run_folder.MANIFEST).write_text(text)
    assert progress.remaining(tmp_path / "plan.json", tmp_path) == "1 of 3 runs finished; about 1m00s left"
