"""Settings that the tests train with: tiny, and complete, since the package has no defaults."""

from __future__ import annotations

import copy
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.plan import studies
from a3c.records import run_folder
from a3c.records.manifest import FINISHED, Manifest
from a3c.records.rows import EvaluationRow, RowWriter
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge

ROOT = Path(__file__).parent.parent
sys.path.append(str(Path(__file__).parent))  # tests import `tracked_runs`, `sessions` and `check_store` by these names
EXPERIMENTS = ROOT / "experiments"

TINY: dict[str, Any] = {
    "budget_frames": 2_000,
    "evaluation": {"points": 1, "episodes": 1},
    "records": {"intervals": 4},
}


@pytest.fixture(scope="session")
def experiments() -> Path:
    return EXPERIMENTS


@pytest.fixture(scope="session")
def cliff() -> Callable[..., Settings]:
    """A factory of cliff world settings: the fastest thing that learns."""
    below = load_settings("cliff_world", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))


@pytest.fixture(scope="session")
def cartpole() -> Callable[..., Settings]:
    """A factory of CartPole settings."""
    below = load_settings("cartpole", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))


@pytest.fixture(scope="session")
def pong() -> Callable[..., Settings]:
    """A factory of Pong settings."""
    below = load_settings("atari_laptop", EXPERIMENTS)
    return lambda **changes: resolve(merge(copy.deepcopy(below), TINY, changes))


@pytest.fixture(scope="session")
def copy_project() -> Callable[[Path, str], Path]:
    """Copies the project, with one study `one`; its trainers make a checkpoint twice a second and tell no MLflow."""

    def copy_to(path: Path, study: str) -> Path:
        for name in ("a3c", "experiments", "profiles"):
            shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in studies(path / "experiments"):
            (path / f"experiments/{name}.yaml").unlink()
        (path / "experiments/one.yaml").write_text(study)
        rules = (ROOT / "Snakefile").read_text().replace("--no-track", "--no-track --checkpoint-seconds 0.5")
        (path / "Snakefile").write_text(rules.replace("setsid {PYTHON} -m a3c track", "true"))
        return path

    return copy_to


@pytest.fixture(scope="session")
def interrupted() -> Callable[[Settings, Path, int], None]:
    """Trains, or goes on, until some frames, and is then asked to stop, as by Ctrl-C."""

    def interrupt(settings: Settings, folder: Path, frames: int) -> None:
        from a3c.asynchrony.outcomes import Progress, StoppedError
        from a3c.training import Conditions, train

        asked = False

        def stop(progress: Progress) -> None:
            nonlocal asked
            if progress.frames >= frames and not asked:
                asked = True
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(StoppedError):
            train(settings, folder, Conditions(checkpoint_seconds=1e9), stop)
        assert not (folder / run_folder.DONE).exists()
        assert (folder / "checkpoints").exists()

    return interrupt


@pytest.fixture(scope="session")
def finished() -> Callable[..., Path]:
    """Writes a finished run's folder without training: other parameters at each point, the last are the final ones."""

    def write(folder: Path, settings: Settings, point_scores: tuple[float, ...] = (1.0, 3.0, 2.0)) -> Path:
        from a3c.asynchrony.agents import make_network
        from a3c.devices import cpu_capability
        from a3c.environments import make
        from a3c.model_files import write_best, write_model

        points = len(point_scores)
        evaluation = settings.evaluation.model_copy(update={"points": points, "episodes": 1})
        settings = settings.model_copy(update={"evaluation": evaluation})
        folder.mkdir()
        run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
        spec = make(settings, 0, 0).spec
        networks = [make_network(settings.model_copy(update={"seed": k}), spec) for k in range(points)]
        best = point_scores.index(max(point_scores))
        write_model(folder, networks[0], networks[-1].vector, [])
        write_best(folder, networks[0], networks[best].vector, best + 1)
        rows = RowWriter(folder / run_folder.EVALUATIONS, EvaluationRow)
        rows.write(
            EvaluationRow(k, 100 * k, 100 * k, 0, 0.0, 0, s, 1, 0, "") for k, s in enumerate(point_scores, start=1)
        )
        rows.close()
        manifest = Manifest(folder, settings, timing=False, cpu_capability=cpu_capability())
        manifest.end(FINISHED, frames=100 * points, train_seconds=1.0)
        run_folder.write_json(folder / run_folder.DONE, {"frames": 100 * points})
        return folder

    return write
