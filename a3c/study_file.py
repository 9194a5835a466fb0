"""A study as it is written in `experiments/`, and everything that is wrong with one. Never imports torch."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from a3c.environments.games import kind_of, known_games
from a3c.peers import PEERS
from a3c.places import Layer, Place, layer_of_file
from a3c.problems import InvalidInput, Problem, shown, unknown
from a3c.settings import MAX_WORKERS
from a3c.validation import Frozen
from a3c.yaml_files import read_yaml

SCALES = ("smoke", "laptop", "overnight", "paper")

STUDY_KEYS = frozenset({"question", "variants", "scales"})
BLOCK_KEYS = ("game", "workers", "seed")  # a block decides these for its runs
PEER = "peer"  # the key of a variant that another project's program trains; all its other keys are settings
DECIDED_BY_BLOCK = "a block decides this, with its `games`, `workers` and `seeds`"


def _number(value: Any) -> float | int:
    """One sentence for all that is no number, where a union of int and float would say two."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole or (isinstance(value, float) and math.isfinite(value)):
        number: float | int = value
        return number
    raise PydanticCustomError("number", "input should be a finite number")


def _distinct(values: list[float | int]) -> list[float | int]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "each value may stand here once")
    return values


NAME = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, Field(pattern=NAME)]
KeyPath = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
Workers = Annotated[int, Field(ge=1, le=MAX_WORKERS)]
Value = Annotated[int | float, PlainValidator(_number)]


class Sweep(Frozen):
    """The setting that a study turns up step by step; its blocks list the values.

    Attributes:
      setting: key path, such as `order.lag`.
      label: what figures and tables call it, such as `prescribed staleness`.
      unit: what its values count, such as `updates`.
    """

    setting: KeyPath
    label: Annotated[str, Field(min_length=1)]
    unit: str

    @property
    def name(self) -> str:
        """The last part of the key path: the column that holds the values."""
        return self.setting.rpartition(".")[2]

    def at(self, value: float | int) -> dict[str, Any]:
        """A layer that sets the swept setting: `order.lag` at 4 -> {"order": {"lag": 4}}."""
        layer: Any = value
        for part in reversed(self.setting.split(".")):
            layer = {part: layer}
        return dict(layer)


class ValuesFrom(Frozen):
    """Values of a sweep that stand in a column of a CSV file below the experiments' folder.

    Attributes:
      file: its path below that folder.
      column: its header.
      every: 1 for all of its rows, 5 for the first, the sixth, and so on.
    """

    file: Annotated[str, Field(pattern=r"^([A-Za-z0-9_]+/)*[A-Za-z0-9_]+\.csv$")]
    column: Name
    every: Annotated[int, Field(ge=1)] = 1


class Block(Frozen):
    """One grid of runs: every game x variant x worker count x value of the sweep x seed, on one settings file.

    With `seed_per_value` the k-th value has seed k alone, as where a paper draws setting and initialization together.
    """

    settings: Name
    games: Annotated[list[str], Field(min_length=1)]
    workers: Annotated[list[Workers], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=10_000)]
    values: Annotated[list[Value], Field(min_length=1), AfterValidator(_distinct)] | None = None
    values_from: ValuesFrom | None = None
    seed_per_value: bool = False
    variants: Annotated[list[Name], Field(min_length=1)] | None = None
    override: dict[str, Any] = Field(default_factory=dict)


class StudyFile(Frozen):
    """A study as written: its question, what is compared, and how much of it at each scale.

    Attributes:
      part: see `a3c.analysis.method.PARTS`; at laptop scale `all` makes the questions, `claims` the claims as well.
      views: names of tables and figures beside those of every study, see `a3c.analysis.views`.
      published: the figure of the paper that stands beside ours, see `a3c.analysis.published`.
    """

    title: str
    question: str
    part: Literal["questions", "claims", "paper"] = "questions"
    timing: bool = False
    views: tuple[Annotated[str, Field(strict=True)], ...] = Field(default=(), strict=False)
    published: str | None = None
    sweep: Sweep | None = None
    variants: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]
    scales: dict[str, list[Block]]

    def peer(self, variant: str) -> str | None:
        """The peer that trains a variant, see `a3c.peers`; None for our trainer."""
        return self.variants[variant].get(PEER)

    def settings_of(self, variant: str) -> dict[str, Any]:
        """What a variant says of settings."""
        return {key: value for key, value in self.variants[variant].items() if key != PEER}

    def layers(self, variant: str, block: Place) -> list[Layer]:
        """Where the study itself says something of a run's settings, the uppermost first; `block` is the run's."""
        decided = {"game": "games", "workers": "workers", "seed": "seeds"}
        places = {key: block.below(name) for key, name in decided.items()}
        if self.sweep:
            places[self.sweep.setting] = block.below("values")
        inner = (layer_of_file(block.file, key) for key in (f"variants.{variant}", f"{block.key}.override"))
        return [dict(places), *inner]


def study_path(name: str, experiments: Path) -> Path:
    """Where a study of this name stands; the name will be part of folders and files of results.

    Raises:
      InvalidInput: if it is no name.
    """
    if not re.fullmatch(NAME, name):
        what = (
            f"got {shown(name)}; a study's name has letters, digits and underscores, up to 64, and begins with a letter"
        )
        raise InvalidInput([Problem("study", what)])
    return experiments / f"{name}.yaml"


def read_study_file(path: Path) -> StudyFile:
    """A study file without mistakes of its own; what its settings add up to is not known here.

    Raises:
      InvalidInput: with every problem found in it, or if its name is no study's.
    """
    study_path(path.stem, path.parent)
    raw = read_yaml(path)
    try:
        study = StudyFile.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput([*_field_problems(path, error), *_unknown_games(path, raw)]) from None
    wrong = list(_misplaced(study))
    if wrong:
        raise InvalidInput(Problem(str(Place(path, problem.where)), problem.what) for problem in wrong)
    return study


def _field_problems(path: Path, error: ValidationError) -> list[Problem]:
    found = []
    for e in error.errors(include_url=False):
        location = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in e["loc"]).lstrip(".")
        if e["type"] == "extra_forbidden":
            model = _model_at(e["loc"])
            what = unknown(e["loc"][-1], model.model_fields)
        elif e["type"] == "missing":
            what = "missing; it needs a value"
        else:
            what = f"got {shown(e['input'])}; {e['msg'][0].lower()}{e['msg'][1:]}"
        found.append(Problem(str(Place(path, location)), what))
    return found


def _unknown_games(path: Path, raw: Mapping[str, Any]) -> Iterable[Problem]:
    """Names that are no game's, in a file whose other mistakes keep its runs from being planned, which would tell."""
    scales = raw.get("scales")
    for scale, blocks in scales.items() if isinstance(scales, dict) else ():
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            games = block.get("games") if isinstance(block, dict) else None
            for number, game in enumerate(games if isinstance(games, list) else ()):
                if isinstance(game, str) and kind_of(game) is None:
                    where = Place(path, f"scales.{scale}[{index}].games[{number}]")
                    yield Problem(str(where), unknown(game, known_games(), "game"))


def _model_at(location: Sequence[int | str]) -> type[Frozen]:
    """The model whose keys are allowed there."""
    if len(location) == 1:
        return StudyFile
    if location[0] == "sweep":
        return Sweep
    return ValuesFrom if "values_from" in location[:-1] else Block


def _misplaced(study: StudyFile) -> Iterable[Problem]:
    """What each part may be on its own and the rest of the file forbids."""
    for variant, settings in study.variants.items():
        yield from _decided_by_block(f"variants.{variant}", settings)
        if PEER in settings and settings[PEER] not in PEERS:
            yield Problem(f"variants.{variant}.{PEER}", unknown(settings[PEER], PEERS, "peer"))
    if study.sweep and study.sweep.setting.partition(".")[0] in BLOCK_KEYS:
        yield Problem("sweep.setting", f"got {shown(study.sweep.setting)}; {DECIDED_BY_BLOCK}")
    for scale, blocks in study.scales.items():
        if scale not in SCALES:
            yield Problem(f"scales.{scale}", unknown(scale, SCALES, "scale"))
        for index, block in enumerate(blocks):
            yield from _misplaced_in_block(f"scales.{scale}[{index}]", study, block)


def _misplaced_in_block(where: str, study: StudyFile, block: Block) -> Iterable[Problem]:
    yield from _decided_by_block(f"{where}.override", block.override)
    for variant in block.variants or []:
        if variant not in study.variants:
            yield Problem(f"{where}.variants", unknown(variant, study.variants, "variant"))
    given = {name: getattr(block, name) for name in ("values", "values_from") if getattr(block, name) is not None}
    if study.sweep and not given:
        yield Problem(f"{where}.values", f"missing; the study sweeps {study.sweep.setting}, so list its values here")
    if len(given) > 1:
        yield Problem(f"{where}.values_from", "a block has `values` or `values_from`, not both")
    if not study.sweep:
        for name, value in given.items():
            yield Problem(
                f"{where}.{name}", f"got {shown(value)}, but the study has no `sweep` that they are values of"
            )
    if block.seed_per_value and (not given or block.seeds != 1):
        yield Problem(f"{where}.seed_per_value", "each value has one seed, so it needs values, and `seeds: 1`")


def read_values(values: ValuesFrom, experiments: Path) -> list[float | int]:
    """The numbers of a column.

    Raises:
      InvalidInput: if there is no such file or column, or no number in it.
    """
    path = experiments / values.file
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = [float(row[values.column]) for row in csv.DictReader(file)][:: values.every]
    except OSError as error:
        raise InvalidInput([Problem("values_from.file", f"{path} cannot be read: {error.strerror}")]) from None
    except (KeyError, TypeError, ValueError, csv.Error):
        what = f"{path} has no column {values.column!r} of numbers"
        raise InvalidInput([Problem("values_from.column", what)]) from None
    if not found or len(set(found)) < len(found) or not all(map(math.isfinite, found)):
        raise InvalidInput([Problem("values_from.column", f"{path}: the values must be there, finite, and distinct")])
    return list(found)


def _decided_by_block(where: str, settings: Mapping[str, Any]) -> Iterable[Problem]:
    for key in BLOCK_KEYS:
        if key in settings:
            yield Problem(f"{where}.{key}", DECIDED_BY_BLOCK)
