"""Studies with one mistake each: the key path, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Edit = Callable[[str, str, str], None]
Refused = Callable[[list[str]], None]

STUDY = "staleness.yaml"

# What in the file becomes what, and the words that the message must contain.
TOP = {
    "unknown key": ("title:", "colour: blue\ntitle:", ["'colour'", "question"]),
    "no title": ("title:", "#", ["title: missing"]),
    "no question": ("question:", "#", ["question: missing"]),
    "a question with a typo": ("question:", "qestion:", ["'qestion'", "did you mean 'question'"]),
    "a list as title": ("title: ", "title: [a] #", ["title", "['a']", "string"]),
    "a word for a boolean": ("title:", "timing: 'yes'\ntitle:", ["timing", "'yes'", "boolean"]),
    "a number for a boolean": ("title:", "timing: 1\ntitle:", ["timing", "got 1", "boolean"]),
    "no variants": ("variants:", "variants: {}\nvariant:", ["variants: got {}"]),
    "a variant of nothing": ("{schedule: hogwild}", "", ["variants.a3c_hogwild", "None"]),
    "a variant with a path in its name": ("a3c_hogwild:", "../a3c:", ["../a3c", "match pattern"]),
    "a number as variant": ("a3c_hogwild:", "1:", ["variants[1]", "string"]),
    "a variant's unknown key": ("{schedule: hogwild}", "{shedule: hogwild}", ["'shedule'", "'schedule'"]),
    "a variant's unknown value": ("{schedule: hogwild}", "{schedule: wild}", ["schedule", "'wild'", "'hogwild'"]),
    "a variant's list": ("{schedule: hogwild}", "{schedule: [hogwild]}", ["schedule", "['hogwild']"]),
    "an impossible variant": ("{schedule: hogwild}", "{schedule: hogwild, executor: batched}",
                              ["executor", "a3c_hogwild", "allowed: synchronous"]),
    "no scales": ("scales:", "scales: []\nscale:", ["scales: got []"]),
    "unknown scale": ("  smoke:", "  desktop:", ["scales.desktop", "'desktop'", "laptop, overnight, paper, smoke"]),
    "a scale of nothing": ("  paper:", "  paper:\n  more:", ["scales.paper: got None"]),
    "a mapping for blocks": ("  smoke:", "  smoke: {settings: cartpole}\n  smoky:", ["scales.smoke", "list"]),
}  # fmt: skip

BLOCKS = {
    "unknown key": ("seeds: 1", "seeds: 1\n      seed: 0", ["scales.smoke[0].seed", "did you mean 'seeds'"]),
    "no seeds": ("      seeds: 1\n", "", ["scales.smoke[0].seeds", "missing"]),
    "empty seeds": ("seeds: 1", "seeds: []", ["scales.smoke[0].seeds", "[]", "integer"]),
    "zero seeds": ("seeds: 1", "seeds: 0", ["scales.smoke[0].seeds", "got 0", "greater than or equal to 1"]),
    "negative seeds": ("seeds: 1", "seeds: -3", ["scales.smoke[0].seeds", "got -3"]),
    "a boolean for seeds": ("seeds: 1", "seeds: true", ["scales.smoke[0].seeds", "True", "integer"]),
    "a fraction of seeds": ("seeds: 1", "seeds: 1.5", ["scales.smoke[0].seeds", "1.5", "integer"]),
    "no games": ("games: [CartPole-v1]", "games: []", ["scales.smoke[0].games", "at least 1"]),
    "a word for games": ("games: [CartPole-v1]", "games: CartPole-v1", ["scales.smoke[0].games", "list"]),
    "a game of nothing": ("games: [CartPole-v1]", "games: [~]", ["scales.smoke[0].games[0]", "None"]),
    "a game with a typo": ("[CartPole-v1]", "[CartPol-v1]", ["game", "did you mean 'CartPole-v1'"]),
    "a game of another kind": ("[CartPole-v1]", "[Pong]", ["environment.kind", "'Pong' needs 'atari'"]),
    "no workers": ("workers: [2, 4]", "workers: []", ["scales.smoke[0].workers", "at least 1"]),
    "zero workers": ("workers: [2, 4]", "workers: [2, 0]", ["scales.smoke[0].workers[1]", "got 0"]),
    "2000 workers": ("workers: [2, 4]", "workers: [2000]", ["scales.smoke[0].workers[0]", "2000", "1024"]),
    "a number for a list of workers": ("workers: [2, 4]", "workers: 4", ["scales.smoke[0].workers", "list"]),
    "workers in quotes": ("workers: [2, 4]", "workers: ['2']", ["scales.smoke[0].workers[0]", "'2'"]),
    "unknown variant": ("seeds: 1", "seeds: 1\n      variants: [a3c_hogwld]",
                        ["scales.smoke[0].variants", "did you mean 'a3c_hogwild'"]),
    "no variants": ("seeds: 1", "seeds: 1\n      variants: []", ["scales.smoke[0].variants", "at least 1"]),
    "settings that are missing": ("settings: cartpole", "settings: cartpol",
                                  ["scales.smoke[0].settings", "cartpol.yaml", "No such file"]),
    "settings with a path": ("settings: cartpole", "settings: ../cartpole", ["scales.smoke[0].settings"]),
    "a study for settings": ("settings: cartpole", "settings: thread_scaling", ["'variants'", "executor: missing"]),
    "a list as override": ("override: {", "override: [{", ["staleness.yaml", "line"]),
    "unknown key in an override": ("budget_frames: 20_000", "budget: 20_000", ["'budget'", "'budget_frames'"]),
    "unknown key deep in an override": ("points: 1", "point: 1", ["evaluation.point", "did you mean 'points'"]),
    "a number as a key": ("points: 1", "1: 1", ["evaluation[1]", "string"]),
    "a number for a mapping": ("records: {intervals: 10, sample_interval_turns: 10}", "records: 10",
                               [".records: got 10"]),
    "an override by another kind": ("budget_frames: 20_000", "network: {kind: table}", ["network.kind", "mlp"]),
    "workers in a variant": ("{schedule: hogwild}", "{schedule: hogwild, workers: 7}", ["workers", "a block decides"]),
    "a seed in an override": ("budget_frames: 20_000", "seed: 7", ["seed", "a block decides this"]),
    "a budget beyond the counter": ("budget_frames: 20_000", f"budget_frames: {10**30}", ["budget_frames"]),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), TOP.values(), ids=TOP)
def test_a_mistake_in_a_study_is_named(old: str, new: str, words: list[str], edit: Edit, refused: Refused) -> None:
    edit(STUDY, old, new)
    refused([STUDY, *words])


@pytest.mark.parametrize(("old", "new", "words"), BLOCKS.values(), ids=BLOCKS)
def test_a_mistake_in_a_block_is_named(old: str, new: str, words: list[str], edit: Edit, refused: Refused) -> None:
    edit(STUDY, old, new)
    refused([STUDY, *words])


def test_a_mistake_at_another_scale_than_the_one_asked_for_is_found_too(edit: Edit, refused: Refused) -> None:
    edit(STUDY, "games: [Breakout, Pong, Seaquest]", "games: [Breakout, Pong, Seaqest]")
    refused(["scales.paper[1]", "did you mean 'Seaquest'"])
