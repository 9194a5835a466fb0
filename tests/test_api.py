"""From Python: settings, a run, its tables, its replay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import a3c
from a3c.problems import InvalidInput

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
SMALL = {"budget_frames": 600, "evaluation": {"points": 2, "episodes": 3}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> a3c.FinishedRun:
    settings = a3c.make_settings(EXPERIMENTS / "cliff_world.yaml", "schedule=locked", workers=2, **SMALL)
    return a3c.train(settings, tmp_path_factory.mktemp("api") / "run")


def test_settings_are_a_file_with_changes_on_top() -> None:
    settings = a3c.make_settings(EXPERIMENTS / "cartpole.yaml", "learning.gamma=0.5", workers=3, seed=7)
    assert (settings.learning.gamma, settings.workers, settings.seed) == (0.5, 3, 7)
    with pytest.raises(InvalidInput, match=r"workers: got 0"):
        a3c.make_settings(EXPERIMENTS / "cartpole.yaml", workers=0)


def test_a_run_is_its_tables(run: a3c.FinishedRun) -> None:
    assert run.turns["frames"].iloc[-1] == run.manifest["frames"] >= 600
    assert set(run.turns["worker"]) == {0, 1}
    assert (run.turns["applied"] - 1 - run.turns["read"] == run.turns["staleness"]).all()
    last = run.evaluations[run.evaluations["point"] == 2]
    assert len(last) == 3
    assert run.score == last["score"].mean()
    assert run.intervals["frames"].is_monotonic_increasing
    assert len(run.episodes) > 0
    assert "staleness" in run.samples


def test_a_finished_run_is_returned_and_not_trained_again(run: a3c.FinishedRun) -> None:
    written = (run.folder / "done.json").stat().st_mtime_ns
    again = a3c.train(run.settings, run.folder)
    assert again == run == a3c.open_run(run.folder)
    assert (run.folder / "done.json").stat().st_mtime_ns == written


def test_it_is_made_again_byte_for_byte(run: a3c.FinishedRun, tmp_path: Path) -> None:
    assert run.replay(tmp_path / "again")["equal"] is True


def test_an_unfinished_run_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no finished run"):
        a3c.open_run(tmp_path)


def test_importing_the_package_loads_nothing() -> None:
    loaded = "import sys, a3c; print(sorted({'torch', 'numpy', 'pydantic', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        a3c.trian  # noqa: B018
