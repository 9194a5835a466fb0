"""What the README and the documents are run with: a copy of a checkout's files, and one short run in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests import `documents` and `substitutions` by these names

ROOT = Path(__file__).parents[2]
COPIED = ("experiments", "profiles", "results/benchmarks", "Snakefile", "constraints.txt", "pyproject.toml")


@pytest.fixture(scope="session")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that can be replayed, evaluated and watched."""
    folder = tmp_path_factory.mktemp("short") / "run"
    settings = ["schedule=locked", "workers=2", "budget_frames=2000", "evaluation={points: 1, episodes: 2}"]
    file = str(ROOT / "experiments/cartpole.yaml")
    command = [sys.executable, "-m", "a3c", "train", file, *settings, "--into", str(folder), "--no-track", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[], Path]:
    """A factory of a copy of what a checkout has beside its code, in which every settings file has a small budget."""
    from substitutions import shortened

    def make() -> Path:
        folder = tmp_path / "checkout"
        for name in COPIED:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        for file in (folder / "experiments").glob("*.yaml"):
            file.write_text(shortened(file.read_text(encoding="utf-8")), encoding="utf-8")
        return folder

    return make
