"""What worker processes hold at most, beside the replay memory that they do without."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from a3c.analysis import style
from a3c.analysis.captions import number, overload, plural, seeds, short
from a3c.analysis.outputs import groups
from a3c.analysis.reading import read_run
from a3c.analysis.score_tables import Row, mean_with_interval
from a3c.analysis.turn_figures import marks, points
from a3c.analysis.verdicts import percent
from a3c.plan import Study
from a3c.records import run_folder

MEBIBYTE = 1 << 20
LINES = {"all workers": "-", "model": ":", "replay memory of DQN": "--"}
REPLAY_BYTES = 1_000_000 * 84 * 84  # of uint8: frames x height x width (Mnih et al., 2015, Extended Data Table 1)


def rows(study: Study, results: Path, base: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the table `memory`, from the runs' manifests and model files.

    Args:
      study: without a sweep.
      results: the folder that holds `runs/`.
      base: unused, since no standard table has the memory.
    """
    del base
    found = []
    for group in groups(study):
        runs = [read_run(run, results) for run in group.runs]
        worker = np.array([run.manifest["peak_memory_bytes"] for run in runs]) / MEBIBYTE
        processes = group.runs[0].settings.processes
        together = processes * float(worker.mean())
        found.append({
            **group.key,
            "n": len(runs),
            **mean_with_interval("worker_mib", worker),
            "processes": processes,
            "workers_mib": together,
            "model_mib": tensor_bytes(runs[0].path / run_folder.MODEL) / MEBIBYTE,
            "replay_mib": REPLAY_BYTES / MEBIBYTE,
            "share_of_replay": together * MEBIBYTE / REPLAY_BYTES,
        })  # fmt: skip
    return {"memory": found}


def tensor_bytes(model: Path) -> int:
    """Bytes of all tensors in a file that torch saved: a zip archive with one entry a tensor, below `data/`."""
    with zipfile.ZipFile(model) as archive:
        return sum(entry.file_size for entry in archive.infolist() if "/data/" in entry.filename)


def memory(study: Study, tables: Mapping[str, pd.DataFrame]) -> Figure:
    """All workers together, one worker and the model against workers, on a logarithmic axis; a panel a game."""
    runs = tables["runs"]
    crowded = runs.groupby(["game", "variant", "workers"])["oversubscribed"].max().reset_index()
    table = tables["memory"].merge(crowded, on=["game", "variant", "workers"], validate="one_to_one")
    games = list(dict.fromkeys(table["game"]))
    caption = (
        f"Full lines: the most that all worker processes together can have held, means over runs ({seeds(table)} a "
        "point): the most that one held, interpreter and shared pages included, times their number. Dotted: parameters "
        "and optimizer's statistics. Dashed: a replay memory of DQN's size, computed: 1,000,000 frames x 84 x 84 bytes."
        + overload(runs)
    )
    handles = [*style.legends(study, table["variant"]), *style.line_legend(LINES), *marks(table)]
    figure, axes = style.side_by_side(len(games), caption, handles, (3.4, 2.6), label="memory (MiB)")
    for ax, game in zip(axes, games, strict=True):
        ax.set_title(short(game), loc="left")
        _draw(study, ax, table[table["game"] == game])
    return figure


def _draw(study: Study, ax: Axes, table: pd.DataFrame) -> None:
    palette = style.colors(study)
    for variant, mine in table.groupby("variant", sort=False):
        x = mine["workers"].to_numpy(dtype=float)
        points(ax, mine, "workers_mib", palette[variant], x)
        ax.plot(x, mine["model_mib"].to_numpy(), color=palette[variant], linestyle=":")
    ax.axhline(float(table["replay_mib"].iloc[0]), color=style.PALE, linestyle="--", linewidth=1.2)
    style.log2_axis(ax, sorted(set(table["workers"])))
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(number)


FIGURES = {"memory": memory}


def answer(study: Study, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """What the most workers of each game hold, as a share of the replay memory.

    Args:
      study: unused; the table names its variants.
      tables: by name.
    """
    del study
    sentences = []
    for game, mine in tables["memory"].groupby("game", sort=False):
        most = mine[mine["workers"] == mine["workers"].max()].to_dict("records")
        clauses = [
            f"{row['variant']} at most {number(round(row['workers_mib']))} MiB, {percent(row['share_of_replay'])} of "
            f"the {number(round(row['replay_mib']))} MiB of DQN's replay memory (n = {row['n']})"
            for row in most
        ]
        sentences.append(f"With {plural(int(mine['workers'].max()))} in {game}: {'; '.join(clauses)}.")
    return " ".join(sentences) or None
