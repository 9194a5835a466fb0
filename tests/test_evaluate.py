"""Games played with the frozen parameters of a finished run."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from a3c import frozen as frozen_runs
from a3c.__main__ import main
from a3c.asynchrony import evaluator
from a3c.asynchrony.agents import make_network
from a3c.asynchrony.evaluator import Game, Player, play
from a3c.environments import make
from a3c.evaluating import Evaluation, evaluate, write_games
from a3c.frozen import OWN_PLACE
from a3c.records import run_folder
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]
Finished = Callable[..., Path]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(cliff: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was really trained, whose games depend on chance."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    evaluation = {"points": 2, "episodes": 3, "policy": "sampled"}
    train(cliff(budget_frames=800, schedule="synchronous", workers=1, evaluation=evaluation), folder)
    return folder


@pytest.fixture(scope="module")
def run(cartpole: Make, finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with three evaluation points, the second of them the best."""
    return finished(tmp_path_factory.mktemp("runs") / "run", cartpole())


@pytest.mark.parametrize("point", ["best", "final"])
def test_the_parameters_kept_score_again_what_they_scored_in_training(trained: Path, point: str) -> None:
    loaded = frozen_runs.load(trained, point)
    number = 2 if point == "final" else int(loaded.point)  # nothing comes after the last of two points
    recorded = [row for row in rows_of(trained / run_folder.EVALUATIONS) if row["point"] == str(number)]
    assert hashlib.sha256(loaded.network.vector.numpy().tobytes()).hexdigest()[:16] == recorded[0]["digest"]
    again = play(loaded.network, loaded.settings, number)
    assert [(str(g.score), str(g.steps), str(int(g.truncated))) for g in again] == [
        (row["score"], row["steps"], row["truncated"]) for row in recorded
    ]


def test_the_same_command_prints_the_same_numbers_and_another_seed_others(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        arguments = ["--episodes", "4", "--seed", seed, "--into", str(tmp_path / f"{name}.csv"), "--quiet"]
        assert main(["evaluate", str(trained), *arguments]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    rows = [rows_of(tmp_path / f"{name}.csv") for name in "abc"]
    assert rows[0] == rows[1]
    assert [row["score"] for row in rows[0]] != [row["score"] for row in rows[2]]


def test_what_is_printed_is_what_the_games_scored(run: Path) -> None:
    games = [Game(score, 9, truncated) for score, truncated in ((1.0, False), (2.5, True), (1234.5, True))]
    head, *lines, note = Evaluation(frozen_runs.load(run, "best", "sampled"), 7, games).text().splitlines()
    assert head == "CartPole-v1, seed 0: best evaluation point (2 of 3), 200 frames"
    assert [" ".join(line.split()) for line in lines] == [
        "policy sampled",
        "episodes 3, of evaluation seed 7",
        "mean 412.67 [1, 1,234.50]",
        "median 2.50 [1, 1,234.50]",
        "min, max 1, 1,234.50",
        "time limit ended 2 of 3",
    ]
    assert "nothing about other seeds of training" in note


def test_a_file_has_a_line_for_each_game(run: Path, tmp_path: Path) -> None:
    games = [Game(1.5, 9, False), Game(-2.0, 10, True)]
    write_games(Evaluation(frozen_runs.load(run, "best", "greedy"), 7, games), tmp_path / "games.csv")
    assert (tmp_path / "games.csv").read_text().splitlines() == [
        "point,frames,policy,seed,episode,score,steps,truncated",
        "2,200,greedy,7,0,1.5,9,0",
        "2,200,greedy,7,1,-2.0,10,1",
    ]


def test_one_game_has_no_interval(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--episodes", "1", "--quiet"]) == 0
    assert capsys.readouterr().out.count("no interval") == 2


def test_no_training_evaluates_on_the_games_that_are_played_here(cartpole: Make) -> None:
    settings = cartpole()
    starts = {
        tuple(make(settings, *place, use="evaluation").reset().tolist())
        for place in [(OWN_PLACE, seed, i) for seed in (0, 1, 2) for i in (0, 1)]
        + [(p, i) for p in (1, 2) for i in (0, 1)]
    }
    assert len(starts) == 10


@pytest.mark.parametrize("cells", [None, 4])
def test_games_side_by_side_go_as_they_go_one_by_one(
    cartpole: Make, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int | None
) -> None:
    """Each has a stream and a recurrent state of its own; a place that becomes free is taken by the next game."""
    folder = finished(tmp_path / "run", cartpole(network={"lstm_cells": cells}))
    loaded = frozen_runs.load(folder, policy="greedy", episodes=5)
    games = {}
    for most in (1, 2, 64):
        monkeypatch.setattr(evaluator, "BATCH_GAMES", most)
        games[most] = evaluate(loaded).games
    assert games[1] == games[2] == games[64]
    assert len(set(games[1])) > 1


def test_a_recurrent_state_lasts_as_long_as_its_game(cartpole: Make) -> None:
    """What the player sees one by one, beside other games, is what the network makes of the whole sequence."""
    settings = cartpole(network={"lstm_cells": 4})
    spec = make(settings, 0, 0).spec
    network = make_network(settings, spec)
    player = Player(network, settings, spec, np.random.default_rng(0))
    seen = np.random.default_rng(1).normal(size=(3, *spec.observation_shape)).astype(np.float32)
    other = np.ones(spec.observation_shape, np.float32)
    rows = [
        player.output({5: other, 0: seen[0]})[1],
        player.output({0: seen[1]})[0],
        player.output({0: seen[2], 7: other})[0],
    ]
    with torch.no_grad():
        whole, _ = network(torch.from_numpy(seen).unsqueeze(1), network.initial_state(1), torch.zeros(3, 1))
    assert np.array(rows) == pytest.approx(whole[:, 0].numpy(), abs=1e-6)
    assert player.output({9: seen[2]})[0] != pytest.approx(rows[2], abs=1e-3), "a new game begins from nothing"


def test_a_time_limit_is_told_from_a_game_over(cliff: Make, cartpole: Make, finished: Finished, tmp_path: Path) -> None:
    """Greedy from a table of zeros, the cliff's walker goes up for ever; an untrained pole falls."""
    for make_settings, truncated in ((cliff, True), (cartpole, False)):
        folder = finished(tmp_path / str(truncated), make_settings())
        (game,) = evaluate(frozen_runs.load(folder, policy="greedy", episodes=1)).games
        assert game.truncated == truncated


def test_progress_counts_games_and_steps(run: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(frozen_runs.load(run, episodes=3), 0, lambda over, steps: seen.append((len(over), steps)))
    assert seen[-1] == (3, sum(game.steps for game in found.games))
    assert seen == sorted(seen)


def test_other_versions_are_noted_and_nothing_more(
    cliff: Make, finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finished(tmp_path / "run", cliff())
    manifest = run_folder.read_json(folder / run_folder.MANIFEST)
    manifest["versions"]["torch"] = "1.0"
    run_folder.write_json(folder / run_folder.MANIFEST, manifest)
    assert main(["evaluate", str(folder), "--episodes", "1", "--quiet"]) == 0
    assert "not as recorded: torch: recorded with 1.0, now " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--into", "games.txt"], "a name that ends in .csv is needed"), (["--into", "nowhere/games.csv"], "no folder")],
)
def test_a_file_that_could_not_be_written_is_refused_before_anything_is_played(
    run: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["evaluate", str(run), *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["--episodes", "0"], ["--seed", "-1"], ["--episodes", "1.5"], ["--policy", "x"]])
def test_numbers_out_of_range_are_refused(run: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(run), *arguments])
    assert caught.value.code == 2
