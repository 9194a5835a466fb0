"""A table as people read it: intervals beside their means, fewer digits, and a line that says what the numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from a3c.analysis.intervals import CONFIDENCE, RESAMPLES
from a3c.analysis.table_latex import latex
from a3c.analysis.views import VIEW_TABLES
from a3c.plan import Study

TITLES = {
    "runs": "Runs",
    "scores": "Scores by game, variant and workers",
    "evaluations": "Evaluation points",
    "staleness": "Staleness",
    "phases": "Where workers' time goes",
    "drift": "What staleness does to gradients and policies",
    "sweep": "Scores along the sweep",
    "throughput": "Throughput",
    "time_to_score": "Frames and seconds to a score",
    "comparison": "Variants compared",
}

OPTIMISM = (
    "The best point is chosen by the very scores that are reported, so it is optimistic, the more so the more points "
    "there are; hold it against nothing but other best points of as many."
)

MEANINGS = {
    "runs": "`final_score` is the mean over the last evaluation point, that of the final parameters; "
    "`best_point_score` is the mean over the run's best evaluation point, which lies at `best_point_frames`. "
    f"{OPTIMISM} `mean_score` is the mean over all points, `training_score` that of the training episodes in the last "
    "10% of frames, `equal_time_score` the score when the fastest run of the game and worker count had finished, if "
    "runs were timed.",
    "scores": "`final_score` is taken from each run's last evaluation point, that of its final parameters; "
    f"`best_point_score` from the best of its points. {OPTIMISM} `training_score` is taken from the training episodes "
    "in the last 10% of frames.",
    "evaluations": "Each run counts once at a point, by the mean over its episodes with frozen parameters.",
    "staleness": "Staleness is counted in updates, turns of all n seeds pooled, after every worker's first push. "
    "`staleness_expected` is workers - 1 where each worker pulls right after it pushes, whatever the speeds, so that "
    "only the distribution carries information; elsewhere what was prescribed, which cannot exceed the updates so far.",
    "phases": "Means over runs of each run's sampled turns, microseconds (us) a turn. `lock_wait` is the wait for the "
    "lock or, in a synchronous schedule, for the others; `lock_wait_share` its share of the workers' time. "
    "`torn_fraction`: pulls that mixed versions or ran into a write; `lost_fraction`: writes to single parameters that "
    "races undid.",
    "drift": "Sampled turns: the parameters pulled, with which the gradient was computed, against those it was applied "
    "to. `distance` is Euclidean; `gradient_cosine` and `gradient_norm_ratio` compare the gradient with the one that "
    "the latter give on the same rollout; `kl` is from the policy pulled to the other, in nats a step. Means over "
    "runs, but `ratio_max` and `ratio_min` are the extreme probability ratios of actions taken. Empty where nothing is "
    "stale.",
    "sweep": "`mean_score` is the mean over a run's evaluation points, the area under its evaluation curve. "
    "`difference` is its mean here minus that at the first value, paired over the `n_paired` seeds that both have.",
    "throughput": "`speed_up` is against the same variant with one worker; `efficiency` is speed_up / min(workers, "
    "cores). `timing` is yes if the runs had the machine to themselves.",
    "time_to_score": "`threshold_score` is the best value of the worst group's mean curve; `n_reached` counts the "
    "runs whose own curve reaches it; ∞ stands for beyond the budget.",
    "comparison": "`difference` is `variant` minus `against`, paired by seed where seeds are shared: at equal frames "
    "in final score, at equal wall-clock in score when the fastest run of the game and worker count had finished. "
    "`detectable_difference` is the least that n seeds of each would show in 80% of cases, at 5%. 0.5 as probability "
    "of improvement means no difference.",
}

TEXT_COLUMNS = frozenset(
    (
        "game", "variant", "against", "schedule", "settings_id", "folder", "label", "oversubscribed", "timing",
        "paired", "measured_in", "at",
    )
).union(*(table.texts for table in VIEW_TABLES.values()))  # fmt: skip


def title_of(name: str) -> str:
    """A table's heading."""
    return VIEW_TABLES[name].title if name in VIEW_TABLES else TITLES[name]


def readable(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """A header and rows for the eye: `x`, `x_lo`, `x_hi` become one column `12.3 [10.1, 14.5]`.

    Args:
      columns: as in the CSV.
      cells: rows as in the CSV.
    """
    place = {name: index for index, name in enumerate(columns)}
    kept = [name for name in columns if name[-3:] not in ("_lo", "_hi")]
    rows = []
    for row in cells:
        texts = []
        for name in kept:
            text = row[place[name]] if name in TEXT_COLUMNS else shortened(row[place[name]])
            low, high = (shortened(row[place[end]]) if end in place else "" for end in (f"{name}_lo", f"{name}_hi"))
            texts.append(f"{text} [{low}, {high}]" if low or high else text)
        rows.append(texts)
    return [name.replace("_", " ") for name in kept], rows


def shortened(number: str) -> str:
    """A number with four significant digits, or to the unit with separators from a thousand on."""
    if number in ("", "inf", "-inf"):
        return number.replace("inf", "∞")
    value = float(number)
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return np.format_float_positional(float(f"{value:.4g}"), trim="-")


def notes(name: str, columns: Sequence[str], runs: Sequence[dict[str, Any]]) -> str:
    """What the numbers of a table are, what n counts, and which runs were oversubscribed.

    Args:
      name: the table's.
      columns: its header.
      runs: the rows of the table `runs`.
    """
    text = [VIEW_TABLES[name].meaning if name in VIEW_TABLES else MEANINGS[name]]
    if any(column.endswith("_lo") for column in columns):
        text.append(
            f"[lo, hi] is the {CONFIDENCE:.0%} interval over seeds: Student's t for means and their differences, "
            f"percentile bootstrap ({RESAMPLES:,} resamples) for all else but what is said above to have another; n is "
            "the number of seeds; with n = 1 these have no interval."
        )
    return " ".join([*text, oversubscription(runs)])


def oversubscription(runs: Sequence[dict[str, Any]]) -> str:
    """A sentence that names the worker counts which exceeded the cores."""
    found = sorted({(run["workers"], run["cores"]) for run in runs if run["oversubscribed"]})
    if not found:
        return "No run was oversubscribed: workers never exceeded cores."
    named = ", ".join(f"{workers} workers on {cores} cores" for workers, cores in found)
    return f"OVERSUBSCRIBED, so that wall-clock and throughput say little about the method: {named}."


def markdown(
    study: Study,
    name: str,
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    runs: Sequence[dict[str, Any]],
    remark: str = "",
) -> str:
    """The text version of a table: title, question, table, notes, and a remark if there is one."""
    header, rows = readable(columns, cells)
    lines = [_line(header), _line(["---"] * len(header)), *(_line(row) for row in rows)]
    title = f"# {_plain(study.title)}: {title_of(name)} ({study.scale})"
    parts = [title, _plain(study.question), "\n".join(lines), notes(name, columns, runs), *([remark] if remark else [])]
    return "\n\n".join(parts) + "\n"


def latex_table(
    study: Study, name: str, columns: Sequence[str], cells: Sequence[Sequence[str]], remark: str = ""
) -> str:
    """The table as LaTeX, with the columns of the text version; a remark ends its caption."""
    header, rows = readable(columns, cells)
    kept = [column for column in columns if column[-3:] not in ("_lo", "_hi")]
    caption = f"{study.title}: {title_of(name)} ({study.scale} scale)" + (f". {remark}" if remark else "")
    return latex(header, rows, caption, [column not in TEXT_COLUMNS for column in kept])


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(text).replace('|', chr(92) + '|') for text in texts)} |"


def _plain(text: str) -> str:
    """One line: a line break would end the heading or the row."""
    return " ".join(text.split())
