"""Finding and importing what a game needs, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from a3c.environments import make
from a3c.problems import InvalidInput
from a3c.settings import Settings


@pytest.mark.parametrize(
    ("game", "module", "missing", "package"),
    [
        ("Pong", "atari", "ale_py", "ale-py"),
        ("Pong", "atari", "cv2", "opencv-python-headless"),
        ("CartPole-v1", "control", "gymnasium", "gymnasium"),
        ("Hopper-v5", "mujoco", "mujoco", "'a3c[mujoco]'"),
        ("CarRacing", "racing", "Box2D", "'a3c[pixels]'"),
        ("CarRacing", "racing", "pygame", "'a3c[pixels]'"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    game: str,
    module: str,
    missing: str,
    package: str,
    settings_for: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, f"a3c.environments.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InvalidInput, match=re.escape(f"{game} needs the module {missing}: pip install {package}")):
        make(settings_for(game))


def test_asking_for_names_of_games_imports_no_emulator_and_no_arrays() -> None:
    program = (
        "import sys, a3c.environments.games; "
        "print([name for name in ('numpy', 'torch', 'gymnasium', 'ale_py', 'cv2') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_cliff_needs_neither_emulator_nor_gymnasium() -> None:
    program = (
        "import sys, a3c.environments.cliff_world; "
        "print([name for name in ('torch', 'gymnasium', 'ale_py', 'cv2') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
