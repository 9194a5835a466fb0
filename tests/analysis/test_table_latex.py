"""Tables that LaTeX takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from a3c.analysis import outputs
from a3c.analysis.table_latex import escaped, latex
from a3c.analysis.tables import write_tables


def test_no_letter_is_a_command() -> None:
    assert escaped("100% of $x_1 & \\y#") == r"100\% of \$x\_1 \& \textbackslash{}y\#"
    assert escaped("-1 \N{MINUS SIGN}2 ∞\n{a}~^") == r"-1 $-$2 $\infty$ \{a\}\textasciitilde{}\textasciicircum{}"


def test_numbers_stand_at_the_right_and_a_bracket_is_no_option() -> None:
    text = latex(["game", "score"], [["Pong", "1"], ["[odd]", "2"]], "A table", [False, True])
    assert r"\begin{tabular}{lr}" in text
    assert "{}[odd] & 2" in text
    assert text.count(r"\\") == 3


def test_every_text_table_has_one(tmp_path: Path, synthetic: Any) -> None:
    study = synthetic.make_study(*(synthetic.make_run(v) for v in ("hogwild", "locked")))
    synthetic.write_study(tmp_path, study)
    write_tables(study, tmp_path)
    texts = [name for name in outputs.table_names(study) if outputs.is_text(name)]
    for name in texts:
        rows = outputs.table_path(study, tmp_path, name).read_text().count("\n")
        tex = outputs.table_path(study, tmp_path, name, "tex").read_text()
        assert tex.count(r" \\" + "\n") == rows, name


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX to ask")
def test_latex_takes_it(tmp_path: Path) -> None:
    table = latex(["game", "score (%)"], [["Q*bert_1", "1 [−2, ∞]"]], "100% & more", [False, True])
    document = "\n".join([r"\documentclass{article}\usepackage{booktabs}\begin{document}", table, r"\end{document}"])
    (tmp_path / "a.tex").write_text(document)
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "a.tex"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0
