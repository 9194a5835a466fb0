"""Trainers that tests start and whose processes they hurt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Tests, and the processes that they start, import `trees` and `striking` by these names.
sys.path.append(str(Path(__file__).parent))

if TYPE_CHECKING:
    from trees import Trainer

    from a3c.settings import Settings


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Callable[..., Trainer]]:
    """`trainer(settings, strike=None, **options)`: see `trees.Trainer`; nothing of it is left behind."""
    from trees import Trainer

    started: list[Trainer] = []

    def start(settings: Settings, strike: dict[str, Any] | None = None, **options: Any) -> Trainer:
        started.append(Trainer(settings, tmp_path / "run", strike, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()
