"""A recorded run is a function of settings, seeds and schedule: made again, it is the same to the byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.schedule_file import HEADER_BYTES, TURN, read_schedule, turn_columns
from a3c.replaying import changed_between_starts, changed_conditions, replay
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]


def recorded(make: Make, folder: Path, **changes: Any) -> Path:
    train(make(budget_frames=4_000, evaluation={"points": 2, "episodes": 1}, **changes), folder)
    return folder


@pytest.fixture(scope="module")
def locked(cartpole: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4 workers with a lock."""
    return recorded(cartpole, tmp_path_factory.mktemp("locked"), schedule="locked", workers=4)


@pytest.mark.parametrize("worker_processes", [False, True], ids=["one process", "turnstile"])
@pytest.mark.parametrize("interval", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_locked_run_is_replayed_byte_for_byte(
    cartpole: Make, tmp_path: Path, worker_processes: bool, interval: int
) -> None:
    run = recorded(cartpole, tmp_path / "run", schedule="locked", workers=4, pull_interval_rollouts=interval)
    found = replay(run, tmp_path / "again", worker_processes=worker_processes)
    assert found["equal"], found["difference"]
    assert found["conditions"] == []
    assert (run / run_folder.SCHEDULE).read_bytes() == (tmp_path / "again" / run_folder.SCHEDULE).read_bytes()


@pytest.mark.parametrize("worker_processes", [False, True], ids=["one process", "processes"])
def test_a_synchronous_run_is_replayed_byte_for_byte(cliff: Make, tmp_path: Path, worker_processes: bool) -> None:
    run = recorded(cliff, tmp_path / "run", schedule="synchronous", workers=3)
    found = replay(run, tmp_path / "again", worker_processes=worker_processes)
    assert found["equal"], found["difference"]


@pytest.mark.slow
def test_a_locked_run_on_a_real_game_is_replayed_byte_for_byte(pong: Make, tmp_path: Path) -> None:
    run = recorded(pong, tmp_path / "run", schedule="locked", workers=3, environment={"frame_limit_frames": 800})
    found = replay(run, tmp_path / "again")
    assert found["equal"], found["difference"]


@pytest.mark.slow
def test_two_live_runs_of_one_seed_are_not_the_same(locked: Path, cartpole: Make, tmp_path: Path) -> None:
    """Otherwise the tests above would show nothing."""
    other = recorded(cartpole, tmp_path, schedule="locked", workers=4)
    assert (locked / run_folder.MODEL).read_bytes() != (other / run_folder.MODEL).read_bytes()


def altered(run: Path, folder: Path, turn: int, field: str, by: int) -> Path:
    """A copy of a run in which one number of one recorded turn is another."""
    shutil.copytree(run, folder)
    data = bytearray((folder / run_folder.SCHEDULE).read_bytes())
    turns = np.frombuffer(data, TURN, offset=HEADER_BYTES)
    turns[field][turn] = (int(turns[field][turn]) + by) % 4 if field == "worker" else turns[field][turn] + by
    (folder / run_folder.SCHEDULE).write_bytes(bytes(data))
    return folder


@pytest.mark.parametrize(("field", "by"), [("steps", 1), ("check", 1)])
def test_an_altered_turn_is_reported_at_that_turn(locked: Path, tmp_path: Path, field: str, by: int) -> None:
    found = replay(altered(locked, tmp_path / "run", 77, field, by), tmp_path / "again")
    assert found["equal"] is False
    assert found["difference"].startswith("turn 77 (worker")


@pytest.mark.parametrize(("field", "by"), [("worker", 1), ("staleness", 1)])
def test_an_altered_order_is_reported_at_that_turn_or_as_impossible(
    locked: Path, tmp_path: Path, field: str, by: int
) -> None:
    """Another worker's turn, or a staler read, changes the gradient at once; some such orders nobody can have made."""
    found = replay(altered(locked, tmp_path / "run", 77, field, by), tmp_path / "again")
    assert found["equal"] is False
    turn = int(found["difference"].split()[1])
    assert turn == 77 or "impossible" in found["difference"]
    assert turn >= 77


def test_an_altered_setting_is_reported_at_the_first_turn_it_can_change(locked: Path, tmp_path: Path) -> None:
    run = shutil.copytree(locked, tmp_path / "run")
    content = json.loads((run / run_folder.SETTINGS).read_text())
    content["algorithm"]["entropy_weight"] = 0.02
    (run / run_folder.SETTINGS).write_text(json.dumps(content))
    found = replay(run, tmp_path / "again")
    assert found["difference"].startswith("turn 0 (worker"), "the gradient norm of the very first turn"


@pytest.mark.slow
def test_another_kind_of_processor_is_named_before_the_run_is_blamed(locked: Path, tmp_path: Path) -> None:
    run = shutil.copytree(locked, tmp_path / "run")
    content = json.loads((run / run_folder.MANIFEST).read_text())
    content["cpu_capability"] = "AVX9000"
    content["versions"]["torch"] = "1.0"
    (run / run_folder.MANIFEST).write_text(json.dumps(content))
    conditions = "\n".join(replay(run, tmp_path / "again")["conditions"])
    assert "cpu_capability: recorded with AVX9000" in conditions
    assert "torch: recorded with 1.0" in conditions


@pytest.mark.slow
def test_an_altered_final_state_or_episode_is_found(locked: Path, tmp_path: Path) -> None:
    run = shutil.copytree(locked, tmp_path / "run")
    model = torch.load(run / run_folder.MODEL, weights_only=True)
    first = model["statistics"][0]["mean_square"]["output.bias"][:1]
    first.copy_(torch.nextafter(first, torch.tensor(1.0)))  # the least that can change
    torch.save(model, run / run_folder.MODEL)
    assert replay(run, tmp_path / "again")["difference"] == "final mean_square, layer output.bias"
    rows = (run / run_folder.EPISODES).read_text().splitlines()
    fields = rows[5].split(",")
    fields[4] = repr(float(fields[4]) + 1)
    (run / run_folder.EPISODES).write_text("\n".join([*rows[:5], ",".join(fields), *rows[6:]]) + "\n")
    assert replay(run, tmp_path / "again")["difference"].startswith("episodes.csv, worker")


def test_a_replay_can_stop_at_a_turn_and_show_what_it_was_made_of(locked: Path, tmp_path: Path) -> None:
    found = replay(locked, tmp_path / "again", until=50)
    assert found["equal"] is None
    assert found["until"]["turn"] == 50
    header, turns = read_schedule(locked / run_folder.SCHEDULE)
    assert found["until"]["worker"] == turns["worker"][50]
    assert found["until"]["read"] == turn_columns(header, turns)["read"][50]
    tensors = np.load(tmp_path / "again" / "turn.npz")
    assert tensors["observation"].shape[:2] == (turns["steps"][50], 1)
    assert np.linalg.norm(tensors["gradient"]) == pytest.approx(found["until"]["numbers"]["gradient_norm"], rel=1e-5)


def test_a_run_without_a_lock_cannot_be_replayed(cliff: Make, tmp_path: Path) -> None:
    run = recorded(cliff, tmp_path / "run", schedule="hogwild")
    with pytest.raises(InvalidInput, match="hogwild"):
        replay(run, tmp_path / "again")


# Drawn schedules


def staleness_of(run: Path) -> np.ndarray:
    header, turns = read_schedule(run / run_folder.SCHEDULE)
    return turn_columns(header, turns)["staleness"]


@pytest.mark.parametrize("lag", [0, 1, 7, pytest.param(64, marks=pytest.mark.slow)])
def test_a_constant_lag_is_exactly_that_after_the_warm_up(cliff: Make, tmp_path: Path, lag: int) -> None:
    run = recorded(cliff, tmp_path, schedule="drawn", order={"kind": "constant_lag", "lag": lag}, workers=4)
    staleness = staleness_of(run)
    assert len(staleness) > lag + 100
    assert (staleness == np.minimum(np.arange(len(staleness)), lag)).all()


def same_model(a: Path, b: Path) -> bool:
    return (a / run_folder.MODEL).read_bytes() == (b / run_folder.MODEL).read_bytes()


@pytest.mark.slow
def test_lag_0_with_one_worker_is_a_locked_run_with_one_worker_bit_for_bit(cartpole: Make, tmp_path: Path) -> None:
    order = {"kind": "constant_lag", "lag": 0}
    drawn = recorded(cartpole, tmp_path / "drawn", schedule="drawn", order=order, workers=1)
    live = recorded(cartpole, tmp_path / "live", schedule="locked", workers=1)
    assert same_model(drawn, live)
    drawn_turns, live_turns = (read_schedule(run / run_folder.SCHEDULE)[1] for run in (drawn, live))
    assert (drawn_turns == live_turns).all()


@pytest.mark.slow
def test_round_robin_is_a_constant_lag_of_one_less_than_the_workers(cartpole: Make, tmp_path: Path) -> None:
    orders = [{"kind": "round_robin"}, {"kind": "constant_lag", "lag": 4}]
    a, b = (
        recorded(cartpole, tmp_path / str(i), schedule="drawn", order=order, workers=5)
        for i, order in enumerate(orders)
    )
    assert same_model(a, b)


@pytest.mark.slow
@pytest.mark.parametrize(
    "order",
    [
        {"kind": "geometric", "mean": 3.0, "max_lag": 40},
        {"kind": "histogram", "counts": [5, 0, 3, 2]},
        {"kind": "speeds_lognormal", "sigma": 0.5},
        {"kind": "speeds_heterogeneous", "slowest": 4.0},
        {"kind": "straggler", "factor": 10.0},
    ],
    ids=lambda order: str(order["kind"]),
)
def test_a_drawn_run_is_the_same_twice_and_can_be_replayed(cliff: Make, tmp_path: Path, order: dict[str, Any]) -> None:
    a, b = (recorded(cliff, tmp_path / x, schedule="drawn", order=order, workers=4) for x in "ab")
    assert same_model(a, b)
    assert replay(a, tmp_path / "again")["equal"]


def test_turns_that_nobody_can_have_made_are_reported_with_worker_processes_too(locked: Path, tmp_path: Path) -> None:
    run = altered(locked, tmp_path / "run", 77, "staleness", 40_000)
    found = [replay(run, tmp_path / name, worker_processes=name == "processes") for name in ("one", "processes")]
    for agreement in found:
        assert agreement["equal"] is False
        assert agreement["difference"].startswith("turn 77 ")
        assert "impossible" in agreement["difference"]


def test_a_replay_takes_no_runs_place_but_that_of_another_replay(locked: Path, cliff: Make, tmp_path: Path) -> None:
    run, other = shutil.copytree(locked, tmp_path / "run"), recorded(cliff, tmp_path / "other", schedule="locked")
    twin = shutil.copytree(locked, tmp_path / "twin")
    before = contents(run, other, twin)
    for into in (run, other / ".." / "run", other, twin):
        with pytest.raises(InvalidInput, match="name another folder"):
            replay(run, into)
    assert contents(run, other, twin) == before
    assert replay(other, tmp_path / "again")["equal"]
    assert replay(run, tmp_path / "again")["equal"]


def contents(*folders: Path) -> dict[Path, bytes]:
    """Every file but the one that says who looked last."""
    return {p: p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file() and p.name != run_folder.LOCK}


def test_what_was_otherwise_before_a_checkpoint_is_named(locked: Path, tmp_path: Path) -> None:
    run = shutil.copytree(locked, tmp_path / "run")
    content = json.loads((run / run_folder.MANIFEST).read_text())
    content["resumed_from"] = {"conditions": [{"torch": "1.0", "cpu": content["cpu"]}]}
    (run / run_folder.MANIFEST).write_text(json.dumps(content))
    now = content["versions"]["torch"]
    assert changed_conditions(run) == changed_between_starts(locked) == []
    assert changed_between_starts(run) == [f"torch: recorded with 1.0 before a checkpoint, with {now} after it"]
