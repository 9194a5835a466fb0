"""A profile adds up to the run, and taking it changes nothing."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from a3c.asynchrony.profiling import Profiler
from a3c.records import run_folder
from a3c.records.profiles import REST, phases, profile_text, write_profiles
from a3c.settings import Settings
from a3c.training import Conditions, train

Make = Callable[..., Settings]


@dataclass(frozen=True)
class Loop:
    """One phase inside another, as inference is inside a rollout."""

    sleep_seconds: float

    def outer(self) -> str:
        self.inner()
        time.sleep(self.sleep_seconds)
        self.inner()
        return "what it returns"

    def inner(self) -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass


def traced() -> Profiler:
    """A profiler that has seen three turns of a loop, and something else after them."""
    profiler, loop = Profiler(5), Loop(0.01)
    profiler.trace(loop, "outer", "rollout")
    profiler.trace(loop, "inner", "inference")
    for _ in range(3):
        assert loop.outer() == "what it returns"
    time.sleep(0.03)
    return profiler


def test_a_phase_is_what_is_not_in_the_phases_inside_it() -> None:
    profile = traced().profile()
    outer, inner = profile.phases["rollout"], profile.phases["inference"]
    assert (profile.worker, outer.calls, inner.calls) == (5, 3, 6)
    assert 0.12 <= inner.processor_seconds < 0.2
    assert outer.processor_seconds < 0.02, "sleeping was counted as computing"
    assert outer.clock_seconds >= 0.03
    rest = phases(profile)[REST]
    assert rest.clock_seconds >= 0.03
    whole = [sum(phase[i] for phase in phases(profile).values()) for i in (1, 2)]
    assert whole == pytest.approx([profile.clock_seconds, profile.processor_seconds])


def test_a_phase_that_fails_is_closed() -> None:
    """As a turn with a number that is not finite."""

    class Failing:
        def step(self) -> None:
            raise ValueError("of the game")

    profiler, failing = Profiler(0), Failing()
    profiler.trace(failing, "step", "environment")
    for _ in range(2):
        with pytest.raises(ValueError, match="of the game"):
            failing.step()
    assert profiler.profile().phases["environment"].calls == 2


def test_table_and_trace_say_the_same(tmp_path: Path) -> None:
    profile = traced().profile()
    write_profiles(tmp_path, [profile])
    with (tmp_path / run_folder.PROFILE).open(newline="") as file:
        rows = {row["phase"]: row for row in csv.DictReader(file)}
    assert sum(float(row["clock_share"]) for row in rows.values()) == pytest.approx(1.0, abs=1e-5)
    assert sum(float(row["processor_share"]) for row in rows.values()) == pytest.approx(1.0, abs=1e-5)
    assert rows["inference"]["calls"] == "6"
    events = json.loads((tmp_path / run_folder.TRACE).read_text())["traceEvents"]
    assert events[0]["args"] == {"name": "worker 5"}
    spans = [event for event in events if event["ph"] == "X"]
    assert [span["name"] for span in spans] == ["inference", "inference", "rollout"] * 3
    assert all(span["ts"] >= 0 and span["dur"] >= span["args"]["processor_us"] * 0.9 for span in spans)
    inside = spans[2]["dur"] - spans[0]["dur"] - spans[1]["dur"]
    assert 10_000 <= inside < spans[2]["dur"]
    assert "inference" in profile_text(tmp_path)


def test_a_profiled_run_is_the_run_that_it_would_have_been(cliff: Make, tmp_path: Path) -> None:
    settings = cliff(schedule="drawn", order={"kind": "constant_lag", "lag": 1}, workers=2, budget_frames=400)
    train(settings, tmp_path / "plain")
    train(settings, tmp_path / "profiled", Conditions(profile=True))
    for name in (run_folder.SCHEDULE, run_folder.MODEL):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "profiled" / name).read_bytes()
    assert not (tmp_path / "plain" / run_folder.PROFILE).exists()


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["hogwild", "locked", "synchronous"])
def test_every_worker_has_a_profile_of_all_its_phases(cliff: Make, tmp_path: Path, schedule: str) -> None:
    train(cliff(schedule=schedule, workers=3, budget_frames=2_000), tmp_path, Conditions(profile=True))
    with (tmp_path / run_folder.PROFILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    for worker in range(3):
        found = {row["phase"] for row in rows if row["worker"] == str(worker)}
        assert found == {
            "rollout", "inference", "environment", "gradient", "push and pull", "wait", "samples", "checkpoint", REST,
        }  # fmt: skip
    assert all(float(row["clock_seconds"]) >= 0 for row in rows)
