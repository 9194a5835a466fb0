"""Games behind one protocol: an action in, `Step(observation, reward, discount, last, score)` out.

`make` builds the environment of some settings on its own random stream. Emulators and simulators are imported when one
is built and not before, so that the names of the games stay cheap to ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from a3c.environments.step import Environment
    from a3c.settings import Settings

# The module that an import asks for -> the package that a user installs.
PACKAGES = {"ale_py": "ale-py", "cv2": "opencv-python-headless", "gymnasium": "gymnasium"}


def make(settings: Settings, *place: int, use: str = "environment") -> Environment:
    """The environment of a run at one place, every draw of chance in it from the stream `(seed, use, *place)`.

    Args:
      settings: of the run; `game`, `seed` and `environment` decide.
      place: integers that tell environments of one use apart, such as `worker, index`.
      use: one of `a3c.seeding.USES`.

    Raises:
      InvalidInput: naming the package to install, or what is wrong with a custom factory.
    """
    from a3c.problems import InvalidInput, Problem

    try:
        return _make(settings, *place, use=use)
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        what = f"{settings.game} needs the package {PACKAGES[error.name]}: pip install {PACKAGES[error.name]}"
        raise InvalidInput([Problem("game", what)]) from error


def _make(settings: Settings, *place: int, use: str) -> Environment:
    from a3c import seeding
    from a3c.settings import AtariSettings, CliffSettings, ControlSettings

    chosen = settings.environment
    seed = seeding.integer(settings.seed, use, *place)
    if isinstance(chosen, AtariSettings):
        from a3c.environments.atari import Atari

        return Atari(settings.game, chosen, seed, seeding.generator(settings.seed, use, *place))
    if isinstance(chosen, ControlSettings):
        from a3c.environments.control import Control

        return Control(settings.game, chosen.reward_scale, seed)
    if isinstance(chosen, CliffSettings):
        from a3c.environments.cliff_world import CliffWorld

        return CliffWorld(chosen.step_limit_steps, chosen.reward_scale)
    from a3c.environments.custom import custom

    return custom(settings.game, chosen, seed, seeding.generator(settings.seed, use, *place))
