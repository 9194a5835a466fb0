"""Numbers that are not finite, in runs of every schedule: the run fails and keeps the turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c.records import run_folder
from a3c.records.divergence import Log, Watch, entropy_collapsed, norm_jumped
from a3c.records.rows import IntervalRow, RowWriter
from a3c.records.unfit_batch import UnfitBatch, first_not_finite, write_unfit_batch
from a3c.settings import Settings

Make = Callable[..., Settings]

GAME = """
import numpy as np
from a3c.environments.step import Spec, Step

class Rich:
    \"\"\"Pays 1 and, from some step on, what no float32 can hold; or observes it.\"\"\"
    spec = Spec((1,), "float32", 2)
    def __init__(self, after, seen=False):
        self.after, self.seen, self.steps = after, seen, 0
    def reset(self):
        return np.zeros(1, np.float32)
    def step(self, action):
        self.steps += 1
        rich = self.steps > self.after
        observation = np.full(1, 3e38 if rich and self.seen else 0, np.float32)
        return Step(observation, 1e39 if rich and not self.seen else 1.0, 1.0, self.steps % 7 == 0, 1.0)
    def save(self):
        return {"steps": self.steps}
    def restore(self, state):
        self.steps = state["steps"]
    def close(self):
        pass
"""

NETWORK = {
    "kind": "mlp",
    "hidden": [8],
    "activation": "relu",
    "lstm_cells": None,
    "separate": False,
    "initialization": "torch",
}


@pytest.fixture
def rich(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cliff: Make) -> Make:
    """Settings of a run on the game above."""
    (tmp_path / "rich_game.py").write_text(GAME)
    monkeypatch.syspath_prepend(tmp_path)

    def settings(seen: bool = False, **changes: Any) -> Settings:
        environment = {"kind": "custom", "reward_scale": 1.0, "options": {"after": 40, "seen": seen}}
        plain = {"envs_per_worker": 1, "workers": 2, "budget_frames": 10_000}
        return cliff(game="rich_game:Rich", environment=environment, network=NETWORK, **{**plain, **changes})

    return settings


SCHEDULES = {
    "hogwild": {"schedule": "hogwild"},
    "locked": {"schedule": "locked"},
    "synchronous": {"schedule": "synchronous"},
    "batched": {"schedule": "synchronous", "executor": "batched"},
    "drawn": {"schedule": "drawn", "order": {"kind": "constant_lag", "lag": 2}},
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", SCHEDULES.values(), ids=SCHEDULES)
def test_a_reward_beyond_every_float32_ends_the_run_and_reaches_no_parameter(
    changes: dict[str, Any], rich: Make, tmp_path: Path
) -> None:
    from a3c.asynchrony.outcomes import ProcessFailedError
    from a3c.training import train

    with pytest.raises(ProcessFailedError) as caught:
        train(rich(**changes), tmp_path / "run")
    assert "that is not finite: reward inf at [" in str(caught.value)
    assert str(tmp_path / "run" / run_folder.NOT_FINITE) in str(caught.value)
    with np.load(tmp_path / "run" / run_folder.NOT_FINITE, allow_pickle=False) as file:
        content = dict(file)
    assert np.isfinite(content["parameters"]).all()
    assert np.isinf(content["reward"]).any()
    assert content["observation"].shape[:2] == content["action"].shape == content["reward"].shape
    assert f"worker {content['worker']}, in the turn that read version {content['read']:,}" in str(caught.value)
    assert not (tmp_path / "run" / run_folder.MODEL).exists()
    assert not (tmp_path / "run" / run_folder.DONE).exists()


@pytest.mark.slow
def test_an_observation_that_the_network_makes_nothing_finite_of_is_kept(rich: Make, tmp_path: Path) -> None:
    from a3c.asynchrony.outcomes import ProcessFailedError
    from a3c.training import train

    with pytest.raises(ProcessFailedError, match=r"not finite"):
        train(rich(seen=True, schedule="locked"), tmp_path / "run")
    with np.load(tmp_path / "run" / run_folder.NOT_FINITE, allow_pickle=False) as file:
        assert (file["observation"] == np.float32(3e38)).any()


def test_the_first_array_that_is_not_finite_is_named_with_its_place() -> None:
    arrays = {
        "parameters": np.ones(3),
        "observation": np.zeros([2, 1], np.uint8),
        "reward": np.array([[1.0], [np.inf]]),
    }
    assert first_not_finite(arrays) == "reward inf at [1, 0] (1 of 2 numbers)"
    assert (
        first_not_finite({**arrays, "parameters": np.array([np.nan, 1.0])}) == "parameters nan at [0] (1 of 2 numbers)"
    )
    assert first_not_finite({"action": np.array([np.nan])}) is None


def test_an_unfit_batch_is_a_file_without_pickles(tmp_path: Path) -> None:
    batch = UnfitBatch(3, 1_234, 56_000, "reward inf", {"reward": np.array([[np.inf]], np.float32)})
    path = write_unfit_batch(tmp_path, batch)
    with np.load(path, allow_pickle=False) as file:
        assert {name: file[name].tolist() for name in file} == {
            "worker": 3, "read": 1_234, "frames": 56_000, "what": "reward inf", "reward": [[np.inf]],
        }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == [run_folder.NOT_FINITE]
    assert batch.sentence().startswith("worker 3, in the turn that read version 1,234 (frame 56,000), met a number")


def row(frames: int, norm: float = 1.0, entropy: float | None = 0.69, updates_a_row: int = 64) -> IntervalRow:
    values: dict[str, Any] = dict.fromkeys(IntervalRow._fields, 0.0)
    numbers = {"frames": frames, "updates": updates_a_row * (frames + 1), "gradient_norm": norm, "entropy": entropy}
    return IntervalRow(**{**values, **numbers, "score_mean": None})


def test_a_jump_of_the_norm_is_told_once_until_it_is_over() -> None:
    norms = [1.0] * 6 + [60.0, 90.0, 30.0, 70.0] + [2.0] * 3 + [55.0]
    found = Watch().look(row(k, norm) for k, norm in enumerate(norms))
    assert [(t.kind, t.frames, t.number, t.threshold) for t in found] == [
        ("gradient_norm", 6, 60.0, 50.0), ("gradient_norm", 13, 55.0, 50.0),
    ]  # fmt: skip
    assert Watch().look(row(k, norm) for k, norm in enumerate([1.0] * 4 + [1e9])) == [], "too few rows to judge by"
    assert norm_jumped(51.0, [0.0] * 9) is None, "a gradient that was zero tells nothing"


def test_a_rollout_that_is_paid_for_once_is_no_jump() -> None:
    """One turn in 32 has a gradient a hundred times the others': rows of 4 turns jump, 64 of them together do not."""
    short = [row(k, 25.0 if k % 8 == 7 else 0.25, updates_a_row=4) for k in range(160)]
    assert Watch().look(short) == []
    assert [t.frames for t in Watch().look([*short, *(row(k, 1e3, updates_a_row=4) for k in range(160, 176))])] == [168]


def test_a_collapse_of_entropy_is_told_once_until_it_is_over() -> None:
    entropies = [0.7, 0.3, 0.006, 0.02, 0.005, 0.05, 0.001]
    found = Watch().look(row(k, entropy=entropy) for k, entropy in enumerate(entropies))
    assert [(t.kind, t.frames) for t in found] == [("entropy", 2), ("entropy", 6)]
    assert "frame 2: the policy's entropy has collapsed to 0.006 nats (below 0.007)" in found[0].sentence()
    assert entropy_collapsed(-5.0, -1.0) is None, "a density's entropy says nothing"
    assert Watch().look(row(k, entropy=None) for k in range(9)) == []


def test_warnings_are_in_their_file_and_those_after_a_checkpoint_are_forgotten(tmp_path: Path) -> None:
    rows = RowWriter(tmp_path / run_folder.INTERVALS, IntervalRow)
    steady, collapsed = [row(k) for k in range(3)], [row(3, entropy=0.001)]
    rows.write(steady)
    kept = rows.length()
    log = Log(tmp_path)
    assert log.look(steady) == []
    assert not (tmp_path / run_folder.WARNINGS).exists()
    rows.write(collapsed)
    assert len(log.look(collapsed)) == 1
    text = (tmp_path / run_folder.WARNINGS).read_text()
    assert text == "frames,seconds,kind,number,threshold\n3,0.0,entropy,0.001,0.0069\n"
    rows.close()
    assert Log(tmp_path).look([row(4, entropy=0.001)]) == [], "it goes on, and is known already"
    assert (tmp_path / run_folder.WARNINGS).read_text() == text
    RowWriter(tmp_path / run_folder.INTERVALS, IntervalRow, kept).close()
    Log(tmp_path)
    assert not (tmp_path / run_folder.WARNINGS).exists()
