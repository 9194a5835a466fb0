"""What a run's description in MLflow says, and that its commands are those of this run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3c.records import run_folder
from a3c.records.description import description, run_tags
from a3c.records.manifest import FAILED, FINISHED, RUNNING
from a3c.records.points import Point
from a3c.settings import Settings

MANIFEST = {"commit": "0123456789abcdef", "dirty": True, "started_at_ms": 5, "command": "a3c train --settings '{}'"}
POINTS = [
    Point("run/final_score", 1234.5, 9, 9),
    Point("run/best_point_score", 2000.0, 9, 9),
    Point("run/staleness_mean", 2.996, 9, 9),
    Point("run/staleness_p99", 12.0, 9, 9),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a finished run, at a path with signs that a shell and Markdown read."""
    made = tmp_path / "it's `here` | $HOME" / "seed0"
    made.mkdir(parents=True)
    for name in (run_folder.SCHEDULE, run_folder.MODEL, run_folder.DONE):
        (made / name).touch()
    (made / run_folder.SETTINGS).write_text('{"seed": 0}')
    return made


def commands(text: str) -> list[list[str]]:
    """The arguments of those in blocks, as bash hands them to `a3c`."""
    blocks = [part.split("\n```")[0] for part in text.replace("````", "```").split("```bash\n")[1:]]
    scripts = [f"a3c() {{ printf '%s\\0' \"$@\"; }}\n{block}" for block in blocks]
    done = [subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True) for script in scripts]
    return [command.stdout.split("\0")[:-1] for command in done]


def test_a_finished_run_says_what_it_came_to_and_how_to_make_it_again(
    folder: Path, cliff: Callable[..., Settings]
) -> None:
    settings = cliff(schedule="locked", evaluation={"points": 2, "episodes": 10})
    manifest = MANIFEST | {"frames": 20_016, "wall_seconds": 3723.4}
    text = description(folder, settings, manifest, FINISHED, POINTS, "staleness,lock_or_not")
    assert text.startswith(
        r"CliffWorld, schedule locked, 3 workers, seed 0; asked for by the studies staleness, lock\_"
    )
    values = text.split("\n\n")[1].splitlines()[2].strip("| ").split(" |&emsp;")
    assert values == [
        *("finished", "1,234.50", "2,000.00", "10", "3.00 updates", "12 updates", "20,016", "1:02:03"),
        "0123456789 and uncommitted changes",
    ]
    replay, train, watch = commands(text)
    assert replay == ["replay", str(folder)]
    assert train == ["train", "--settings", '{"seed": 0}', "--into", f"{folder}-again"]
    assert watch == ["watch", str(folder), "--into", "game.gif"]


@pytest.mark.parametrize(
    ("schedule", "recorded", "why"),
    [
        ("hogwild", True, "hogwild reads and writes parameters without a lock"),
        ("locked", False, "no schedule was recorded: there is no schedule.bin"),
    ],
)
def test_a_run_that_cannot_be_replayed_says_why(
    folder: Path, cliff: Callable[..., Settings], schedule: str, recorded: bool, why: str
) -> None:
    if not recorded:
        (folder / run_folder.SCHEDULE).unlink()
    text = description(folder, cliff(schedule=schedule), MANIFEST, FINISHED, [], "")
    assert f"It cannot be replayed: {why}" in text.replace("\\", "")
    assert [command[0] for command in commands(text)] == ["train", "watch"]


@pytest.mark.parametrize("outcome", [RUNNING, FAILED])
def test_a_run_that_has_not_finished_has_nothing_to_replay_or_watch(
    folder: Path, cliff: Callable[..., Settings], outcome: str
) -> None:
    manifest = MANIFEST | {"error": "worker 2 | died\n\n# of `this`"}
    text = description(folder, cliff(), manifest, outcome, [], "")
    assert [command[0] for command in commands(text)] == ["train"]
    assert ("It failed: worker 2 \\| died # of \\`this\\`." in text) == (outcome == FAILED)
    assert "score" not in text


def test_a_path_of_thousands_of_characters_leaves_the_description_short(
    tmp_path: Path, cliff: Callable[..., Settings]
) -> None:
    folder = tmp_path.joinpath(*["'" * 200] * 10)
    text = description(folder, cliff(), MANIFEST, FINISHED, [], "a,b" * 5000)
    assert "--into RUN-again" in text
    assert len(text) < 2500


@pytest.mark.parametrize(
    ("facts", "source"),
    [
        ({}, "a3c train"),
        ({"command": "python experiments/peers/sb3_a2c.py --settings '{}'"}, "python experiments/peers/sb3_a2c.py"),
    ],
)
def test_the_source_of_a_run_is_the_command_without_its_options(
    tmp_path: Path, cliff: Callable[..., Settings], facts: dict[str, Any], source: str
) -> None:
    tags = run_tags(tmp_path, cliff(), MANIFEST | facts)
    assert tags["mlflow.source.name"] == source
    assert tags["mlflow.source.git.commit"] == "0123456789abcdef"
    assert "mlflow.source.git.commit" not in run_tags(tmp_path, cliff(), MANIFEST | {"commit": "unknown"})
