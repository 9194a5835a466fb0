"""A table for LaTeX documents, with the rules of the package booktabs."""

from __future__ import annotations

from collections.abc import Sequence

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "∞": r"$\infty$",
    "\N{MINUS SIGN}": "$-$",
}


def latex(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, numbers: Sequence[bool]) -> str:
    r"""A `table` environment; the document needs `\usepackage{booktabs}`.

    Args:
      header: names of the columns, plain text.
      rows: plain texts.
      caption: plain text.
      numbers: which columns hold numbers and stand at the right.
    """
    alignment = "".join("r" if is_number else "l" for is_number in numbers)
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{escaped(caption)}}}", rf"\begin{{tabular}}{{{alignment}}}"]
    lines += [r"\toprule", _row(header), r"\midrule", *map(_row, rows), r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}", r"\end{table}", ""])


def escaped(text: str) -> str:
    """Text in which nothing is a command."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def _row(texts: Sequence[str]) -> str:
    # A line that opens with a bracket would be taken for the option of the line break before it.
    return " & ".join(("{}" if text.startswith("[") else "") + escaped(text) for text in texts) + r" \\"
