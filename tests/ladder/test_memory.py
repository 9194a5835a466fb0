"""What recurrent cells are for: a corridor in the dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge

SEEDS = range(200, 205)


def in_the_dark(experiments: Path, seed: int, **changes: Any) -> Settings:
    """In a drawn order, so that a seed that finds the way finds it whenever it is asked to."""
    order = {"schedule": "drawn", "order": {"kind": "round_robin"}, "seed": seed}
    return resolve(merge(load_settings("corridor_memory", experiments), order, changes))


@pytest.mark.slow
def test_who_remembers_finds_the_way_in_the_dark(experiments: Path, final_score: Callable[[Settings], float]) -> None:
    assert sum(final_score(in_the_dark(experiments, seed)) == 1.0 for seed in SEEDS) >= 4


@pytest.mark.slow
def test_who_does_not_remember_never_finds_it(experiments: Path, final_score: Callable[[Settings], float]) -> None:
    """Not even by luck: sampled actions get through once in 64 episodes at best, greedy ones never."""
    network, evaluation = {"lstm_cells": None}, {"policy": "sampled", "episodes": 100}
    for seed in SEEDS:
        assert final_score(in_the_dark(experiments, seed, network=network, evaluation=evaluation)) < 0.1
