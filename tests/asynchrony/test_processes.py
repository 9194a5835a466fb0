"""Real processes: what an asynchronous run promises, and what happens when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from sessions import living, wait_for

from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.schedule_file import read_schedule, turn_columns, warm_up_turns
from a3c.settings import Settings
from a3c.training import train

HERE = f"{__name__.split('.')[-1]}"


class Failing(gymnasium.Env[np.ndarray, int]):
    """Raises after a few steps, or stays in one step for ever."""

    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, hang: bool) -> None:
        self._hang, self._steps = hang, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, object] | None = None
    ) -> tuple[int, dict[str, object]]:
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, object]]:
        self._steps += 1
        if self._steps > 50:
            if not self._hang:
                raise ZeroDivisionError("the game fell over")
            time.sleep(1000)
        return 0, 0.0, False, False, {}


class HalfMade(Failing):
    """One worker's cannot be made; another's is being made then, and notes if an exception interrupts that."""

    def __init__(self, folder: str) -> None:
        if multiprocessing.parent_process() is None:
            return
        try:
            Path(folder, "making").touch(exist_ok=False)
        except FileExistsError:
            raise ZeroDivisionError("the game fell over") from None
        try:
            time.sleep(1000)
        except BaseException:
            Path(folder, "interrupted").touch()
            raise


def parameters_of(folder: Path) -> dict[str, torch.Tensor]:
    content = torch.load(folder / run_folder.MODEL, weights_only=True)
    return dict(content["parameters"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "workers", [pytest.param(2, marks=pytest.mark.slow), 4, pytest.param(8, marks=pytest.mark.slow)]
)
def test_mean_staleness_of_a_locked_run_is_the_number_of_other_workers(
    cliff: Callable[..., Settings], tmp_path: Path, workers: int
) -> None:
    settings = cliff(schedule="locked", workers=workers, budget_frames=105_000, learning={"rollout_steps": 20})
    train(settings, tmp_path)
    header, turns = read_schedule(tmp_path / run_folder.SCHEDULE)
    counted = turns["staleness"][warm_up_turns(header, turns) :]
    assert len(counted) >= 5_000
    assert counted.mean() == pytest.approx(workers - 1, rel=0.05)
    assert int(turn_columns(header, turns)["frames"][-1]) >= 105_000


@pytest.mark.parametrize("executor", [pytest.param("processes", marks=pytest.mark.slow), "batched"])
def test_two_synchronous_runs_of_one_seed_are_byte_identical(
    cartpole: Callable[..., Settings], tmp_path: Path, executor: str
) -> None:
    settings = cartpole(schedule="synchronous", executor=executor, workers=4, budget_frames=8_000)
    for name in ("a", "b"):
        train(settings, tmp_path / name)
    a, b = (parameters_of(tmp_path / name) for name in ("a", "b"))
    assert all(torch.equal(a[layer], b[layer]) for layer in a)
    for name in (run_folder.SCHEDULE, run_folder.MODEL):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    other = train(cartpole(schedule="synchronous", executor=executor, seed=1, workers=4), tmp_path / "c")
    assert other["outcome"] == "finished"
    assert not torch.equal(parameters_of(tmp_path / "c")["output.weight"], a["output.weight"])


@pytest.mark.parametrize("schedule", ["hogwild", "locked", "synchronous"])
def test_a_finished_folder_is_complete(cliff: Callable[..., Settings], tmp_path: Path, schedule: str) -> None:
    settings = cliff(schedule=schedule, workers=3, evaluation={"points": 2, "episodes": 2})
    done = train(settings, tmp_path)
    manifest = run_folder.read_json(tmp_path / run_folder.MANIFEST)
    header, turns = read_schedule(tmp_path / run_folder.SCHEDULE)
    assert manifest["outcome"] == done["outcome"] == "finished"
    assert int(turns["steps"].sum()) == done["frames"] == manifest["frames"] >= 2_000
    assert len(turns) == done["updates"] * (3 if schedule == "synchronous" else 1)
    assert header.workers == 3
    evaluations = (tmp_path / run_folder.EVALUATIONS).read_text().splitlines()
    assert len(evaluations) == 1 + 2 * 2
    assert len((tmp_path / run_folder.POLICY).read_text().splitlines()) == 1 + 48 * 4
    assert not list(tmp_path.glob(".*")), "no temporary file is left"


def test_a_workers_exception_ends_the_run_with_its_traceback(cliff: Callable[..., Settings], tmp_path: Path) -> None:
    settings = _custom(cliff, "Failing", hang=False)
    from a3c.asynchrony.outcomes import ProcessFailedError

    with pytest.raises(ProcessFailedError, match=r"(?s)worker \d raised.*ZeroDivisionError: the game fell over"):
        train(settings, tmp_path)
    manifest = run_folder.read_json(tmp_path / run_folder.MANIFEST)
    assert manifest["outcome"] == "failed"
    assert "the game fell over" in manifest["error"]
    assert not (tmp_path / run_folder.DONE).exists()


def test_no_exception_interrupts_a_library_that_is_being_loaded(cliff: Callable[..., Settings], tmp_path: Path) -> None:
    """Some, in C++, abort the process at one: in many lines on the terminal, before the run says why it ended."""
    from a3c.asynchrony.outcomes import ProcessFailedError

    with pytest.raises(ProcessFailedError, match="the game fell over"):
        train(_custom(cliff, "HalfMade", folder=str(tmp_path)), tmp_path / "run")
    assert (tmp_path / "making").exists()
    assert not (tmp_path / "interrupted").exists()


def _custom(cliff: Callable[..., Settings], name: str, **options: object) -> Settings:
    environment = {"kind": "custom", "reward_scale": 1.0, "options": options}
    return cliff(game=f"{HERE}:{name}", schedule="locked", workers=2, environment=environment)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes import the failing game from this file."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def trainer(cartpole: Callable[..., Settings], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `a3c train` on a run of several seconds, in a session of its own, and leaves nothing behind."""
    started: list[subprocess.Popen[str]] = []

    def start(schedule: str) -> subprocess.Popen[str]:
        settings = cartpole(schedule=schedule, workers=3, budget_frames=50_000_000)
        command = [sys.executable, "-m", "a3c", "train", "--settings", settings.to_json(), "--no-track", "--quiet"]
        process = subprocess.Popen(
            [*command, "--into", str(tmp_path / "run")], start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        schedule_file = tmp_path / "run" / run_folder.SCHEDULE
        assert wait_for(lambda: schedule_file.exists() and schedule_file.stat().st_size > 1_000, 120)
        return process

    yield start
    for process in started:
        for one in living(process.pid):
            os.kill(one.pid, signal.SIGKILL)
        process.wait()
        if process.stderr:
            process.stderr.close()


def _workers(session: int) -> list[int]:
    """The processes that do the work: those that have a parent in the session, and no child."""
    alive = living(session)
    parents = {process.parent for process in alive}
    return [process.pid for process in alive if process.pid not in parents and "forkserver" in process.command]


@pytest.mark.slow
@pytest.mark.parametrize(
    "schedule",
    [pytest.param("hogwild", marks=pytest.mark.slow), "locked", pytest.param("synchronous", marks=pytest.mark.slow)],
)
def test_a_killed_worker_ends_the_run_and_is_named(
    trainer: Callable[..., subprocess.Popen[str]], schedule: str, tmp_path: Path
) -> None:
    process = trainer(schedule)
    os.kill(_workers(process.pid)[0], signal.SIGKILL)
    _, message = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "was killed by SIGKILL" in message
    assert "worker" in message or "evaluator" in message
    assert run_folder.read_json(tmp_path / "run" / run_folder.MANIFEST)["outcome"] == "failed"
    assert wait_for(lambda: not living(process.pid), 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow), (signal.SIGINT, 130)]
)
def test_a_signal_stops_the_run_and_its_workers(
    trainer: Callable[..., subprocess.Popen[str]], number: int, code: int, tmp_path: Path
) -> None:
    process = trainer("locked")
    os.kill(process.pid, number)
    process.communicate(timeout=20)
    assert process.returncode == code
    assert run_folder.read_json(tmp_path / "run" / run_folder.MANIFEST)["outcome"] == "killed"
    assert wait_for(lambda: not living(process.pid), 2)


@pytest.mark.slow
def test_a_run_folder_has_one_owner(trainer: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = trainer("locked")
    with pytest.raises(run_folder.RunFolderBusy, match=str(process.pid)):
        run_folder.own(tmp_path / "run")


def test_an_unknown_custom_game_is_named_before_any_process_starts(
    cliff: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = cliff(game="no_such_package:Game", environment={"kind": "custom", "reward_scale": 1.0, "options": {}})
    with pytest.raises(InvalidInput, match="no_such_package"):
        train(settings, tmp_path)


@pytest.mark.slow
def test_a_run_can_be_started_beside_the_checkout(cliff: Callable[..., Settings], tmp_path: Path) -> None:
    """Where the current folder's `a3c` is the checkout, and no package."""
    beside, script = tmp_path / "beside", tmp_path / "start.py"  # a script of its own, as pip installs one
    (beside / "a3c").mkdir(parents=True)
    script.write_text("import sys\nfrom a3c.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
    command = [sys.executable, script, "train", "--settings", cliff(workers=2).to_json(), "--no-track", "--quiet"]
    done = subprocess.run([*command, "--into", "run"], cwd=beside, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (beside / "run" / run_folder.DONE).exists()
