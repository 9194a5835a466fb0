"""Gymnasium's MuJoCo tasks: forces in, joint positions and velocities out.

MuJoCo starts a simulation that has become unstable anew on its own, in the midst of an episode, and writes a file into
the working directory about it. Here it is a Python warning instead.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import mujoco
import numpy as np

from a3c.environments.control import Adapter, Control
from a3c.problems import InvalidInput, Problem

_PHYSICS = mujoco.mjtState.mjSTATE_INTEGRATION  # all that decides what the simulation does next
# What the last simulated step left behind, one physics step older than the state: Ant and Humanoid measure from it how
# far the next step takes them.
_LEFT_BEHIND = ("xpos", "xipos")


class MuJoCo(Control):
    """A MuJoCo task."""

    def __init__(self, game: str, reward_scale: float, seed: int) -> None:
        """Makes one of `games.MUJOCO_GAMES`; arguments as in `Adapter`."""
        mujoco.set_mju_user_warning(_warn)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what MuJoCo finds outdated in Gymnasium's models is nothing to a user
            super().__init__(game, reward_scale, seed)
        model = self._task.model
        self.action_names = tuple(model.joint(model.actuator(i).trnid[0]).name for i in range(model.nu))

    def _save_task(self) -> dict[str, Any]:
        model, data = self._task.model, self._task.data
        physics = np.empty(mujoco.mj_stateSize(model, _PHYSICS))
        mujoco.mj_getState(model, data, physics, _PHYSICS)
        return {"physics": physics} | {name: getattr(data, name).copy() for name in _LEFT_BEHIND}

    def _restore_task(self, state: dict[str, Any]) -> None:
        model, data = self._task.model, self._task.data
        mujoco.mj_setState(model, data, state["physics"], _PHYSICS)
        mujoco.mj_kinematics(model, data)  # where everything is, to be drawn
        for name in _LEFT_BEHIND:
            getattr(data, name)[:] = state[name]

    def render(self) -> np.ndarray:
        """What MuJoCo draws, uint8 [480, 480, 3], without a window.

        Raises:
          InvalidInput: if there is no OpenGL to draw with; MUJOCO_GL says which one is used: egl, osmesa or glfw.
        """
        if sys.platform == "linux" and "DISPLAY" not in os.environ:
            # GLFW, which Gymnasium would try first, fails without a display and too late for another to be tried.
            os.environ.setdefault("MUJOCO_GL", "egl")
        try:
            return Adapter.render(self)
        except Exception as error:  # each OpenGL library fails in its own way
            why = " ".join(str(error).split()) or type(error).__name__
            what = (
                f"{self._game} cannot be drawn, since OpenGL fails with MUJOCO_GL={os.environ.get('MUJOCO_GL')}: {why}"
            )
            hint = "install EGL (libegl1 and libgl1-mesa-dri in Debian), or set MUJOCO_GL=osmesa and install libosmesa6"
            raise InvalidInput([Problem("game", f"{what}; {hint}")]) from error


def _warn(message: str) -> None:
    warnings.warn(f"MuJoCo: {message}", RuntimeWarning, stacklevel=2)
