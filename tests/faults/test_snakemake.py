"""However Snakemake and its jobs are ended, nothing is left behind, and the same command goes on.

`A3C_WHOLE_TABLE=1 pytest -s tests/faults/test_snakemake.py` tries every signal at every target and prints what came
of it; otherwise three of them are tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from a3c import lifeline
from a3c.plan import load_study
from a3c.records import run_folder

pytest.importorskip("snakemake")

ROOT = Path(__file__).parent.parent.parent
MARK = "A3C_TEST_MARK"  # in the environment of all that a test starts, however it is started
PATIENCE_SECONDS = 300.0  # on a machine that has much else to do

STUDY = """
title: One
question: Does it go on?
variants:
  short: {schedule: locked}
  long: {schedule: drawn, order: {kind: geometric, mean: 3.0, max_lag: 9}}
scales:
  smoke:
    - settings: cliff_world
      games: [CliffWorld]
      variants: [short]
      workers: [1]
      seeds: 1
      override: {budget_frames: 2_000, evaluation: {points: 1, episodes: 1}, records: {intervals: 4}}
    - settings: cliff_world
      games: [CliffWorld]
      variants: [long]
      workers: [2]
      seeds: 1
      override: {budget_frames: 120_000, evaluation: {points: 2, episodes: 1}, records: {intervals: 4}}
"""


class Case(NamedTuple):
    """What is sent to whom, one or more times."""

    number: signal.Signals
    to: str  # snakemake, group, tree, trainer or worker
    times: int = 1

    def __str__(self) -> str:
        return f"{self.number.name}{f' x{self.times}' if self.times > 1 else ''} to {self.to}"


SHORT = [Case(signal.SIGINT, "group"), Case(signal.SIGTERM, "snakemake"), Case(signal.SIGKILL, "tree")]
WHOLE = [
    *(Case(number, to) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) for to in ("snakemake", "group")),
    *(Case(signal.SIGINT, to, 2) for to in ("snakemake", "group")),
    *(Case(signal.SIGKILL, to) for to in ("snakemake", "group", "tree", "trainer", "worker")),
    Case(signal.SIGTERM, "trainer"),
]


class Checkout:
    """A copy of the project with one study, and what is started there."""

    def __init__(self, path: Path) -> None:
        self.path, self.mark = path, uuid.uuid4().hex
        runs = {run.variant: run.folder for run in load_study("one", "smoke", path / "experiments").runs}
        self.short, self.long = (path / "results/runs" / runs[name] for name in ("short", "long"))

    def start(self, *runs: Path) -> subprocess.Popen[str]:
        """The command, as a shell in a terminal starts it: in a group of its own, deaf to nothing."""
        wanted = runs or (self.short, self.long)
        targets = [str((folder / run_folder.DONE).relative_to(self.path)) for folder in wanted]
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *targets, "--config", "scale=smoke"]
        return subprocess.Popen(
            command, cwd=self.path, env=os.environ | {MARK: self.mark}, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=_listen,
        )  # fmt: skip

    def processes(self) -> dict[int, str]:
        """What of all that was started here is alive: process number -> command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {pid: command for pid, command in found.items() if command}  # a zombie has none

    def kill_all(self, number: signal.Signals) -> None:
        _signal(self.processes(), number)

    @contextmanager
    def standing_still(self, but: int) -> Iterator[None]:
        """All that is alive is stopped meanwhile, but one process."""
        stopped = self.processes().keys() - {but}
        _signal(stopped, signal.SIGSTOP)
        yield
        _signal(stopped, signal.SIGCONT)

    def trainer_of(self, folder: Path) -> int:
        return int((folder / run_folder.LOCK).read_text().split()[0])

    def worker_of(self, folder: Path) -> int:
        """A worker of a run, or its evaluator: started by the server that the trainer started."""
        trainer, processes = self.trainer_of(folder), self.processes()
        servers = [pid for pid in processes if _parent(pid) == trainer]
        return next(pid for pid in processes if _parent(pid) in servers)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # one may end with another
            os.kill(pid, number)


def _listen() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def seconds_until(condition: Callable[[], object]) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_SECONDS, "it did not come"
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def begun(copy_project: Callable[[Path, str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the short run is finished."""
    made = Checkout(copy_project(tmp_path_factory.mktemp("begun"), STUDY))
    snakemake = made.start(made.short)
    said, _ = snakemake.communicate(timeout=PATIENCE_SECONDS)
    assert snakemake.returncode == 0, said
    return made.path


@pytest.fixture
def checkout(begun: Path, tmp_path: Path) -> Iterator[Checkout]:
    shutil.copytree(begun, tmp_path / "checkout")
    made = Checkout(tmp_path / "checkout")
    yield made
    made.kill_all(signal.SIGKILL)


def send(case: Case, checkout: Checkout, snakemake: subprocess.Popen[str]) -> None:
    for count in range(case.times):
        if count:
            time.sleep(0.3)
        if case.to == "group":
            os.killpg(snakemake.pid, case.number)
        elif case.to == "tree":
            checkout.kill_all(case.number)
        elif snakemake.poll() is None:
            one = {"trainer": checkout.trainer_of, "worker": checkout.worker_of}.get(case.to)
            os.kill(one(checkout.long) if one else snakemake.pid, case.number)


def checkpoints_of(folder: Path) -> list[Path]:
    return list((folder / "checkpoints").glob("0*/checkpoint.json"))


def state_of(done: Path) -> tuple[int, bytes]:
    return done.stat().st_mtime_ns, done.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("case", WHOLE if os.environ.get("A3C_WHOLE_TABLE") else SHORT, ids=str)
def test_the_same_command_goes_on_and_nothing_is_left_behind(checkout: Checkout, case: Case) -> None:
    short, long = (folder / run_folder.DONE for folder in (checkout.short, checkout.long))
    before, first = state_of(short), checkout.start()
    seconds_until(lambda: checkpoints_of(checkout.long) or first.poll() is not None)
    if case == Case(signal.SIGTERM, "snakemake"):
        with checkout.standing_still(first.pid):  # lest the run end before the second Snakemake has started
            refused = checkout.start()
            said = refused.communicate()[0]
        assert f"another Snakemake, process {first.pid}, works in results" in said
        assert refused.returncode == 1
    assert first.poll() is None, first.communicate()[0]
    assert not long.exists(), "the run is too short for this machine"

    sent = time.time()
    send(case, checkout, first)
    ended_seconds = seconds_until(lambda: first.poll() is not None)
    left_seconds = seconds_until(lambda: not checkout.processes())
    said = first.communicate()[0]
    last = any(path.stat().st_mtime > sent for path in checkpoints_of(checkout.long))
    outcome = run_folder.read_json(checkout.long / run_folder.MANIFEST)["outcome"]
    assert not long.exists()

    second = checkout.start()
    said_again = second.communicate(timeout=PATIENCE_SECONDS)[0]
    assert second.returncode == 0, said_again
    assert state_of(short) == before, "a finished run was made again"
    assert "a3c: going on from" in said_again
    if case.number != signal.SIGKILL and case.times == 1:
        assert last, said
    if case.number in (signal.SIGINT, signal.SIGTERM):
        assert "the same command" in said
    cells = (
        case, f"ends after {ended_seconds:.1f} s, exit code {first.returncode}",
        f"{outcome}, last checkpoint: {last}; nothing alive {left_seconds:.1f} s later",
        f"exit code {second.returncode}, went on from a checkpoint",
    )  # fmt: skip
    print("\n|", *(f"{cell} |" for cell in cells))


@pytest.mark.slow
def test_the_same_command_waits_for_a_trainer_that_its_snakemake_left_behind(checkout: Checkout) -> None:
    first = checkout.start()
    seconds_until(lambda: checkpoints_of(checkout.long))
    trainer = checkout.trainer_of(checkout.long)
    assert not (checkout.long / run_folder.DONE).exists(), "the run is too short for this machine"
    os.kill(trainer, signal.SIGSTOP)  # as one that takes long for its last checkpoint
    first.kill()
    second = checkout.start()
    log = checkout.long / "train.log"
    seconds_until(lambda: log.exists() and "waiting for it" in log.read_text())
    os.kill(trainer, signal.SIGCONT)
    assert second.wait(PATIENCE_SECONDS) == 0
    first.communicate()
    second.communicate()


@pytest.mark.slow
def test_a_run_whose_end_only_snakemake_did_not_see_is_not_trained_again(checkout: Checkout) -> None:
    before = (checkout.short / run_folder.DONE).read_bytes()
    (checkout.short / run_folder.DONE).unlink()  # as Snakemake does with what it takes for incomplete
    again = checkout.start(checkout.short)
    said, _ = again.communicate(timeout=PATIENCE_SECONDS)
    assert again.returncode == 0, said
    assert "finished before" in said
    assert (checkout.short / run_folder.DONE).read_bytes() == before


def test_a_results_folder_has_one_snakemake_until_that_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "TAKE_SECONDS", 0.0)
    holder = python(
        "from a3c.lifeline import *; x = Lifeline(Path('.')); print(os.getpid(), flush=True); time.sleep(99)"
    )
    with started(holder, tmp_path) as process:
        pid = int(process.stdout.readline())
        with pytest.raises(lifeline.WorkflowBusy, match=f"process {pid}, works in .*kill {pid}"):
            lifeline.Lifeline(tmp_path)
        assert lifeline.may_go_on(tmp_path / lifeline.LOCK, pid)
        process.kill()
        process.wait()
    assert not lifeline.may_go_on(tmp_path / lifeline.LOCK, pid)
    ours = lifeline.Lifeline(tmp_path)
    assert lifeline.may_go_on(ours.path, os.getpid())
    assert not lifeline.may_go_on(ours.path, pid), "a job of the dead one must not take the next one for it"
    ours.let_go()
    assert not lifeline.may_go_on(ours.path, os.getpid())
    with pytest.raises(lifeline.WorkflowBusy, match="is about to stop"):
        lifeline.Lifeline(tmp_path)


JOB = """
import signal, sys, time
from pathlib import Path
from a3c import lifeline
lifeline.POLL_SECONDS = float(sys.argv[2])
told = []
for number in lifeline.STOPPING:
    signal.signal(number, lambda number, frame: told.append(number))
lifeline.follow(Path(lifeline.LOCK), int(sys.argv[1]))
print("ready", flush=True)
until = time.monotonic() + 30
while not told and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.5)
print(told)
"""


def test_a_job_is_told_when_its_snakemake_stops(tmp_path: Path) -> None:
    holder = lifeline.Lifeline(tmp_path)
    with started([*python(JOB), str(os.getpid()), "0.1"], tmp_path) as job:
        assert job.stdout.readline() == "ready\n"
        holder.let_go()
        assert job.communicate()[0] == f"[{signal.SIGTERM.value}]\n"


@pytest.mark.parametrize("who_first", ["job", "snakemake"])
def test_a_ctrl_c_that_reaches_both_stops_a_job_once(tmp_path: Path, who_first: str) -> None:
    holder = lifeline.Lifeline(tmp_path)
    if who_first == "snakemake":
        holder.let_go()
    with started([*python(JOB), str(os.getpid()), "2.0"], tmp_path) as job:
        assert job.stdout.readline() == "ready\n"
        job.send_signal(signal.SIGINT)
        holder.let_go()
        assert job.communicate()[0] == f"[{signal.SIGINT.value}]\n"


SNAKEMAKE = """
import os, signal, threading, time
from pathlib import Path
from a3c.lifeline import Lifeline
asked = threading.Event()
signal.signal(signal.SIGTERM, lambda number, frame: asked.set())  # as Snakemake's scheduler does
held = Lifeline(Path("."))
held.let_go_on_signals()
print(held.option, flush=True)
try:
    print(asked.wait(30), held.stopping, held.path.read_text() == "", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_snakemake_ends_its_jobs_at_the_first_signal_and_itself_at_the_second(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started(python(SNAKEMAKE), tmp_path) as snakemake:
        assert snakemake.stdout.readline() == f"--stop-with {lifeline.LOCK} {snakemake.pid}\n"
        snakemake.send_signal(number)
        assert snakemake.stdout.readline() == "True True True\n"
        snakemake.send_signal(signal.SIGINT)
        out, err = snakemake.communicate()
    assert out == "interrupted\n"
    assert err == "a3c: stopping; what trains makes a checkpoint first\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@contextmanager
def started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_listen,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
