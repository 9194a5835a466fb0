"""From run folders to tidy tables: one CSV a table and, where that is short enough, texts to read and to typeset.

A table has the same columns in every study, but for a sweep's: there the swept setting's value stands after `workers`.
Rows are sorted, numbers have six significant digits and missing values are empty, so a table is a function of the runs'
files down to the byte.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from a3c.analysis.comparison_tables import comparison_rows
from a3c.analysis.curve_tables import Curves, curve_rows, frame_curves, time_curve_rows, time_to_score_rows
from a3c.analysis.mixed_code import remark
from a3c.analysis.outputs import (
    POLICY_TABLE,
    Group,
    acts_on_completion,
    can_predict,
    groups,
    is_text,
    table_names,
    table_path,
)
from a3c.analysis.predictions import Measured, measured_phases, prediction_rows
from a3c.analysis.reading import RunFolder, read_run
from a3c.analysis.sample_tables import drift_bin_rows, drift_row, phases_row
from a3c.analysis.score_tables import (
    Row,
    add_equal_time_scores,
    evaluation_rows,
    run_rows,
    score_row,
    shortest_seconds,
)
from a3c.analysis.sweep_tables import sweep_rows
from a3c.analysis.table_text import TEXT_COLUMNS, latex_table, markdown
from a3c.analysis.turn_tables import (
    histogram_rows,
    pooled_staleness,
    staleness_row,
    throughput_rows,
    worker_rows,
)
from a3c.analysis.views import VIEW_TABLES, implementation
from a3c.environments.games import CLIFF_WORLD
from a3c.plan import Study
from a3c.records.storage import make_folder, write_text

_KEY = ("game", "variant", "workers")
_GROUP = " ".join(_KEY)
_SCORE = "score_mean score_mean_lo score_mean_hi"

WALL_CLOCK = ("train_seconds", "frames_per_second", "equal_time_score")  # left out of a sweep's table of runs

COLUMNS = {
    name: tuple(columns.split())
    for name, columns in {
        "runs": f"{_GROUP} schedule cores oversubscribed timing seed frames updates train_seconds frames_per_second "
        "final_score best_point_score best_point_frames mean_score training_score equal_time_score staleness_mean "
        "staleness_p99 "
        "settings_id folder",
        "scores": f"{_GROUP} n final_score_mean final_score_mean_lo final_score_mean_hi final_score_median "
        "final_score_median_lo final_score_median_hi final_score_iqm final_score_iqm_lo final_score_iqm_hi "
        "best_point_score_mean best_point_score_mean_lo best_point_score_mean_hi training_score_mean",
        "evaluations": f"{_GROUP} frames n {_SCORE}",
        "learning_curves": f"{_GROUP} frames seconds_mean n {_SCORE}",
        "learning_curves_time": f"{_GROUP} seconds n {_SCORE}",
        "staleness": f"{_GROUP} n turns staleness_mean staleness_expected relative_error staleness_sd staleness_p50 "
        "staleness_p90 staleness_p99 staleness_max",
        "staleness_histogram": f"{_GROUP} staleness label turns fraction",
        "phases": f"{_GROUP} n samples lock_wait_share lock_wait_share_lo lock_wait_share_hi lock_wait_us pull_us "
        "rollout_us gradient_us push_us torn_fraction lost_fraction",
        "drift": f"{_GROUP} n samples distance gradient_cosine gradient_cosine_lo gradient_cosine_hi "
        "gradient_norm_ratio kl kl_lo kl_hi ratio_max ratio_min",
        "drift_by_staleness": f"{_GROUP} staleness label samples distance gradient_cosine gradient_norm_ratio kl "
        "ratio_max",
        "workers": f"{_GROUP} worker n turns staleness_mean staleness_predicted difference",
        "sweep": f"{_GROUP} n final_score final_score_lo final_score_hi mean_score mean_score_lo mean_score_hi "
        "n_paired difference difference_lo difference_hi",
        "throughput": f"{_GROUP} n cores oversubscribed timing frames_per_second frames_per_second_lo "
        "frames_per_second_hi updates_per_second speed_up efficiency",
        "time_to_score": f"{_GROUP} threshold_score frames_to_score frames_to_score_lo frames_to_score_hi "
        "seconds_to_score n_reached n",
        "prediction": "game variant cores workers phases_from frames_per_second_predicted frames_per_second "
        "relative_error staleness_mean_predicted staleness_p50_predicted staleness_p99_predicted "
        "lock_wait_share_predicted core_utilization_predicted measured_in",
        "comparison": "game workers variant against at n paired detectable_difference difference difference_lo "
        "difference_hi probability_of_improvement probability_of_improvement_lo probability_of_improvement_hi",
        POLICY_TABLE: f"{_GROUP} state action n probability_mean",
    }.items()
}


def table_columns(study: Study, name: str) -> tuple[str, ...]:
    """The header of one table of a study."""
    columns = VIEW_TABLES[name].columns if name in VIEW_TABLES else COLUMNS[name]
    if study.sweep and columns[: len(_KEY)] == _KEY:
        return (*_KEY, study.sweep.name, *(column for column in columns[len(_KEY) :] if column not in WALL_CLOCK))
    return columns


def write_tables(study: Study, results: Path) -> None:
    """Writes every table of a study, from the folders of its runs.

    Args:
      study: at one scale, every run of it finished.
      results: the folder that holds `runs/`; `tables/<scale>/<study>/` is made in it.

    Raises:
      ValueError: if a run is not finished or the study cannot be tabulated, see `outputs.groups`.
      FileNotFoundError: if a run's file is missing.
    """
    rows, mixed = study_rows(study, results), remark(study, results)
    for name in table_names(study):
        path = table_path(study, results, name)
        make_folder(path.parent)
        columns = table_columns(study, name)
        cells = [[cell(row[column]) for column in columns] for row in rows[name]]
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([columns, *cells])
        write_text(path, file.getvalue(), durable=False)
        if is_text(name):
            text = markdown(study, name, columns, cells, rows["runs"], mixed)
            write_text(table_path(study, results, name, "md"), text, durable=False)
            paper = latex_table(study, name, columns, cells, mixed)
            write_text(table_path(study, results, name, "tex"), paper, durable=False)


def study_rows(study: Study, results: Path) -> dict[str, list[Row]]:
    """The rows of every table that the study has, by its name. One group's files are in memory at a time."""
    wanted = table_names(study)
    rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    curves: list[Curves] = []
    measured: list[Measured] = []
    ends = shortest_seconds(read_run(run, results) for run in study.runs)
    for group in groups(study):
        runs = [read_run(run, results) for run in group.runs]
        _add_group(rows, group, runs)
        if not study.sweep:
            curves.append(frame_curves(group, runs))
            rows["learning_curves"] += curve_rows(curves[-1])
            rows["learning_curves_time"] += time_curve_rows(group, runs, ends[group.game, group.workers])
        if "prediction" in wanted and can_predict(group.runs[0]):
            measured += measured_phases(group, runs)
    if study.sweep:
        rows["sweep"] = sweep_rows(rows["runs"], groups(study))
    else:
        if study.timing:
            add_equal_time_scores(rows["runs"], {run.folder: read_run(run, results) for run in study.runs}, ends)
        rows["throughput"] = throughput_rows(rows["runs"], groups(study))
        rows["time_to_score"] = time_to_score_rows(curves)
        rows["comparison"] = comparison_rows(rows["runs"], study.variants)
        rows["prediction"] = prediction_rows(measured, rows["throughput"])
    for view in study.views:
        rows |= implementation(view).rows(study, results, rows)
    return {name: rows[name] for name in wanted}


def _add_group(rows: dict[str, list[Row]], group: Group, runs: list[RunFolder]) -> None:
    about = run_rows(group, runs)
    rows["runs"] += about
    rows["scores"].append(score_row(group, about))
    rows["evaluations"] += evaluation_rows(group, runs)
    if group.runs[0].peer is None:
        _add_turns(rows, group, runs)
    if group.game == CLIFF_WORLD:
        rows[POLICY_TABLE] += policy_rows(group, runs)


def _add_turns(rows: dict[str, list[Row]], group: Group, runs: list[RunFolder]) -> None:
    """What only our trainer records: these tables leave peers out."""
    staleness = pooled_staleness(runs)
    rows["staleness"].append(staleness_row(group, staleness))
    rows["staleness_histogram"] += histogram_rows(group, staleness)
    rows["phases"].append(phases_row(group, runs))
    rows["drift"].append(drift_row(group, runs))
    rows["drift_by_staleness"] += drift_bin_rows(group, runs)
    if acts_on_completion(group.runs[0]):
        rows["workers"] += worker_rows(group, runs)


def read_table(path: Path) -> pd.DataFrame:
    """A table that `write_tables` wrote; empty numbers are NaN, and a variant called `nan` stays a name."""
    header = pd.read_csv(path, nrows=0).columns
    texts = [name for name in header if name in TEXT_COLUMNS]
    numbers = {name: [""] for name in header if name not in TEXT_COLUMNS}
    return pd.read_csv(path, dtype=dict.fromkeys(texts, object), na_values=numbers, keep_default_na=False)


def policy_rows(group: Group, runs: list[RunFolder]) -> list[Row]:
    """The table `cliff_world_policy`: each state's action probabilities, the mean over runs."""
    probability = np.mean([run.policy() for run in runs], axis=0)
    return [
        {**group.key, "state": state, "action": action, "n": len(runs), "probability_mean": float(value)}
        for (state, action), value in np.ndenumerate(probability)
    ]


def cell(value: object) -> str:
    """A value as it stands in a table: six significant digits and never an exponent; nothing for None and NaN."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if np.isnan(value):
        return ""
    rounded = float(f"{value:.6g}") + 0.0  # no negative zero
    return np.format_float_positional(rounded, trim="-") if np.isfinite(rounded) else str(rounded)
