"""Several environments stepped as one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from a3c.environments import make
from a3c.environments.batch import Batch
from a3c.settings import Settings


def test_a_batch_steps_each_environment_as_it_would_be_stepped_alone(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for("CartPole-v1")
    batch = Batch([make(settings, index) for index in range(3)])
    alone = [make(settings, index) for index in range(3)]
    for index, environment in enumerate(alone):
        np.testing.assert_array_equal(batch.reset(index), environment.reset())
    for actions in np.random.default_rng(0).integers(2, size=(200, 3)):
        steps = batch.step(actions)
        assert len(steps) == len(batch) == 3
        for index, (step, environment) in enumerate(zip(steps, alone, strict=True)):
            expected = environment.step(int(actions[index]))
            np.testing.assert_array_equal(step.observation, expected.observation)
            assert step[1:] == expected[1:]
            if step.last:
                np.testing.assert_array_equal(batch.reset(index), environment.reset())


def test_each_environment_of_a_batch_takes_its_own_row_of_continuous_actions(
    settings_for: Callable[..., Settings],
) -> None:
    settings = settings_for("Hopper-v5")
    batch = Batch([make(settings, index) for index in range(2)])
    alone = [make(settings, index) for index in range(2)]
    for index, environment in enumerate(alone):
        np.testing.assert_array_equal(batch.reset(index), environment.reset())
    actions = np.random.default_rng(0).uniform(-1, 1, size=(2, 3)).astype(np.float32)
    for step, environment, action in zip(batch.step(actions), alone, actions, strict=True):
        np.testing.assert_array_equal(step.observation, environment.step(action).observation)


def test_a_batch_has_one_spec(settings_for: Callable[..., Settings]) -> None:
    cart, cliff = make(settings_for("CartPole-v1")), make(settings_for("CliffWorld"))
    assert Batch([cart]).spec == cart.spec
    with pytest.raises(ValueError, match="one spec"):
        Batch([cart, cliff])
    with pytest.raises(ValueError, match="one spec"):
        Batch([])


def test_a_batch_needs_an_action_for_each_environment(settings_for: Callable[..., Settings]) -> None:
    batch = Batch([make(settings_for("CliffWorld")) for _ in range(2)])
    with pytest.raises(ValueError, match="argument 2 is longer"):
        batch.step(np.zeros(3, dtype=np.int64))


def test_closing_a_batch_closes_every_environment(
    settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = [make(settings_for("CliffWorld")) for _ in range(2)]
    closed: list[int] = []
    for index, environment in enumerate(environments):
        monkeypatch.setattr(environment, "close", lambda index=index: closed.append(index))
    Batch(environments).close()
    assert closed == [0, 1]
