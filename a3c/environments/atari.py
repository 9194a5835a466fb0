"""Atari 2600 games on the Arcade Learning Environment itself, with the preprocessing of Mnih et al. (2015) and (2016).

    emulator frames   1   2   3   4   5   6   7   8   ...
    screens read              *   *           *   *         the last two of each action repeat
    their maximum, 84x84          a               b         sprites that flicker are in one of the two
    observation                   [.., a]         [.., a, b]

Two protocols exist and are never mixed in a table; what each name stands for is in `PROTOCOLS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ale_py
import cv2
import numpy as np
from ale_py import roms

from a3c.environments.games import atari_games
from a3c.environments.step import Spec, Step
from a3c.settings import AtariSettings

SIDE = 84

_NOOP = ale_py.Action.NOOP


@dataclass(frozen=True)
class Protocol:
    """A set of choices that decide what a score means.

    Attributes:
      repeat_probability: chance, at every emulator frame, that the frame repeats the action of the frame before.
      noop_max: an episode opens with 1 to this many frames of doing nothing, drawn evenly; 0 for none.
      full_action_set: all 18 joystick positions, or only those that the game's cartridge reads.
      life_loss_ends: whether a lost life zeroes the discount; the game goes on either way.
    """

    repeat_probability: float
    noop_max: int
    full_action_set: bool
    life_loss_ends: bool


PROTOCOLS = {
    # Mnih et al. (2015), Methods, and (2016), section 5.1; no FIRE is pressed for the agent: neither paper names one.
    "paper": Protocol(repeat_probability=0.0, noop_max=30, full_action_set=False, life_loss_ends=True),
    # Machado et al. (2018), section 5 and table 5.
    "sticky": Protocol(repeat_probability=0.25, noop_max=0, full_action_set=True, life_loss_ends=False),
}


class Atari:
    """One Atari game.

    Observations are uint8 `[stacked_frames, 84, 84]`, oldest frame first. The frames of a fresh episode's stack are all
    its first screen, as in Gymnasium's `FrameStackObservation`. Every observation is an array of its own that is never
    written again, so it may be kept without a copy.

    Which actions stick is drawn here and not by the emulator, by the emulator's rule: its saved state leaves out the
    action that is being held, so that a game with the emulator's own sticky actions cannot be restored exactly.
    """

    def __init__(self, game: str, settings: AtariSettings, seed: int, generator: np.random.Generator) -> None:
        """Loads the game; it must be reset before its first step.

        Args:
          game: one of `games.atari_games()`.
          settings: protocol, action repeat, frame stack, frame limit and reward clipping.
          seed: of the emulator's own generator, below 2**31.
          generator: draws the no-ops and the sticky actions.
        """
        self._protocol = PROTOCOLS[settings.protocol]
        self._action_repeat = settings.action_repeat
        self._frame_limit = settings.frame_limit_frames
        self._clip_rewards = settings.clip_rewards
        self._generator = generator
        ale = self._ale = emulator(atari_games()[game], seed)
        self._actions = ale.getLegalActionSet() if self._protocol.full_action_set else ale.getMinimalActionSet()
        self._screen, self._screen_before = np.zeros((2, *ale.getScreenDims()), dtype=np.uint8)
        self._stack = np.zeros((settings.stacked_frames, SIDE, SIDE), dtype=np.uint8)
        self._held = _NOOP
        self._lives = 0
        self.spec = Spec(self._stack.shape, "uint8", len(self._actions))
        self.action_names = tuple(str(action.name) for action in self._actions)

    def reset(self) -> np.ndarray:
        """Starts a game, opening with the protocol's no-ops."""
        ale = self._ale
        ale.reset_game()
        self._held = _NOOP
        if self._protocol.noop_max:
            for _ in range(self._generator.integers(1, self._protocol.noop_max + 1)):
                ale.act(_NOOP)
                if ale.game_over(with_truncation=False):
                    ale.reset_game()
        self._lives = ale.lives()
        ale.getScreenGrayscale(self._screen)
        self._stack = np.empty_like(self._stack)
        self._stack[:] = cv2.resize(self._screen, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return self._stack

    def step(self, action: int) -> Step:
        """Repeats one action for `action_repeat` frames, or until the game is over: the emulator refuses what follows.

        The newest frame of a game's last observation thus shows its last screen, never one from before the step. The
        frame limit is held against the emulator's own count, no-ops included, after all frames of the step.

        Args:
          action: index into the protocol's action set.
        """
        ale = self._ale
        score = self._emulate(self._actions[action], self._action_repeat - 1)
        ale.getScreenGrayscale(self._screen_before)
        score += self._emulate(self._actions[action], 1)
        ale.getScreenGrayscale(self._screen)
        over = ale.game_over(with_truncation=False)
        lives = ale.lives()
        lost = self._protocol.life_loss_ends and lives < self._lives
        self._lives = lives
        return Step(
            self._observe(),
            float((score > 0) - (score < 0)) if self._clip_rewards else float(score),
            0.0 if over or lost else 1.0,
            over or ale.getEpisodeFrameNumber() >= self._frame_limit,
            float(score),
        )

    def _emulate(self, action: ale_py.Action, frames: int) -> int:
        """Runs the emulator with the action wanted, or with the one before it where that sticks; returns the score."""
        sticks = self._protocol.repeat_probability
        score = 0
        for _ in range(frames):
            if not sticks or self._generator.random() >= sticks:
                self._held = action
            score += self._ale.act(self._held)
        return score

    def _observe(self) -> np.ndarray:
        """A new stack: the old one without its oldest frame, then the maximum of the two screens, 84x84."""
        stack = np.empty_like(self._stack)
        stack[:-1] = self._stack[1:]
        np.maximum(self._screen, self._screen_before, out=self._screen)
        cv2.resize(self._screen, (SIDE, SIDE), dst=stack[-1], interpolation=cv2.INTER_AREA)
        self._stack = stack
        return stack

    def save(self) -> dict[str, Any]:
        """Emulator, frame stack, lives, held action and random stream; the two screens are read anew in every step."""
        return {
            "emulator": self._ale.cloneState(include_rng=True).serialize(),
            "stack": self._stack.copy(),
            "lives": self._lives,
            "held": self._held.value,
            "generator": self._generator.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues exactly where `save` was called."""
        self._ale.restoreState(ale_py.ALEState(state["emulator"]))
        self._stack = state["stack"].copy()
        self._lives = int(state["lives"])
        self._held = ale_py.Action(state["held"])
        self._generator.bit_generator.state = state["generator"]

    def render(self) -> np.ndarray:
        """The emulator's present screen in color, uint8 [210, 160, 3] for most games."""
        return np.asarray(self._ale.getScreenRGB())

    def close(self) -> None:
        """Nothing to do: the emulator goes with the object."""


def emulator(rom: str, seed: int) -> ale_py.ALEInterface:
    """The emulator with a game in it: one frame an action, no sticky actions, no limit of its own."""
    # Workers are one thread each; OpenCV would start as many as there are cores.
    cv2.setNumThreads(1)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", seed)
    ale.setFloat("repeat_action_probability", 0.0)
    path = roms.get_rom_path(rom)
    assert path is not None, f"this ale-py has no {rom}"
    ale.loadROM(path)
    return ale
