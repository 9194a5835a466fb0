"""What the Snakefile can make at once: studies that have a ledger of claims, films and a report together."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from a3c.plan import Study
from a3c.study_file import NAME


class Target(NamedTuple):
    """Studies that have a report together.

    Attributes:
      name: of its report: the scale, with `_claims` where the scale has two targets, or with the studies asked for.
      studies: which.
    """

    name: str
    studies: list[Study]


def find_targets(every: list[Study], scale: str, *, asked: bool) -> list[Target]:
    """At laptop scale the questions alone, and all; at other scales, or where studies are asked for, all.

    Args:
      every: study that can be made, at least one.
      scale: theirs.
      asked: whether they were asked for by name. What is made of them then stands beside what is made of others.
    """
    questions = [study for study in every if study.part == "questions"]
    if asked:
        return [Target(_name_of(scale, [study.name for study in every]), every)]
    if scale != "laptop" or len(questions) == len(every):
        return [Target(scale, every)]
    return [Target(scale, questions), Target(f"{scale}_claims", every)]


def _name_of(scale: str, names: list[str]) -> str:
    """Of what is made of some studies alone, so that it takes the place of no others' report."""
    name = f"{scale}_{'_and_'.join(names)}"
    if re.fullmatch(NAME, name):
        return name
    return f"{scale}_{len(names)}_studies_{hashlib.sha256(name.encode()).hexdigest()[:10]}"
