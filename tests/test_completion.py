"""What a shell is offered, by the machinery that it uses: a start of the program with argcomplete's variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from a3c.completion import offered_settings
from a3c.settings_files import load_settings

pytest.importorskip("argcomplete")

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def offered(line: str, folder: Path) -> set[str]:
    """What may stand in place of the line's last word; of a word with `=`, in place of what follows that."""
    answer = folder / "offered"
    environment = os.environ | {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(:",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    done = subprocess.run([sys.executable, "-m", "a3c"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return {word.strip() for word in answer.read_text(encoding="utf-8").split("\n")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a3c tr", {"train", "track"}),
        ("a3c evaluate --po", {"--point", "--policy"}),
        ("a3c train experiments/cartpole_", {"experiments/cartpole_one_step.yaml", "experiments/cartpole_q.yaml"}),
        ("a3c train experiments/cartpole.yaml learning.ga", {"learning.gamma="}),
        ("a3c train experiments/cartpole.yaml seed=3 schedule=", {"hogwild", "locked", "synchronous", "drawn"}),
    ],
)
def test_a_line_is_completed(line: str, words: set[str], tmp_path: Path) -> None:
    assert offered(line, tmp_path) == words


def keys(settings: object, prefix: str = "") -> set[str]:
    if not isinstance(settings, dict) or not settings:
        return {prefix}
    return {key for name, value in settings.items() for key in keys(value, f"{prefix}.{name}" if prefix else name)}


def test_every_setting_of_the_paper_is_offered_once() -> None:
    names = offered_settings("")
    assert {f"{key}=" for key in keys(load_settings("paper", ROOT / "experiments"))} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("network.separate=", {"true", "false"}),
        ("network.lstm_cells=", {"null"}),
        ("order=", {"null"}),
        ("correction.kind=", {"none", "scaled_rate", "delay_compensation", "vtrace"}),
        ("environment.protocol=s", {"paper", "sticky"}),
        ("seed=", set()),
        ("no.such.key=", set()),
    ],
)
def test_values_are_offered_where_they_can_be_listed(prefix: str, values: set[str]) -> None:
    assert {offer.partition("=")[2] for offer in offered_settings(prefix)} == values


def test_games_are_offered() -> None:
    assert {"game=Pong", "game=CartPole-v1", "game=Maze"} <= set(offered_settings("game="))


def test_a_start_that_completes_nothing_loads_nothing_for_it() -> None:
    heavy = "{'argcomplete', 'pydantic'} & set(sys.modules)"
    code = f"import sys; from a3c.__main__ import parse; parse(['plan']); print({heavy})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_bash_takes_the_documented_line() -> None:
    script = 'eval "$(register-python-argcomplete a3c)" && complete -p a3c'
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    assert "_python_argcomplete" in done.stdout, done.stderr
