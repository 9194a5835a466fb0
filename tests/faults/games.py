"""Games in which something goes wrong, and the processes that they start."""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from typing import Any

import gymnasium
import numpy as np


class Faulty(gymnasium.Env[np.ndarray, int]):
    """Three states, two actions; after some steps it hangs, or it starts a process, as a game engine would."""

    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, hang_in: str = "", after_steps: int = 50, computing: bool = False, engine: bool = False) -> None:
        self._hang_in, self._after, self._computing = hang_in, after_steps, computing
        self._steps = 0
        if engine and multiprocessing.current_process().name != "MainProcess":
            subprocess.Popen(["sleep", "600"])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        if self._hang_in == "reset":
            self._hang()
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        if self._hang_in == "step" and self._steps > self._after:
            self._hang()
        return 0, 0.0, self._steps % 20 == 0, False, {}

    def _hang(self) -> None:
        while self._computing:
            sum(range(1000))
        time.sleep(600)


class InOne(Faulty):
    """Has the fault in one process of the run alone."""

    def __init__(self, process: str, **options: Any) -> None:
        if multiprocessing.current_process().name != process:
            options["hang_in"] = ""
        super().__init__(**options)
