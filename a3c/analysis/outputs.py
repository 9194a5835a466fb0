"""Which tables and figures a study will have, and where they stand, known from its runs alone: no result is read.

Snakemake asks before anything is trained, so this module imports neither pandas nor matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from a3c.conflicts import ASYNCHRONOUS
from a3c.environments.games import CLIFF_WORLD
from a3c.plan import Run, Study
from a3c.settings import AtariSettings

TABLES = (
    "runs", "scores", "evaluations", "learning_curves", "learning_curves_time", "staleness", "staleness_histogram",
    "throughput", "time_to_score", "comparison",
)  # fmt: skip
POLICY_TABLE = "cliff_world_policy"

# Too long to be read as text; the figures show them.
CSV_ONLY = ("learning_curves", "learning_curves_time", "staleness_histogram", POLICY_TABLE)


class Group(NamedTuple):
    """Runs that differ in nothing but their seed: what every aggregate is taken over.

    Attributes:
      game: its name.
      variant: the study's word for this column of its comparison.
      workers: number of workers.
      runs: one a seed, by ascending seed.
    """

    game: str
    variant: str
    workers: int
    runs: tuple[Run, ...]

    @property
    def key(self) -> dict[str, object]:
        """The first columns of every row about this group."""
        return {"game": self.game, "variant": self.variant, "workers": self.workers}


def groups(study: Study) -> list[Group]:
    """The study's groups by game, then variant in the study's order, then workers.

    Raises:
      ValueError: if runs of one group have different settings, or if the study mixes Atari protocols: a mean over
        such runs would answer no question.
    """
    found: dict[tuple[str, int, int], list[Run]] = {}
    for run in study.runs:
        place = (run.settings.game, study.variants.index(run.variant), run.settings.workers)
        found.setdefault(place, []).append(run)
    result = []
    for (game, index, workers), runs in sorted(found.items()):
        ids = sorted({run.settings.id for run in runs})
        if len(ids) > 1:
            where = f"study {study.name}: {game}, {study.variants[index]}, {workers} workers"
            raise ValueError(f"{where} stands for different settings ({', '.join(ids)}); give each its own variant")
        ordered = tuple(sorted(runs, key=lambda run: run.settings.seed))
        result.append(Group(game, study.variants[index], workers, ordered))
    if len(protocols(study)) > 1:
        raise ValueError(f"study {study.name} mixes the protocols {', '.join(protocols(study))} in its tables")
    return result


def protocols(study: Study) -> list[str]:
    """The Atari protocols of the study's runs; none if it has no Atari game."""
    environments = [run.settings.environment for run in study.runs]
    return sorted({e.protocol for e in environments if isinstance(e, AtariSettings)})


def table_names(study: Study) -> list[str]:
    """The tables that `write_tables` will write for this study.

    Raises:
      ValueError: if the study cannot be tabulated, see `groups`.
    """
    cliff = any(group.game == CLIFF_WORLD for group in groups(study))
    return [*TABLES, POLICY_TABLE] if cliff else list(TABLES)


def figure_names(study: Study) -> list[str]:
    """The figures that `write_figures` will draw for this study.

    Learning curves and the comparison always; staleness where a schedule is asynchronous; throughput and time to score
    where some game and variant has several worker counts; two more for the cliff world.
    """
    names = ["learning_curves", "comparison"]
    counts: dict[tuple[str, str], set[int]] = {}
    for run in study.runs:
        counts.setdefault((run.settings.game, run.variant), set()).add(run.settings.workers)
    if any(run.settings.schedule in ASYNCHRONOUS for run in study.runs):
        names.append("staleness_histograms")
    if any(len(workers) > 1 for workers in counts.values()):
        names += ["throughput", "time_to_score"]
    if any(run.settings.game == CLIFF_WORLD for run in study.runs):
        names += ["cliff_world_returns", "cliff_world_policy"]
    return names


def table_path(study: Study, results: Path, name: str, ending: str = "csv") -> Path:
    """Where a table stands: `<results>/tables/<scale>/<study>/<name>.<ending>`."""
    return results / "tables" / study.scale / study.name / f"{name}.{ending}"


def figure_path(study: Study, results: Path, name: str, ending: str = "svg") -> Path:
    """Where a figure stands: `<results>/figures/<scale>/<study>/<name>.<ending>`."""
    return results / "figures" / study.scale / study.name / f"{name}.{ending}"


def report_path(results: Path, scale: str) -> Path:
    """Where the report of a scale stands: `<results>/report/<scale>.html`."""
    return results / "report" / f"{scale}.html"


def table_files(study: Study, results: Path) -> list[Path]:
    """Every file that `write_tables` writes."""
    names = table_names(study)
    texts = [table_path(study, results, name, "md") for name in names if name not in CSV_ONLY]
    return [table_path(study, results, name) for name in names] + texts


def figure_files(study: Study, results: Path) -> list[Path]:
    """Every file that `write_figures` writes."""
    return [figure_path(study, results, name, ending) for name in figure_names(study) for ending in ("svg", "png")]
