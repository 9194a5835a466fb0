"""The Snakefile, by Snakemake itself: what it would train, and when."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from a3c import finished
from a3c.__main__ import main
from a3c.fingerprint import fingerprint
from a3c.plan import Run, load_study, studies
from a3c.records import run_folder
from a3c.records.schedule_file import TURN, Header, ScheduleWriter
from a3c.settings import Settings
from a3c.workflow import Workflow

pytest.importorskip("snakemake")

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the workflow reads: rules, studies and code."""
    for name in ("a3c", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    return tmp_path


def snakemake(checkout: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs it; `path` is looked through for modules before all else."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    environment = os.environ | ({} if path is None else {"PYTHONPATH": str(path)})
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, env=environment)


def planned(checkout: Path, *arguments: str) -> set[str]:
    """The run folders that a dry run would train."""
    done = snakemake(checkout, "-n", "--config", "scale=smoke", *arguments)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"output: results/runs/(\S+)/done\.json", done.stdout))


@pytest.fixture
def trained(checkout: Path) -> Path:
    """A checkout in which the cheapest study has been trained for real."""
    keep_one_study(checkout)
    done = snakemake(checkout, "--config", "scale=smoke")
    assert done.returncode == 0, done.stderr
    return checkout


STUDY = """
title: One
question: Does it run?
variants:
  a3c_locked: {schedule: locked}
scales:
  smoke:
    - settings: cliff_world
      games: [CliffWorld]
      workers: [2]
      seeds: 2
      override: {budget_frames: 2_000, evaluation: {points: 1, episodes: 1}, records: {intervals: 4}}
"""


def keep_one_study(checkout: Path) -> None:
    for name in studies(checkout / "experiments"):
        (checkout / f"experiments/{name}.yaml").unlink()
    (checkout / "experiments/one.yaml").write_text(STUDY)


def test_the_plan_has_a_gpu_for_runs_on_one_and_for_no_other(checkout: Path) -> None:
    keep_one_study(checkout)
    study = checkout / "experiments/one.yaml"
    on_gpu = "a2c: {schedule: synchronous, executor: batched, device: cuda}"
    study.write_text(study.read_text().replace("variants:\n", f"variants:\n  {on_gpu}\n"))
    done = snakemake(checkout, "-n", "--config", "scale=smoke")
    assert done.returncode == 0, done.stderr
    asked = dict(re.findall(r"CliffWorld/(\S+?)-w2-\S+done\.json[\s\S]*?resources: .*?gres=([^,]*),", done.stdout))
    assert asked == {"synchronous-batched": "gpu:1", "locked": ""}


def test_what_is_made_of_studies_that_were_asked_for_has_a_name_of_its_own(experiments: Path, tmp_path: Path) -> None:
    def names(**config: str) -> list[str]:
        return [target.name for target in Workflow({"scale": "smoke"} | config, experiments, tmp_path).targets]

    assert names() == ["smoke"]
    assert names(studies="staleness") == ["smoke_staleness"]
    assert names(studies="staleness,a3c_vs_a2c") == names(studies="a3c_vs_a2c,staleness")
    assert names(studies="staleness,a3c_vs_a2c") == ["smoke_a3c_vs_a2c_and_staleness"]
    many = ["staleness_corrections", "staleness_prescribed", "thread_scaling"]
    found = {*names(studies=",".join(many)), *names(studies=",".join([*many[:2], "staleness_arms"]))}
    assert len(found) == 2
    assert all(name.startswith("smoke_3_studies_") for name in found), "they would be too long for the name of a file"
    assert names(scale="laptop") == ["laptop", "laptop_claims"]
    workflow = Workflow({"scale": "smoke", "studies": "staleness"}, experiments, tmp_path)
    made = workflow.products(workflow.targets[0])
    assert {path for path in made if "staleness" not in path} == set(), "nothing that the whole scale has as well"


TWO = STUDY.replace("a3c_locked: {schedule: locked}", "low: {schedule: locked}\n  high: {schedule: synchronous}")


@pytest.mark.parametrize(
    ("old", "new"), [("high: {", "higher: {"), ("low: {schedule: locked}", "high: {schedule: locked}")]
)
def test_what_variants_are_called_decides_the_tables_and_trains_nothing(
    experiments: Path, tmp_path: Path, old: str, new: str
) -> None:
    """A run's folder follows from its settings, so that files alone would not tell."""

    def asked(study: str) -> tuple[str, list[str]]:
        (folder / "one.yaml").write_text(study)
        workflow = Workflow({"scale": "smoke"}, folder, tmp_path)
        return workflow.asked(workflow.studies[0]), workflow.made_of(workflow.studies[0])

    folder = tmp_path / "experiments"
    folder.mkdir()
    for name in ("paper", "cliff_world"):
        shutil.copy(experiments / f"{name}.yaml", folder)
    changed = TWO.replace(old, new)
    if new.startswith("high:"):
        changed = changed.replace("high: {schedule: synchronous}", "low: {schedule: synchronous}")
    before, after = asked(TWO), asked(changed)
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert asked("# a comment\n" + TWO) == before


def test_jobs_find_a_python_whose_path_has_a_space(
    experiments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = Workflow({"scale": "smoke", "studies": "staleness"}, experiments, tmp_path)
    monkeypatch.setattr(sys, "executable", "/home/me/My Projects/a3c/.venv/bin/python")
    assert shlex.split(workflow.a3c) == [sys.executable, "-m", "a3c"]


def test_the_summary_is_made_of_its_studies_tables_where_there_are_any(experiments: Path, tmp_path: Path) -> None:
    with_it = Workflow({"scale": "smoke"}, experiments, tmp_path)
    (target,) = with_it.summarized
    made = [str(tmp_path / f"figures/smoke/smoke_summary.{ending}") for ending in ("svg", "png", "pdf")]
    assert with_it.summary(target) == made
    assert set(made) < set(with_it.products(target))
    tables = {path.removeprefix(f"{tmp_path}/tables/smoke/") for path in with_it.summary_tables(target)}
    assert {"a3c_vs_a2c/learning_curves.csv", "staleness_prescribed/sweep.csv", "thread_scaling/speed_up.csv"} < tables
    without = Workflow({"scale": "smoke", "studies": "staleness"}, experiments, tmp_path)
    assert without.summarized == []
    assert without.summary(without.targets[0]) == []


@pytest.mark.slow
def test_only_what_can_change_a_run_trains_it_again(trained: Path) -> None:
    assert planned(trained) == set(), "a second run finds nothing to do"
    study = trained / "experiments/one.yaml"
    module = trained / "a3c/learning/returns.py"

    study.write_text("# another comment\n" + STUDY)
    assert planned(trained) == set(), "a comment in a study"
    code = module.read_text()
    module.write_text("# a comment\n" + code.replace('"""What the rewards', '"""In other words, what the rewards'))
    assert planned(trained) == set(), "a comment and a docstring in the code"
    module.write_text(code.replace("discount[t] * following", "0.5 * discount[t] * following"))
    assert len(planned(trained)) == 2, "a constant in the code"
    module.write_text(code)

    block = STUDY[STUDY.index("    - settings") :]
    added = STUDY + block.replace("cliff_world", "cartpole").replace("CliffWorld", "CartPole-v1")
    study.write_text(added)
    assert {folder.split("/")[0] for folder in planned(trained)} == {"CartPole-v1"}, "a game more"
    assert len(planned(trained)) == 2
    study.write_text(STUDY.replace("seeds: 2", "seeds: 3"))
    assert {folder.split("/")[-1] for folder in planned(trained)} == {"seed2"}, "a seed more"

    study.write_text(STUDY.replace("a3c_locked", "a3c_with_a_lock"))
    done = snakemake(trained, "-n", "--config", "scale=smoke")
    assert planned(trained) == set(), "another name for a variant"
    assert "tables_one" in done.stdout

    log = (trained / "results/runs").glob("*/*/seed0/manifest.json")
    assert all(json.loads(path.read_text())["fingerprint"] == fingerprint() for path in log)


@pytest.mark.slow
def test_tables_and_figures_that_were_deleted_are_made_again_without_torch(trained: Path, tmp_path: Path) -> None:
    made = {name: _contents(trained / f"results/{name}") for name in ("tables", "figures", "claims")}
    for name in made:
        shutil.rmtree(trained / f"results/{name}")
    broken = tmp_path / "without_torch/torch/__init__.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("raise ImportError")
    done = snakemake(trained, "--config", "scale=smoke", path=broken.parent.parent)
    assert done.returncode == 0, done.stderr
    assert {name: _contents(trained / f"results/{name}") for name in made} == made


@pytest.mark.slow
def test_runs_of_two_machines_are_one_study_unless_other_code_has_trained_some(trained: Path) -> None:
    there = (trained / "results/runs").rename(trained / "there")
    for made in ("results/tables", ".snakemake"):  # what Snakemake knows of a run stays where it was trained
        shutil.rmtree(trained / made)
    for seed in (1, 0):  # of a machine each; copied without times, which `rsync -a` keeps
        (folder,) = there.glob(f"*/*/seed{seed}")
        here = trained / "results/runs" / folder.relative_to(there)
        shutil.copytree(folder, here, copy_function=shutil.copyfile)
    table = "results/tables/smoke/one/scores.md"
    assert planned(trained) == set()
    (other,) = (trained / "results/runs").glob("*/*/seed1/manifest.json")
    other.write_text(other.read_text().replace(fingerprint(), "0123456789ab"))

    refused = snakemake(trained, table, "--config", "scale=smoke")
    assert refused.returncode == 1
    assert f"1 by 0123456789ab, such as {other.parent.relative_to(trained)};" in refused.stderr
    assert not (trained / table).exists()
    told = snakemake(trained, table, "--config", "scale=smoke", "mix_code=true")
    assert told.returncode == 0, told.stderr
    assert "MIXED CODE" in (trained / table).read_text()
    assert snakemake(trained, table, "--config", "scale=smoke").returncode == 1, "it was told once"
    (remedy,) = re.findall(r"this trains again .*?: snakemake --cores all (.*?);", refused.stderr)
    again = snakemake(trained, table, *remedy.split())
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("finished before: ") == 1
    assert "MIXED CODE" not in (trained / table).read_text()


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_every_scale_can_be_planned(checkout: Path) -> None:
    for scale in ("smoke", "laptop", "paper"):
        done = snakemake(checkout, "-n", "--config", f"scale={scale}")
        assert done.returncode == 0, done.stderr
        assert re.search(r"train\s+\d+", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["scale=huge"], "scale"),
        pytest.param(["scal=smoke"], "scal", marks=pytest.mark.slow),
        pytest.param(["studies=stalenes"], "staleness", marks=pytest.mark.slow),
        pytest.param(["mix_code=maybe"], "false, true", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_configuration_ends_with_exit_code_2_and_no_traceback(
    checkout: Path, arguments: list[str], key: str
) -> None:
    done = snakemake(checkout, "-n", "--config", *arguments)
    assert done.returncode == 2
    assert key in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_malformed_study_stops_snakemake_before_anything_starts(checkout: Path) -> None:
    path = checkout / "experiments/staleness.yaml"
    path.write_text(path.read_text().replace("seeds: 3", "sedes: 3"))
    done = snakemake(checkout, "--config", "scale=smoke")
    assert done.returncode == 2
    assert "sedes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / "results").exists()


def wildcards_of(run: Run) -> dict[str, str]:
    """What Snakemake finds in the run's path."""
    game, settings_id, seed = run.folder.split("/")
    return {"game": game, "id": settings_id, "seed": seed.removeprefix("seed")}


def test_a_timing_takes_the_whole_machine_and_others_one_thread_a_process(experiments: Path, tmp_path: Path) -> None:
    workflow = Workflow({"scale": "laptop"}, experiments, tmp_path)
    threads = workflow.threads(32)
    by_study = {study.name: study for study in workflow.studies}
    timed = {run.folder for study in by_study.values() if study.timing for run in study.runs}
    assert {run.folder for run in by_study["a3c_vs_a2c"].runs} <= timed
    for run in (run for study in workflow.studies for run in study.runs):
        wildcards = wildcards_of(run)
        assert threads(wildcards) == (32 if run.folder in timed else run.settings.processes)
        assert workflow.conditions(wildcards) == ("--timing" if run.folder in timed else "--no-timing")


def test_a_run_that_draws_from_measured_staleness_waits_for_its_source_and_no_other_waits(
    experiments: Path, tmp_path: Path
) -> None:
    workflow = Workflow({"scale": "laptop"}, experiments, tmp_path)
    finished = {path for study in workflow.studies for path in workflow.finished(study)}
    for run in (run for study in workflow.studies for run in study.runs):
        sources = workflow.sources(wildcards_of(run))
        if run.variant != "drawn_from_locked":
            assert sources == []
            continue
        locked = next(
            other for study in workflow.studies if study.name == "staleness_arms" for other in study.runs
            if other.variant == "a3c_locked" and other.settings.seed == run.settings.seed
        )  # fmt: skip
        assert sources == [str(tmp_path / "runs" / locked.folder / "done.json")]
        assert set(sources) <= finished


@pytest.fixture
def run(cliff: Callable[..., Settings], tmp_path: Path) -> tuple[Path, Settings]:
    """A finished run's folder, as far as it says what it is, but for `done.json`."""
    settings = cliff(schedule="drawn", order={"kind": "constant_lag", "lag": 2})
    folder = tmp_path / "runs" / Run("a", settings).folder
    folder.mkdir(parents=True)
    run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
    content = {"outcome": "finished", "fingerprint": "abc", "frames": 10, "cores": 2}
    run_folder.write_json(folder / run_folder.MANIFEST, content)
    return folder, settings


def test_a_finished_run_is_known_without_the_file_that_snakemake_deletes(run: tuple[Path, Settings]) -> None:
    folder, settings = run
    done = folder / run_folder.DONE
    assert finished.restore(folder, settings, "abc")
    assert run_folder.read_json(done) == {"outcome": "finished", "fingerprint": "abc", "frames": 10}
    done.write_text("as it was")
    assert finished.restore(folder, settings, "abc")
    assert done.read_text() == "as it was"


@pytest.mark.parametrize("what", ["code", "settings", "outcome", "half a manifest", "nothing"])
def test_a_run_that_is_another_or_not_finished_is_trained(run: tuple[Path, Settings], what: str) -> None:
    folder, settings = run
    manifest = folder / run_folder.MANIFEST
    if what == "settings":
        settings = settings.model_copy(update={"seed": 7})
    elif what == "outcome":
        run_folder.write_json(manifest, {**run_folder.read_json(manifest), "outcome": "running"})
    elif what == "half a manifest":
        manifest.write_bytes(manifest.read_bytes()[:30])
    elif what == "nothing":
        shutil.rmtree(folder)
    assert not finished.restore(folder, settings, "other" if what == "code" else "abc")
    assert not (folder / run_folder.DONE).exists()


def write_staleness(folder: Path, staleness: int) -> None:
    """The schedule of a run of two workers, of whose ten turns all but the first two had this staleness."""
    turns = np.zeros(10, TURN)
    turns["worker"], turns["staleness"] = np.arange(10) % 2, staleness
    writer = ScheduleWriter(folder / run_folder.SCHEDULE, Header("locked", 2, 1))
    writer.write(turns)
    writer.close()


def test_a_run_is_trained_again_if_the_one_it_draws_its_staleness_from_has_changed(
    run: tuple[Path, Settings], cliff: Callable[..., Settings]
) -> None:
    folder, _ = run
    source = folder.parents[2] / "CliffWorld/locked-w2-0123456789/seed0"
    order = {"kind": "measured_histogram", "run": "CliffWorld/locked-w2-0123456789/seed0"}
    settings = cliff(schedule="drawn", order=order)
    run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
    run_folder.write_json(folder / run_folder.HISTOGRAM, {"run": order["run"], "counts": [0, 8]})
    assert not finished.restore(folder, settings, "abc"), "there is no source"
    source.mkdir(parents=True)
    (source / run_folder.DONE).touch()
    write_staleness(source, 1)
    os.utime(folder / run_folder.MANIFEST, (1_000_000, 1_000_000))
    assert finished.restore(folder, settings, "abc"), "a copy that is newer than what drew from it"
    write_staleness(source, 2)
    os.utime(source / run_folder.SCHEDULE, (1_000, 1_000))
    assert not finished.restore(folder, settings, "abc"), "another run in its place"


@pytest.mark.parametrize("command", ["tables", "figures", "claims", "report"])
def test_what_is_not_there_yet_is_said_with_the_command_that_makes_it(
    command: str, experiments: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--scale", "smoke", "--experiments", str(experiments), "--results", str(tmp_path)]
    assert main([command, "staleness", *options]) == 2
    said = capsys.readouterr().err
    assert "study staleness at smoke scale" in said
    assert "this makes them: snakemake --cores all --config scale=smoke studies=staleness" in said
    study = load_study("staleness", "smoke", experiments)
    of_runs = f"{len(study.runs)} of {len(study.runs)} runs not finished yet, such as {tmp_path}/runs/"
    assert (of_runs in said) == (command in ("tables", "report"))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_snakemake_trains_the_source_of_staleness_first(checkout: Path) -> None:
    run = next(r for r in load_study("staleness_arms", "smoke", checkout / "experiments").runs)
    target = f"results/runs/{run.folder}/done.json"
    done = snakemake(checkout, "-n", target, "--config", "scale=smoke")
    assert done.returncode == 0, done.stderr
    trained = re.findall(r"output: results/runs/(\S+)/done\.json", done.stdout)
    assert [folder.split("/")[1].split("-")[0] for folder in trained] == ["locked", "drawn"]
    assert trained[1] == run.folder
