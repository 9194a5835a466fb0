"""Markdown that is known again, and in which no name means anything."""

from __future__ import annotations

import pytest

from a3c.records.notes import code_block, is_ours, plain, signed, table


def test_a_note_is_known_again_until_somebody_changes_it() -> None:
    note = signed("first\n\nsecond")
    assert is_ours(note)
    assert is_ours("")
    assert note.startswith("first\n\nsecond\n\n")
    for edited in (note.replace("second", "third"), f"{note}!", f"mine\n\n{note}", "first\n\nsecond", "[//]: # (a3c "):
        assert not is_ours(edited)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("CartPole-v1", "CartPole-v1"),
        ("a | b\n\n# c", r"a \| b # c"),
        ("**x** [y](z) `w`", r"\*\*x\*\* \[y\](z) \`w\`"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("\\", r"\\"),
    ],
)
def test_signs_mean_nothing_in_plain_text(text: str, line: str) -> None:
    assert plain(text) == line


def test_a_code_block_ends_where_its_command_does() -> None:
    assert code_block("a3c") == "```bash\na3c\n```"
    assert code_block("a ````\n````") == "`````bash\na ````\n````\n`````"


def test_a_table_has_its_names_above_its_values() -> None:
    assert table({"a": "1", "b": "2"}) == "| a |&emsp;b |\n| --- | --- |\n| 1 |&emsp;2 |"
