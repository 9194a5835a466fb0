"""One self-contained page that shows a study and believes nothing it is told."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import outputs
from a3c.analysis.figures import write_figures
from a3c.analysis.report import write_report
from a3c.analysis.tables import write_tables

HOSTILE = "<script>alert('x')</script> & \"more\" | $\\frac{"


def reported(results: Path, synthetic: Any, *runs: Any, **texts: str) -> tuple[Any, str]:
    """Writes runs, tables, figures and the report of one study; returns the study and the page."""
    study = synthetic.make_study(*runs, **{k: v for k, v in texts.items() if k in ("title", "question")})
    synthetic.write_study(results, study, **{k: v for k, v in texts.items() if k in ("commit", "cpu")})
    write_tables(study, results)
    write_figures(study, results)
    write_report([study], results, study.scale)
    return study, outputs.report_path(results, "smoke").read_text()


@pytest.fixture(scope="module")
def cliff(tmp_path_factory: pytest.TempPathFactory, synthetic: Any) -> tuple[Path, Any, str]:
    """The results folder, study and page of two variants with more workers than cores."""
    results = tmp_path_factory.mktemp("results")
    runs = [synthetic.make_run(v, "CliffWorld", workers=8) for v in ("hogwild", "locked")]
    return results, *reported(results, synthetic, *runs)


def test_a_hostile_name_stays_text(tmp_path: Path, synthetic: Any) -> None:
    texts = dict.fromkeys(("title", "question", "commit", "cpu"), HOSTILE)
    _, page = reported(tmp_path, synthetic, synthetic.make_run(), **texts)
    assert "<script" not in page
    assert page.count(html.escape(HOSTILE)) >= 6  # index, heading, question, each picture, commit, processor


def test_the_page_needs_no_other_file_to_be_seen(cliff: tuple[Path, Any, str]) -> None:
    _, study, page = cliff
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) == len(outputs.figure_names(study))
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "<link" not in page
    assert "url(" not in page


def test_every_link_leads_to_a_table_that_exists(cliff: tuple[Path, Any, str]) -> None:
    results, study, page = cliff
    targets = {t for t in re.findall(r'href="([^"]+)"', page) if not t.startswith("#")}
    found = {(outputs.report_path(results, "smoke").parent / target).resolve() for target in targets}
    assert found == {outputs.table_path(study, results, name).resolve() for name in outputs.table_names(study)}
    assert all(path.is_file() for path in found)


def test_the_page_says_question_answer_and_where_numbers_come_from(cliff: tuple[Path, Any, str]) -> None:
    for words in ("Is it so?", "undecided at n = 1", "abc1234", "A processor", "torch 2.13.0", "8 workers on 4 cores"):
        assert words in cliff[2]


def test_a_narrow_screen_scrolls_tables_and_not_the_page(cliff: tuple[Path, Any, str]) -> None:
    """What a browser needs for it: a viewport, and each table and picture within a box that scrolls by itself."""
    _, _, page = cliff
    assert 'name="viewport" content="width=device-width' in page
    assert page.count("<table") == page.count('<div class="box"><table') > 0
    assert page.count("<img") == page.count('<div class="box"><img') > 0
    assert re.search(r"\.box\{overflow-x:auto", page)


@pytest.mark.slow
def test_each_scale_has_a_page_and_a_page_is_the_same_when_written_again(cliff: tuple[Path, Any, str]) -> None:
    results, study, page = cliff
    laptop = dataclasses.replace(study, scale="laptop")
    write_tables(laptop, results)
    write_figures(laptop, results)
    write_report([laptop], results, "laptop")
    assert outputs.report_path(results, "smoke").read_text() == page
    assert outputs.report_path(results, "laptop").read_text() == page.replace("smoke", "laptop")
