"""Three studies' answers in one figure: which are in it, from which tables, and where it is shown."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from a3c.analysis import claim_file, outputs, style
from a3c.analysis.figures import write_figures
from a3c.analysis.report import write_report
from a3c.analysis.showcase import showcase_path, write_showcase
from a3c.analysis.summary_figure import _tables, summary, write_summary
from a3c.analysis.tables import read_table, write_tables

UNSAMPLED = {"intervals": 20, "sample_interval_turns": None}  # so that no machine is simulated


def learning(synthetic: Any, game: str = "CartPole-v1", seeds: int = 2) -> Any:
    runs = [synthetic.make_run(v, game, seed=s) for v in ("hogwild", "synchronous") for s in range(seeds)]
    return dataclasses.replace(synthetic.make_study(*runs, question="Who learns?"), name="a3c_vs_a2c")


def swept(synthetic: Any, seeds: int = 2) -> Any:
    runs = [synthetic.make_run("a", point=p, seed=s, records=UNSAMPLED) for p in (0, 4) for s in range(seeds)]
    return dataclasses.replace(synthetic.make_study(*runs, question="Does it fall?"), name="staleness_prescribed")


def scaled(synthetic: Any, seeds: int = 2, games: Sequence[str] = ("CartPole-v1",)) -> Any:
    runs = [
        synthetic.make_run("hogwild", game, workers=w, seed=s, records=UNSAMPLED)
        for game in games
        for w in (1, 2, 8)
        for s in range(seeds)
    ]
    study = synthetic.make_study(*runs, question="How fast?", timing=True)
    return dataclasses.replace(study, name="thread_scaling", views=("speed_up",))


def tabled(synthetic: Any, results: Path, *studies: Any) -> list[Any]:
    """Writes the tables of studies, and takes their runs away."""
    for study in studies:
        synthetic.write_study(results, study)
        write_tables(study, results)
        shutil.rmtree(results / "runs")
    return list(studies)


def panels(studies: Sequence[Any], results: Path) -> tuple[list[Axes], str]:
    """The panels of a summary, and its caption on one line."""
    with mpl.rc_context(style.RC):
        figure = summary(studies, [_tables(study, results) for study in studies])
    (caption,) = figure.texts
    return figure.axes, " ".join(caption.get_text().split())


def test_a_study_is_in_it_if_it_has_the_game_and_the_panels_tables(synthetic: Any) -> None:
    studies = [scaled(synthetic), learning(synthetic), swept(synthetic)]
    assert [study.name for study in outputs.summarized(studies)] == list(outputs.SUMMARY_TABLES), "in its own order"
    other = dataclasses.replace(studies[1], name="another")
    assert outputs.summarized([other, learning(synthetic, "CliffWorld")]) == []
    assert outputs.summarized([dataclasses.replace(studies[0], views=())]) == [], "no table of speed-ups"


def test_each_panel_shows_its_tables_rows_of_the_game(tmp_path: Path, synthetic: Any) -> None:
    games = ("CartPole-v1", "CliffWorld")
    studies = tabled(synthetic, tmp_path, learning(synthetic), swept(synthetic), scaled(synthetic, games=games))
    axes, caption = panels(studies, tmp_path)
    assert [ax.get_title("left")[0] for ax in axes] == ["a", "b", "c"]
    assert [ax.get_xlabel() for ax in axes] == ["frames (thousands)", "prescribed staleness (updates)", "workers"]
    curves, fall, speeds = (
        read_table(outputs.table_path(study, tmp_path, name))
        for study, name in zip(studies, ("learning_curves", "sweep", "speed_up"), strict=True)
    )
    mine = curves[curves["variant"] == "synchronous"]["score_mean"]
    np.testing.assert_array_equal(axes[0].lines[1].get_ydata(), mine)
    assert to_hex(axes[0].lines[1].get_color()).upper() == style.SCHEDULE_COLORS["synchronous"]
    assert any(np.array_equal(line.get_ydata(), fall["mean_score"]) for line in axes[1].lines)
    cartpole = speeds[speeds["game"] == "CartPole-v1"]["throughput"]
    assert [len(line.get_ydata()) for line in axes[2].lines].count(3) == 1, "CliffWorld is not drawn"
    assert any(np.array_equal(line.get_ydata(), cartpole) for line in axes[2].lines)
    assert {text.get_text() for text in axes[2].texts} == {" 4 cores", "ideal "}
    assert "oversubscribed" in [text.get_text() for text in axes[2].get_legend().get_texts()]
    assert caption.startswith("CartPole-v1 on 4 cores. a: ")
    assert caption.count("(n = 2 seeds)") == 3
    assert caption.endswith("Oversubscribed: 8 workers on 4 cores.")


def test_one_seed_has_no_interval_and_no_speed_up(tmp_path: Path, synthetic: Any) -> None:
    axes, caption = panels(tabled(synthetic, tmp_path, swept(synthetic, 1), scaled(synthetic, 1)), tmp_path)
    assert caption.count("no interval (one seed)") == 2
    assert "interval (n" not in caption
    assert [text.get_text() for text in axes[1].texts] == ["one seed says nothing"]


@pytest.mark.slow
def test_it_is_the_same_to_the_byte_when_drawn_again(tmp_path: Path, synthetic: Any) -> None:
    studies = tabled(synthetic, tmp_path, learning(synthetic), swept(synthetic))
    assert write_summary(studies, tmp_path, "smoke_claims")
    files = outputs.summary_files(studies, tmp_path, "smoke_claims")
    assert sorted(files) == sorted((tmp_path / "figures/smoke").iterdir())
    before = [path.read_bytes() for path in files]
    write_summary(studies, tmp_path, "smoke_claims")
    assert [path.read_bytes() for path in files] == before


def test_without_a_panel_there_is_no_figure(tmp_path: Path, synthetic: Any) -> None:
    other = learning(synthetic, "CliffWorld")
    assert not write_summary([other], tmp_path, "smoke")
    assert outputs.summary_files(outputs.summarized([other]), tmp_path, "smoke") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_report_and_showcase_begin_with_it(tmp_path: Path, synthetic: Any) -> None:
    study = learning(synthetic, seeds=1)
    synthetic.write_study(tmp_path, study)
    write_tables(study, tmp_path)
    write_figures(study, tmp_path)
    write_summary([study], tmp_path, "smoke")
    write_report([study], tmp_path, "smoke")
    ledger = [claim_file.ledger_path(tmp_path, "smoke", ending) for ending in ("csv", "md")]
    for file in (*ledger, claim_file.properties_path(tmp_path, "smoke")):
        file.parent.mkdir(exist_ok=True)
        file.write_text("claim\n")
    write_showcase([study], tmp_path, "smoke")
    page = outputs.report_path(tmp_path, "smoke").read_text()
    assert re.findall(r'<img alt="([^"]+)"', page)[0] == "Summary: Who learns?"
    folder = showcase_path(tmp_path, "smoke")
    shown = "figures/smoke/smoke_summary.svg"
    assert (folder / "README.md").read_text().splitlines()[2] == f"![Summary: Who learns?]({shown})"
    assert (folder / shown).read_bytes() == (tmp_path / shown).read_bytes()


def test_drawing_it_does_not_load_torch() -> None:
    code = "import sys, a3c.analysis.summary_figure; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
