"""Values that libraries may change under us: runs from before and after such a change must not share a table.

Recorded on x86-64 with ale-py 0.12.1 and OpenCV 5.0.0 (4.14.0 resizes alike, and so does 5.0.0 without AVX). The new
values are printed by `pytest -vv tests/environments/test_atari_golden.py`.
The resize has a test of its own, so that a failure tells whether OpenCV or the emulator has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from a3c.environments import make
from a3c.settings import Settings

NOISE = "a6d81d22fc90260a9f9b755b123ba4e969c27d32d3cbfe25225846cc629cb44c"
RESIZED_NOISE = "5b7fff1d3b42fab1cd7c6ea8a7fc12dd33dd8c8ed63dcea4e18e3579eb800dcd"
OBSERVATIONS = {
    "Pong": "d641a38ce52c209a5a13c3a95fac1e6193475c988fdff2906aa877b245617efd",
    "Breakout": "4919d4b3d3246bb6b5c6a8f21362e12607d73c3a9fe63202ec8356fa10a3db9b",
    "Seaquest": "8eba0373f6379eb2ae458c78dd67f91105c9047218b42c60ef0f9a2dbf453d17",
}


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_the_area_resize_of_fixed_noise() -> None:
    noise = np.random.Generator(np.random.PCG64(1)).integers(256, size=(210, 160), dtype=np.uint8)
    assert sha256(noise) == NOISE
    assert sha256(cv2.resize(noise, (84, 84), interpolation=cv2.INTER_AREA)) == RESIZED_NOISE


@pytest.mark.parametrize("game", OBSERVATIONS)
def test_the_first_hundred_observations_of_a_fixed_play(game: str, settings_for: Callable[..., Settings]) -> None:
    environment = make(settings_for(game, seed=1), 0)
    observations = [environment.reset()]
    for index in range(99):
        observations.append(environment.step(index // 5 % environment.spec.actions).observation)
    assert sha256(np.stack(observations)) == OBSERVATIONS[game]
