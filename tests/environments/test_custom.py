"""Users' own environments, defined below: Gymnasium's and such as follow our own protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete

from a3c import seeding
from a3c.environments import make
from a3c.environments.step import Spec, Step
from a3c.problems import InvalidInput
from a3c.settings import Settings

SettingsFor = Callable[..., Settings]


class Corridor(gymnasium.Env[Any, Any]):
    """Writes every observation into one array, as an environment may; rewards the action, then ends in some way."""

    action_space = Discrete(3, start=5)

    def __init__(self, observation_space: gymnasium.Space[Any], ends: tuple[bool, bool] = (False, False)) -> None:
        self.observation_space = observation_space
        self.ends = ends
        self.seeds: list[int | None] = []
        self.buffer = np.zeros(observation_space.shape or (), dtype=observation_space.dtype)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.seeds.append(seed)
        self.buffer[...] = 10
        return self.buffer, {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.buffer += 1
        return self.buffer, float(action), *self.ends, {}


class Coin:
    """Our own protocol: shows a fair coin's last toss."""

    spec = Spec((1,), "float32", 2)

    def __init__(self, generator: np.random.Generator, sides: int = 2) -> None:
        self.generator, self.sides = generator, sides

    def reset(self) -> np.ndarray:
        return np.array([self.generator.integers(self.sides)], dtype=np.float32)

    def step(self, action: int) -> Step:
        return Step(self.reset(), 3.0, 1.0, False, 3.0)

    def save(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def corridor(low: float = 0.0, ends: Any = (False, False)) -> Corridor:
    return Corridor(Box(low, 100.0, (2,), np.float64), tuple(ends))


def bytes_corridor() -> Corridor:
    return Corridor(Box(0, 255, (2, 3), np.uint8))


def state_corridor() -> Corridor:
    return Corridor(Discrete(8, start=7))


def dictionary() -> Corridor:
    return Corridor(Dict(a=Discrete(2)))


def nothing() -> None:
    return None


def half_an_environment() -> object:
    class Half:
        def step(self) -> None: ...

        def reset(self) -> None: ...

    return Half()


def named(factory: str) -> str:
    return f"{__name__}:{factory}"


def problem(settings: Settings) -> str:
    with pytest.raises(InvalidInput) as caught:
        make(settings)
    return str(caught.value)


def test_a_gymnasium_environment_is_adapted(settings_for: SettingsFor) -> None:
    environment = make(settings_for(named("corridor"), reward_scale=0.5))
    assert environment.spec == Spec((2,), "float32", 3)
    observation = environment.reset()
    step = environment.step(1)
    assert (step.reward, step.score, step.discount, step.last) == (3.0, 6.0, 1.0, False)
    assert step.observation.dtype == np.float32
    np.testing.assert_array_equal([observation, step.observation], [[10.0, 10.0], [11.0, 11.0]])


def test_bytes_stay_bytes_and_discrete_observations_become_state_indices(settings_for: SettingsFor) -> None:
    pixels, states = make(settings_for(named("bytes_corridor"))), make(settings_for(named("state_corridor")))
    assert pixels.spec == Spec((2, 3), "uint8", 3)
    assert pixels.reset().dtype == np.uint8
    assert states.spec == Spec((), "int64", 3, states=8)
    observation = states.reset()
    assert isinstance(observation, np.ndarray)
    assert observation.shape == ()
    assert observation.dtype == np.int64
    assert observation == 3


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((False, False), (1.0, False)),
        ((True, False), (0.0, True)),
        ((False, True), (1.0, True)),
        ((True, True), (0.0, True)),
    ],
)
def test_terminated_and_truncated_become_discount_and_last(
    ends: tuple[bool, bool], expected: tuple[float, bool], settings_for: SettingsFor
) -> None:
    environment = make(settings_for(named("corridor"), options={"ends": list(ends)}))
    environment.reset()
    step = environment.step(0)
    assert (step.discount, step.last) == expected


def test_an_observation_is_kept_from_an_environment_that_writes_it_again(settings_for: SettingsFor) -> None:
    environment = make(settings_for(named("bytes_corridor")))
    first = environment.reset()
    second = environment.step(0).observation
    environment.step(0)
    assert [first.min(), first.max(), second.min(), second.max()] == [10, 10, 11, 11]


def test_the_first_reset_is_seeded_from_the_environments_stream(settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for(named("corridor"), seed=9), 2)
    environment.reset()
    environment.reset()
    assert environment._environment._env.seeds == [seeding.integer(9, "environment", 2), None]


def test_another_task_of_gymnasium_with_continuous_actions_is_named_by_its_id(settings_for: SettingsFor) -> None:
    environment = make(settings_for("gymnasium:make", seed=3, options={"id": "MountainCarContinuous-v0"}), 1)
    oracle = gymnasium.make("MountainCarContinuous-v0")
    assert environment.spec == Spec((2,), "float32", 1, continuous=True)
    observation, _ = oracle.reset(seed=seeding.integer(3, "environment", 1))
    np.testing.assert_array_equal(environment.reset(), observation)
    for push in (-5.0, 0.25, 5.0):
        step = environment.step(np.array([push], dtype=np.float32))
        observation, reward, *_ = oracle.step(np.clip(np.array([push], dtype=np.float32), -1.0, 1.0))
        np.testing.assert_array_equal(step.observation, observation)
        assert step.score == reward


def test_a_gymnasium_environment_says_that_it_cannot_be_saved(settings_for: SettingsFor) -> None:
    environment = make(settings_for(named("corridor")))
    with pytest.raises(NotImplementedError, match="Corridor cannot be saved"):
        environment.save()
    with pytest.raises(NotImplementedError, match="Corridor cannot be restored"):
        environment.restore({})


def test_an_own_environment_is_taken_as_it_is_and_draws_from_its_stream(settings_for: SettingsFor) -> None:
    environment: Any = make(settings_for(named("Coin"), options={"sides": 1000}), 4)
    assert isinstance(environment._environment, Coin)
    draws = seeding.generator(0, "environment", 4)
    assert [environment.reset()[0] for _ in range(5)] == [draws.integers(1000) for _ in range(5)]


@pytest.mark.parametrize(
    ("game", "message"),
    [
        ("no_such_package.module:factory", "no module 'no_such_package'"),
        ("a3c.no_such_module:factory", "no module 'a3c.no_such_module'"),
        (named("no_such_factory"), "has no function or class 'no_such_factory'"),
        (named("nothing"), "nothing returned None"),
        (named("half_an_environment"), "lacks save, restore, close"),
        (named("dictionary"), "or a Box of one axis are needed"),
    ],
)
def test_what_is_no_environment_is_named(game: str, message: str, settings_for: SettingsFor) -> None:
    assert message in problem(settings_for(game))


def test_options_that_a_factory_does_not_take_are_named(settings_for: SettingsFor) -> None:
    text = problem(settings_for(named("corridor"), options={"hight": 3.0}))
    assert "environment.options" in text
    assert "'hight'" in text
    assert "low" in text


def test_rewards_of_an_own_environment_are_not_scaled_in_silence(settings_for: SettingsFor) -> None:
    assert "environment.reward_scale: got 0.5" in problem(settings_for(named("Coin"), reward_scale=0.5))


def test_a_module_that_fails_to_import_keeps_its_own_error(
    settings_for: SettingsFor, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_what_is_not_there.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        make(settings_for("needs_what_is_not_there:factory"))
