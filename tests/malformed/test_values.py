"""Settings with one mistake each, and games whose names would become folders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from a3c.problems import InvalidInput
from a3c.settings import Settings, resolve
from a3c.settings_files import assignment, load_settings, merge

from .conftest import EXPERIMENTS

Edit = Callable[[str, str, str], None]
Refused = Callable[[list[str]], None]

NETWORK = "{kind: mlp, hidden: [64], activation: tanh, lstm_cells: null, separate: false, initialization: torch}"

# What in cartpole.yaml becomes what, and the words that the message must contain.
CARTPOLE = {
    "zero points": ("points: 10", "points: 0", ["evaluation.points: got 0"]),
    "a negative budget": ("budget_frames: 160_000", "budget_frames: -1", ["budget_frames: got -1"]),
    "a budget with a fraction": ("budget_frames: 160_000", "budget_frames: 2.0e+4", ["budget_frames: got 20000.0"]),
    "half a number": ("5.0e-3", "7e", ["optimizer.learning_rate: got '7e'"]),
    "a rate of zero": ("5.0e-3", "0.0", ["optimizer.learning_rate", "greater than 0"]),
    "a rate that is not a number": ("5.0e-3", ".nan", ["optimizer.learning_rate: got nan"]),
    "an infinite rate": ("5.0e-3", ".inf", ["optimizer.learning_rate", "got inf", "finite"]),
    "a decay that is not a number": ("epsilon: 1.0e-4", "decay: .nan", ["optimizer.decay: got nan"]),
    "a decay of one": ("epsilon: 1.0e-4", "decay: 1.0", ["optimizer.decay", "less than 1"]),
    "gamma of two": ("gamma: 0.99", "gamma: 2", ["learning.gamma", "less than or equal to 1"]),
    "gamma that is not a number": ("gamma: 0.99", "gamma: .nan", ["learning.gamma: got nan"]),
    "a boolean for a fraction": ("gamma: 0.99", "gamma: true", ["learning.gamma: got True"]),
    "a boolean for a count": ("rollout_steps: 20", "rollout_steps: yes", ["learning.rollout_steps: got True"]),
    "a rollout too long to record": ("rollout_steps: 20", "rollout_steps: 65536",
                                     ["learning.rollout_steps", "65535"]),
    "a limit of zero": ("gradient_norm_limit: 1.0", "gradient_norm_limit: 0", ["learning.gradient_norm_limit: got 0"]),
    "no hidden layers": ("hidden: [64]", "hidden: []", ["network.hidden: got []"]),
    "a hidden layer of nothing": ("hidden: [64]", "hidden: [0]", ["network.hidden[0]: got 0"]),
    "a number for layers": ("hidden: [64]", "hidden: 64", ["network.hidden: got 64"]),
    "unknown network": ("kind: mlp", "kind: cnn",
                        ["network", "'cnn'", "'conv2013', 'conv2015', 'conv_minatar', 'mlp', 'table'"]),
    "an unknown activation": ("activation: tanh", "activation: gelu", ["network.activation", "'relu' or 'tanh'"]),
    "an unknown initialization": ("initialization: torch", "initialization: zeros",
                                  ["network.initialization", "'torch' or 'orthogonal'"]),
    "no cells": ("lstm_cells: null", "lstm_cells: 0", ["network.lstm_cells: got 0"]),
    "a word for separate": ("separate: false", "separate: 'no'", ["network.separate", "'no'", "boolean"]),
    "an unknown annealing": ("epsilon: 1.0e-4", "annealing: cosine",
                             ["optimizer.annealing", "'linear', 'linear_per_worker' or 'constant'"]),
    "an unknown algorithm": ("learning: {", "algorithm: {kind: ppo}\nlearning: {",
                             ["algorithm", "'ppo'", "'actor_critic', 'one_step_q', 'one_step_sarsa', 'n_step_q'"]),
    "a weight where it was": ("gamma: 0.99", "gamma: 0.99, entropy_weight: 0.01",
                              ["learning.entropy_weight: unknown key 'entropy_weight'"]),
    "a negative weight": ("learning: {", "algorithm: {entropy_weight: -0.01}\nlearning: {",
                          ["algorithm.entropy_weight: got -0.01"]),
    "lambda of two": ("learning: {", "algorithm: {gae_lambda: 2}\nlearning: {",
                      ["algorithm.gae_lambda", "less than or equal to 1"]),
    "unknown policy": ("policy: greedy", "policy: best", ["evaluation.policy", "'sampled' or 'greedy'"]),
    "unknown key": ("workers: 4", "worker: 4", ["'worker'", "did you mean 'workers'"]),
    "unknown key in a mapping": ("gamma: 0.99", "gama: 0.99", ["learning.gama", "did you mean 'gamma'"]),
    "a key of another kind": ("reward_scale: 0.1", "reward_scale: 0.1, protocol: paper",
                              ["environment.protocol", "'protocol'", "reward_scale"]),
    "a mapping of nothing": (NETWORK, "", [".network: got None"]),
    "a base in a circle": ("base: paper", "base: cartpole", ["base: runs in a circle: cartpole -> cartpole"]),
    "a base with a path": ("base: paper", "base: ../paper", ["cartpole.yaml:3: base: got '../paper'"]),
    "a base that is missing": ("base: paper", "base: papre",
                               ["cartpole.yaml:3: base: unknown base 'papre'; did you mean 'paper'"]),
    "a list of bases": ("base: paper", "base: [paper]", ["cartpole.yaml:3: base: got ['paper']"]),
    "no base": ("base: paper", "#", ["executor: missing", "envs_per_worker: missing"]),
    "settings given twice": ("workers: 4", "workers: 4\nworkers: 8", ["'workers'", "twice", "line"]),
}  # fmt: skip

ATARI = {
    "unknown protocol": ("protocol: paper", "protocol: papr",
                         ["environment.protocol", "'papr'", "'paper' or 'sticky'"]),
    "a word for a boolean": ("clip_rewards: true", "clip_rewards: 'true'",
                             ["environment.clip_rewards", "'true'", "boolean"]),
    "a boolean for a number": ("action_repeat: 4 ", "action_repeat: true ",
                               ["environment.action_repeat", "True", "integer"]),
}  # fmt: skip

GAMES = ("../../etc", "Pong/..", "/etc/passwd", "Po\\0ng", "Pong\\n", "-Pong", "..", "", "Pong ", "a:b/c", "a.b:c\\n")


@pytest.mark.parametrize(("old", "new", "words"), CARTPOLE.values(), ids=CARTPOLE)
def test_a_mistake_in_a_settings_file_is_named(
    old: str, new: str, words: list[str], edit: Edit, refused: Refused
) -> None:
    edit("cartpole.yaml", old, new)
    refused(words)


@pytest.mark.parametrize(("old", "new", "words"), ATARI.values(), ids=ATARI)
def test_a_mistake_in_the_papers_settings_is_named(
    old: str, new: str, words: list[str], edit: Edit, refused: Refused
) -> None:
    edit("paper.yaml", old, new)
    refused(words)


@pytest.mark.parametrize("game", GAMES)
def test_a_name_that_is_no_game_never_becomes_a_folder(game: str, edit: Edit, refused: Refused) -> None:
    edit("staleness.yaml", "[CartPole-v1]", f'["{game}"]')
    refused([".game: unknown game"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{a: 2026-01-01}", "environment.options.a: got datetime.date(2026, 1, 1)"),
        ("{a: !!binary aGk=}", "environment.options.a: got b'hi'"),
        ("{a: .nan}", "environment.options: got {'a': nan}; numbers in it should be finite"),
        ("{1: 2}", "got 1; input should be a valid string"),
    ],
)
def test_options_of_an_own_environment_are_what_json_can_hold(options: str, words: str) -> None:
    below = load_settings("cartpole", EXPERIMENTS)
    given = assignment(f"environment={{kind: custom, reward_scale: 1.0, options: {options}}}")
    with pytest.raises(InvalidInput) as caught:
        resolve(merge(below, {"game": "my.games:Maze"}, given))
    assert words in str(caught.value)
    fine = assignment("environment={kind: custom, reward_scale: 1.0, options: {a: [1, x, ~, {b: 1.5}]}}")
    settings = resolve(merge(below, {"game": "my.games:Maze", "seed": 0}, fine))
    assert Settings.from_json(settings.to_json()) == settings
