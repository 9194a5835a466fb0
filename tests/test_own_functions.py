"""The file that a setting names a function of is code that trains: it tells runs apart as the package's own does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import a3c
from a3c.__main__ import main
from a3c.fingerprint import fingerprint, run_fingerprint
from a3c.settings import Settings
from a3c.workflow import Workflow

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
NETWORK = "from torch import nn\n\n\ndef one(spec, outputs):\n    return nn.Linear(*spec.observation_shape, outputs)\n"


def custom(**names: str) -> dict[str, Any]:
    return {"kind": "custom", "options": {}, **names}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A module of the user's own that can be imported, named after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / f"own_{request.node.name[:60]}.py"
    path.write_text(NETWORK)
    return path


def test_most_runs_have_no_functions_of_the_users(cartpole: Callable[..., Settings]) -> None:
    assert cartpole().own_functions == ()
    assert run_fingerprint(()) == fingerprint()


def test_a_run_knows_its_own_functions(cartpole: Callable[..., Settings]) -> None:
    parts = {"network": custom(factory="c.d:e"), "algorithm": custom(loss="f:g")}
    assert cartpole(**parts).own_functions == ("c.d:e", "f:g")
    game = {"game": "a:b", "environment": custom(reward_scale=1.0)}
    assert cartpole(**game, **parts).own_functions == ("a:b", "c.d:e", "f:g")


def test_the_fingerprint_follows_what_the_file_means(module: Path) -> None:
    names = [f"{module.stem}:one"]
    before = run_fingerprint(names)
    assert before != fingerprint()
    assert run_fingerprint([]) == fingerprint()
    module.write_text("# a comment\n" + NETWORK)
    assert run_fingerprint(names) == before, "a comment"
    module.write_text(NETWORK.replace("outputs)\n", "outputs, bias=False)\n"))
    assert run_fingerprint(names) != before, "another layer"
    broken = set()
    for source in (b"def one(\n", b"\xff", b"\0"):
        module.write_bytes(source)
        broken.add(run_fingerprint(names))
    assert len(broken - {before, fingerprint()}) == 3, "what cannot be read as Python is told apart, and no error yet"


@pytest.mark.parametrize("name", ["no_such_module_anywhere", "a3c.no_such_module", "no_such_package.module", "math"])
def test_a_module_without_a_source_has_a_fingerprint_nevertheless(name: str) -> None:
    assert len(run_fingerprint([f"{name}:function"])) == 12
    assert run_fingerprint([f"{name}:function"]) == run_fingerprint([f"{name}:function"]) != fingerprint()


def test_a_module_in_a_package_is_found_and_nothing_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "own_package_that_raises" / "inner"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError\n")
    (folder / "parts.py").write_text(NETWORK)
    names = ["own_package_that_raises.inner.parts:one"]
    before = run_fingerprint(names)
    (folder / "parts.py").write_text(NETWORK + "MORE = 1\n")
    assert run_fingerprint(names) != before
    assert "own_package_that_raises" not in sys.modules
    (folder / "__init__.py").write_text("MORE = 1\n")
    assert run_fingerprint(["own_package_that_raises.inner:one"]) != run_fingerprint(["own_package_that_raises:one"])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("network={kind: custom, factory: no_such_module:f, options: {}}", "network.factory: no module"),
        ("network={kind: custom, factory: os:system, options: {}}", "network.factory: got 'os:system'"),
        ("network={kind: custom, factory: OWN:one}", "network.options: missing"),
        ("network={kind: custom, factory: OWN:one, options: {}, lstm_cells: 8}", "network.lstm_cells: unknown key"),
        ("network={kind: custom, factory: OWN:two, options: {}}", "network.factory: module"),
        ("network={kind: custom, factory: OWN:one, options: {width: 3}}", "network.options: OWN:one"),
        ("algorithm={kind: custom, loss: OWN:nn, options: {}}", "algorithm.loss: module"),
        ("algorithm={kind: custom, loss: OWN:one, options: {}}", "algorithm.options: OWN:one"),
    ],
)
def test_a_mistake_ends_with_exit_code_2_and_the_key_and_leaves_nothing(
    change: str, key: str, module: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, run = module.stem, tmp_path / "run"
    file = str(EXPERIMENTS / "cartpole.yaml")
    assert main(["train", file, change.replace("OWN", own), "--into", str(run), "--no-track", "--quiet"]) == 2
    assert key.replace("OWN", own) in capsys.readouterr().err
    assert not run.exists()


STUDY = """
title: One
question: Does it train again?
variants:
  own: {{network: {{kind: custom, factory: "{module}:one", options: {{}}}}}}
  ours: {{}}
scales:
  smoke:
    - {{settings: cartpole, games: [CartPole-v1], workers: [1], seeds: 1}}
"""


def test_snakemake_is_told_what_the_file_means(module: Path, tmp_path: Path) -> None:
    experiments = tmp_path / "experiments"
    experiments.mkdir()
    for name in ("paper", "cartpole"):
        shutil.copy(EXPERIMENTS / f"{name}.yaml", experiments)
    (experiments / "one.yaml").write_text(STUDY.format(module=module.stem))
    workflow = Workflow({"scale": "smoke"}, experiments, tmp_path / "results")

    def codes() -> dict[str, str]:
        folders = {run.variant: run.folder.split("/") for run in workflow.studies[0].runs}
        return {v: workflow.code({"game": g, "id": i, "seed": s[4:]}) for v, (g, i, s) in folders.items()}

    before = codes()
    assert before == {"own": run_fingerprint([f"{module.stem}:one"]), "ours": fingerprint()}
    module.write_text(NETWORK.replace("outputs)\n", "outputs, bias=False)\n"))
    assert codes()["own"] != before["own"]
    assert codes()["ours"] == before["ours"]


@pytest.mark.slow
def test_a_finished_run_is_trained_again_if_the_file_means_something_else(module: Path, tmp_path: Path) -> None:
    small = {"budget_frames": 500, "evaluation": {"points": 1, "episodes": 1}}
    own = custom(factory=f"{module.stem}:one")
    settings = a3c.make_settings(EXPERIMENTS / "cartpole.yaml", "schedule=locked", workers=2, network=own, **small)
    run = a3c.train(settings, tmp_path / "run")
    done = run.folder / "done.json"
    first = done.stat().st_mtime_ns
    module.write_text(NETWORK + "# a comment\n")
    assert a3c.train(settings, run.folder) == run
    assert done.stat().st_mtime_ns == first
    again = run.replay(tmp_path / "again")
    assert (again["equal"], again["conditions"]) == (True, [])

    module.write_text(NETWORK + "\nMORE = 1\n")
    assert "training code" in run.replay(tmp_path / "again")["conditions"][0]
    a3c.train(settings, run.folder)
    assert done.stat().st_mtime_ns > first
