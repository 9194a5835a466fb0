"""Conditions that the zoo is kept in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from .machine import Insert, Machine


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """As every worker has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def insert(monkeypatch: pytest.MonkeyPatch) -> Insert:
    """Puts a machine where the emulator would be."""

    def insert(machine: Machine) -> Machine:
        monkeypatch.setattr("a3c.environments.atari.emulator", lambda rom, seed: machine)
        return machine

    return insert
