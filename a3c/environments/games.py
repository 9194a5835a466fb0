"""The names of the games that can be trained on, and which kind of environment each needs. Imports nothing heavy."""

from __future__ import annotations

import re
from functools import cache

CLIFF_WORLD = "CliffWorld"

CONTROL_GAMES = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0")

CUSTOM_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*"

# The 57 games of Wang et al. (2016), Table 2, as ROM names of the Arcade Learning Environment.
_ROMS = """
alien amidar assault asterix asteroids atlantis bank_heist battle_zone beam_rider berzerk bowling boxing breakout
centipede chopper_command crazy_climber defender demon_attack double_dunk enduro fishing_derby freeway frostbite
gopher gravitar hero ice_hockey jamesbond kangaroo krull kung_fu_master montezuma_revenge ms_pacman name_this_game
phoenix pitfall pong private_eye qbert riverraid road_runner robotank seaquest skiing solaris space_invaders
star_gunner surround tennis time_pilot tutankham up_n_down venture video_pinball wizard_of_wor yars_revenge zaxxon
"""


@cache
def atari_games() -> dict[str, str]:
    """The 57 games: name (`SpaceInvaders`) to ROM (`space_invaders`), in alphabetical order."""
    return {"".join(part.capitalize() for part in rom.split("_")): rom for rom in _ROMS.split()}


def kind_of(game: str) -> str | None:
    """`atari`, `control`, `cliff_world` or `custom`; None for a name that is none of these."""
    if game in atari_games():
        return "atari"
    if game in CONTROL_GAMES:
        return "control"
    if game == CLIFF_WORLD:
        return "cliff_world"
    return "custom" if len(game) <= 200 and re.fullmatch(CUSTOM_PATTERN, game) else None


def folder_name(game: str) -> str:
    """The game's folder: its name, with the colon of a custom environment as a dot."""
    return game.replace(":", ".")
