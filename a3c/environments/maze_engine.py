"""ViZDoom, a program of its own, started so that it leaves nothing behind: no file, no shared memory, no orphan.

By itself it writes settings and a folder where it was started, leaves its shared memory to whoever comes after a
killed user, and would wait for that user's orders for ever.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import vizdoom

BUTTONS = (
    vizdoom.Button.MOVE_FORWARD_BACKWARD_DELTA,
    vizdoom.Button.MOVE_LEFT_RIGHT_DELTA,
    vizdoom.Button.TURN_LEFT_RIGHT_DELTA,
)
FAULTS = (
    vizdoom.MessageQueueException,
    vizdoom.SharedMemoryException,
    vizdoom.ViZDoomErrorException,
    vizdoom.ViZDoomIsNotRunningException,
    vizdoom.ViZDoomUnexpectedExitException,
)
SKILL = 3  # the one that things of our maps are there for
FIRST_FRAME = 8  # before it nobody can move

# Runs in the place of the engine and then becomes it: where nothing that it writes stays, and dying with its user.
STARTER = """
import ctypes, os, sys
folder, user, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: SIGKILL
os.chdir(folder)
if os.getppid() == int(user):
    os.execv(command[0], command)
"""
SHARED_MEMORY = Path("/dev/shm")  # of Linux


class Engine:
    """A running engine that draws pictures for no window, and shows nothing of Doom but the map and what is on it."""

    def __init__(self, wad: bytes, first_map: str, *, item_score: float, secret_score: float) -> None:
        """Starts it.

        Args:
          wad: content of the file with maps, textures and rules.
          first_map: name of one of the maps.
          item_score: what an item pays that is picked up.
          secret_score: what a secret pays that is found.

        Raises:
          RuntimeError: if it does not start.
        """
        game = self._game = vizdoom.DoomGame()
        game.set_item_reward(item_score)
        game.set_secret_reward(secret_score)
        game.set_doom_map(first_map)
        _configure(game)
        with tempfile.TemporaryDirectory(prefix="a3c-maze-") as folder, _naming_its_end("does not start"):
            path = Path(folder, "maze.wad")
            path.write_bytes(wad)
            game.set_doom_scenario_path(str(path))
            game.set_vizdoom_path(str(_starter(Path(folder))))
            game.init()
        # The engine has its files open and its memory mapped by now, so that both need no names any more.
        for shared in SHARED_MEMORY.glob(f"ViZDoom*{game.get_instance_id()}"):
            shared.unlink()

    def begin(self, map_name: str, seed: int) -> None:
        """Begins an episode on a map; all of the engine's own chance comes from the seed.

        Raises:
          RuntimeError: if the engine has ended.
        """
        with _naming_its_end("ended"):
            self._game.set_doom_map(map_name)
            self._game.set_seed(seed)
            self._game.new_episode()

    def act(self, buttons: Sequence[float], frames: int) -> float:
        """Holds buttons for some frames, and returns what was scored; only the last frame is drawn.

        Args:
          buttons: one number for each of `BUTTONS`: speed ahead and speed to the right, of which 50 is the most that
            a player can run, and degrees to turn right a frame.
          frames: how many, 1/35 s each.

        Raises:
          RuntimeError: if the engine has ended.
        """
        with _naming_its_end("ended"):
            return float(self._game.make_action(list(buttons), frames))

    def picture(self) -> np.ndarray:
        """What the player sees, uint8 [120, 160, 3], an array of its own.

        Raises:
          RuntimeError: if the engine has ended.
        """
        with _naming_its_end("ended"):
            state = self._game.get_state()
        assert state is not None, "an episode without a time limit of the engine's has no end"
        return np.asarray(state.screen_buffer)

    def close(self) -> None:
        """Ends it."""
        self._game.close()


@contextmanager
def _naming_its_end(what: str) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        raise RuntimeError(f"the maze's engine, ViZDoom {vizdoom.__version__}, {what}: {error}") from error


def _configure(game: vizdoom.DoomGame) -> None:
    game.set_doom_game_path(str(Path(vizdoom.root_path, "freedoom2.wad")))  # not whichever Doom is installed
    game.set_doom_config_path(os.devnull)
    game.set_doom_skill(SKILL)
    game.set_mode(vizdoom.Mode.PLAYER)
    game.set_episode_start_time(FIRST_FRAME)
    game.set_episode_timeout(0)
    game.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
    game.set_screen_format(vizdoom.ScreenFormat.RGB24)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_available_buttons(list(BUTTONS))
    game.set_render_hud(False)
    game.set_render_weapon(False)
    game.set_render_crosshair(False)
    game.set_render_messages(False)
    game.set_render_screen_flashes(False)
    game.add_game_args("+cl_showsecretmessage 0")


def _starter(folder: Path) -> Path:
    """A program for ViZDoom's library to start as its engine."""
    command = [sys.executable, "-I", "-S", "-c", STARTER, str(folder), str(os.getpid()), vizdoom.exe_path]
    path = folder / "engine"
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    path.chmod(0o700)
    return path
