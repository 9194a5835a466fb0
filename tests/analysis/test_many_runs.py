"""Tables and figures of thousands of long runs take minutes, and memory for one run at a time.

`A3C_RUNS=2000 pytest -s tests/analysis/test_many_runs.py` says what 2,000 runs of a million frames take.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis.figures import write_figures
from a3c.analysis.tables import write_tables
from a3c.plan import Study

RUNS = int(os.environ.get("A3C_RUNS", 64))
SECONDS_PER_RUN = 180 / 2_000
MEGABYTES_PER_RUN = 0.25
MORE = {"workers": 16, "budget_frames": 1_000_000, "evaluation": {"points": 10, "episodes": 30, "policy": "sampled"}}


def seconds_and_megabytes(study: Study, results: Path) -> tuple[float, float]:
    """Of making all tables and figures in a process of its own: what it computed, and what it held at most."""

    def make() -> None:
        began = time.process_time()
        write_tables(study, results)
        write_figures(study, results)
        sent.send((time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))

    received, sent = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=make)
    process.start()
    process.join()
    seconds, megabytes = received.recv()
    return float(seconds), float(megabytes)


@pytest.mark.slow
def test_thousands_of_runs_take_minutes_and_memory_for_one_at_a_time(synthetic: Any, tmp_path: Path) -> None:
    runs = [
        synthetic.make_run(schedule, game, seed=seed, **MORE)
        for seed in range(RUNS // 8)
        for schedule in ("hogwild", "locked")
        for game in ("Pong", "Breakout", "Seaquest", "Qbert")
    ]
    for run in runs:
        synthetic.write_run(tmp_path, run, episodes=1_000, samples=lambda run: synthetic.sampled(run, 500))
    few, all_of_them = (synthetic.make_study(*part) for part in (runs[:16], runs))
    start_seconds, start_megabytes = seconds_and_megabytes(few, tmp_path)
    seconds, megabytes = seconds_and_megabytes(all_of_them, tmp_path)
    more = len(runs) - len(few.runs)
    each = (seconds - start_seconds) / more, (megabytes - start_megabytes) / more
    print(f"\n{len(runs)} runs: {seconds:.1f} s, {megabytes:.0f} MB; {each[0]:.3f} s and {each[1]:.3f} MB a run")
    assert each[0] < SECONDS_PER_RUN
    assert each[1] < MEGABYTES_PER_RUN
