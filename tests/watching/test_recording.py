"""One game, recorded as `a3c evaluate` would play it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from a3c import frozen as frozen_runs
from a3c.environments import make as make_environment
from a3c.environments.cliff_world import CliffWorld
from a3c.evaluating import evaluate
from a3c.problems import InvalidInput
from a3c.settings import Settings
from a3c.watching.recording import (
    ACTION_VALUES,
    GOES_ON,
    MEANS,
    PROBABILITIES,
    action_names,
    record,
    think,
)

Make = Callable[..., Settings]
Finished = Callable[..., Path]


@pytest.mark.parametrize(("make", "cells"), [("cliff", None), ("cartpole", None), ("cartpole", 4)])
def test_a_film_shows_the_game_that_evaluate_plays(
    request: pytest.FixtureRequest, finished: Finished, tmp_path: Path, make: str, cells: int | None
) -> None:
    network = {"lstm_cells": cells} if make == "cartpole" else {}
    settings = request.getfixturevalue(make)(network=network, evaluation={"policy": "sampled"})
    loaded = frozen_runs.load(finished(tmp_path / "run", settings), episodes=1)
    for seed in (0, 1):
        (game,) = evaluate(loaded, seed).games
        film = record(loaded, seed, most_steps=10_000)
        assert (film.score, len(film.moments)) == (game.score, game.steps)
        assert film.ending == ("time limit" if game.truncated else "game over")


def test_every_decision_is_recorded_with_what_was_there_before_it(run: Path) -> None:
    film = record(frozen_runs.load(run), 0, most_steps=30)
    assert len(film.moments) == 30
    assert film.ending == GOES_ON
    assert [moment.score for moment in film.moments[:2]] == [0.0, film.moments[1].score]
    assert film.names == ["up", "right", "down", "left"]
    for moment in film.moments:
        assert moment.thought.actions.sum() == pytest.approx(1.0)
        assert not moment.explores
        assert moment.picture.pixels().dtype == np.uint8
    shown = {moment.picture.content for moment in film.moments}
    assert len(shown) > 2, "the picture changes with the state"


@pytest.mark.parametrize(("policy", "epsilon"), [("sampled", 1.0), ("sampled", 0.0), ("greedy", 1.0)])
def test_what_epsilon_chose_is_marked(
    cartpole: Make, finished: Finished, tmp_path: Path, policy: str, epsilon: float
) -> None:
    exploration = {
        "final_epsilons": [0.1], "probabilities": [1.0], "annealing_frames": 100, "evaluation_epsilon": epsilon,
    }  # fmt: skip
    algorithm = {"kind": "one_step_q", "target_interval_frames": 100, "exploration": exploration}
    folder = finished(tmp_path / "run", cartpole(algorithm=algorithm))
    film = record(frozen_runs.load(folder, policy=policy), 0, most_steps=40)
    assert film.kind == ACTION_VALUES
    differs = [moment.action != moment.thought.actions.argmax() for moment in film.moments]
    assert [moment.explores for moment in film.moments] == differs
    assert any(differs) == (policy == "sampled" and epsilon == 1.0)
    assert all(moment.thought.value == moment.thought.actions.max() for moment in film.moments)
    assert film.lines[1].startswith(
        f"{policy} policy" if policy == "greedy" else f"epsilon-greedy ({epsilon:g}) policy"
    )


def test_an_output_is_read_as_its_algorithm_reads_it() -> None:
    output = np.array([0.0, np.log(3.0), -7.0], np.float32)
    probabilities = think(output, PROBABILITIES)
    assert probabilities.value == -7.0
    assert probabilities.actions == pytest.approx([0.25, 0.75])
    assert think(output, ACTION_VALUES).value == pytest.approx(np.log(3.0))
    means = think(output, MEANS)  # one mean, the variance before softplus, the value
    assert (means.value, means.actions.tolist()) == (-7.0, [0.0])
    assert means.spread == pytest.approx(np.sqrt(np.log(1.0 + 3.0)), rel=1e-5)


def test_actions_without_names_are_numbered() -> None:
    environment: Any = SimpleNamespace(spec=SimpleNamespace(actions=2))
    assert action_names(environment) == ["action 0", "action 1"]
    environment.action_names = ("left", "right")
    assert action_names(environment) == ["left", "right"]


def test_atari_names_the_actions_of_its_protocol(pong: Make) -> None:
    assert action_names(make_environment(pong(), 0)) == ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]


def test_an_environment_that_cannot_be_drawn_is_refused(
    cliff: Make, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = frozen_runs.load(finished(tmp_path / "run", cliff()))
    monkeypatch.delattr(CliffWorld, "render")
    with pytest.raises(InvalidInput, match=r"CliffWorld has no render\(\)"):
        record(loaded, 0, most_steps=3)
