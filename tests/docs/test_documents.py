"""Every command and code block of the README and the documents is executed, or something that stands for it is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from documents import LANGUAGES, ROOT, Block, blocks, commands, documents, inline_code, links
from substitutions import (
    CHECKS,
    ELSEWHERE,
    PROGRAMS,
    RUN,
    VARIABLES,
    check_elsewhere,
    check_installing,
    executable,
    shortened,
)

from a3c.__main__ import parse, parser

NAMES = [str(path.relative_to(ROOT)) for path in documents()]
BLOCKS = [block for path in documents() for block in blocks(path)]
CODE = [block for block in BLOCKS if block.language in LANGUAGES]
SECONDS_AT_MOST = 600  # for one command, on a machine that does much else

# What the README shows of a user's own project.
READERS_OWN = {
    "README.md": {
        "my_package/my_module.py": 'import gymnasium\n\n\ndef make(level): return gymnasium.make("CartPole-v1")\n'
    }
}
# Options in the text that are another program's.
FOREIGN_OPTIONS = {"--forceall"}


def case(block: Block) -> str:
    """Blocks are executed one after the other in one folder: a section of the README, or a whole document."""
    return f"{block.document}: {block.section or 'beginning'}" if block.document == "README.md" else block.document


CASES = {name: list(group) for name, group in groupby(CODE, case) if name not in ELSEWHERE}


def run(words: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "MPLBACKEND": "agg"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    environment["PYTHONPATH"] = str(folder)  # a reader's own package is installed
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False
    )
    assert done.returncode == 0, f"{words[-1]}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def execute(block: Block, folder: Path) -> None:
    """Executes a block; one with a file name is saved beforehand, and is executed by the commands that name it."""
    if block.language == "python" and block.file_name is None:
        script = folder / f"line_{block.line}.py"
        script.write_text(block.text, encoding="utf-8")
        run([sys.executable, str(script)], folder)
    if block.language != "bash":
        return
    for command in commands(block):
        written = re.sub(rf"^({VARIABLES})\.venv/bin/", r"\1", command)
        check = next((check for pattern, check in CHECKS.items() if re.match(pattern, written)), None)
        if check is not None:
            check(written, folder)
        else:
            run(["bash", "-euo", "pipefail", "-c", executable(block.document, command)], folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_it_runs(name: str, workspace: Callable[[], Path], short_run: Path) -> None:
    folder, group = workspace(), CASES[name]
    shutil.copytree(short_run, folder / RUN)
    saved = {block.file_name: block.text for block in group if block.file_name}
    for path, text in {**saved, **READERS_OWN.get(group[0].document, {})}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(shortened(text) if path.endswith(".yaml") else text, encoding="utf-8")
    for block in group:
        execute(block, folder)
    for promised in re.findall(r"`(results/[\w/*.-]+)`", (ROOT / group[0].document).read_text(encoding="utf-8")):
        if name == "docs/tutorial.md":
            assert list(folder.glob(promised)), f"{name} names {promised}, which its commands do not make"


@pytest.mark.parametrize("block", CODE, ids=str)
def test_nothing_is_executed_by_nobody(block: Block) -> None:
    if block.document in ELSEWHERE:
        for command in commands(block):
            check_elsewhere(block.document, command, ROOT)
    elif block.language == "bash":
        for command in commands(block):
            executable(block.document, command)
            if re.match(r"(\.venv/bin/)?pip ", command):
                check_installing(command, ROOT)
    elif block.language == "yaml":
        assert block.file_name is not None, f"{block}: say in the first line where it is to be saved"
    if block.file_name is not None:
        others = "".join(other.text for other in CODE if other.document == block.document and other != block)
        stem = Path(block.file_name).stem
        assert re.search(rf"\b{stem}\b", others), f"{block}: no command uses {block.file_name}"


def test_a_part_of_ones_own_takes_less_than_30_lines() -> None:
    recipes = [block for block in CODE if block.document == "docs/own_parts.md" and block.language == "python"]
    assert len(recipes) == 3
    assert max(len(block.text.splitlines()) for block in recipes) < 30


@pytest.mark.parametrize("block", [block for block in BLOCKS if block not in CODE], ids=str)
def test_a_block_without_a_language_is_no_code(block: Block) -> None:
    assert block.language in ("", "text"), f"{block}: {block.language!r} is executed by no test"
    assert not re.search(rf"(?m)^\s*(\$ |\.venv/bin/)?({'|'.join(PROGRAMS)}) \S*-", block.text), str(block)


def our_options() -> set[str]:
    """Every option of every command of ours."""
    (subparsers,) = [action for action in parser()._actions if hasattr(action, "choices") and action.choices]
    every = [parser(), *subparsers.choices.values()]  # type: ignore[union-attr]
    return {option for one in every for action in one._actions for option in action.option_strings}


@pytest.mark.parametrize("name", NAMES)
def test_commands_within_sentences_can_be_given(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    known = set(parser()._subparsers._group_actions[0].choices)  # type: ignore[union-attr,arg-type]
    rules = set(re.findall(r"(?m)^rule (\w+):", (ROOT / "Snakefile").read_text(encoding="utf-8")))
    for code in inline_code(ROOT / name):
        program, *words = shlex.split(code) if code.count("'") % 2 == 0 else [code]
        if program == "a3c" and words:
            assert words[0] in known, f"{name}: {code}"
            try:
                if len(words) > 1:
                    parse(words)
            except SystemExit:
                pytest.fail(f"{name}: {code}: {capsys.readouterr().err}")
        elif program == "snakemake":
            assert {word for word in words if word.isalpha()} <= rules, f"{name}: {code}"
        elif re.fullmatch(r"--[a-z-]+", program):
            assert program in our_options() | FOREIGN_OPTIONS, f"{name}: {code}"
        elif program == "pip" and name not in ELSEWHERE:
            check_installing(code, ROOT)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    assert [str(path) for path in links(ROOT / name) if not path.exists()] == []
