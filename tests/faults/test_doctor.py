"""`a3c doctor`: what is wrong is found, graded and has a remedy; what is right is not alarmed about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from a3c import doctor, machine, preflight
from a3c.__main__ import main
from a3c.doctor import OK, PROBLEM, WARNING, Finding, examine
from a3c.plan import load_studies
from a3c.records import run_folder
from a3c.records.checkpoints import Checkpoints, save_state
from a3c.records.run_folder import write_json
from a3c.run_states import DAMAGED, FINISHED, TRAINING, UNFINISHED, run_state

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
MIB = 1 << 20
CONSTRAINTS = doctor._constraints  # as it is, which the fixture below replaces


@pytest.fixture(autouse=True)
def _fitting_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that nothing is wrong with, whatever the tests run on."""
    monkeypatch.setattr(doctor, "free_bytes", lambda path: 100 << 30)
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(16 << 30, "the machine"))
    monkeypatch.setattr(machine, "open_files_limit", lambda: 4096)
    monkeypatch.setattr(machine, "address_space_limit", lambda: None)
    monkeypatch.setattr(machine, "cores", lambda: 64)
    monkeypatch.setattr(doctor, "_constraints", lambda: iter(()))
    monkeypatch.setattr(doctor, "studies", lambda experiments, scale: [])  # takes a second
    monkeypatch.setattr(doctor, "load_studies", lambda names, scale, experiments: [])


def findings(results: Path) -> dict[str, Finding]:
    return {f.what: f for f in examine(results, EXPERIMENTS, "smoke", f"sqlite:///{results}/mlflow/mlflow.db")}


def finding(results: Path, what: str) -> tuple[str, str]:
    found = findings(results)[what]
    assert bool(found.remedy) == (found.state != OK)
    return found.state, found.found


def test_nothing_is_wrong_where_nothing_is_wrong(tmp_path: Path) -> None:
    found = findings(tmp_path / "results")
    assert {f.what: f for f in found.values() if f.state != OK} == {}
    assert {"cores", "threads", "shared memory", "memory", "open files", "disk", "packages", "ROMs"} <= set(found)
    assert found["runs"].found == "none yet"


def test_too_little_of_something_is_graded_by_how_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((8 * MIB, PROBLEM), (64 * MIB, WARNING), (256 * MIB, OK)):
        monkeypatch.setattr(doctor, "free_bytes", lambda path, free=free: free)
        assert finding(tmp_path, "shared memory") == (state, f"{free / MIB:.1f} MiB free in /dev/shm")
    for files, state in ((40, PROBLEM), (256, WARNING), (1024, OK)):
        monkeypatch.setattr(machine, "open_files_limit", lambda files=files: files)
        assert finding(tmp_path, "open files")[0] == state
    for available, state in ((100 * MIB, PROBLEM), (500 * MIB, WARNING), (2048 * MIB, OK)):
        memory = machine.Memory(available, "the control group")
        monkeypatch.setattr(machine, "memory", lambda memory=memory: memory)
        assert finding(tmp_path, "memory") == (
            state, f"{preflight.size_text(available)} available, limited by the control group",
        )  # fmt: skip
    monkeypatch.setattr(machine, "address_space_limit", lambda: 600 * MIB)
    assert finding(tmp_path, "address space") == (PROBLEM, "limited to 600.0 MiB for one process")


def test_results_that_are_a_file_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    assert finding(tmp_path / "results", "disk") == (PROBLEM, f"{tmp_path / 'results'} is a file, not a folder")


def test_packages_are_held_against_the_versions_that_were_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"torch": "2.13.0+cpu", "numpy": "2.0.0"} | dict.fromkeys((*doctor.NEEDED[2:], *doctor.PIPELINE), "1.0")
    monkeypatch.setattr(doctor, "version", there.__getitem__)
    tested = {"torch": "2.13.0", "numpy": "2.4.6"}
    monkeypatch.setattr(doctor, "_constraints", lambda: iter(tested.items()))
    assert finding(tmp_path, "packages") == (
        WARNING, "not the versions that were tested: numpy 2.0.0 (tested: 2.4.6)",
    )  # fmt: skip

    def missing(package: str) -> str:
        if package in ("torch", "mlflow"):
            raise doctor.PackageNotFoundError(package)
        return tested.get(package, "1.0")

    monkeypatch.setattr(doctor, "version", missing)
    assert finding(tmp_path, "packages") == (PROBLEM, "torch not installed")
    assert finding(tmp_path, "pipeline packages") == (WARNING, "mlflow not installed")


def test_the_constraints_of_the_checkout_are_read() -> None:
    lines = [line for line in doctor.CONSTRAINTS.read_text().splitlines() if "==" in line]
    tested = dict(CONSTRAINTS())
    assert len(tested) == len(lines) > 50
    assert f"torch=={tested['torch']}" in lines


def test_more_workers_than_cores_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "load_studies", lambda names, *where: load_studies(["a3c_vs_a2c"], *where))
    monkeypatch.setattr(machine, "cores", lambda: 1)
    state, text = finding(tmp_path, "studies")
    assert state == WARNING
    assert text.endswith("1 cores")


def test_a_store_that_is_no_database_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_bytes(b"this is no database" * 1000)
    assert finding(tmp_path, "MLflow store")[0] == WARNING


def run(results: Path, seed: int, checkpoints: int = 0, **documents: Any) -> Path:
    """A run folder with some checkpoints and documents."""
    folder = results / "runs" / "Pong" / "locked-w4-0123456789" / f"seed{seed}"
    folder.mkdir(parents=True)
    write_json(folder / run_folder.SETTINGS, {"schedule": "locked", "executor": "processes", "workers": 40})
    for number in range(checkpoints):
        save_state(Checkpoints(folder).begin() / "run.npz", {"number": number})
        Checkpoints(folder).commit(Checkpoints(folder).unfinished, {})
    for name, content in documents.items():
        write_json(folder / f"{name}.json", content)
    return folder


def test_every_run_is_in_one_of_four_states(tmp_path: Path) -> None:
    assert run_state(run(tmp_path, 0, done={}, manifest={})).state == FINISHED
    waiting = run(tmp_path, 1, checkpoints=2)
    assert run_state(waiting).state == UNFINISHED
    assert run_state(waiting).found.startswith("goes on from checkpoint 2 of 20")
    (waiting / "checkpoints" / "00000002" / "run.npz").write_bytes(b"")
    assert "goes on from checkpoint 1 of" in run_state(waiting).found
    assert "damaged: 00000002: run.npz has 0 bytes" in run_state(waiting).found
    (waiting / "checkpoints" / "00000001" / "run.npz").unlink()
    assert run_state(waiting).state == DAMAGED
    assert run_state(run(tmp_path, 2))[1:] == (UNFINISHED, "has no checkpoint and begins anew", 0)
    torn = run(tmp_path, 3, done={}, manifest={})
    (torn / run_folder.DONE).write_bytes(b'{"frames": 1')
    assert run_state(torn).state == DAMAGED
    busy = run(tmp_path, 4)
    with run_folder.own(busy):
        assert run_state(busy).state == TRAINING
        assert run_state(busy).processes == 40
    assert run_state(busy).state == UNFINISHED


def test_damaged_runs_are_problems_and_busy_ones_are_counted_against_the_cores(tmp_path: Path) -> None:
    folders = [run(tmp_path, seed, checkpoints=1) for seed in range(4)]
    (folders[0] / "checkpoints" / "00000001" / "run.npz").unlink()
    with run_folder.own(folders[1]), run_folder.own(folders[2]):
        found = findings(tmp_path)
    assert found["runs"].found == "1 damaged, 2 being trained, 1 unfinished"
    assert found[f"run {folders[0]}"].state == PROBLEM
    assert found["runs being trained"] == (
        "runs being trained", WARNING, "80 workers on 64 cores", "stop some of them, or do not compare their speeds",
    )  # fmt: skip
    assert found[f"run {folders[3]}"].found.startswith("unfinished, goes on from checkpoint 1")


def test_the_exit_code_says_whether_there_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["doctor", "--scale", "smoke", "--experiments", str(EXPERIMENTS), "--results", str(tmp_path / "r")]
    assert main(command) == 0
    assert "remedy" not in capsys.readouterr().out
    (tmp_path / "r").write_text("")
    assert main([*command, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [f["what"] for f in found if f["state"] == PROBLEM] == ["disk"]
    assert set(found[0]) == {"what", "state", "found", "remedy"}


def test_it_loads_neither_torch_nor_mlflow() -> None:
    code = "import sys, a3c.doctor; print([m for m in ('torch', 'mlflow', 'pandas', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
