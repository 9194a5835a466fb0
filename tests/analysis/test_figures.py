"""Every promised figure is drawn, from the tables alone, the same each time."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from a3c.analysis import captions, outputs, predictions, style
from a3c.analysis.figures import FIGURES, fix_layout, write_figures
from a3c.analysis.tables import read_table, write_tables
from a3c.records.schedule_file import TURN

SCHEDULES = ("hogwild", "locked", "synchronous")


def drawn(results: Path, synthetic: Any, *runs: Any, timing: bool = False, **options: Any) -> Any:
    """Writes runs, tables and figures, warnings being errors; returns the study."""
    study = synthetic.make_study(*runs, timing=timing)
    synthetic.write_study(results, study, **options)
    write_tables(study, results)
    shutil.rmtree(results / "runs")  # figures come from tables
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_figures(study, results)
    return study


MAGIC = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml ve", ".pdf": b"%PDF-"}


@pytest.mark.slow
def test_every_figure_promised_is_drawn_and_the_same_to_the_byte_when_drawn_again(
    tmp_path: Path, synthetic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "WORKERS", (1, 8))  # as simulations take their time
    runs = [synthetic.make_run(v, "CliffWorld", workers=w, seed=s) for v in SCHEDULES for w in (1, 8) for s in (0, 1)]
    study = drawn(tmp_path, synthetic, *runs, timing=True)
    files = outputs.figure_files(study, tmp_path)
    assert set(outputs.figure_names(study)) == set(FIGURES) - {"sweep"}
    assert sorted(files) == sorted(files[0].parent.iterdir())
    before = [path.read_bytes() for path in files]
    for path, data in zip(files, before, strict=True):
        assert data.startswith(MAGIC[path.suffix]), path
        assert b"<dc:date>" not in data
        assert b"/CreationDate" not in data
    write_figures(study, tmp_path)
    assert [path.read_bytes() for path in files] == before


def test_where_panels_stand_has_no_last_bits_that_differ() -> None:
    figure, axes = style.panels((3, 1), "A caption.")
    for ax, label in zip(axes.flat, ("one", "two", "three"), strict=True):
        ax.set_ylabel(label)
    fix_layout(figure)
    for ax in axes.flat:
        assert all(edge == round(edge, 6) for edge in ax.get_position(original=True).bounds[:2])
    stood = [ax.get_position().bounds for ax in axes.flat]
    figure.draw_without_rendering()
    assert [ax.get_position().bounds for ax in axes.flat] == stood


@pytest.mark.slow
def test_runs_in_which_no_episode_ended_make_figures_that_say_so(tmp_path: Path, synthetic: Any) -> None:
    runs = [synthetic.make_run(game="CliffWorld", workers=w) for w in (1, 2)]
    study = drawn(tmp_path, synthetic, *runs, episodes=0)
    tables = {name: read_table(outputs.table_path(study, tmp_path, name)) for name in outputs.table_names(study)}
    for name in ("learning_curves", "time_to_score", "cliff_world_returns"):
        axes = FIGURES[name](study, tables).axes
        assert len(axes) == 2, name
        assert all("too few episodes ended" in [text.get_text() for text in ax.texts] for ax in axes), name


def test_runs_too_short_to_have_staleness_still_make_tables_and_figures(tmp_path: Path, synthetic: Any) -> None:
    def one_turn(run: Any, turns: int) -> np.ndarray:
        return np.zeros(1, TURN)

    study = drawn(tmp_path, synthetic, synthetic.make_run(workers=2), schedule=one_turn)
    row = synthetic.rows_of(study, tmp_path, "staleness")[0]
    assert (row["turns"], row["staleness_mean"], row["staleness_p50"], row["staleness_max"]) == ("0", "", "", "")
    assert synthetic.rows_of(study, tmp_path, "staleness_histogram") == []


def test_a_variant_called_nan_and_a_very_long_game_are_drawn(tmp_path: Path, synthetic: Any) -> None:
    game = "a_package.a_module_with_a_long_name:a_factory_of_environments"
    drawn(tmp_path, synthetic, synthetic.make_run("nan", game))
    assert len(captions.short(game)) == 30


def test_a_schedule_has_its_color_and_a_second_variant_of_it_another(synthetic: Any) -> None:
    runs = [synthetic.make_run(v, seed=s) for v in ("synchronous", "hogwild") for s in (0, 1)]
    runs += [synthetic.make_run(v) for v in ("faster", "slower")]  # both locked
    found = style.colors(synthetic.make_study(*runs))
    assert found["hogwild"] == to_rgb(style.SCHEDULE_COLORS["hogwild"])
    assert found["faster"] == to_rgb(style.SCHEDULE_COLORS["locked"])
    assert len(set(found.values())) == 4


@pytest.mark.parametrize(("count", "shape"), [(1, (2, 1)), (3, (2, 3)), (4, (4, 2)), (5, (4, 3))])
def test_each_places_panels_stand_below_each_other_and_no_more_than_three_beside(
    count: int, shape: tuple[int, int]
) -> None:
    assert style.stacked(2, count) == shape
    _, axes = style.panels(shape, "A caption.")
    stacks = style.stacks(axes, 2, count)
    assert [stack[1] is axes[2 * (i // shape[1]) + 1, i % shape[1]] for i, stack in enumerate(stacks)] == [True] * count
    assert sum(ax.axison for ax in axes.flat) == 2 * count


def test_more_workers_are_darker() -> None:
    brightness = [sum(style.shade((0.8, 0.2, 0.1), w, (1, 2, 8))) for w in (1, 2, 8)]
    assert brightness == sorted(brightness, reverse=True)
    assert style.shade((0.8, 0.2, 0.1), 8, (1, 2, 8)) == (0.8, 0.2, 0.1)


@pytest.mark.parametrize(
    ("greatest", "frames", "seconds"),
    [(100, "frames", "wall-clock (s)"), (40_000, "frames (thousands)", "wall-clock (h)"),
     (1e6, "frames (millions)", "wall-clock (h)"), (600, "frames", "wall-clock (min)")],
)  # fmt: skip
def test_axes_have_readable_units(greatest: float, frames: str, seconds: str) -> None:
    assert captions.frame_unit(greatest)[1] == frames
    assert captions.second_unit(greatest)[1] == seconds
