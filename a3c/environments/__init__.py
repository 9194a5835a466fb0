"""Games behind one protocol: an action in, `Step(observation, reward, discount, last, score)` out.

`make` builds the environment of some settings on its own random stream. Emulators and simulators are imported when one
is built and not before, so that the names of the games stay cheap to ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from a3c.environments.games import MUJOCO_GAMES

if TYPE_CHECKING:
    from a3c.environments.step import Environment
    from a3c.settings import BanditSettings, CliffSettings, CorridorSettings, Settings, SparseGridSettings

# The module that an import asks for -> what a user tells pip to install.
PACKAGES = {
    "ale_py": "ale-py",
    "cv2": "opencv-python-headless",
    "gymnasium": "gymnasium",
    "mujoco": "'a3c[mujoco]'",
    "imageio": "'a3c[mujoco]'",
    "Box2D": "'a3c[pixels]'",
    "pygame": "'a3c[pixels]'",
    "vizdoom": "'a3c[maze]'",
    "minatar": "'a3c[minatar]'",
}


def make(settings: Settings, *place: int, use: str = "environment") -> Environment:
    """The environment of a run at one place, every draw of chance in it from the stream `(seed, use, *place)`.

    Args:
      settings: of the run; `game`, `seed` and `environment` decide.
      place: integers that tell environments of one use apart, such as `worker, index`.
      use: one of `a3c.seeding.USES`.

    Raises:
      InvalidInput: naming the package to install, or what is wrong with a custom factory.
    """
    with naming_what_to_install(settings.game):
        return _make(settings, *place, use=use)


@contextmanager
def naming_what_to_install(game: str) -> Iterator[None]:
    """Turns a missing module of `PACKAGES` into one line that says what to install for the game.

    Raises:
      InvalidInput: that line.
    """
    from a3c.problems import InvalidInput, Problem

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        what = f"{game} needs the module {error.name}: pip install {PACKAGES[error.name]}"
        raise InvalidInput([Problem("game", what)]) from error


def _make(settings: Settings, *place: int, use: str) -> Environment:
    from a3c import seeding
    from a3c import settings as kinds

    game, chosen = settings.game, settings.environment
    seed = seeding.integer(settings.seed, use, *place)
    generator = seeding.generator(settings.seed, use, *place)
    match chosen:
        case kinds.AtariSettings():
            from a3c.environments.atari import Atari

            return Atari(game, chosen, seed, generator)
        case kinds.ControlSettings() if game in MUJOCO_GAMES:
            from a3c.environments.mujoco import MuJoCo

            return MuJoCo(game, chosen.reward_scale, seed)
        case kinds.ControlSettings():
            from a3c.environments.control import Control

            return Control(game, chosen.reward_scale, seed)
        case kinds.PixelSettings():
            from a3c.environments.pixels import Pixels

            return Pixels(game, chosen, seed)
        case kinds.MinAtarSettings():
            from a3c.environments.minatar import MinAtar

            return MinAtar(game, chosen, seed)
        case kinds.MazeSettings():
            from a3c.environments.maze import Maze

            return Maze(chosen, generator)
        case kinds.CustomSettings():
            from a3c.environments.custom import custom

            return custom(game, chosen, seed, generator)
    return _without_chance(chosen)


def _without_chance(
    chosen: BanditSettings | CorridorSettings | SparseGridSettings | CliffSettings,
) -> Environment:
    """The small worlds that draw nothing."""
    from a3c import settings as kinds

    match chosen:
        case kinds.BanditSettings():
            from a3c.environments.bandit import Bandit

            return Bandit(chosen)
        case kinds.CorridorSettings():
            from a3c.environments.corridor import Corridor

            return Corridor(chosen)
        case kinds.SparseGridSettings():
            from a3c.environments.sparse_grid import SparseGrid

            return SparseGrid(chosen)
        case kinds.CliffSettings():
            from a3c.environments.cliff_world import CliffWorld

            return CliffWorld(chosen.step_limit_steps, chosen.reward_scale)
