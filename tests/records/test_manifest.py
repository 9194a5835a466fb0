"""What a run says about itself, and what it must not say."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path

import pytest

from a3c.__main__ import parse
from a3c.fingerprint import fingerprint
from a3c.records import manifest as manifests
from a3c.records import run_folder
from a3c.records.manifest import Manifest
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def settings() -> Settings:
    return resolve(load_settings("cartpole", EXPERIMENTS))


def read(folder: Path) -> dict[str, object]:
    return run_folder.read_json(folder / run_folder.MANIFEST)


def test_no_environment_variable_leaks(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run folders are published: not the name of a secret, and not its value."""
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "swordfish-8131")
    monkeypatch.setenv("SECRET", "hunter-2-4711")
    manifest = Manifest(tmp_path, settings, timing=False, cpu_capability="AVX2")
    manifest.add(updates=3)
    manifest.end(manifests.FINISHED)
    text = (tmp_path / run_folder.MANIFEST).read_text()
    for word in ("swordfish", "hunter-2", "SECRET", "PASSWORD"):
        assert word not in text


def test_it_is_there_from_the_start_and_says_running(tmp_path: Path, settings: Settings) -> None:
    Manifest(tmp_path, settings, timing=True, cpu_capability="AVX2")
    found = read(tmp_path)
    assert found["outcome"] == "running"
    assert found["timing"] is True
    assert found["fingerprint"] == fingerprint()
    assert found["format_version"] == manifests.FORMAT_VERSION
    assert isinstance(found["versions"], dict)
    assert {"python", "torch", "numpy", "gymnasium", "ale-py"} <= set(found["versions"])
    assert "wall_seconds" not in found


def test_the_two_starting_times_are_one(tmp_path: Path, settings: Settings) -> None:
    Manifest(tmp_path, settings, timing=False, cpu_capability="AVX2")
    found = read(tmp_path)
    started = datetime.fromisoformat(str(found["started_at"]))
    assert started.utcoffset() is not None
    assert isinstance(found["started_at_ms"], int)
    assert abs(found["started_at_ms"] / 1000 - started.timestamp()) < 2


def test_its_command_trains_the_same_run_again(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    Manifest(folder, settings, timing=False, cpu_capability="AVX2")
    program, *arguments = shlex.split(str(read(folder)["command"]))
    options = parse(arguments)
    assert (program, options.command, options.into) == ("a3c", "train", folder)
    assert Settings.from_json(options.settings) == settings


@pytest.mark.parametrize("outcome", [manifests.FINISHED, manifests.FAILED, manifests.KILLED])
def test_it_says_how_the_run_ended_and_keeps_what_was_known(tmp_path: Path, settings: Settings, outcome: str) -> None:
    manifest = Manifest(tmp_path, settings, timing=False, cpu_capability="AVX2")
    before = read(tmp_path)
    manifest.add(start_seconds=0.25)
    manifest.end(outcome, frames=1000)
    found = read(tmp_path)
    assert found == before | {
        "outcome": outcome,
        "start_seconds": 0.25,
        "frames": 1000,
        "wall_seconds": found["wall_seconds"],
    }
    assert float(str(found["wall_seconds"])) >= 0.0


def test_the_seconds_of_earlier_starts_count_as_the_runs(tmp_path: Path, settings: Settings) -> None:
    manifest = Manifest(tmp_path, settings, timing=False, cpu_capability="AVX2", earlier_seconds=1000.0)
    manifest.end(manifests.FINISHED)
    found = read(tmp_path)
    assert found["earlier_seconds"] == 1000.0
    assert 1000.0 <= float(str(found["wall_seconds"])) < 1010.0


def test_more_processes_than_cores_are_marked(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("a3c.machine.cores", lambda: 4)
    for workers, marked in ((4, False), (5, True)):
        Manifest(tmp_path, settings.model_copy(update={"workers": workers}), timing=False, cpu_capability="AVX2")
        assert read(tmp_path)["oversubscribed"] is marked
        assert read(tmp_path)["cores"] == 4
