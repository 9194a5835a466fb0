"""The names of the games that can be trained on, and which kind of environment each needs. Imports nothing heavy."""

from __future__ import annotations

import re
import sys
from functools import cache

# One game of a kind of its own each; what it is like is for its settings to say.
CLIFF_WORLD = "CliffWorld"
OWN_GAMES = {
    CLIFF_WORLD: "cliff_world",
    "Bandit": "bandit",
    "Corridor": "corridor",
    "SparseGrid": "sparse_grid",
    "Maze": "maze",
}

CONTROL_GAMES = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1")

MUJOCO_GAMES = (
    "Ant-v5",
    "HalfCheetah-v5",
    "Hopper-v5",
    "Humanoid-v5",
    "HumanoidStandup-v5",
    "InvertedDoublePendulum-v5",
    "InvertedPendulum-v5",
    "Pusher-v5",
    "Reacher-v5",
    "Swimmer-v5",
    "Walker2d-v5",
)

# Tasks seen as pixels: ours, and what Gymnasium calls them.
PIXEL_GAMES = {"PendulumPixels": "Pendulum-v1", "CarRacing": "CarRacing-v3"}

# The games of MinAtar, and what it calls them.
MINATAR_GAMES = {
    "MinAtarAsterix": "asterix",
    "MinAtarBreakout": "breakout",
    "MinAtarFreeway": "freeway",
    "MinAtarSeaquest": "seaquest",
    "MinAtarSpaceInvaders": "space_invaders",
}

# Actions are vectors of real numbers; where a game can have either, its settings say it.
CONTINUOUS_GAMES = ("Pendulum-v1", *MUJOCO_GAMES)

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
    """The kind of environment that a game needs, such as `atari`; None for a name that is no game's."""
    if game in atari_games():
        return "atari"
    if game in CONTROL_GAMES or game in MUJOCO_GAMES:
        return "control"
    if game in PIXEL_GAMES:
        return "pixels"
    if game in MINATAR_GAMES:
        return "minatar"
    if game in OWN_GAMES:
        return OWN_GAMES[game]
    if len(game) > 200 or not re.fullmatch(CUSTOM_PATTERN, game):
        return None
    # No environment is made by Python's own modules, and a study should not be able to call `os.system` by its name.
    return None if re.split("[.:]", game, maxsplit=1)[0] in sys.stdlib_module_names else "custom"


def known_games() -> list[str]:
    """Every name that is a game's, custom ones apart."""
    return [*atari_games(), *CONTROL_GAMES, *MUJOCO_GAMES, *PIXEL_GAMES, *MINATAR_GAMES, *OWN_GAMES]


def folder_name(game: str) -> str:
    """The game's folder: its name, with the colon of a custom environment as a dot."""
    return game.replace(":", ".")
