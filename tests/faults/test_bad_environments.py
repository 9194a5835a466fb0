"""Users' own environments that do what they should not: one sentence names game, call, what came and what is needed."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from a3c.environments import make
from a3c.environments.checked import Checked, EnvironmentFaultError
from a3c.environments.foreign import Foreign
from a3c.environments.step import Environment, Spec, Step
from a3c.problems import InvalidInput
from a3c.settings import Settings

Make = Callable[..., Settings]

GOOD: tuple[Any, ...] = (np.zeros(2, np.float32), 1.0, False, False, {})


class Strange(gymnasium.Env[Any, Any]):
    """Returns what it is told to; every second step raises if it is told to."""

    action_space = Discrete(2)

    def __init__(self, space: Any, reset: Any, step: Any) -> None:
        self.observation_space, self._answers = space, (reset, step)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return self._answers[0]

    def step(self, action: Any) -> Any:
        return self._answers[1]


def foreign(reset: Any = (GOOD[0], {}), step: Any = GOOD, space: Any = None) -> Environment:
    space = space or Box(-1.0, 1.0, (2,), np.float32)
    return Checked("mine:Game", Foreign("mine:Game", Strange(space, reset, step), 1.0, 0))


def with_(place: int, value: Any) -> tuple[Any, ...]:
    return (*GOOD[:place], value, *GOOD[place + 1 :])


STEPS = {
    "nothing": (None, "step() returned None"),
    "old Gym's four": (GOOD[:4], "a tuple of 4; (observation, reward, terminated, truncated, info) is needed"),
    "no observation": (with_(0, None), "None as observation; an array of Box"),
    "a list": (with_(0, [0.0, 0.0]), "an object of type list as observation"),
    "a dictionary": (with_(0, {"a": 1}), "an object of type dict as observation"),
    "another shape": (with_(0, np.zeros(3, np.float32)), "an observation float32 [3]; its space is float32 [2]"),
    "another rank": (with_(0, np.float32(0)), "an observation float32 []; its space is float32 [2]"),
    "complex numbers": (with_(0, np.zeros(2, complex)), "an observation complex128 [2]"),
    "objects": (with_(0, np.array([None, None])), "an observation object [2]"),
    "NaN": (with_(0, np.array([0, math.nan], np.float32)), "an observation with nan at [1]; finite numbers are needed"),
    "beyond float32": (with_(0, np.array([1e300, 0])), "an observation with inf at [0]"),
    "no reward": (with_(1, None), "None as reward; a finite number is needed"),
    "a reward of one element": (with_(1, np.ones(1)), "an object of type ndarray as reward"),
    "a text for a reward": (with_(1, "1"), "an object of type str as reward"),
    "a NaN reward": (with_(1, math.nan), "returned nan as reward"),
    "an infinite reward": (with_(1, np.float32(-np.inf)), "returned -inf as reward"),
    "an endless integer": (with_(1, 10**400), "an integer beyond every float as reward"),
    "a number for an end": (with_(2, 0.5), "an object of type float as terminated; it is True or False"),
    "nothing for a time-out": (with_(3, None), "None as truncated"),
}


@pytest.mark.parametrize(("answer", "words"), STEPS.values(), ids=STEPS)
def test_what_a_step_of_gymnasium_must_not_be_is_named(answer: Any, words: str) -> None:
    environment = foreign(step=answer)
    environment.reset()
    with pytest.raises(EnvironmentFaultError) as caught:
        environment.step(0)
    assert str(caught.value).startswith("mine:Game: step() returned ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GOOD[0], "an object of type ndarray; (observation, info) is needed"),
        (None, "None; (observation, info)"),
        ((None, {}), "None as observation"),
        ((np.full(2, np.nan), {}), "an observation with nan at [0]"),
    ],
)
def test_what_a_reset_of_gymnasium_must_not_be_is_named(answer: Any, words: str) -> None:
    with pytest.raises(EnvironmentFaultError) as caught:
        foreign(reset=answer).reset()
    assert f"mine:Game: reset() returned {words}" in str(caught.value)


def test_a_state_that_its_space_does_not_have_is_named() -> None:
    states = Discrete(3, start=1)
    assert foreign(reset=(np.int64(3), {}), space=states).reset() == 2
    for wrong in (4, 0):
        with pytest.raises(EnvironmentFaultError, match="its spec promises 0 to 2"):
            foreign(reset=(wrong, {}), space=states).reset()
    with pytest.raises(EnvironmentFaultError, match="needs an integer"):
        foreign(reset=(1.5, {}), space=states).reset()
    with pytest.raises(EnvironmentFaultError, match="observation float64"):
        foreign(reset=(np.zeros(2) + 0.5, {}), space=Box(0, 255, (2,), np.uint8)).reset()  # would be cut to bytes


def test_another_precision_and_numpys_numbers_are_fine() -> None:
    environment = foreign(step=(np.zeros(2), np.float64(2), np.bool_(True), False, {}))
    environment.reset()
    step = environment.step(0)
    assert step == (step.observation, 2.0, 0.0, True, 2.0)
    assert step.observation.dtype == np.float32


class Own:
    """Follows our protocol, but for one answer."""

    spec = Spec((2,), "float32", 2)
    action_names = ("left", "right")

    def __init__(self, step: Any) -> None:
        self._step = step

    def reset(self) -> Any:
        return np.zeros(2, np.float32)

    def step(self, action: Any) -> Any:
        return self._step

    def save(self) -> dict[str, Any]:
        return {"saved": 1}

    def restore(self, state: dict[str, Any]) -> None: ...

    def render(self) -> np.ndarray:
        return np.zeros([1, 1, 3], np.uint8)

    def close(self) -> None: ...


OWN = Step(np.zeros(2, np.float32), 1.0, 1.0, False, 1.0)
OWN_STEPS = {
    "a plain tuple": (tuple(OWN), "a tuple of 5; a Step is needed"),
    "another precision": (OWN._replace(observation=np.zeros(2)), "float64 [2]; its spec promises float32 [2]"),
    "a list": (OWN._replace(observation=[0, 0]), "an object of type list as observation; float32 [2] is needed"),
    "a NaN": (OWN._replace(observation=np.full(2, np.nan, np.float32)), "an observation with nan at [0]"),
    "a NaN reward": (OWN._replace(reward=math.nan), "nan as reward"),
    "an infinite score": (OWN._replace(score=math.inf), "inf as score"),
    "an odd discount": (OWN._replace(discount=0.99), "the discount 0.99; it is 0.0 or 1.0"),
    "no discount": (OWN._replace(discount=None), "None as discount"),
    "a number for last": (OWN._replace(last=2), "an object of type int for `last`"),
}


@pytest.mark.parametrize(("answer", "words"), OWN_STEPS.values(), ids=OWN_STEPS)
def test_what_a_step_of_our_protocol_must_not_be_is_named(answer: Any, words: str) -> None:
    environment = Checked("mine:Own", Own(answer))
    environment.reset()
    with pytest.raises(EnvironmentFaultError, match="mine:Own: step"):
        environment.step(0)
    with pytest.raises(EnvironmentFaultError) as caught:
        environment.step(0)
    assert words in str(caught.value)


def test_a_good_environment_is_what_it_was() -> None:
    environment = Checked("mine:Own", Own(OWN))
    environment.reset()
    assert environment.step(1) == OWN
    assert (environment.action_names, environment.save()) == (("left", "right"), {"saved": 1})


BROKEN = """
import sys
import gymnasium, numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

Plain = dict

class Game(gymnasium.Env):
    observation_space, action_space = Box(-1.0, 1.0, (2,), np.float32), Discrete(2)
    def __init__(self, fault=""):
        self.fault, self.steps = fault, 0
        if fault == "constructor": raise RuntimeError("no game today")
        if fault == "actions": self.action_space = MultiDiscrete([2, 2])
        if fault == "exit": sys.exit(0)
    def reset(self, *, seed=None, options=None):
        if self.fault == "reset": raise RuntimeError("no reset today")
        return np.zeros(2, np.float32), {}
    def step(self, action):
        self.steps += 1
        if self.fault == "step" and self.steps > 30: raise RuntimeError("no step today")
        reward = {"nan": float("nan"), "huge": 1e39}.get(self.fault, 1.0) if self.steps > 30 else 1.0
        return np.zeros(2, np.float32), reward, self.steps % 10 == 0, False, {}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cliff: Make) -> Callable[..., Settings]:
    """Settings of a run on the environment above, with a fault."""
    (tmp_path / "broken_game.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    network = {"kind": "mlp", "hidden": [4], "activation": "tanh", "lstm_cells": None, "separate": False}
    network["initialization"] = "torch"

    def settings(fault: str, game: str = "broken_game:Game", **changes: Any) -> Settings:
        environment = {"kind": "custom", "reward_scale": 1.0, "options": {"fault": fault} if fault else {}}
        return cliff(game=game, environment=environment, network=network, workers=2, **changes)

    return settings


def test_code_that_raises_keeps_its_own_error(own: Callable[..., Settings]) -> None:
    with pytest.raises(RuntimeError, match="no game today"):
        make(own("constructor"))
    with pytest.raises(RuntimeError, match="no reset today"):
        make(own("reset")).reset()


def test_spaces_modules_and_functions_that_will_not_do_are_named(own: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "leaves_at_once.py").write_text("import sys\nsys.exit(0)\n")
    for settings, words in (
        (own("actions"), str(MultiDiscrete([2, 2]))),
        (own("", game="leaves_at_once:Game"), "ends the program when it is imported"),
        (own("", game="broken_game:Gam"), "has no function or class 'Gam'"),
        (own("", game="broken_game:Plain"), "does not say which arguments it takes"),
    ):
        with pytest.raises(InvalidInput) as caught:
            make(settings)
        assert words in str(caught.value)


@pytest.mark.parametrize("game", ["os:system", "subprocess:run", "builtins:eval", "importlib.util:find_spec"])
def test_pythons_own_modules_are_no_games(game: str, own: Callable[..., Settings]) -> None:
    with pytest.raises(InvalidInput, match="unknown game"):
        own("", game=game)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("step", ["worker ", "RuntimeError: no step today", "broken_game.py"]),
        ("nan", ["worker ", "broken_game:Game: step() returned nan as reward; a finite number is needed"]),
        ("constructor", ["RuntimeError: no game today", "broken_game.py"]),
        ("exit", ["broken_game:Game ends the program by SystemExit(0)"]),
    ],
)
def test_a_run_on_a_broken_environment_fails_with_its_reason(
    fault: str, words: list[str], own: Callable[..., Settings], tmp_path: Path
) -> None:
    into = ["--into", str(tmp_path / "run"), "--no-track", "--quiet"]
    line = [sys.executable, "-m", "a3c", "train", "--settings", own(fault).to_json(), *into]
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == 1, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert not (tmp_path / "run/done.json").exists()
