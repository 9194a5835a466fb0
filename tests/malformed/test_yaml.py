"""Files that are no YAML, or not the YAML that is meant; and how several mistakes are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from a3c.__main__ import main
from a3c.yaml_files import parse_yaml

from .mutations import laughs, merges

STUDY = "staleness.yaml"
CHAIN = ", ".join(["l0: &l0 [0]", *(f"l{k}: &l{k} [*l{k - 1}]" for k in range(1, 60))])
Edit = Callable[[str, str, str], None]
Refused = Callable[..., None]

# The file's whole content, and the words that the message must contain.
CONTENTS = {
    "an empty file": (b"", ["mapping", "got None"]),
    "only a comment": (b"# soon\n", ["mapping", "got None"]),
    "a list": (b"- title\n- question\n", ["mapping", "got ['title', 'question']"]),
    "a word": (b"staleness", ["mapping", "got 'staleness'"]),
    "not text": (b"\xff\xfe\x00\x01", ["utf-8"]),
    "a control character": (b"title: \x00", ["special characters"]),
    "aliases that laugh": (b"title: " + laughs().encode(), ["more than 100,000 values"]),
    "aliases one in the other": (b"title: {" + CHAIN.encode() + b"}", ["deeper than 50 levels"]),
    "merges that laugh": (b"title: " + merges().encode(), ["more than 100,000 values"]),
    "endless brackets": (b"[" * 5000, ["deeper than 50 levels"]),
    "more than anybody writes": (b"x: " + b"y" * 2_000_000, ["more than 1,048,576 bytes"]),
    "a date that is none": (b"title: 2026-13-45", ["month must be in 1..12", "line 1"]),
    "a number of thousands of digits": (b"title: " + b"9" * 5000, ["cannot be read as int"]),
}

EDITS = {
    "not YAML": ("title:", "title: [", ["line"]),
    "a tab": ("  smoke:", "\tsmoke:", ["line"]),
    "two documents": ("variants:", "---\nvariants:", ["single document"]),
    "an object of Python": ("question: ", "question: !!python/object:os.system ", ["constructor", "python", "line"]),
    "a key given twice": ("title:", "title: once\ntitle:", ["'title'", "twice", "line"]),
    "a key given twice, deep": ("seeds: 1", "seeds: 1\n      seeds: 2", ["'seeds'", "twice", "line"]),
    "a key that cannot be one": ("title:", "[1]: 2\ntitle:", ["unhashable"]),
    "an anchor within itself": ("variants:", "variants: &all\n  again: *all", ["again"]),
    "an alias without anchor": ("variants:", "variants: *nothing\nvariant:", ["undefined alias", "line"]),
}


@pytest.mark.parametrize(("content", "words"), CONTENTS.values(), ids=CONTENTS)
def test_a_file_of_something_else_is_named(content: bytes, words: list[str], copied: Path, refused: Refused) -> None:
    (copied / STUDY).write_bytes(content)
    refused([STUDY, *words])


@pytest.mark.parametrize(("old", "new", "words"), EDITS.values(), ids=EDITS)
def test_what_is_no_plain_yaml_is_named(old: str, new: str, words: list[str], edit: Edit, refused: Refused) -> None:
    edit(STUDY, old, new)
    refused([STUDY, *words])


def test_brackets_without_end_are_an_error_of_the_file(copied: Path, refused: Refused) -> None:
    (copied / STUDY).write_bytes(b"[" * 5000)
    refused([STUDY])


def test_a_file_that_is_missing_or_a_folder_is_named(copied: Path, refused: Refused) -> None:
    (copied / STUDY).unlink()
    refused([f"{STUDY}: cannot be read: No such file"])
    (copied / STUDY).mkdir()
    refused([f"{STUDY}: cannot be read: Is a directory"])


def test_mistakes_in_several_files_and_blocks_are_said_together(copied: Path, edit: Edit, refused: Refused) -> None:
    edit(STUDY, "[CartPole-v1]", "[CartPole-v2]")
    edit("a3c_vs_a2c.yaml", "workers: [2]", "workers: [0]")
    edit("cartpole.yaml", "gamma: 0.99", "gamma: 2")
    edit("cartpole.yaml", "hidden: [64]", "hidden: [-64]")
    words = ["staleness.yaml:", "scales.smoke[0] (CartPole-v2", "a3c_vs_a2c.yaml:", "scales.smoke[0].workers[0]",
             "thread_scaling.yaml:", "learning.gamma: got 2", "network.hidden[0]: got -64"]  # fmt: skip
    refused(words, ["plan", "--experiments", str(copied)])


@pytest.mark.parametrize(
    ("text", "value"),
    [("7e-4", 7e-4), ("-1E3", -1000.0), ("1.0e6", 1e6), ("1.e+2", 100.0), ("1e", "1e"), ("e4", "e4"), ("1e4f", "1e4f")],
)
def test_numbers_may_have_an_exponent_without_point_or_sign(text: str, value: object) -> None:
    read = parse_yaml(f"key: {text}", "here")["key"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.slow
def test_a_study_without_its_question_is_not_passed_over(copied: Path, edit: Edit, refused: Refused) -> None:
    edit(STUDY, "question:", "qestion:")
    refused(["'qestion'"], ["plan", "--experiments", str(copied)])


def test_a_folder_that_is_not_there_is_an_error(copied: Path, refused: Refused) -> None:
    refused(["experimnets"], ["plan", "--experiments", str(copied.parent / "experimnets")])


@pytest.mark.parametrize("words", [["--scale", "smokey"], ["stalenes"], ["../staleness"]])
def test_a_scale_or_a_study_that_is_not_there_is_an_error(words: list[str], copied: Path, refused: Refused) -> None:
    refused(words[-1:], ["plan", *words, "--experiments", str(copied)])


def test_without_a_mistake_there_is_nothing_to_say(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        (STUDY, "title:", "title: [", "line"),
        (STUDY, "[CartPole-v1]", '["../../etc"]', "'../../etc'"),
        (STUDY, "{schedule: hogwild}", "{schedule: hogwild, executor: batched}", "executor"),
        ("cartpole.yaml", "5.0e-3", "7e", "optimizer.learning_rate"),
    ],
)
def test_the_command_itself_ends_with_code_2_and_no_traceback(
    file: str, old: str, new: str, word: str, copied: Path, edit: Edit, command: list[str]
) -> None:
    edit(file, old, new)
    before = sorted(copied.parent.rglob("*"))
    done = subprocess.run([sys.executable, "-m", "a3c", *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert word in done.stderr
    assert sorted(copied.parent.rglob("*")) == before
