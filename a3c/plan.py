"""From `experiments/*.yaml` to runs and their folders. Never imports torch.

Two kinds of file stand in `experiments/`. A *settings file* holds values of `Settings`, on top of another settings
file if it names one as its `base`; `paper.yaml` is at the bottom. A *study* asks a question and lists, for each
scale, which runs answer it: blocks of settings x games x variants x worker counts x seeds. A run belongs to no study:
its folder follows from its resolved settings, so a run that two studies ask for is trained once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from a3c.environments.games import folder_name
from a3c.problems import InvalidInput, Problem, unknown
from a3c.settings import MAX_WORKERS, Settings, resolve
from a3c.validation import Frozen
from a3c.yaml_files import read_yaml

SCALES = ("smoke", "laptop", "paper")

STUDY_KEYS = frozenset({"question", "variants", "scales"})
BLOCK_KEYS = ("game", "workers", "seed")  # a block decides these for its runs

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Workers = Annotated[int, Field(ge=1, le=MAX_WORKERS)]


class Block(Frozen):
    """One grid of runs: every game x variant x worker count x seed, on one settings file."""

    settings: Name
    games: Annotated[list[str], Field(min_length=1)]
    workers: Annotated[list[Workers], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=10_000)]
    variants: Annotated[list[Name], Field(min_length=1)] | None = None
    override: dict[str, Any] = Field(default_factory=dict)


class StudyFile(Frozen):
    """A study as written: its question, what is compared, and how much of it at each scale."""

    title: str
    question: str
    timing: bool = False
    variants: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]
    scales: dict[str, list[Block]]


@dataclass(frozen=True)
class Run:
    """One training run of a study.

    Attributes:
      variant: what the study calls this column of its comparison.
      settings: resolved.
    """

    variant: str
    settings: Settings

    @property
    def folder(self) -> str:
        """`<game>/<settings id>/seed<k>`, below `results/runs/`."""
        return f"{folder_name(self.settings.game)}/{self.settings.id}/seed{self.settings.seed}"


@dataclass(frozen=True)
class Study:
    """A study at one scale, resolved into runs.

    Attributes:
      name: the file's name without its ending.
      title: a few words.
      question: what it asks, one sentence.
      scale: one of `SCALES`.
      variants: in the order in which tables and figures show them.
      runs: without repetition.
      timing: whether seconds are compared, so that each of its runs needs the machine to itself.
    """

    name: str
    title: str
    question: str
    scale: str
    variants: tuple[str, ...]
    runs: tuple[Run, ...]
    timing: bool = False


def load_settings(name: str, experiments: Path) -> dict[str, Any]:
    """A settings file on top of its bases, as one plain mapping, not yet validated as a whole.

    Raises:
      InvalidInput: if a file is missing, is no mapping, or its bases run in a circle.
    """
    layers: list[dict[str, Any]] = []
    seen: list[str] = []
    while True:
        path = experiments / f"{name}.yaml"
        if name in seen:
            raise InvalidInput([Problem(f"{path}: base", f"runs in a circle: {' -> '.join([*seen, name])}")])
        seen.append(name)
        layer = dict(read_yaml(path))
        base = layer.pop("base", None)
        layers.append(layer)
        if base is None:
            return merge(*reversed(layers))
        if not isinstance(base, str) or not base.isidentifier():
            raise InvalidInput([Problem(f"{path}: base", f"got {base!r}; it names a file of {experiments}")])
        name = base


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers on earlier ones, key by key; a mapping of another `kind` replaces the whole mapping below it."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            result[key] = value
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                same = value.get("kind", below.get("kind")) == below.get("kind")
                result[key] = merge(below, value) if same else value
    return result


def load_study(name: str, scale: str, experiments: Path) -> Study:
    """A study's runs at one scale.

    Raises:
      InvalidInput: with every problem of the file, of the settings files it uses and of every run it asks for.
    """
    path = experiments / f"{name}.yaml"
    study = _study_file(path)
    if scale not in study.scales:
        raise InvalidInput([Problem(f"{path}: scales", unknown(scale, study.scales, "scale"))])
    runs: dict[tuple[str, str], Run] = {}
    problems: dict[str, Problem] = {}
    for each, blocks in study.scales.items():
        for index, block in enumerate(blocks):
            where = f"{path}: scales.{each}[{index}]"
            for run in _runs(where, study, block, experiments, problems):
                if each == scale:
                    runs.setdefault((run.variant, run.folder), run)
    if problems:
        raise InvalidInput(problems.values())
    return Study(name, study.title, study.question, scale, tuple(study.variants), tuple(runs.values()), study.timing)


def load_studies(names: Iterable[str], scale: str, experiments: Path) -> list[Study]:
    """Several studies at one scale.

    Raises:
      InvalidInput: with the problems of all of them at once.
    """
    found, problems = [], []
    for name in names:
        try:
            found.append(load_study(name, scale, experiments))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return found


def _study_file(path: Path) -> StudyFile:
    raw = read_yaml(path)
    try:
        study = StudyFile.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(_study_problems(path, error)) from None
    wrong = list(_misplaced(study))
    if wrong:
        raise InvalidInput(problem.within(f"{path}: ") for problem in wrong)
    return study


def _misplaced(study: StudyFile) -> Iterable[Problem]:
    """Unknown scales and variants, and settings that a block decides and nothing below it may."""
    for variant, settings in study.variants.items():
        yield from _decided_by_block(f"variants.{variant}", settings)
    for scale, blocks in study.scales.items():
        if scale not in SCALES:
            yield Problem(f"scales.{scale}", unknown(scale, SCALES, "scale"))
        for index, block in enumerate(blocks):
            where = f"scales.{scale}[{index}]"
            yield from _decided_by_block(f"{where}.override", block.override)
            for variant in block.variants or []:
                if variant not in study.variants:
                    yield Problem(f"{where}.variants", unknown(variant, study.variants, "variant"))


def _decided_by_block(where: str, settings: Mapping[str, Any]) -> Iterable[Problem]:
    for key in BLOCK_KEYS:
        if key in settings:
            yield Problem(f"{where}.{key}", "a block decides this, with its `games`, `workers` and `seeds`")


def _study_problems(path: Path, error: ValidationError) -> list[Problem]:
    found = []
    for e in error.errors(include_url=False):
        location = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in e["loc"]).lstrip(".")
        if e["type"] == "extra_forbidden":
            model = StudyFile if len(e["loc"]) == 1 else Block
            what = unknown(e["loc"][-1], model.model_fields)
        elif e["type"] == "missing":
            what = "missing; it needs a value"
        else:
            what = f"got {e['input']!r}; {e['msg'][0].lower()}{e['msg'][1:]}"
        found.append(Problem(f"{path}: {location}", what))
    return found


def _runs(where: str, study: StudyFile, block: Block, experiments: Path, problems: dict[str, Problem]) -> Iterable[Run]:
    """The block's runs; what is wrong with one is added to `problems` once, however many runs share it."""
    variants = block.variants or list(study.variants)
    try:
        below = _settings_below(block.settings, experiments)
    except InvalidInput as error:
        for problem in error.problems:
            problems.setdefault(str(problem), Problem(f"{where}.settings: {problem.where}", problem.what))
        return
    for game, variant, workers in itertools.product(block.games, variants, block.workers):
        raw = merge(below, block.override, study.variants[variant], {"game": game, "workers": workers, "seed": 0})
        try:
            settings = resolve(raw)
        except InvalidInput as error:
            for problem in error.problems:
                key = f"{where}.{problem}"
                problems.setdefault(key, problem.within(f"{where} ({game}, {variant}, {workers} workers)"))
            continue
        for seed in range(block.seeds):
            yield Run(variant, settings.model_copy(update={"seed": seed}))


@cache
def _settings_below(name: str, experiments: Path) -> dict[str, Any]:
    return load_settings(name, experiments)


def studies(experiments: Path) -> list[str]:
    """The names of the studies in a folder: the files that have a question, variants or scales.

    Raises:
      InvalidInput: if there is no such folder, or a file in it cannot be read.
    """
    if not experiments.is_dir():
        raise InvalidInput(
            [Problem(str(experiments), "no such folder; --experiments names the one with the YAML files")]
        )
    files = sorted(experiments.glob("*.yaml"))
    return [path.stem for path in files if not STUDY_KEYS.isdisjoint(read_yaml(path))]


def studies_of(folder: Path, experiments: Path) -> dict[str, str]:
    """Tags for a run folder: which studies ask for it at any scale, and what they call its variant."""
    names, variants = [], []
    for name in studies(experiments):
        for scale in _study_file(experiments / f"{name}.yaml").scales:
            for run in load_study(name, scale, experiments).runs:
                if folder.as_posix().endswith(run.folder):
                    names.append(name)
                    variants.append(run.variant)
    found = {"studies": ",".join(sorted(set(names))), "variant": ",".join(sorted(set(variants)))}
    return {key: value for key, value in found.items() if value}
