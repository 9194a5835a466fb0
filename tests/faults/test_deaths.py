"""Processes that die, stop or hang: the run ends, says who and why, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from a3c.asynchrony.outcomes import ProcessFailedError
from a3c.asynchrony.watchdog import Activity, Watchdog
from a3c.records import run_folder
from a3c.settings import Settings
from a3c.training import Conditions, train

if TYPE_CHECKING:
    from trees import Trainer

Make = Callable[..., Settings]
Start = Callable[..., "Trainer"]

ENDS_SECONDS = 30  # half a second on a machine that has nothing else to do


class Clock:
    """A watchdog of processes that use so much of a processor, and the time."""

    def __init__(self, stall_seconds: float | None = 300.0, share: float | None = 0.0) -> None:
        self.now, self.cpu, self.share = 1000.0, 0.0, share
        self.runnable = False
        self.watchdog = Watchdog(stall_seconds, self._activity, lambda: self.now)

    def _activity(self, pid: int) -> Activity:
        return Activity(None if self.share is None else self.cpu, self.runnable)

    def late_after(self, seconds: float, *, patient_if_busy: bool = False) -> bool:
        """Lets so much time go by in small steps."""
        late = False
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            self.cpu += 0.5 * (self.share or 0.0)
            self.watchdog.tick()
            late |= self.watchdog.is_late("worker 0", 1, patient_if_busy=patient_if_busy)
        return late


def test_a_process_that_does_nothing_is_late_when_the_limit_is_over() -> None:
    clock = Clock()
    clock.watchdog.progressed("worker 0")
    assert not clock.late_after(299)
    assert clock.late_after(2)
    clock.watchdog.progressed("worker 0")
    assert not clock.late_after(2)


@pytest.mark.parametrize("share", [0.5, None])
def test_a_process_that_computes_is_given_ten_times_as_long(share: float | None) -> None:
    clock = Clock(share=share)
    assert not clock.late_after(2_990)
    assert clock.late_after(20)


def test_a_process_that_gets_no_processor_on_a_crowded_machine_is_not_idle() -> None:
    clock = Clock()
    clock.runnable = True
    assert not clock.late_after(2_990)


def test_an_evaluation_may_take_as_long_as_it_computes() -> None:
    clock = Clock(share=0.5)
    assert not clock.late_after(5_000, patient_if_busy=True)
    clock.share = 0.0
    assert clock.late_after(301, patient_if_busy=True), "it has used the processor enough for a while to come"


def test_the_limit_follows_from_the_slowest_turn_so_far() -> None:
    clock = Clock()
    clock.late_after(100)
    clock.watchdog.progressed("worker 0")
    assert not clock.late_after(990)
    assert clock.late_after(20)


def test_time_that_others_took_says_nothing_about_its_pace() -> None:
    clock = Clock()
    clock.late_after(100)
    clock.watchdog.progressed("worker 0", regular=False)
    assert not clock.late_after(299)
    assert clock.late_after(2)


def test_a_machine_that_was_suspended_makes_nobody_late() -> None:
    clock = Clock()
    for _ in range(100):
        clock.now += 3600.0
        clock.watchdog.tick()
        assert not clock.watchdog.is_late("worker 0", 1)


def test_no_limit_is_never_over() -> None:
    assert not Clock(stall_seconds=None).late_after(10_000)


@pytest.fixture
def faulty(cliff: Make, monkeypatch: pytest.MonkeyPatch) -> Make:
    """`faulty(game, options, **changes)`: settings of a run that plays `games:<game>`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)

    def settings(game: str, options: dict[str, object], **changes: object) -> Settings:
        environment = {"kind": "custom", "reward_scale": 1.0, "options": options}
        return cliff(**({"game": f"games:{game}", "environment": environment, "workers": 2} | changes))

    return settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "schedule"), [("step", "synchronous"), ("step", "locked"), ("step", "hogwild"), ("reset", "synchronous")]
)
def test_a_hung_environment_is_named_with_its_line(faulty: Make, tmp_path: Path, place: str, schedule: str) -> None:
    settings = faulty("InOne", {"process": "worker 1", "hang_in": place}, schedule=schedule, budget_frames=10**6)
    with pytest.raises(ProcessFailedError) as raised:
        train(settings, tmp_path / "run", Conditions(stall_seconds=2.0))
    message = str(raised.value)
    assert re.search(r"no progress for \d+ s", message)
    assert len(set(re.findall(r"worker \d|evaluator", message))) == 1, message
    assert 'games.py", line' in message
    assert "in _hang" in message
    assert f"in {place}" in message
    assert run_folder.read_json(tmp_path / "run" / run_folder.MANIFEST)["outcome"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "place", "worker"),
    [
        ("locked", "turn recorded, version not yet made known", 2),
        ("synchronous", "rollout", 1),
        ("drawn", "rollout", 0),
    ],
)
def test_a_stopped_worker_is_named_even_if_all_wait_for_it(
    cartpole: Make, trainer: Start, schedule: str, place: str, worker: int
) -> None:
    more = {"order": {"kind": "constant_lag", "lag": 2}} if schedule == "drawn" else {}
    strike = {"process": f"worker {worker}", "place": place, "passage": 40, "signal": signal.SIGSTOP}
    settings = cartpole(schedule=schedule, workers=3, budget_frames=10**8, **more)
    started = trainer(settings, strike, stall_seconds=2.0)
    assert started.wait_for_mark()
    assert started.process.wait(ENDS_SECONDS) == 1
    assert f"worker {worker} is stopped: by SIGSTOP" in started.message
    assert len(set(re.findall(r"worker \d", started.message))) == 1, started.message
    assert "the same command" in started.message
    assert not started.children()


@pytest.mark.slow
def test_a_crash_says_where_in_python_it_was(cartpole: Make, trainer: Start) -> None:
    strike = {"process": "worker 1", "place": "rollout", "passage": 40, "signal": signal.SIGSEGV}
    started = trainer(cartpole(schedule="hogwild", workers=2, budget_frames=10**8), strike)
    assert started.process.wait(120) == 1
    assert re.search(r"worker 1 was killed by SIGSEGV\n +at\n +File .*in strike", started.message), started.message
    assert "in collect" in started.message


@pytest.mark.slow
def test_the_death_of_the_evaluator_ends_the_run(cartpole: Make, trainer: Start) -> None:
    started = trainer(
        cartpole(schedule="locked", workers=2, budget_frames=10**6, evaluation={"points": 1000, "episodes": 1}),
        {"process": "evaluator", "place": "evaluation", "passage": 2},
    )
    assert started.wait_for_mark()
    assert started.process.wait(ENDS_SECONDS) == 1
    assert "evaluator was killed by SIGKILL; possibly out of memory" in started.message
    assert not started.children()


@pytest.mark.slow
def test_the_death_of_the_server_that_starts_processes_ends_the_run(cartpole: Make, trainer: Start) -> None:
    started = trainer(cartpole(schedule="locked", workers=2, budget_frames=10**8))
    started.wait_for_turns()
    parents = {p.parent for p in started.living()} - {started.process.pid, os.getpid()}
    for server in parents:
        os.kill(server, signal.SIGKILL)
    assert started.process.wait(ENDS_SECONDS) == 1
    assert "was lost: the process that starts all others has ended" in started.message
    assert not started.children()


@pytest.mark.slow
def test_a_killed_supervisor_takes_everybody_with_it_even_who_is_stopped_or_was_started_by_a_game(
    faulty: Make, trainer: Start
) -> None:
    from sessions import wait_for

    started = trainer(faulty("Faulty", {"engine": True}, schedule="locked", budget_frames=10**8))
    started.wait_for_turns()
    engines = [p for p in started.living() if p.command.startswith("sleep")]
    assert len(engines) >= 2
    os.kill(next(p.parent for p in engines), signal.SIGSTOP)
    started.process.kill()
    began = time.monotonic()
    assert wait_for(lambda: not started.children(), 2), started.living()
    print(f"gone after {time.monotonic() - began:.2f} s")


@pytest.mark.slow
def test_what_a_game_has_started_ends_with_its_killed_worker(faulty: Make, trainer: Start) -> None:
    started = trainer(faulty("Faulty", {"engine": True}, schedule="locked", budget_frames=10**8))
    started.wait_for_turns()
    os.kill(next(p.parent for p in started.living() if p.command.startswith("sleep")), signal.SIGKILL)
    assert started.process.wait(ENDS_SECONDS) == 1
    assert not [p for p in started.living() if p.command.startswith("sleep")]


@pytest.mark.slow
def test_no_name_of_shared_memory_outlives_any_kill(cartpole: Make, trainer: Start) -> None:
    """What a process holds under /dev/shm is without a name once all have begun, so that nobody has to remove it."""
    started = trainer(cartpole(schedule="synchronous", workers=3, budget_frames=10**8))
    started.wait_for_turns()
    for pid in started.children():
        held = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/dev/shm/" in line]
        assert held
        assert all(line.endswith("(deleted)") for line in held), held
