"""Other projects' programs on our environments: planned apart from our runs, recorded as ours are, left out cleanly."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from a3c import peers
from a3c.analysis.tables import write_tables
from a3c.environments.step import Spec, Step
from a3c.plan import Run, Study, load_study
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge
from a3c.workflow import Workflow

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "experiments"
SCRIPTS = EXPERIMENTS / "peers"
MODULES = ("games", "recording", "running", "shape")


def sb3_settings(**changes: Any) -> Settings:
    """A few frames of CartPole, as a peer in one process takes them."""
    tiny = {
        "schedule": "synchronous", "executor": "batched", "workers": 2, "budget_frames": 400,
        "evaluation": {"points": 2, "episodes": 2}, "records": {"intervals": 4},
    }  # fmt: skip
    return resolve(merge(load_settings("cartpole", EXPERIMENTS), tiny, changes))


def dqn_settings() -> Settings:
    one_epsilon = {"exploration": {"final_epsilons": [0.05], "probabilities": [1.0], "annealing_frames": 100}}
    adam = {"kind": "shared_adam", "learning_rate": 1e-3, "annealing": "constant", "decay_mean": 0.9,
            "decay_square": 0.999, "epsilon": 1e-8}  # fmt: skip
    below = load_settings("cartpole_one_step", EXPERIMENTS)["algorithm"]
    return sb3_settings(algorithm=merge(below, one_epsilon), optimizer=adam)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The modules that all peers' scripts share, found as a script beside them finds them."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for name in MODULES:  # another test's may have the same name
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: __import__(name) for name in MODULES})
    for name in MODULES:
        sys.modules.pop(name, None)


class Scripted:
    """An environment that plays back steps."""

    spec = Spec(observation_shape=(1,), observation_dtype="float32", actions=2)

    def __init__(self, *steps: tuple[float, bool]) -> None:
        self.steps, self.resets = list(steps), 0

    def reset(self) -> np.ndarray:
        self.resets += 1
        return np.array([-1.0], np.float32)

    def step(self, action: int) -> Step:
        discount, last = self.steps.pop(0)
        return Step(np.array([len(self.steps)], np.float32), 0.5, discount, last, 10.0)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_peers_runs_have_folders_that_no_run_of_ours_has() -> None:
    ours = re.search(r'id=r"(.+)"', (ROOT / "Snakefile").read_text())
    assert ours
    for run in load_study("peers", "laptop", EXPERIMENTS).runs:
        name = run.folder.split("/")[1]
        assert bool(re.fullmatch(peers.PEER_ID, name)) == (run.peer is not None)
        assert bool(re.fullmatch(ours[1], name)) == (run.peer is None), "exactly one rule makes it"
    settings = sb3_settings()
    assert Run("x", settings, peer="sb3_a2c").folder != Run("x", settings).folder


def edited(tmp_path: Path, old: str = "", new: str = "") -> Path:
    """The study `peers` alone with its settings files and scripts, one passage of it replaced."""
    for name in ("paper", "paper_q", "cartpole", "cartpole_q", "peers"):
        (tmp_path / f"{name}.yaml").write_text((EXPERIMENTS / f"{name}.yaml").read_text())
    (tmp_path / "peers").symlink_to(SCRIPTS)
    study = tmp_path / "peers.yaml"
    assert old in study.read_text()
    if old:
        study.write_text(study.read_text().replace(old, new))
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("peer: pfrl_a3c", "peer: pfrl_a3d", "variants.pfrl_a3c.peer", "did you mean 'pfrl_a3c'"),
        ("{peer: pfrl_a3c, schedule: hogwild}", "{peer: pfrl_a3c, schedule: locked}", "schedule", "only be given"),
        ("override: {budget_frames: 6_000,", "override: {peer: pfrl_a3c, budget_frames: 6_000,", "peer", "unknown key"),
    ],
)
def test_a_peer_is_named_by_a_variant_and_given_nothing_that_it_would_ignore(
    tmp_path: Path, old: str, new: str, where: str, what: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        load_study("peers", "smoke", edited(tmp_path, old, new))
    assert any(where in problem.where and what in problem.what for problem in error.value.problems)


def test_all_that_a_peer_cannot_do_is_said_at_once() -> None:
    settings = sb3_settings(
        network={"lstm_cells": 8}, learning={"rollout_steps": None}, executor="processes", schedule="locked"
    )
    with pytest.raises(InvalidInput) as error:
        peers.check("sb3_a2c", settings)
    found = [problem.where for problem in error.value.problems]
    assert found == ["schedule", "executor", "network", "learning.rollout_steps"]


def test_a_study_whose_peers_are_missing_is_left_out_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "version_of", lambda peer: None)
    experiments = edited(tmp_path)
    one = (experiments / "peers.yaml").read_text()
    two = itertools.cycle(["variants: [a2c]", "variants: [a3c_hogwild]"])  # for the two blocks of a scale
    (experiments / "ours.yaml").write_text(re.sub(r"variants: \[.*\]", lambda found: next(two), one))
    workflow = Workflow({"scale": "smoke"}, experiments, tmp_path)
    assert [study.name for target in workflow.targets for study in target.studies] == ["ours"]
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(said) == 1
    assert "pip install 'a3c[baselines]'" in said[0]
    with pytest.raises(InvalidInput, match="pip install"):
        Workflow({"scale": "smoke", "studies": "peers"}, experiments, tmp_path)


def test_an_installed_peer_is_trained_by_its_script_and_never_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "version_of", lambda peer: "a package 1.0")
    workflow = Workflow({"scale": "smoke"}, edited(tmp_path), tmp_path)
    ours = {run.folder for study in workflow.studies for run in study.runs if run.peer is None}
    assert workflow.agreements()
    assert all(any(folder in path for folder in ours) for path in workflow.agreements())
    for run in (run for study in workflow.studies for run in study.runs if run.peer):
        game, settings_id, seed = run.folder.split("/")
        wildcards = {"game": game, "id": settings_id, "seed": seed.removeprefix("seed")}
        assert Path(workflow.script(wildcards)).is_file()
        before = workflow.peer_code(wildcards)
        monkeypatch.setattr(peers, "version_of", lambda peer: "a package 2.0")
        assert workflow.peer_code(wildcards) != before, "another version learns something else"
        monkeypatch.setattr(peers, "version_of", lambda peer: "a package 1.0")


def test_a_lost_life_ends_an_episode_for_the_learner_and_the_game_goes_on(
    scripts: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Scripted((1.0, False), (0.0, False), (1.0, False), (0.0, True), (1.0, True))
    monkeypatch.setattr(scripts.games, "make", lambda *_: environment)
    recording = scripts.recording.Recording(sb3_settings(), tmp_path)
    game = scripts.games.GymnasiumGame(scripts.games.Game(recording, 0, 1))
    game.reset()
    assert game.step(0)[2:4] == (False, False)
    observation, reward, terminated, truncated, _ = game.step(0)
    assert (reward, terminated, truncated) == (0.5, True, False)
    assert game.reset()[0] is observation
    assert environment.resets == 1, "the second life of the same game"
    assert game.step(0)[2:4] == (False, False)
    assert game.step(0)[2:4] == (True, False)
    game.reset()
    assert environment.resets == 2, "a new game"
    assert game.step(0)[2:4] == (False, True), "the frame limit"
    found = [(row["env"], row["score"], row["steps"], row["truncated"]) for row in rows(tmp_path / run_folder.EPISODES)]
    assert found == [("1", "40.0", "4", "0"), ("1", "10.0", "1", "1")], "whole games"


class Noisy(torch.nn.Module):
    """Two logits and a value, which anybody may change."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.layer(observation)
        return output


@pytest.fixture
def imitated(scripts: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], Path]:
    """Writes the run folder of a peer that acts at random and changes its parameters every 50 steps."""
    monkeypatch.setattr(peers, "version_of", lambda peer: "a package 1.0")

    def train(settings: Settings, recording: Any) -> None:
        torch.manual_seed(0)
        network, chance = Noisy(), np.random.default_rng(0)
        games = [scripts.games.Game(recording, 0, index) for index in range(settings.envs_per_turn)]
        recording.begin(network)
        ended = [True for _ in games]
        for step in range(settings.budget_frames // len(games)):
            for index, game in enumerate(games):
                if ended[index]:
                    game.begin()
                ended[index] = any(game.step(chance.integers(2))[2:])
            if step % 25 == 24:
                with torch.no_grad():
                    network.layer.weight += 1.0
                recording.updated()
            recording.keep_if_due()

    def write(settings: Settings) -> Path:
        folder = tmp_path / "runs" / Run("sb3_a2c", settings, peer="sb3_a2c").folder
        arguments = ["--settings", settings.to_json(), "--into", str(folder)]
        assert scripts.running.main("sb3_a2c", train, ["one thing", "another"], arguments) == 0
        return folder

    return write


def test_a_peers_run_is_recorded_as_ours_are(imitated: Callable[[Settings], Path]) -> None:
    folder = imitated(sb3_settings())
    done = json.loads((folder / run_folder.DONE).read_text())
    assert (done["frames"], done["updates"], done["outcome"]) == (400, 8, "finished")
    assert [int(row["frames"]) for row in rows(folder / run_folder.INTERVALS)] == [100, 200, 300, 400]
    assert sum(int(row["episodes"]) for row in rows(folder / run_folder.INTERVALS)) == len(
        rows(folder / run_folder.EPISODES)
    )
    points = rows(folder / run_folder.EVALUATIONS)
    assert [(row["point"], row["frames"], row["updates"]) for row in points] == [("1", "200", "4")] * 2 + [
        ("2", "400", "8")
    ] * 2
    assert points[0]["digest"] != points[2]["digest"], "frozen where the frames came to the point"


def test_a_peer_is_evaluated_in_the_games_of_our_runs(imitated: Callable[[Settings], Path]) -> None:
    from a3c.asynchrony.agents import make_network
    from a3c.asynchrony.evaluator import play
    from a3c.environments import make

    settings = sb3_settings(network={"hidden": [1]})
    folder = imitated(settings)
    network = make_network(settings, make(settings, 0, 0).spec)
    torch.manual_seed(0)
    peer = Noisy()
    with torch.no_grad():
        peer.layer.weight += 4.0
    network.network.step = lambda observation, state: (peer(observation), state)  # type: ignore[method-assign, union-attr]
    games = play(network, settings, 1)
    point = [row for row in rows(folder / run_folder.EVALUATIONS) if row["point"] == "1"]
    assert [(float(row["score"]), int(row["steps"])) for row in point] == [(game.score, game.steps) for game in games]


def test_tables_show_a_peers_scores_and_what_was_adapted_and_nothing_of_staleness(
    imitated: Callable[[Settings], Path], tmp_path: Path
) -> None:
    settings = sb3_settings()
    imitated(settings)
    run = Run("theirs", settings, peer="sb3_a2c")
    study = Study("trial", "A study", "Is it so?", "smoke", ("theirs",), (run,), views=("peers",))
    write_tables(study, tmp_path)
    folder = tmp_path / "tables" / "smoke" / "trial"
    (row,) = rows(folder / "runs.csv")
    assert (row["frames"], row["staleness_mean"]) == ("400", "")
    assert len(rows(folder / "scores.csv")) == len(rows(folder / "throughput.csv")) == 1
    assert [rows(folder / f"{name}.csv") for name in ("staleness", "phases", "drift")] == [[], [], []]
    (peer,) = rows(folder / "peers.csv")
    assert peer == {"variant": "theirs", "peer": "sb3_a2c", "version": "a package 1.0", "adapted": "one thing; another"}


def launched(peer: str, settings: Settings, folder: Path) -> subprocess.CompletedProcess[str]:
    if peers.version_of(peer) is None:
        pytest.skip(f"{peer} needs pip install {peers.EXTRA}")
    command = [sys.executable, str(SCRIPTS / f"{peer}.py"), "--settings", settings.to_json(), "--into", str(folder)]
    path = os.pathsep.join([str(ROOT), str(folder.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})


PFRL = {"schedule": "hogwild", "executor": "processes"}


@pytest.mark.slow
@pytest.mark.parametrize("peer", sorted(peers.PEERS))
def test_every_peer_trains_on_our_environment(peer: str, tmp_path: Path) -> None:
    settings = {"sb3_a2c": sb3_settings(), "sb3_dqn": dqn_settings(), "pfrl_a3c": sb3_settings(**PFRL)}[peer]
    done = launched(peer, settings, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "run" / run_folder.DONE).read_text())
    assert 400 <= facts["frames"] < 440
    assert facts["updates"] > 4
    manifest = json.loads((tmp_path / "run" / run_folder.MANIFEST).read_text())
    assert manifest["peer"]["version"] == peers.version_of(peer)
    points = rows(tmp_path / "run" / run_folder.EVALUATIONS)
    assert [row["point"] for row in points] == ["1", "1", "2", "2"]
    assert points[0]["digest"] != points[-1]["digest"], "it has learnt something"
    assert {row["worker"] + row["env"] for row in rows(tmp_path / "run" / run_folder.EPISODES)} <= {"00", "01", "10"}


BREAKS = """
import gymnasium

class Breaks(gymnasium.Wrapper):
    left = 30

    def step(self, action):
        self.left -= 1
        if not self.left:
            raise RuntimeError("it broke")
        return super().step(action)

def make():
    return Breaks(gymnasium.make("CartPole-v1"))
"""


@pytest.mark.slow
def test_a_peers_process_that_dies_ends_the_run_as_failed(tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(BREAKS)
    custom = {"kind": "custom", "reward_scale": 1.0, "options": {}}
    settings = sb3_settings(**PFRL, game="breaking:make", environment=custom)
    done = launched("pfrl_a3c", settings, tmp_path / "run")
    assert done.returncode == 1
    assert "it broke" in done.stderr
    manifest = json.loads((tmp_path / "run" / run_folder.MANIFEST).read_text())
    assert manifest["outcome"] == "failed"
    assert not (tmp_path / "run" / run_folder.DONE).exists()
