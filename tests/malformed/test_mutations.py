"""Files and names from a generator: each is accepted or refused with code 2, and nothing else ever happens.

`A3C_MUTATIONS=500` makes 500 files of it, and every name is tried at every place; the printed counts need `pytest -s`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from a3c import plan, training
from a3c.__main__ import main
from a3c.settings_files import load_settings
from a3c.workflow import load_or_exit

from .conftest import EXPERIMENTS
from .mutations import Mutant, mutants
from .names import HOSTILE

COUNT = int(os.environ.get("A3C_MUTATIONS", "12"))
STEP = 1 if "A3C_MUTATIONS" in os.environ else 40
FILES = ("staleness_arms", "staleness_prescribed", "cartpole", "paper")
ACCEPTED = 77
HARMLESS = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
MOST_SECONDS = 60.0  # on a machine that is very busy; a bomb would take for ever

STUDY: dict[str, Any] = {
    "title": "t",
    "question": "q",
    "variants": {"v": {"schedule": "locked"}},
    "scales": {"smoke": [{"settings": "cliff_world", "games": ["CliffWorld"], "workers": [2], "seeds": 1}]},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a few experiments, in which nothing is trained."""

    def accepted(*_: object, **__: object) -> None:
        raise SystemExit(ACCEPTED)

    monkeypatch.setattr(training, "train", accepted)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    for name in (*FILES, "cliff_world"):
        shutil.copy(EXPERIMENTS / f"{name}.yaml", tmp_path / "experiments")
    (tmp_path / "experiments/ok.yaml").write_text(json.dumps(STUDY))
    return tmp_path


def outcome(folder: Path, call: Callable[[], int | None]) -> tuple[int, str]:
    """The code that a call ends with and what it says; that it writes no file and does not steer the terminal."""
    plan._settings_below.cache_clear()
    before, began = sorted(folder.rglob("*")), time.monotonic()
    told = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
        try:
            code = call()
        except SystemExit as error:
            code = int(error.code or 0)
    assert time.monotonic() - began < MOST_SECONDS
    assert sorted(folder.rglob("*")) == before, "a file was written"
    text = told.getvalue()
    assert all(c.isprintable() or c == "\n" for c in text), ascii(text)
    assert max(map(len, text.splitlines()), default=0) < 3_000
    return int(code or 0), text


def written(folder: Path, name: str, mutant: Mutant) -> Path:
    path = folder / f"experiments/{name}.yaml"
    path.write_bytes(mutant.content.replace(b"CANARY", os.fsencode(folder / "canary")))
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_mutated_file_is_valid_or_refused_by_its_name(name: str, folder: Path) -> None:
    codes: Counter[int] = Counter()
    study = name if name.startswith("staleness") else "staleness_arms"
    text = (EXPERIMENTS / f"{name}.yaml").read_text(encoding="utf-8")
    for mutant in mutants(text, COUNT // len(FILES), FILES.index(name) % 2):
        written(folder, name, mutant)
        code, told = outcome(folder, lambda: main(["plan", study, "--scale", "smoke"]))
        codes[code] += 1
        assert code in (0, 2), mutant.what
        assert (".yaml" in told) == (code == 2), (mutant.what, told)
    print(f"{name}: {codes[0]} accepted, {codes[2]} refused")


@contextlib.contextmanager
def changed(folder: Path, change: Callable[[dict[str, Any]], object], name: str = "mutant") -> Iterator[None]:
    """A study with a change in it stands among the others meanwhile."""
    study = json.loads(json.dumps(STUDY))
    change(study)
    path = folder / f"experiments/{name}.yaml"
    path.write_text(json.dumps(study))
    try:
        yield
    finally:
        path.unlink()


def _block(study: dict[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = study["scales"]["smoke"][0]
    return block


def _swept(study: dict[str, Any], setting: str, **values: object) -> None:
    study["sweep"] = {"setting": setting, "label": "x", "unit": "x"}
    _block(study).update(values)


def _drawn(study: dict[str, Any], **source: str) -> None:
    study["variants"]["w"] = {"schedule": "drawn", "order": {"kind": "measured_histogram", **source}}


IN_A_STUDY: dict[str, Callable[[dict[str, Any], str], object]] = {
    "variant": lambda study, name: study.update(variants={name: {"schedule": "locked"}}),
    "settings": lambda study, name: _block(study).update(settings=name),
    "game": lambda study, name: _block(study).update(games=[name]),
    "variant of a block": lambda study, name: _block(study).update(variants=[name]),
    "key of an override": lambda study, name: _block(study).update(override={name: 1}),
    "scale": lambda study, name: study["scales"].update({name: []}),
    "view": lambda study, name: study.update(views=[name]),
    "part": lambda study, name: study.update(part=name),
    "peer": lambda study, name: study["variants"]["v"].update(peer=name),
    "swept setting": lambda study, name: _swept(study, name, values=[1]),
    "file of values": lambda study, name: _swept(study, "evaluation.points", values_from={"file": name, "column": "x"}),
    "column": lambda study, name: _swept(study, "evaluation.points", values_from={"file": "x.csv", "column": name}),
    "source of staleness": lambda study, name: _drawn(study, variant=name),
    "run": lambda study, name: _drawn(study, run=f"{name}/locked-w1-0123456789/seed0"),
}

ON_THE_COMMAND_LINE: dict[str, Callable[[str], list[str]]] = {
    "study": lambda name: ["plan", name],
    "scale": lambda name: ["plan", "ok", "--scale", name],
    "file": lambda name: ["train", f"experiments/{name}.yaml"],
    "game": lambda name: ["train", "experiments/cliff_world.yaml", f"game={name}"],
    "key": lambda name: ["train", "experiments/cliff_world.yaml", f"{name}=1"],
    "value": lambda name: ["train", "experiments/cliff_world.yaml", f"schedule={name}"],
    "JSON": lambda name: ["train", "--settings", f"{name} "],
}


@pytest.mark.parametrize("place", IN_A_STUDY)
def test_a_hostile_name_in_a_study_is_a_name_or_refused(place: str, folder: Path) -> None:
    codes: Counter[int] = Counter()
    for name in HOSTILE[list(IN_A_STUDY).index(place) % STEP :: STEP]:
        with changed(folder, lambda study: IN_A_STUDY[place](study, name)):  # noqa: B023  called at once
            code, told = outcome(folder, lambda: main(["plan", "mutant", "--scale", "smoke"]))
        codes[code] += 1
        assert code == 2 or (code == 0 and place in ("variant", "run") and HARMLESS.fullmatch(name)), name
        assert ("mutant.yaml" in told) == (code == 2), (name, told)
    print(f"{place}: {codes[0]} accepted, {codes[2]} refused")


@pytest.mark.parametrize("place", ON_THE_COMMAND_LINE)
def test_a_hostile_name_on_the_command_line_is_refused(place: str, folder: Path) -> None:
    for name in HOSTILE[list(ON_THE_COMMAND_LINE).index(place) % STEP :: STEP]:
        line = ON_THE_COMMAND_LINE[place](name)
        if "\0" in name or name.startswith("--"):
            continue  # which no argument can have; options are argparse's
        assert outcome(folder, lambda: main(line))[0] == 2, line  # noqa: B023  called at once


@pytest.mark.parametrize("key", ["scale", "studies"])
def test_a_hostile_name_in_the_workflows_configuration_is_refused(key: str, folder: Path) -> None:
    for name in HOSTILE[::STEP]:
        if name.strip(","):
            code, told = outcome(folder, lambda: load_or_exit({key: name}, "experiments", "results") and 0)  # noqa: B023
            assert (code, "--config" in told) == (2, True), name


def test_a_file_with_a_hostile_name_among_the_studies_is_refused(folder: Path) -> None:
    for name in HOSTILE[5::STEP]:
        if "/" in name or "\0" in name or len(name) > 100 or not name or name.isidentifier():
            continue
        with changed(folder, lambda study: None, name):
            code, told = outcome(folder, lambda: main(["plan", "--scale", "smoke"]))
        assert (code, "study" in told) == (2, True), name


def test_settings_are_json_that_says_each_thing_once(folder: Path) -> None:
    text = json.dumps({**load_settings("cliff_world", folder / "experiments"), "game": "CliffWorld", "seed": 0})
    assert outcome(folder, lambda: main(["train", "--settings", text]))[0] == ACCEPTED
    for wrong, word in (
        (text.replace('"seed": 0', '"seed": 0, "seed": 1'), "'seed' is given twice"),
        (text.replace('"seed": 0', '"seed": NaN'), "seed: got nan"),
        (text.replace('"seed": 0', f'"seed": {"9" * 5000}'), "not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ):
        code, told = outcome(folder, lambda: main(["train", "--settings", wrong]))  # noqa: B023  called at once
        assert (code, word in told) == (2, True), told


def test_an_override_is_read_by_the_same_loader_as_a_file(folder: Path) -> None:
    for text in ("&a [*a]", "{a: 1, a: 2}", "!!python/name:os.system ''", "2026-13-45", "[" * 5_000, "*x", "!!int x"):
        line = ["train", "experiments/cliff_world.yaml", f"evaluation={text}"]
        code, told = outcome(folder, lambda: main(line))  # noqa: B023  called at once
        assert (code, "evaluation" in told) == (2, True), told
