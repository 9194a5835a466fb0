"""A run to film and recordings of nothing in particular."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from a3c.settings import Settings
from a3c.watching.recording import ACTION_VALUES, MEANS, PROBABILITIES, Moment, Picture, Recording, Thought


@pytest.fixture(scope="session")
def run(
    cliff: Callable[..., Settings], finished: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished run in the cliff world, whose untrained policy walks at random."""
    return finished(tmp_path_factory.mktemp("runs") / "run", cliff(evaluation={"policy": "sampled"}))


@pytest.fixture(scope="session")
def noise() -> Callable[..., Recording]:
    """A factory of recordings: of which kind, how many steps, how many actions."""

    def record(kind: str = PROBABILITIES, steps: int = 12, count: int = 4) -> Recording:
        random = np.random.default_rng(0)
        moments = []
        for step in range(steps):
            numbers = random.dirichlet(np.ones(count)) if kind == PROBABILITIES else random.normal(size=count)
            done = numbers.astype(np.float32) + 0.1 if kind == MEANS else int(numbers.argmin())
            thought = Thought(float(random.normal()), numbers, 0.3 if kind == MEANS else 0.0)
            picture = Picture.of(np.full((210, 160, 3), 20 * step % 256, np.uint8))
            moments.append(Moment(picture, 10.0 * step, thought, done, kind == ACTION_VALUES))
        names = [f"action {index}" for index in range(count)]
        end = Picture.of(np.full((210, 160, 3), [0, 255, 0], np.uint8))
        return Recording("Game", ["one", "two"], kind, names, moments, end, 1234.0, "game over")

    return record
