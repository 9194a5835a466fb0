"""What is executed in place of a documented command that a test cannot execute as it stands.

Whatever no pattern below matches is executed as it stands, in a copy of the checkout's files whose settings files have
small budgets; see `conftest`. A command whose program is not in `PROGRAMS` is executed by nobody, and its test fails.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PROGRAMS = (
    "a3c",
    "snakemake",
    "mlflow",
    "pip",
    "python3",
    "pytest",
    "source",
    "eval",
    "ls",
    "head",
    "tail",
    "kubectl",
    "podman",
)
VARIABLES = r"(?:[A-Z_]+=\S+ )*"  # such as `PYTHONPATH=. ` before a command
RUN = "results/runs/CartPole-v1/locked-w2-0123456789/seed0"  # where the tests' own short run lies

# Executed as they stand, though a rule below would shorten them.
WHOLE = {
    ("docs/tutorial.md", "snakemake --cores all --config studies=staleness scale=smoke"),
    ("docs/tutorial.md", "snakemake --cores all --config studies=staleness scale=smoke --report report.zip"),
}

# Documents whose commands other tests execute, since they need more than a copy of a checkout: PostgreSQL, for one.
ELSEWHERE = {
    "docs/tracking_server.md": ("tests/tracking_server/*.py", "tests/test_workflow.py", "tests/test_missing.py")
}


class Rule(NamedTuple):
    """One substitution.

    Attributes:
      pattern: of the command.
      instead: what each match becomes, as for `re.sub`.
      why: what stands in the way of executing it as it is.
    """

    pattern: str
    instead: str
    why: str


# All that match are applied, in this order.
RULES = (
    Rule(rf"^({VARIABLES})\.venv/bin/", r"\1", "the tests run in their own environment"),
    Rule(r"^source \.venv/bin/activate$", "true", "likewise"),
    Rule(r"^python3 -m venv \.venv$", "python3 -m venv --help", "installing takes minutes and a network"),
    Rule(r"^pytest .*", "pytest --version", "these are the tests"),
    Rule(r"results/runs/\S*\.\.\.\S*", RUN, "a run of the test's own stands for the reader's"),
    Rule(
        rf"^({VARIABLES}snakemake) (?!-n)", r"\1 -n ", "hours of training; tests/test_workflow.py trains small studies"
    ),
    Rule(rf"^({VARIABLES}snakemake) -n ", r"\1 -n --quiet all ", "a plan of thousands of lines"),
    Rule(r"(snakemake -n (?!.*--config).*)", r"\1 --config studies=staleness", "10 s a plan; tests/test_workflow.py"),
    Rule(r"(snakemake -n (?!.*studies=).*)", r"\1 studies=staleness", "likewise"),
    Rule(r"(snakemake .*) --report report\.zip", r"\1", "it needs results; the tutorial makes one"),
    Rule(r"(\bbudget_frames=)\d+", r"\g<1>400", "minutes of training"),
    Rule(r"(--until) \d+", r"\1 3", "the test's run is short"),
    Rule(r"(--episodes) \d+", r"\1 2", "minutes of playing"),
    Rule(rf"^({VARIABLES}a3c train .*)", r"\1 --quiet --no-track", "tests/records follow runs into MLflow"),
    Rule(r"^(a3c watch .*)", r"\1 --most-seconds 1", "a minute of drawing"),
    Rule(r"^a3c bench(?! --show).*", "a3c bench start --rounds 1 --seconds 1", "minutes of measuring"),
    Rule(r"^a3c bench --show FILE\.json", "a3c bench --show results/benchmarks/*.json", "a placeholder"),
)


def shortened(text: str) -> str:
    """A settings file or a study with small budgets and few evaluation games."""
    text = re.sub(r"\bbudget_frames: [\d_]+", "budget_frames: 2_000", text)
    text = re.sub(r"\bpoints: \d+", "points: 1", text)
    return re.sub(r"\bepisodes: \d+", "episodes: 2", text)


def executable(document: str, command: str) -> str:
    """What is executed for a documented command.

    Raises:
      ValueError: if it is no command that anybody has decided about.
    """
    if (document, command) in WHOLE:
        return command
    for rule in RULES:
        command = re.sub(rule.pattern, rule.instead, command)
    program = re.sub(f"^{VARIABLES}", "", command).split()[0]
    if program not in (*PROGRAMS, "true"):
        raise ValueError(f"{program!r} is executed by no test; see tests/docs/substitutions.py")
    return command


def check_elsewhere(document: str, command: str, root: Path) -> None:
    """In place of what other tests execute: they name its programs, options and variables."""
    tests = [path for pattern in ELSEWHERE[document] for path in root.glob(pattern)]
    sources = "".join(path.read_text(encoding="utf-8") for path in tests)
    program = re.match(rf"(?:export )?{VARIABLES}(\w+)", command)
    assert program is not None, command
    for word in [program[1], *re.findall(r" (--[a-z-]+)", command)]:
        where = ", ".join(ELSEWHERE[document])
        assert word in sources or word in ("PATH", "--cores", "--config"), f"{word} in none of {where}"


def check_installing(command: str, root: Path) -> None:
    """In place of an installation: the extras and files that it names are there."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in re.findall(r"[\w-]+", ",".join(re.findall(r"\[([^\]]*)\]", command))):
        assert extra in project["optional-dependencies"], f"{command}: no extra {extra!r}"
    for name in re.findall(r"-[cr] (\S+)", command):
        assert (root / name).is_file(), f"{command}: no file {name}"
    assert re.search(r"(^| )'?(a3c|\.)(\[|'| |$)", command), f"{command} installs something else"


def check_server(command: str, root: Path) -> None:
    """In place of a server that would not end: its options exist, and it shows the store that runs are shown in."""
    from mlflow.cli import server  # `mlflow ui` is another name of it

    from a3c.records.tracking_store import default_uri, file_of

    words, known = command.split(), {option for parameter in server.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, command
    shown, made = file_of(words[words.index("--backend-store-uri") + 1]), file_of(default_uri(root / "results"))
    assert shown is not None
    assert root / shown == made, command


def check_container(command: str, _: Path) -> None:
    """In place of images and clusters: the files, build arguments and objects that a command names are there."""
    root = Path(__file__).parents[2]  # an image is made of more than the tests' copy of a checkout
    for name in re.findall(r"(?:apply|build .*) -f (\S+)", command):
        assert (root / name).is_file(), f"{command}: no file {name}"
    arguments = re.findall(r"(?m)^ARG (\w+)", (root / "containers/Containerfile").read_text(encoding="utf-8"))
    assert set(re.findall(r" --build-arg (\w+)=", command)) <= set(arguments), command
    objects = (root / "profiles/kubernetes/snakemake.yaml").read_text(encoding="utf-8")
    for name in re.findall(r" job[ /](\w+)", command):
        assert f"kind: Job\nmetadata: {{name: {name}}}" in objects, command


# Checked, not executed.
CHECKS: dict[str, Callable[[str, Path], None]] = {
    r"^pip install ": check_installing,
    rf"^{VARIABLES}mlflow (ui|server) ": check_server,
    r"^(kubectl|podman) ": check_container,
}
