"""Sweeps and sources of staleness with one mistake each: the key path, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Edit = Callable[[str, str, str], None]
Refused = Callable[..., None]

PRESCRIBED, ARMS = "staleness_prescribed.yaml", "staleness_arms.yaml"
VALUES, VARIANT = "values: [0, 8]", "variant: a3c_locked"
IN_BLOCK = "scales.smoke[0].values"

# What in the file becomes what, and the words that the message must contain.
SWEEPS = {
    "unknown key": ("unit:", "units:", ["sweep.units", "did you mean 'unit'"]),
    "no label": ("label: prescribed staleness, ", "", ["sweep.label: missing"]),
    "an empty label": ("label: prescribed staleness", "label: ''", ["sweep.label: got ''"]),
    "a word for a sweep": ("sweep: {", "sweep: order.lag\n# {", ["sweep: got 'order.lag'"]),
    "no path": ("order.lag", "order..lag", ["sweep.setting: got 'order..lag'", "match pattern"]),
    "a path with a typo": ("order.lag", "order.lagg", [
        "scales.smoke[0] (CartPole-v1, shared_rmsprop, 4 workers, order.lagg 0).order.lagg", "did you mean 'lag'"]),
    "a path to nothing": ("order.lag", "ordre.lag", ["ordre.lag 0).ordre: unknown key", "did you mean 'order'"]),
    "a path through a number": ("order.lag", "budget_frames.lag", ["budget_frames: got {'lag': 0}"]),
    "a setting that a block decides": ("order.lag", "workers", ["sweep.setting: got 'workers'", "a block decides"]),
    "a setting of another type": ("order.lag", "schedule", ["schedule 0).schedule: got 0", "'drawn'"]),
    "a value out of range": (VALUES, "values: [0, -8]", ["order.lag -8).order.lag: got -8"]),
    "a value of another type": (VALUES, "values: [0, 0.5]", ["order.lag 0.5).order.lag: got 0.5", "integer"]),
    "no values": (f"      {VALUES}\n", "", [f"{IN_BLOCK}: missing", "sweeps order.lag"]),
    "empty values": (VALUES, "values: []", [f"{IN_BLOCK}: got []", "at least 1"]),
    "a number for values": (VALUES, "values: 8", [f"{IN_BLOCK}: got 8", "list"]),
    "a word as a value": (VALUES, "values: [0, '8']", [f"{IN_BLOCK}[1]: got '8'; input should be a finite number"]),
    "a boolean as a value": (VALUES, "values: [yes]", [f"{IN_BLOCK}[0]: got True"]),
    "a value that is not a number": (VALUES, "values: [.nan]", [f"{IN_BLOCK}[0]: got nan", "finite"]),
    "an infinite value": (VALUES, "values: [.inf]", [f"{IN_BLOCK}[0]: got inf", "finite"]),
    "a value beyond every float": (VALUES, f"values: [{10**400}]", ["order.lag: got 1000", "65535"]),
    "a value given twice": (VALUES, "values: [8, 8]", [f"{IN_BLOCK}: got [8, 8]", "once"]),
    "a value given twice in two ways": (VALUES, "values: [8, 8.0]", [f"{IN_BLOCK}: got [8, 8.0]", "once"]),
}  # fmt: skip

SOURCES = {
    "unknown variant": (VARIANT, "variant: a3c_loked", [
        "(CartPole-v1, drawn_from_locked, 2 workers).order.variant: unknown variant", "did you mean 'a3c_locked'"]),
    "a list of variants": (VARIANT, "variant: [a3c_locked]", ["order.variant: unknown variant ['a3c_locked']"]),
    "a variant that waits": (VARIANT, "variant: a2c", ["order.variant: got 'a2c'", "'synchronous'", "hogwild, locked"]),
    "itself": (VARIANT, "variant: drawn_from_locked", ["got 'drawn_from_locked'", "itself draws"]),
    "a variant that draws": ("a2c: {schedule: synchronous}",
                             "a2c: {schedule: drawn, order: {kind: measured_histogram, variant: drawn_from_locked}}",
                             [", a2c, 2 workers).order.variant: got 'drawn_from_locked'", "itself draws"]),
    "a variant that cannot be run": ("{schedule: locked}", "{schedule: locked, executor: batched}",
                                     ["order.variant: got 'a3c_locked', which cannot be run itself",
                                      "a3c_locked, 2 workers).executor: batched is one learner"]),
    "a variant that the block leaves out": ("seeds: 2", "seeds: 2\n      variants: [drawn_from_locked, a2c]",
                                            ["scales.smoke[0]", "order.variant: got 'a3c_locked'", "planned too"]),
    "a variant and a run": (VARIANT, f"{VARIANT}, run: CartPole-v1/locked-w4-0123456789/seed0",
                            ["order.variant: unknown key 'variant'. Allowed: kind, run"]),
    "neither variant nor run": (f", {VARIANT}", "", ["order.run: missing"]),
    "a run that is no folder": (VARIANT, "run: ../../etc", ["order.run: got '../../etc'", "match pattern"]),
    "a variant for another order": ("measured_histogram, variant", "constant_lag, variant", ["order.variant: unknown"]),
}  # fmt: skip


@pytest.fixture
def planning(copied: Path) -> Callable[[str], list[str]]:
    """`planning(file)`: the command that plans this study."""
    return lambda name: ["plan", name.removesuffix(".yaml"), "--scale", "smoke", "--experiments", str(copied)]


@pytest.mark.parametrize(("old", "new", "words"), SWEEPS.values(), ids=SWEEPS)
def test_a_mistake_in_a_sweep_is_named(
    old: str, new: str, words: list[str], edit: Edit, refused: Refused, planning: Callable[[str], list[str]]
) -> None:
    edit(PRESCRIBED, old, new)
    refused([PRESCRIBED, *words], planning(PRESCRIBED))


@pytest.mark.parametrize(("old", "new", "words"), SOURCES.values(), ids=SOURCES)
def test_a_mistake_in_a_source_of_staleness_is_named(
    old: str, new: str, words: list[str], edit: Edit, refused: Refused, planning: Callable[[str], list[str]]
) -> None:
    edit(ARMS, old, new)
    refused([ARMS, *words], planning(ARMS))


def test_values_without_a_sweep_are_refused(edit: Edit, refused: Refused) -> None:
    edit("staleness.yaml", "seeds: 1", "seeds: 1\n      values: [1]")
    refused(["staleness.yaml:", " scales.smoke[0].values: got [1]", "no `sweep`"])
