"""Studies and settings files with one mistake each: exit code 2, the place named, no traceback, nothing written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from a3c.__main__ import main

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
STUDY, SETTINGS = "staleness.yaml", "cartpole.yaml"
NO_PATHS = ("../../etc", "Pong/..", "/etc/passwd", "Po\\0ng", "Pong\\n", "-Pong", "..", "", "Pong ", "a:b/c", "a.b:c\\n")


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A mistake: the first `old` in a file becomes `new`."""

    def edit(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r} any more"
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def content(name: str, data: bytes) -> Callable[[Path], None]:
    """A mistake: a file of another content."""
    return lambda folder: (folder / name).write_bytes(data) and None


def study(old: str, new: str) -> Callable[[Path], None]:
    return replace(STUDY, old, new)


def settings(old: str, new: str) -> Callable[[Path], None]:
    return replace(SETTINGS, old, new)


# Each: what is done to the copied files, and the words that the message must contain.
FILES = {
    "a file that is missing": (lambda f: (f / STUDY).unlink(), ["staleness.yaml", "No such file"]),
    "a folder instead of a file": (
        lambda f: ((f / STUDY).unlink(), (f / STUDY).mkdir()), ["staleness.yaml", "directory"]),
    "an empty file": (content(STUDY, b""), ["staleness.yaml", "mapping", "None"]),
    "only a comment": (content(STUDY, b"# soon\n"), ["staleness.yaml", "mapping"]),
    "a list": (content(STUDY, b"- title\n- question\n"), ["staleness.yaml", "mapping"]),
    "a word": (content(STUDY, b"staleness"), ["staleness.yaml", "mapping", "'staleness'"]),
    "not YAML": (study("title:", "title: ["), ["staleness.yaml", "line"]),
    "a tab": (study("  smoke:", "\tsmoke:"), ["staleness.yaml", "line"]),
    "not text": (content(STUDY, b"\xff\xfe\x00\x01"), ["staleness.yaml", "utf-8"]),
    "two documents": (study("variants:", "---\nvariants:"), ["staleness.yaml", "single document"]),
    "an object of Python": (study("question: ", "question: !!python/object:os.system "), ["staleness.yaml", "python"]),
    "a key given twice": (study("title:", "title: once\ntitle:"), ["'title'", "twice", "line"]),
    "a key given twice, deep": (study("seeds: 1", "seeds: 1\n      seeds: 2"), ["'seeds'", "twice", "line"]),
    "a key that cannot be one": (study("title:", "[1]: 2\ntitle:"), ["staleness.yaml"]),
    "an anchor within itself": (study("variants:", "variants: &all\n  again: *all"), ["again"]),
}  # fmt: skip

STUDIES = {
    "unknown key": (study("title:", "colour: blue\ntitle:"), ["'colour'", "question"]),
    "no title": (study("title:", "#"), ["title: missing"]),
    "no question": (study("question:", "#"), ["question: missing"]),
    "a question with a typo": (study("question:", "qestion:"), ["'qestion'", "did you mean 'question'"]),
    "a list as title": (study("title: ", "title: [a] #"), ["title", "['a']", "string"]),
    "a word for a boolean": (study("title:", "timing: 'yes'\ntitle:"), ["timing", "'yes'", "boolean"]),
    "a number for a boolean": (study("title:", "timing: 1\ntitle:"), ["timing", "got 1", "boolean"]),
    "no variants": (study("variants:", "variants: {}\nvariant:"), ["variants: got {}"]),
    "a variant of nothing": (study("{schedule: hogwild}", ""), ["variants.a3c_hogwild", "None"]),
    "a variant with a path in its name": (study("a3c_hogwild:", "../a3c:"), ["../a3c", "match pattern"]),
    "a number as variant": (study("a3c_hogwild:", "1:"), ["variants[1]", "string"]),
    "a variant's unknown key": (study("{schedule: hogwild}", "{shedule: hogwild}"), ["'shedule'", "'schedule'"]),
    "a variant's unknown value": (study("{schedule: hogwild}", "{schedule: wild}"), ["schedule", "'wild'", "'hogwild'"]),
    "a variant's list": (study("{schedule: hogwild}", "{schedule: [hogwild]}"), ["schedule", "['hogwild']"]),
    "an impossible variant": (study("{schedule: hogwild}", "{schedule: hogwild, executor: batched}"),
                              ["executor", "a3c_hogwild", "allowed with it: synchronous"]),
    "no scales": (study("scales:", "scales: []\nscale:"), ["scales: got []"]),
    "unknown scale": (study("  smoke:", "  desktop:"), ["scales.desktop", "'desktop'", "laptop, paper, smoke"]),
    "a scale of nothing": (study("  paper:", "  paper:\n  more:"), ["scales.paper: got None"]),
    "a mapping for blocks": (study("  smoke:", "  smoke: {settings: cartpole}\n  smoky:"), ["scales.smoke", "list"]),
}  # fmt: skip

BLOCKS = {
    "unknown key": (study("seeds: 1", "seeds: 1\n      seed: 0"), ["scales.smoke[0].seed", "did you mean 'seeds'"]),
    "no seeds": (study("      seeds: 1\n", ""), ["scales.smoke[0].seeds", "missing"]),
    "empty seeds": (study("seeds: 1", "seeds: []"), ["scales.smoke[0].seeds", "[]", "integer"]),
    "zero seeds": (study("seeds: 1", "seeds: 0"), ["scales.smoke[0].seeds", "got 0", "greater than or equal to 1"]),
    "negative seeds": (study("seeds: 1", "seeds: -3"), ["scales.smoke[0].seeds", "got -3"]),
    "a boolean for seeds": (study("seeds: 1", "seeds: true"), ["scales.smoke[0].seeds", "True", "integer"]),
    "a fraction of seeds": (study("seeds: 1", "seeds: 1.5"), ["scales.smoke[0].seeds", "1.5", "integer"]),
    "no games": (study("games: [CartPole-v1]", "games: []"), ["scales.smoke[0].games", "at least 1"]),
    "a word for games": (study("games: [CartPole-v1]", "games: CartPole-v1"), ["scales.smoke[0].games", "list"]),
    "a game of nothing": (study("games: [CartPole-v1]", "games: [~]"), ["scales.smoke[0].games[0]", "None"]),
    "a game with a typo": (study("[CartPole-v1]", "[CartPol-v1]"), ["game", "did you mean 'CartPole-v1'"]),
    "a game of another kind": (study("[CartPole-v1]", "[Pong]"), ["environment.kind", "'Pong' needs 'atari'"]),
    "no workers": (study("workers: [2, 4]", "workers: []"), ["scales.smoke[0].workers", "at least 1"]),
    "zero workers": (study("workers: [2, 4]", "workers: [2, 0]"), ["scales.smoke[0].workers[1]", "got 0"]),
    "2000 workers": (study("workers: [2, 4]", "workers: [2000]"), ["scales.smoke[0].workers[0]", "2000", "1024"]),
    "a number for a list of workers": (study("workers: [2, 4]", "workers: 4"), ["scales.smoke[0].workers", "list"]),
    "workers in quotes": (study("workers: [2, 4]", "workers: ['2']"), ["scales.smoke[0].workers[0]", "'2'"]),
    "unknown variant": (study("seeds: 1", "seeds: 1\n      variants: [a3c_hogwld]"),
                        ["scales.smoke[0].variants", "did you mean 'a3c_hogwild'"]),
    "no variants": (study("seeds: 1", "seeds: 1\n      variants: []"), ["scales.smoke[0].variants", "at least 1"]),
    "settings that are missing": (study("settings: cartpole", "settings: cartpol"),
                                  ["scales.smoke[0].settings", "cartpol.yaml", "No such file"]),
    "settings with a path": (study("settings: cartpole", "settings: ../cartpole"), ["scales.smoke[0].settings"]),
    "a study for settings": (study("settings: cartpole", "settings: thread_scaling"), ["'variants'", "executor: missing"]),
    "a list as override": (study("override: {", "override: [{"), ["staleness.yaml", "line"]),
    "unknown key in an override": (study("budget_frames: 20_000", "budget: 20_000"), ["'budget'", "'budget_frames'"]),
    "unknown key deep in an override": (study("points: 1", "point: 1"), ["evaluation.point", "did you mean 'points'"]),
    "a number as a key": (study("points: 1", "1: 1"), ["evaluation[1]", "string"]),
    "a number for a mapping": (study("records: {intervals: 10}", "records: 10"), [".records: got 10"]),
    "an override by another kind": (study("budget_frames: 20_000", "network: {kind: table}"), ["network.kind", "mlp"]),
}  # fmt: skip

VALUES = {
    "zero points": (study("points: 1", "points: 0"), ["evaluation.points", "got 0"]),
    "a negative budget": (study("budget_frames: 20_000", "budget_frames: -1"), ["budget_frames", "got -1"]),
    "a budget with a fraction": (study("budget_frames: 20_000", "budget_frames: 2.0e+4"), ["budget_frames", "20000.0"]),
    "a number without its point": (settings("5.0e-3", "7e-4"), ["optimizer.learning_rate", "'7e-4'", "write 7.0e-4"]),
    "a rate of zero": (settings("5.0e-3", "0.0"), ["optimizer.learning_rate", "greater than 0"]),
    "a rate that is not a number": (settings("5.0e-3", ".nan"), ["optimizer.learning_rate", "got nan"]),
    "an infinite rate": (settings("5.0e-3", ".inf"), ["optimizer.learning_rate", "got inf", "finite"]),
    "a decay that is not a number": (settings("epsilon: 1.0e-4", "decay: .nan"), ["optimizer.decay", "got nan"]),
    "a decay of one": (settings("epsilon: 1.0e-4", "decay: 1.0"), ["optimizer.decay", "less than 1"]),
    "gamma of two": (settings("gamma: 0.99", "gamma: 2"), ["learning.gamma", "less than or equal to 1"]),
    "gamma that is not a number": (settings("gamma: 0.99", "gamma: .nan"), ["learning.gamma", "got nan"]),
    "a boolean for a fraction": (settings("gamma: 0.99", "gamma: true"), ["learning.gamma", "got True"]),
    "a boolean for a count": (settings("rollout_steps: 20", "rollout_steps: yes"), ["learning.rollout_steps", "True"]),
    "a rollout too long to record": (settings("rollout_steps: 20", "rollout_steps: 65536"),
                                     ["learning.rollout_steps", "65535"]),
    "a limit of zero": (settings("gradient_norm_limit: 1.0", "gradient_norm_limit: 0"), ["gradient_norm_limit"]),
    "no hidden layers": (settings("hidden: [64]", "hidden: []"), ["network.hidden", "got []"]),
    "a hidden layer of nothing": (settings("hidden: [64]", "hidden: [0]"), ["network.hidden[0]", "got 0"]),
    "a number for layers": (settings("hidden: [64]", "hidden: 64"), ["network.hidden", "got 64"]),
    "unknown network": (settings("kind: mlp", "kind: cnn"), ["network", "'cnn'", "'conv2013', 'mlp', 'table'"]),
    "unknown policy": (settings("policy: greedy", "policy: best"), ["evaluation.policy", "'sampled' or 'greedy'"]),
    "unknown protocol": (replace("paper.yaml", "protocol: paper", "protocol: papr"),
                         ["environment.protocol", "'papr'", "'paper' or 'sticky'"]),
    "a word for a boolean": (replace("paper.yaml", "clip_rewards: true", "clip_rewards: 'true'"),
                             ["environment.clip_rewards", "'true'", "boolean"]),
    "a boolean for a number": (replace("paper.yaml", "action_repeat: 4 ", "action_repeat: true "),
                               ["environment.action_repeat", "True", "integer"]),
    "unknown key": (settings("workers: 4", "worker: 4"), ["'worker'", "did you mean 'workers'"]),
    "unknown key in a mapping": (settings("gamma: 0.99", "gama: 0.99"), ["learning.gama", "did you mean 'gamma'"]),
    "a key of another kind": (settings("reward_scale: 0.1", "reward_scale: 0.1, protocol: paper"),
                              ["environment.protocol", "'protocol'", "reward_scale"]),
    "a mapping of nothing": (settings("{kind: mlp, hidden: [64]}", ""), [".network: got None"]),
    "a base in a circle": (settings("base: paper", "base: cartpole"), ["base", "circle", "cartpole -> cartpole"]),
    "a base with a path": (settings("base: paper", "base: ../paper"), ["base", "'../paper'"]),
    "a base that is missing": (settings("base: paper", "base: papre"), ["papre.yaml", "No such file"]),
    "a list of bases": (settings("base: paper", "base: [paper]"), ["base", "['paper']"]),
    "no base": (settings("base: paper", "#"), ["executor: missing", "envs_per_worker: missing"]),
    "settings given twice": (settings("workers: 4", "workers: 4\nworkers: 8"), ["'workers'", "twice", "line"]),
}  # fmt: skip

GAMES = {f"game {name!r}": (study("[CartPole-v1]", f'["{name}"]'), [".game: unknown game"]) for name in NO_PATHS}

GROUPS = {"file": FILES, "study": STUDIES, "block": BLOCKS, "value": VALUES, "name": GAMES}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}

# Mistakes that pass unnoticed; what to change stands in the reason.
UNNOTICED = {
    "workers in a variant": (study("{schedule: hogwild}", "{schedule: hogwild, workers: 7}"), ["workers"],
                             "the block's workers silently win: refuse game, workers and seed in variants"),
    "a seed in an override": (study("budget_frames: 20_000", "seed: 7"), ["seed"],
                              "the block's seeds silently win: refuse game, workers and seed in overrides"),
    "a budget beyond the counter": (study("budget_frames: 20_000", f"budget_frames: {10**30}"), ["budget_frames"],
                                    "frames are counted in int64: give Positive an upper bound"),
    "brackets without end": (content(STUDY, b"[" * 5000), ["staleness.yaml"],
                             "read_yaml lets RecursionError through as a traceback"),
}  # fmt: skip


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped files."""
    return Path(shutil.copytree(EXPERIMENTS, tmp_path / "experiments"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def command(copied: Path) -> list[str]:
    """Planning one study at one scale; its others, which use the other settings files, are checked with it."""
    folders = ["--experiments", str(copied), "--results", str(copied.parent / "results")]
    return ["plan", "staleness", "--scale", "smoke", *folders]


def test_there_is_nothing_wrong_with_the_copies_before_a_mistake(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(copied)) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_and_nothing_is_written(
    name: str, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake, words = CASES[name]
    mistake(copied)
    before = files(copied.parent)
    assert main(command(copied)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("a3c plan: ")
    assert "Traceback" not in told.err
    assert [word for word in words if word not in told.err] == [], told.err
    assert files(copied.parent) == before


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.xfail(strict=True, reason=r)) for n, (_, _, r) in UNNOTICED.items()]
)
def test_a_mistake_that_passes_today_is_named(
    name: str, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake, words, _ = UNNOTICED[name]
    mistake(copied)
    assert main(command(copied)) == 2
    assert all(word in capsys.readouterr().err for word in words)


@pytest.mark.xfail(strict=True, reason="plan.studies() goes by `question` alone: a file with variants is a study too")
def test_a_study_without_its_question_is_not_passed_over(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study("question:", "qestion:")(copied)
    assert main(["plan", "--scale", "smoke", "--experiments", str(copied)]) == 2
    assert "qestion" in capsys.readouterr().err


@pytest.mark.xfail(strict=True, reason="plan.studies() finds no file in a folder that is not there, and says nothing")
def test_a_folder_of_experiments_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--experiments", str(tmp_path / "experimnets")]) == 2
    assert "experimnets" in capsys.readouterr().err


def test_mistakes_in_several_files_and_blocks_are_said_together(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study("[CartPole-v1]", "[CartPole-v2]")(copied)
    replace("a3c_vs_a2c.yaml", "workers: [2]", "workers: [0]")(copied)
    settings("gamma: 0.99", "gamma: 2")(copied)
    settings("hidden: [64]", "hidden: [-64]")(copied)
    assert main(["plan", "--scale", "smoke", "--experiments", str(copied)]) == 2
    told = capsys.readouterr().err
    for words in ("staleness.yaml: scales.smoke[0] (CartPole-v2", "a3c_vs_a2c.yaml: scales.smoke[0].workers[0]",
                  "thread_scaling.yaml: scales.smoke[0]", "learning.gamma", "network.hidden[0]"):  # fmt: skip
        assert words in told, told


def test_a_mistake_at_another_scale_than_the_one_asked_for_is_found_too(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study("games: [Breakout, Pong, Seaquest]", "games: [Breakout, Pong, Seaqest]")(copied)
    assert main(command(copied)) == 2
    assert "did you mean 'Seaquest'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["plan", "--scale", "smokey"], ["plan", "stalenes"], ["plan", "../staleness"]])
def test_a_scale_or_study_that_is_not_there_is_an_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--experiments", str(EXPERIMENTS)]) == 2
    assert words[-1] in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["file: not YAML", "value: gamma of two", "name: game '../../etc'", "study: an impossible variant"]
)
def test_the_command_itself_ends_with_code_2_and_without_traceback(name: str, copied: Path) -> None:
    mistake, words = CASES[name]
    mistake(copied)
    before = files(copied.parent)
    line = [sys.executable, "-m", "a3c", *command(copied)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=EXPERIMENTS.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words)
    assert files(copied.parent) == before
