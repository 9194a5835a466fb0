"""Draws a study's figures from its tables, and from nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from a3c.analysis.cliff_figures import cliff_world_policy, cliff_world_returns
from a3c.analysis.curve_figures import learning_curves
from a3c.analysis.drift_figures import drift
from a3c.analysis.outputs import FIGURE_ENDINGS, figure_names, figure_path, table_names, table_path
from a3c.analysis.prediction_figures import prediction
from a3c.analysis.score_figures import comparison, time_to_score
from a3c.analysis.style import RC
from a3c.analysis.sweep_figures import sweep
from a3c.analysis.tables import read_table
from a3c.analysis.turn_figures import staleness_histograms, throughput
from a3c.analysis.views import VIEWS, implementation
from a3c.plan import Study
from a3c.records.storage import make_folder, write_bytes

# Without dates and versions, so that the same tables give the same bytes.
METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}

Drawing = Callable[[Study, Mapping[str, pd.DataFrame]], Figure]

FIGURES: dict[str, Drawing] = {
    "learning_curves": learning_curves,
    "comparison": comparison,
    "staleness_histograms": staleness_histograms,
    "drift": drift,
    "sweep": sweep,
    "throughput": throughput,
    "prediction": prediction,
    "time_to_score": time_to_score,
    "cliff_world_returns": cliff_world_returns,
    "cliff_world_policy": cliff_world_policy,
}


def write_figures(study: Study, results: Path) -> None:
    """Draws every figure that `figure_names` promises, as SVG, PNG and PDF, the same bytes from the same tables.

    Args:
      study: at one scale, its tables written.
      results: the folder that holds `tables/`; `figures/<scale>/<study>/` is made in it.

    Raises:
      FileNotFoundError: if a table is missing.
    """
    tables = {name: read_table(table_path(study, results, name)) for name in table_names(study)}
    drawings = FIGURES | {name: draw for view in study.views for name, draw in _of_view(view).items()}
    with mpl.rc_context(RC):
        for name in figure_names(study):
            save(drawings[name](study, tables), figure_path(study, results, name))


def _of_view(view: str) -> dict[str, Drawing]:
    return dict(implementation(view).FIGURES) if VIEWS[view].figures else {}


def save(figure: Figure, path: Path) -> None:
    """Lays a figure out and writes it in every format of `FIGURE_ENDINGS`; call it within `rc_context(RC)`.

    Args:
      figure: is laid out in place.
      path: of one of the files; the others stand beside it.
    """
    fix_layout(figure)
    make_folder(path.parent)
    for ending in FIGURE_ENDINGS:
        file = io.BytesIO()
        figure.savefig(file, format=ending, dpi=150, metadata=METADATA[ending])
        write_bytes(path.with_suffix(f".{ending}"), file.getbuffer(), durable=False)


def fix_layout(figure: Figure) -> None:
    """Lays a figure out and rounds where its panels stand.

    The solver behind the layout takes its constraints in an order that differs from time to time, and so do its last
    bits; an SVG names its clip paths by a hash of them. Measured: 3 different files in 60 drawings of one figure.
    """
    figure.set_dpi(72)  # the SVG's: laid out at 100, margins come out up to a tenth narrower and labels are cut off
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        left, bottom, width, height = (round(float(edge), 6) for edge in ax.get_position(original=True).bounds)
        ax.set_position((left, bottom, width, height))
