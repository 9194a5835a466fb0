"""Runs of the same settings and seed: what came out the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from a3c.analysis import outputs, tables
from a3c.analysis.figures import fix_layout
from a3c.analysis.style import RC
from a3c.analysis.views.of_the_claims import AGREEMENT
from a3c.analysis.views.reproducibility import FIGURES, answer, parting_turn
from a3c.records import run_folder
from a3c.records.schedule_file import TURN
from a3c.study_file import Sweep


def chance(run: Any, turns: int) -> np.ndarray:
    """Under hogwild repeats part from the first at turn 100 in their order, under a lock at 50 in their numbers."""
    table = np.zeros(turns, TURN)
    table["worker"], table["steps"] = np.arange(turns) % 2, 5
    if run.settings.schedule == "hogwild":
        table["worker"][100 + 2 * run.settings.repeat :] = 1
    elif run.settings.schedule == "locked" and run.settings.repeat:
        table["check"][50:] = run.settings.repeat
    return table


def repeated(synthetic: Any, results: Path, *variants: str, repeats: int = 3, seeds: int = 1) -> Any:
    """A study whose synchronous runs end with one model and others each with its own; replays agree but the last."""
    runs = [
        replace(synthetic.make_run(v, repeat=k, seed=seed, budget_frames=1_000 * 5), point=k)
        for seed in range(seeds)
        for v in variants
        for k in range(repeats)
    ]
    sweep = Sweep(setting="repeat", label="repeat", unit="")
    study = replace(synthetic.make_study(*runs), views=("reproducibility",), sweep=sweep)
    for run in study.runs:
        score = lambda run, progress: np.full(len(progress), 10.0 + run.settings.repeat)  # noqa: E731
        folder = synthetic.write_run(results, run, score=score, schedule=chance)
        if run.settings.schedule != "synchronous":
            path = folder / run_folder.EVALUATIONS
            path.write_text(path.read_text().replace("0" * 16, f"{run.settings.repeat:016x}"))
        if run.settings.schedule != "hogwild":
            place = results / AGREEMENT.format(run=run.folder)
            place.parent.mkdir(parents=True)
            run_folder.write_json(place, {"equal": run.settings.repeat < repeats - 1})
    return study


def test_schedules_models_and_the_turn_of_parting_are_counted(tmp_path: Path, synthetic: Any) -> None:
    study = repeated(synthetic, tmp_path, "hogwild", "locked", "synchronous")
    tables.write_tables(study, tmp_path)
    rows = synthetic.rows_of(study, tmp_path, "reproducibility")
    names = ("variant", "repeats", "schedules", "models", "median_parting_turn", "replays_equal")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("hogwild", "3", "3", "3", "100", ""),
        ("locked", "3", "1", "3", "50", "2"),
        ("synchronous", "3", "1", "1", "", "2"),
    ]
    assert [rows[0][f"final_score_{x}"] for x in ("mean", "sd", "min", "max")] == ["11", "1", "10", "12"]


def test_runs_part_where_one_of_them_ends() -> None:
    turns = np.zeros(5, TURN)
    assert parting_turn(turns, turns) is None
    assert parting_turn(turns, turns[:3]) == 3
    other = turns.copy()
    other["check"][2] = 7
    assert parting_turn(turns, other) == 2


def test_a_run_that_was_not_replayed_stops_the_tables(tmp_path: Path, synthetic: Any) -> None:
    study = repeated(synthetic, tmp_path, "locked")
    (tmp_path / AGREEMENT.format(run=study.runs[0].folder)).unlink()
    with pytest.raises(FileNotFoundError):
        tables.write_tables(study, tmp_path)


def test_a_sweep_of_anything_but_repeats_is_refused(tmp_path: Path, synthetic: Any) -> None:
    study = replace(synthetic.make_study(synthetic.make_run(point=0)), views=("reproducibility",))
    synthetic.write_study(tmp_path, study)
    with pytest.raises(ValueError, match=r"needs `sweep: \{setting: repeat"):
        tables.write_tables(study, tmp_path)


def test_the_answer_counts_and_the_figure_is_drawn(tmp_path: Path, synthetic: Any) -> None:
    study = repeated(synthetic, tmp_path, "hogwild", "synchronous")
    tables.write_tables(study, tmp_path)
    found = {name: tables.read_table(outputs.table_path(study, tmp_path, name)) for name in ("reproducibility", "runs")}
    said = str(answer(study, found))
    assert "hogwild: 3 runs, 3 different schedules and 3 different models, final scores 10 to 12;" in said
    assert said.endswith("1 schedule and 1 model, final scores 10 to 12, 2 replayed bit for bit.")
    with mpl.rc_context(RC):
        figure = FIGURES["reproducibility"](study, found)
        fix_layout(figure)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["3 models", "1 model"]


def test_each_seed_has_a_panel_with_its_own_repeats(tmp_path: Path, synthetic: Any) -> None:
    study = repeated(synthetic, tmp_path, "hogwild", "synchronous", seeds=2)
    tables.write_tables(study, tmp_path)
    found = {name: tables.read_table(outputs.table_path(study, tmp_path, name)) for name in ("reproducibility", "runs")}
    with mpl.rc_context(RC):
        figure = FIGURES["reproducibility"](study, found)
    for seed, ax in enumerate(figure.axes):
        assert ax.get_title(loc="left").endswith(f", seed {seed}")
        assert [text.get_text() for text in ax.texts] == ["3 models", "1 model"]
        assert [len(line.get_xdata()) for line in ax.lines] == [3, 3]
