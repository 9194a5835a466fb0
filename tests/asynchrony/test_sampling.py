"""What samples say is what a second look at the run finds, and taking them changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from a3c.asynchrony.agents import make_network
from a3c.environments import make
from a3c.records import run_folder
from a3c.records.rows import SampleRow
from a3c.replaying import replay
from a3c.settings import Settings
from a3c.training import train

Make = Callable[..., Settings]


def samples(folder: Path) -> list[dict[str, str]]:
    with (folder / run_folder.SAMPLES).open(newline="") as file:
        return list(csv.DictReader(file))


def drawn(make: Make, lag: int, **changes: Any) -> Settings:
    order = {"kind": "constant_lag", "lag": lag}
    return make(schedule="drawn", order=order, workers=2, budget_frames=2_000, **changes)


@pytest.fixture(scope="module")
def lagging(cartpole: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn run of constant lag 3, every second turn of a worker sampled."""
    folder = tmp_path_factory.mktemp("lagging")
    train(drawn(cartpole, 3, records={"sample_interval_turns": 2}), folder)
    return folder


def test_sampling_changes_no_turn_and_no_parameter(lagging: Path, cartpole: Make, tmp_path: Path) -> None:
    train(drawn(cartpole, 3, records={"sample_interval_turns": None}), tmp_path)
    assert samples(tmp_path) == []
    for name in (run_folder.SCHEDULE, run_folder.MODEL):
        assert (lagging / name).read_bytes() == (tmp_path / name).read_bytes()


def test_every_so_many_turns_of_each_worker_are_sampled(lagging: Path) -> None:
    """Two workers that take turns: numbers 0 2 4 ... and 1 3 5 ..., of which every second one."""
    turns = [int(row["turn"]) for row in samples(lagging)]
    assert turns == [t for t in range(turns[-1] + 1) if t % 4 in (2, 3)]
    assert {row["staleness"] for row in samples(lagging)[4:]} == {"3"}


def test_a_fresh_gradient_has_not_drifted_at_all(cliff: Make, tmp_path: Path) -> None:
    train(drawn(cliff, 0, records={"sample_interval_turns": 5}), tmp_path)
    rows = samples(tmp_path)
    assert rows
    for row in rows:
        drift = [float(row[name]) for name in ("distance", "kl", "ratio_max", "ratio_min", "gradient_norm_ratio")]
        assert drift == [0.0, 0.0, 1.0, 1.0, 1.0]
        assert float(row["gradient_cosine"]) == pytest.approx(1.0, abs=1e-6)


def test_drift_is_what_a_second_look_at_both_versions_finds(lagging: Path, tmp_path: Path) -> None:
    """Replays stop at a turn and show the parameters it read: 3 updates old at that turn, fresh 3 turns later."""
    row = next(row for row in samples(lagging) if int(row["turn"]) >= 30)
    turn = int(row["turn"])
    looks = []
    for until in (turn, turn + 3):
        replay(lagging, tmp_path / str(until), until=until)
        looks.append(np.load(tmp_path / str(until) / "turn.npz"))
    then, now = (torch.from_numpy(look["parameters"]) for look in looks)
    assert float(row["distance"]) == pytest.approx(float((now - then).norm()), rel=1e-5)
    settings = Settings.from_json((lagging / run_folder.SETTINGS).read_text())
    network = make_network(settings, make(settings, 0, 0).spec)
    observation, action = (torch.from_numpy(looks[0][name]).flatten(0, 1) for name in ("observation", "action"))
    policies = []
    for parameters in (then, now):
        network.vector.copy_(parameters)
        with torch.no_grad():
            output, _ = network.act(observation, network.initial_state(len(observation)))
            policies.append(output[:, :-1].double().softmax(-1))
    before, after = policies
    assert float(row["kl"]) == pytest.approx(float((before * (before / after).log()).sum(-1).mean()), rel=1e-4)
    ratio = (after / before).gather(-1, action[:, None])
    assert float(row["ratio_max"]) == pytest.approx(float(ratio.max()), rel=1e-5)
    assert float(row["ratio_min"]) == pytest.approx(float(ratio.min()), rel=1e-5)
    assert -1.0 <= float(row["gradient_cosine"]) < 1.0


@pytest.mark.slow
def test_action_values_drift_in_distance_and_gradient_and_have_no_policy_to_shift(
    cartpole: Make, valuing: Callable[..., dict[str, Any]], execute: Callable[..., SimpleNamespace]
) -> None:
    settings = drawn(cartpole, 3, algorithm=valuing("n_step_q"), records={"sample_interval_turns": 5})
    rows = [row for row in execute(settings).samples if row.turn > 50]
    assert len(rows) > 5
    for row in rows:
        assert (row.kl, row.ratio_max, row.ratio_min) == (None, None, None)
        assert row.staleness == 3
        assert row.distance is not None
        assert row.distance > 0.0
        assert row.gradient_cosine is not None
        assert -1.0 <= row.gradient_cosine < 1.0


def test_synchronous_samples_hold_times_and_nothing_about_staleness(cliff: Make, tmp_path: Path) -> None:
    train(cliff(schedule="synchronous", workers=2, records={"sample_interval_turns": 4}), tmp_path)
    rows = samples(tmp_path)
    assert {int(row["worker"]) for row in rows} == {0, 1}
    for row in rows:
        assert float(row["rollout_seconds"]) > 0
        assert float(row["push_seconds"]) > 0
        assert row["staleness"] == "0"
        assert {row[name] for name in ("distance", "gradient_cosine", "kl", "ratio_max", "torn")} == {""}


@pytest.mark.slow
def test_the_phases_of_a_lone_worker_add_up_to_its_run(cartpole: Make, tmp_path: Path) -> None:
    """What the phases leave out is the loop itself and the reports of finished episodes."""
    settings = cartpole(schedule="locked", workers=1, budget_frames=8_000, records={"sample_interval_turns": 1})
    done = train(settings, tmp_path)
    rows = samples(tmp_path)
    assert len(rows) == done["updates"]
    phases = [name for name in SampleRow._fields if name.endswith("_seconds")]
    total = sum(float(row[name]) for row in rows for name in phases)
    assert 0.3 * done["train_seconds"] < total < done["train_seconds"]
