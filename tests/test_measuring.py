"""Consecutive updates compared: the arithmetic, and a recorded run that is made again for it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from a3c import correlations, devices, measuring
from a3c.__main__ import main
from a3c.asynchrony.agents import make_network
from a3c.asynchrony.comparing import Comparison
from a3c.asynchrony.outcomes import DiffersError
from a3c.asynchrony.serial import execute
from a3c.asynchrony.shared import TURNS, allocate
from a3c.correlations import BLOCK_TURNS, CorrelationRow, Correlations, Pairs
from a3c.environments import make
from a3c.fingerprint import modules
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.manifest import Manifest
from a3c.records.schedule_file import HEADER_BYTES, TURN, Header, ScheduleWriter
from a3c.settings import Settings
from a3c.training import train
from a3c.workflow import Workflow

Make = Callable[..., Settings]


def pooled(x: np.ndarray, y: np.ndarray) -> float:
    """The slow twin of `Pairs`: covariances and variances of each component, added up."""
    both = [np.cov(x[:, d], y[:, d], bias=True) for d in range(x.shape[1])]
    total = np.sum(both, axis=0)
    return float(total[0, 1] / np.sqrt(total[0, 0] * total[1, 1]))


def test_pairs_of_numbers_have_pearsons_correlation_and_of_vectors_the_pooled_one() -> None:
    draws = np.random.default_rng(0)
    x = draws.normal(5.0, 2.0, (40, 3))
    y = 0.5 * x + draws.normal(-3.0, [0.1, 1.0, 4.0], (40, 3))
    pairs, single = Pairs(), Pairs()
    for part in np.array_split(np.arange(40), 7):
        pairs.add(x[part], y[part])
        single.add(x[part, :1], y[part, :1])
    assert pairs.correlation() == pytest.approx(pooled(x, y), rel=1e-9)
    assert single.correlation() == pytest.approx(np.corrcoef(x[:, 0], y[:, 0])[0, 1], rel=1e-9)


def test_a_component_that_never_changes_counts_for_nothing_and_constants_have_no_correlation() -> None:
    x = np.random.default_rng(1).normal(size=(20, 2))
    with_background, without = Pairs(), Pairs()
    with_background.add(np.hstack([x, np.full((20, 1), 200.0)]), np.hstack([-x, np.full((20, 1), 200.0)]))
    without.add(x, -x)
    assert with_background.correlation() == pytest.approx(-1.0)
    assert without.correlation() == pytest.approx(-1.0)
    constant = Pairs()
    constant.add(np.full((9, 2), 0.1), np.full((9, 2), 0.1))
    assert constant.correlation() is None
    assert Pairs().correlation() is None


def of_turns(turns: list[tuple[int, list[float], Any]], states: int | None = None) -> list[CorrelationRow]:
    """The blocks of hand-made turns: worker, gradient, observations [T, B, D]."""
    rows: list[CorrelationRow] = []
    compared = Correlations(SimpleNamespace(write=rows.extend), states)  # type: ignore[arg-type]
    for worker, gradient, observation in turns:
        compared.add(worker, torch.tensor(gradient), torch.as_tensor(observation))
    compared.finish()
    return rows


def test_a_gradient_is_compared_with_the_turn_before_and_with_its_workers_own() -> None:
    seen = np.zeros((1, 1, 1))
    along, across, back, nothing = [1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]
    (row,) = of_turns([(0, along, seen), (1, across, seen), (0, back, seen), (1, across, seen), (0, nothing, seen)])
    assert row.gradient_cosine == pytest.approx(0.0), "0 thrice; the last gradient has no direction"
    assert row.gradient_cosine_own == pytest.approx((-1.0 + 1.0) / 2), "worker 0's fell back, worker 1's stayed"
    assert row.observation_correlation is None, "nothing changed"


def test_observations_are_compared_within_a_turn_between_turns_and_in_the_mean() -> None:
    draws = np.random.default_rng(2)
    observations = draws.normal(size=(30, 4, 2, 3))  # turns, T, B, D
    (row,) = of_turns([(turn % 2, [1.0], seen) for turn, seen in enumerate(observations)])
    means = observations.mean(axis=(1, 2))
    flat = observations.reshape(30, 4, -1, 3)
    within = [flat[:, :-1].reshape(-1, 3), flat[:, 1:].reshape(-1, 3)]
    between = [flat[:-1, -1].reshape(-1, 3), flat[1:, 0].reshape(-1, 3)]
    assert row.observation_correlation == pytest.approx(pooled(means[:-1], means[1:]))
    assert row.observation_correlation_own == pytest.approx(pooled(means[:-2], means[2:]))
    assert row.within_correlation == pytest.approx(pooled(*within))
    assert row.between_correlation == pytest.approx(pooled(*between))


def test_the_index_of_a_state_is_no_number_but_a_place() -> None:
    """States 0, 1, 2 in a circle: as numbers 2 would lie far from 0; as places each is as far from the other."""
    turns = [(0, [1.0], np.array([[turn % 3]])) for turn in range(30)]
    (row,) = of_turns(turns, states=3)
    assert row.observation_correlation == pytest.approx(-0.5, abs=0.02)


def test_blocks_follow_each_other_without_a_gap() -> None:
    draws = np.random.default_rng(3).normal(size=(BLOCK_TURNS + 7, 1, 1, 1))
    rows = of_turns([(0, [1.0], seen) for seen in draws])
    assert [(row.turn, row.turns) for row in rows] == [(0, BLOCK_TURNS), (BLOCK_TURNS, 7)]


@pytest.fixture(scope="module")
def recorded(cliff: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn run of 3 workers, executed here and recorded."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = cliff(schedule="drawn", order={"kind": "round_robin"}, workers=3)
    memory = allocate(settings, make_network(settings, make(settings, 0, 0).spec).vector)
    messages = measuring._Messages()
    assignment = measuring._assignment(settings, None, memory, messages)  # type: ignore[arg-type]
    execute(assignment, Comparison(None, assignment.pipe))
    torch.set_num_threads(threads)
    folder = tmp_path_factory.mktemp("recorded")
    (folder / run_folder.SETTINGS).write_text(settings.to_json())
    writer = ScheduleWriter(folder / run_folder.SCHEDULE, Header("drawn", 3, 1))
    writer.write(memory.turn_records[: int(memory.counters[TURNS])])
    writer.close()
    Manifest(folder, settings, timing=False, cpu_capability=devices.cpu_capability())
    run_folder.write_json(folder / run_folder.DONE, {})
    return folder


@pytest.fixture
def drawn(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may alter."""
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_turn_of_a_run_is_measured(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    assert main(["measure", str(drawn)]) == 0
    assert torch.get_num_threads() == threads
    rows = rows_of(drawn / "correlations.csv")
    turns = (drawn / run_folder.SCHEDULE).stat().st_size - HEADER_BYTES
    assert sum(int(row["turns"]) for row in rows) == turns // TURN.itemsize
    assert all(-1.0 <= float(value) <= 1.0 for name in CorrelationRow._fields[2:] for value in [rows[0][name]])
    assert "measured" in capsys.readouterr().out


def test_a_run_that_goes_another_way_than_its_record_leaves_nothing(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((drawn / run_folder.SCHEDULE).read_bytes())
    np.frombuffer(data, TURN, offset=HEADER_BYTES)["check"][30] += 1
    (drawn / run_folder.SCHEDULE).write_bytes(bytes(data))
    with pytest.raises(DiffersError, match="turn 30 "):
        measuring.measure(drawn, tmp_path / "into" / "found.csv")
    assert list((tmp_path / "into").iterdir()) == []
    assert main(["measure", str(drawn)]) == 1
    assert "turn 30 " in capsys.readouterr().err


def test_a_run_without_a_lock_cannot_be_measured(drawn: Path, cliff: Make) -> None:
    (drawn / run_folder.SETTINGS).write_text(cliff(schedule="hogwild").to_json())
    with pytest.raises(InvalidInput, match="hogwild"):
        measuring.measure(drawn, drawn / "found.csv")


def test_measuring_is_no_training_code() -> None:
    assert not {Path(str(module.__file__)) for module in (measuring, correlations)} & set(modules())


def test_tables_wait_for_what_their_views_have_made_of_each_recorded_run(experiments: Path, tmp_path: Path) -> None:
    for name in ("paper", "cartpole", "reproducibility"):
        shutil.copy(experiments / f"{name}.yaml", tmp_path)
    workflow = Workflow({"scale": "smoke"}, tmp_path, Path("results"))
    (study,) = workflow.studies
    runs = {run.folder for run in study.runs}
    replayed = {run.folder for run in study.runs if run.settings.schedule != "hogwild"}
    wanted = {f"results/runs/{folder}/done.json" for folder in runs}
    wanted |= {f"results/replays/{folder}/agreement.json" for folder in replayed}
    assert set(workflow.made_of(study)) == wanted
    assert len(replayed) == len(runs) * 3 // 4


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["locked", "synchronous"])
def test_a_live_run_is_measured_as_recorded(cartpole: Make, tmp_path: Path, schedule: str) -> None:
    train(cartpole(schedule=schedule, workers=3, budget_frames=8_000), tmp_path / "run")
    measuring.measure(tmp_path / "run", tmp_path / "found.csv")
    assert len(rows_of(tmp_path / "found.csv")) > 1
