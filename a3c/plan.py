"""From `experiments/*.yaml` to runs and their folders. Never imports torch.

Two kinds of file stand in `experiments/`. A *settings file* holds values of `Settings`, on top of another settings
file if it names one as its `base`; `paper.yaml` is at the bottom. A *study* asks a question and lists, for each
scale, which runs answer it: blocks of settings x games x variants x worker counts x values of a sweep x seeds. A run
belongs to no study: its folder follows from its resolved settings, so a run that two studies ask for is trained once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from a3c import peers
from a3c.conflicts import ASYNCHRONOUS
from a3c.environments.games import folder_name
from a3c.places import Place, find_place, layer_of_file
from a3c.problems import InvalidInput, Problem, unknown
from a3c.settings import Settings, resolve
from a3c.settings_files import load_settings, merge, read_layers
from a3c.study_file import SCALES, STUDY_KEYS, Block, StudyFile, Sweep, read_study_file, read_values, study_path
from a3c.yaml_files import read_yaml

MEASURED = "measured_histogram"  # the order that draws from what another run measured


@dataclass(frozen=True)
class Run:
    """One training run of a study.

    Attributes:
      variant: what the study calls this column of its comparison.
      settings: resolved.
      point: the value of the study's sweep, if it has one.
      peer: the other project's program that trains it, see `a3c.peers`; None for our trainer.
    """

    variant: str
    settings: Settings
    point: float | int | None = None
    peer: str | None = None

    @cached_property
    def folder(self) -> str:
        """`<game>/<settings id>/seed<k>`, below `results/runs/`; a peer's name stands in its id."""
        settings_id = peers.folder_id(self.peer, self.settings) if self.peer else self.settings.id
        return f"{folder_name(self.settings.game)}/{settings_id}/seed{self.settings.seed}"


@dataclass(frozen=True)
class Study:
    """A study at one scale, resolved into runs.

    Attributes:
      name: the file's name without its ending.
      title: a few words.
      question: what it asks, one sentence.
      scale: one of `study_file.SCALES`.
      variants: in the order in which tables and figures show them.
      runs: without repetition.
      timing: whether seconds are compared, so that each of its runs needs the machine to itself.
      sweep: the setting that its runs set to different values, if there is one.
      part: see `a3c.analysis.method.PARTS`.
      views: tables and figures beside those of every study.
      published: the paper's figure to hold it against.
    """

    name: str
    title: str
    question: str
    scale: str
    variants: tuple[str, ...]
    runs: tuple[Run, ...]
    timing: bool = False
    sweep: Sweep | None = None
    part: str = "questions"
    views: tuple[str, ...] = ()
    published: str | None = None


def load_study(name: str, scale: str, experiments: Path) -> Study:
    """A study's runs at one scale.

    Raises:
      InvalidInput: with every problem of the file, of the settings files it uses and of every run it asks for.
    """
    path = study_path(name, experiments)
    study = read_study_file(path)
    if scale not in study.scales:
        raise InvalidInput([Problem(str(Place(path, "scales")), unknown(scale, study.scales, "scale"))])
    runs = {(run.variant, run.folder): run for run in _runs(path, study, experiments)[scale]}
    return Study(
        name,
        study.title,
        study.question,
        scale,
        tuple(study.variants),
        tuple(runs.values()),
        study.timing,
        study.sweep,
        study.part,
        study.views,
        study.published,
    )


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


def _runs(path: Path, study: StudyFile, experiments: Path) -> dict[str, list[Run]]:
    """The runs of every scale, some of them perhaps more than once.

    Raises:
      InvalidInput: with every problem of every scale.
    """
    runs: dict[str, list[Run]] = {}
    problems: dict[str, Problem] = {}
    for scale, blocks in study.scales.items():
        runs[scale] = []
        for index, block in enumerate(blocks):
            runs[scale] += _block_runs(Place(path, f"scales.{scale}[{index}]"), study, block, experiments, problems)
    if problems:
        raise InvalidInput(problems.values())
    return runs


def _block_runs(
    where: Place, study: StudyFile, block: Block, experiments: Path, problems: dict[str, Problem]
) -> Iterable[Run]:
    """The block's runs; what is wrong with one is added to `problems` once, however many runs share it."""
    try:
        below = _settings_below(block.settings, experiments)
        points: list[float | int | None] = [*_values(block, experiments)] or [None]
    except InvalidInput as error:
        for problem in error.problems:
            problems.setdefault(str(problem), problem.within(f"{where.below('settings')}: "))
        return
    variants = block.variants or list(study.variants)
    for game, variant, workers, point in itertools.product(block.games, variants, block.workers, points):
        cell = _Cell(study, block, below, game, workers, point)
        try:
            seeds = [points.index(point)] if block.seed_per_value else range(block.seeds)
            yield from [Run(variant, cell.settings(variant, seed), point, study.peer(variant)) for seed in seeds]
        except InvalidInput as error:
            for problem in error.problems:
                if (said := f"{where.key}.{problem}") not in problems:
                    problems[said] = _placed(problem, where, cell, variant, experiments)


def _placed(problem: Problem, block: Place, cell: _Cell, variant: str, experiments: Path) -> Problem:
    """A problem of a run's settings, with the line where the study gives them, or the settings file does."""
    files = [layer_of_file(file) for file, _ in read_layers(cell.block.settings, experiments)]
    layers = [*cell.study.layers(variant, block), *files]
    place = find_place(problem.where, cell.merged(variant, 0), layers) or block
    here, below = (place, "") if place.file == block.file else (block, f" ({place.line_name})")
    where = f"{here.line_name}: {block.key} ({cell.game}, {variant}, {cell}).{problem.where}"
    return Problem(where, f"{problem.what}{below}")


def _values(block: Block, experiments: Path) -> list[float | int]:
    return block.values or ([] if block.values_from is None else read_values(block.values_from, experiments))


@dataclass(frozen=True)
class _Cell:
    """A game, a worker count and a value of the sweep: where the variants of a block stand beside each other."""

    study: StudyFile
    block: Block
    below: Mapping[str, Any]
    game: str
    workers: int
    point: float | int | None

    def __str__(self) -> str:
        swept = f", {self.study.sweep.setting} {self.point}" if self.study.sweep else ""
        return f"{self.workers} workers{swept}"

    def settings(self, variant: str, seed: int) -> Settings:
        """A run's resolved settings: the variant whose staleness it draws from has become the folder of its run.

        Raises:
          InvalidInput: with what is wrong with them.
        """
        raw = self.merged(variant, seed)
        order: Any = raw.get("order")
        if _is_measured(order) and "variant" in order and "run" not in order:
            kept = {key: value for key, value in order.items() if key != "variant"}
            raw["order"] = kept | {"run": self._measured(order["variant"], seed)}
        settings = resolve(raw)
        if peer := self.study.peer(variant):
            peers.check(peer, settings)
        return settings

    def merged(self, variant: str, seed: int) -> dict[str, Any]:
        """A run's settings as they are put together, before they are looked at."""
        sweep, point = self.study.sweep, self.point
        swept = sweep.at(point) if sweep and point is not None else {}
        decided = {"game": self.game, "workers": self.workers, "seed": seed}
        return merge(self.below, self.block.override, self.study.settings_of(variant), swept, decided)

    def _measured(self, variant: Any, seed: int) -> str:
        """The folder of the run of another variant that is this one's source of staleness."""
        known = list(self.study.variants)
        if variant not in known:
            what = unknown(variant, known, "variant")
        elif variant not in (self.block.variants or known):
            what = f"got {variant!r}, which is missing in this block's `variants`: its run has to be planned too"
        elif self.study.peer(variant):
            what = f"got {variant!r}, a peer, whose staleness nobody records"
        else:
            raw = self.merged(variant, seed)
            why_not = _why_no_source(raw)
            if why_not is None:
                return Run(variant, resolve(raw)).folder
            what = f"got {variant!r}, {why_not}"
        raise InvalidInput([Problem("order.variant", what)])


def _why_no_source(raw: dict[str, Any]) -> str | None:
    """Why no run can draw from the staleness of a run with these settings, if so."""
    if _is_measured(raw.get("order")):
        return "which itself draws from a measured histogram"
    if raw.get("schedule") not in ASYNCHRONOUS:
        return f"whose schedule {raw.get('schedule')!r} decides its staleness; allowed: {', '.join(ASYNCHRONOUS)}"
    try:
        resolve(raw)
    except InvalidInput:
        return "which cannot be run itself"
    return None


def _is_measured(order: Any) -> bool:
    return isinstance(order, Mapping) and order.get("kind") == MEASURED


@cache
def _settings_below(name: str, experiments: Path) -> dict[str, Any]:
    return load_settings(name, experiments)


def studies(experiments: Path, scale: str | None = None) -> list[str]:
    """The names of the studies in a folder: the files that have a question, variants or scales.

    Args:
      experiments: the folder.
      scale: only those that have it, if one is given, and those whose scales cannot be told.

    Raises:
      InvalidInput: if there is no such folder or scale, or a file in the folder cannot be read.
    """
    if scale is not None and scale not in SCALES:
        raise InvalidInput([Problem("--scale", unknown(scale, SCALES, "scale"))])
    if not experiments.is_dir():
        raise InvalidInput(
            [Problem(str(experiments), "no such folder; --experiments names the one with the YAML files")]
        )
    found = {path.stem: read_yaml(path) for path in sorted(experiments.glob("*.yaml"))}
    asking = {name: raw for name, raw in found.items() if not STUDY_KEYS.isdisjoint(raw)}
    return [name for name, raw in asking.items() if scale is None or _has_scale(raw, scale)]


def _has_scale(raw: Mapping[str, Any], scale: str) -> bool:
    scales = raw.get("scales")
    return not isinstance(scales, Mapping) or scale in scales or not set(scales) <= set(SCALES)


def studies_of(folder: Path, experiments: Path) -> dict[str, str]:
    """Tags for a run folder: which studies ask for it at any scale, and what they call its variant."""
    return tags_by_folder(experiments).get("/".join(folder.parts[-3:]), {})


def tags_by_folder(experiments: Path) -> dict[str, dict[str, str]]:
    """The same for every run that studies ask for, by its folder below that of all runs."""
    found: dict[str, dict[str, set[str]]] = {}
    for name in studies(experiments):
        path = experiments / f"{name}.yaml"
        for run in itertools.chain.from_iterable(_runs(path, read_study_file(path), experiments).values()):
            tags = found.setdefault(run.folder, {"studies": set(), "variant": set()})
            tags["studies"].add(name)
            tags["variant"].add(run.variant)
    return {folder: {key: ",".join(sorted(v)) for key, v in tags.items() if any(v)} for folder, tags in found.items()}
