"""Settings that the tests train with: tiny, and complete, since the package has no defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.plan import load_settings, merge
from a3c.settings import Settings, resolve

EXPERIMENTS = Path(__file__).parent.parent / "experiments"

TINY: dict[str, Any] = {
    "budget_frames": 2_000,
    "evaluation": {"points": 1, "episodes": 1},
    "records": {"intervals": 4},
}


@pytest.fixture(scope="session")
def experiments() -> Path:
    return EXPERIMENTS


@pytest.fixture(scope="session")
def cliff() -> Callable[..., Settings]:
    """A factory of cliff world settings: the fastest thing that learns."""
    below = load_settings("cliff_world", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))


@pytest.fixture(scope="session")
def cartpole() -> Callable[..., Settings]:
    """A factory of CartPole settings."""
    below = load_settings("cartpole", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))


@pytest.fixture(scope="session")
def pong() -> Callable[..., Settings]:
    """A factory of Pong settings."""
    below = load_settings("atari_laptop", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))
