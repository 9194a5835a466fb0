"""Peak memory beside a replay memory's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
import torch

from a3c.analysis import outputs, tables
from a3c.analysis.figures import fix_layout
from a3c.analysis.style import RC
from a3c.analysis.views.memory import FIGURES, REPLAY_BYTES, answer, tensor_bytes
from a3c.records import run_folder

MEBIBYTE = 1 << 20


def study_of(synthetic: Any, results: Path, *variants: str) -> Any:
    """Two seeds of one and four workers; a process of seed k held 200 + 10 k MiB."""
    runs = [synthetic.make_run(v, workers=w, seed=s) for v in variants for w in (1, 4) for s in (0, 1)]
    study = replace(synthetic.make_study(*runs), views=("memory",))
    for run in study.runs:
        held = (200 + 10 * run.settings.seed) * MEBIBYTE
        folder = synthetic.write_run(results, run, peak_memory_bytes=held)
        torch.save({"parameters": {"w": torch.zeros(MEBIBYTE)}}, folder / run_folder.MODEL)
    tables.write_tables(study, results)
    return study


def test_a_replay_memory_of_dqns_size_takes_7_gigabytes() -> None:
    assert REPLAY_BYTES == 7_056_000_000


def test_all_workers_hold_at_most_what_one_holds_times_their_number(tmp_path: Path, synthetic: Any) -> None:
    one, four = synthetic.rows_of(study_of(synthetic, tmp_path, "locked"), tmp_path, "memory")
    assert (one["n"], one["worker_mib"]) == ("2", "205")
    assert float(one["worker_mib_lo"]) < 205 < float(one["worker_mib_hi"])
    assert (four["processes"], four["workers_mib"], four["model_mib"]) == ("4", "820", "4")
    assert float(four["share_of_replay"]) == pytest.approx(820 * MEBIBYTE / REPLAY_BYTES, rel=1e-5)


def test_a_model_files_tensors_are_counted_and_not_its_archive(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3, 5), "b": {"c": torch.zeros(7, dtype=torch.float64)}}, tmp_path / "model.pt")
    assert tensor_bytes(tmp_path / "model.pt") == 4 * 15 + 8 * 7


def test_the_answer_says_the_share_and_n_and_the_figure_is_drawn(tmp_path: Path, synthetic: Any) -> None:
    study = study_of(synthetic, tmp_path, "hogwild", "locked")
    found = {name: tables.read_table(outputs.table_path(study, tmp_path, name)) for name in ("memory", "runs")}
    said = str(answer(study, found))
    assert "hogwild at most 820 MiB, 12% of the 6,729 MiB of DQN's replay memory (n = 2)" in said
    with mpl.rc_context(RC):
        figure = FIGURES["memory"](study, found)
        fix_layout(figure)
    (ax,) = figure.axes
    assert ax.get_ylim()[1] > REPLAY_BYTES / MEBIBYTE
