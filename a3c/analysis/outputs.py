"""Which tables and figures a study will have, and where they stand, known from its runs alone: no result is read.

Snakemake asks before anything is trained, so this module imports neither pandas nor matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from a3c.analysis.views import VIEW_TABLES, VIEWS
from a3c.conflicts import ASYNCHRONOUS
from a3c.environments.games import CLIFF_WORLD
from a3c.plan import Run, Study
from a3c.problems import InvalidInput, Problem, unknown
from a3c.settings import AtariSettings, MeasuredHistogram

TABLES = (
    "runs", "scores", "evaluations", "learning_curves", "learning_curves_time", "staleness", "staleness_histogram",
    "phases", "drift", "drift_by_staleness", "throughput", "time_to_score", "comparison",
)  # fmt: skip
# A sweep's tables hold no wall-clock, so that runs which are the same to the byte make tables that are so, too.
SWEEP_TABLES = ("runs", "sweep", "scores", "evaluations", "staleness", "drift", "drift_by_staleness")
POLICY_TABLE = "cliff_world_policy"

# Too long to be read as text; the figures show them.
CSV_ONLY = (
    "learning_curves", "learning_curves_time", "staleness_histogram", "drift_by_staleness", "workers", "prediction",
    POLICY_TABLE,
)  # fmt: skip

FIGURE_ENDINGS = ("svg", "png", "pdf")  # for the report, for pages that show no SVG, for LaTeX
SUMMARY_GAME = "CartPole-v1"  # learnt within minutes on any machine, and in every scale of the three studies
# The studies whose answers stand together in one figure, in its order, and the tables that it draws of each.
SUMMARY_TABLES = {
    "a3c_vs_a2c": ("learning_curves", "runs"),
    "staleness_prescribed": ("sweep", "runs"),
    "thread_scaling": ("speed_up", "speed_up_means", "runs"),
}

MOST_SWEPT_VALUES = 10  # along an axis where each has a label

SPEEDS = ("speeds_lognormal", "speeds_heterogeneous", "straggler")  # orders in which workers act as they complete
SIMULATED = ("hogwild", "locked", "synchronous")


class Group(NamedTuple):
    """Runs that differ in nothing but their seed: what every aggregate is taken over.

    Attributes:
      game: its name.
      variant: the study's word for this column of its comparison.
      workers: number of workers.
      runs: one a seed, by ascending seed.
      point: the value of the study's sweep, if it has one.
      swept: the name of the swept setting, if there is one.
    """

    game: str
    variant: str
    workers: int
    runs: tuple[Run, ...]
    point: float | int | None = None
    swept: str | None = None

    @property
    def key(self) -> dict[str, object]:
        """The first columns of every row about this group."""
        key: dict[str, object] = {"game": self.game, "variant": self.variant, "workers": self.workers}
        return key | {self.swept: self.point} if self.swept else key


def groups(study: Study) -> list[Group]:
    """The study's groups by game, then variant in the study's order, then workers, then the value of its sweep.

    Raises:
      ValueError: if runs of one group have different settings, or if the study mixes Atari protocols: a mean over
        such runs would answer no question.
    """
    swept = study.sweep.name if study.sweep else None
    found: dict[tuple[str, int, int, float | int | None], list[Run]] = {}
    for run in study.runs:
        place = (run.settings.game, study.variants.index(run.variant), run.settings.workers, run.point)
        found.setdefault(place, []).append(run)
    result = []
    for (game, index, workers, point), runs in sorted(found.items()):
        ids = sorted({_id_but_for_seed(run) for run in runs})
        if len(ids) > 1:
            at = f", {swept} {point}" if swept else ""
            where = f"study {study.name}: {game}, {study.variants[index]}, {workers} workers{at}"
            raise ValueError(f"{where} stands for different settings ({', '.join(ids)}); give each its own variant")
        ordered = tuple(sorted(runs, key=lambda run: run.settings.seed))
        result.append(Group(game, study.variants[index], workers, ordered, point, swept))
    if len(protocols(study)) > 1:
        raise ValueError(f"study {study.name} mixes the protocols {', '.join(protocols(study))} in its tables")
    return result


def _id_but_for_seed(run: Run) -> str:
    """The id of a run's settings; where they name another run, its seed is this run's seed and no difference."""
    order = run.settings.order
    if not isinstance(order, MeasuredHistogram):
        return run.settings.id
    source = order.run.removesuffix(f"/seed{run.settings.seed}")
    return run.settings.model_copy(update={"order": order.model_copy(update={"run": source})}).id


def protocols(study: Study) -> list[str]:
    """The Atari protocols of the study's runs; none if it has no Atari game."""
    environments = [run.settings.environment for run in study.runs]
    return sorted({e.protocol for e in environments if isinstance(e, AtariSettings)})


def acts_on_completion(run: Run) -> bool:
    """Whether workers act as they complete, by the clock or by drawn speeds, and pull right after each push."""
    settings = run.settings
    if run.peer is not None:
        return False  # whether it does, nobody records
    if settings.schedule in ASYNCHRONOUS:
        return settings.pull_interval_rollouts == 1
    return settings.order is not None and settings.order.kind in SPEEDS


def is_stale(run: Run) -> bool:
    """Whether its gradients can be applied to other parameters than they were computed with, and that is recorded."""
    return run.peer is None and run.settings.schedule != "synchronous"


def can_predict(run: Run) -> bool:
    """Whether the simulator has a model of the run, and the run samples what that starts from."""
    settings = run.settings
    simulated = run.peer is None and settings.schedule in SIMULATED and settings.executor == "processes"
    return simulated and settings.pull_interval_rollouts == 1 and _is_sampled(run)


def _is_sampled(run: Run) -> bool:
    return run.settings.records.sample_interval_turns is not None


def check_views(studies: Iterable[Study]) -> None:
    """Refuses views that are unknown or do not fit their study, and studies that cannot be tabulated.

    Raises:
      InvalidInput: with every problem.
    """
    wrong = []
    for study in studies:
        for view in study.views:
            if view not in VIEWS:
                wrong.append(Problem(f"{study.name}.yaml: views", unknown(view, VIEWS, "view")))
            elif VIEWS[view].needs == ("no sweep" if study.sweep else "sweep"):
                what = f"{view} needs a study with {'no' if study.sweep else 'a'} `sweep`"
                wrong.append(Problem(f"{study.name}.yaml: views", what))
            elif VIEWS[view].published and study.published not in VIEWS[view].published:
                what = f"got {study.published!r}; {view} stands beside one of {', '.join(VIEWS[view].published)}"
                wrong.append(Problem(f"{study.name}.yaml: published", what))
        try:
            groups(study)
        except ValueError as error:
            wrong.append(Problem(f"{study.name}.yaml", str(error)))
    if wrong:
        raise InvalidInput(wrong)


def table_names(study: Study) -> list[str]:
    """The tables that `write_tables` will write for this study.

    A study with a sweep has those of `SWEEP_TABLES`. Any other has those of `TABLES`, and one more for each of: workers
    that act as they complete; throughput that can be predicted; the cliff world. Last come those of the study's views.

    Raises:
      ValueError: if the study cannot be tabulated, see `groups`.
    """
    cliff = any(group.game == CLIFF_WORLD for group in groups(study))
    more_tables = [name for view in study.views for name in VIEWS[view].tables]
    if study.sweep:
        return [*SWEEP_TABLES, *more_tables]
    more = {"workers": any(map(acts_on_completion, study.runs)), "prediction": _predicts(study), POLICY_TABLE: cliff}
    return [*TABLES, *(name for name, wanted in more.items() if wanted), *more_tables]


def figure_names(study: Study) -> list[str]:
    """The figures that `write_figures` will draw for this study.

    Learning curves and the comparison always, but for a sweep, which has its own if its values are few; staleness where
    a schedule is not synchronous, and drift if that is sampled; throughput and time to score where some game and
    variant has several worker counts; the prediction where there is one; two more for the cliff world. The views' come
    first.
    """
    drift = any(is_stale(run) and _is_sampled(run) for run in study.runs)
    more_figures = [name for view in study.views for name in VIEWS[view].figures]
    if study.sweep:
        few = len({run.point for run in study.runs}) <= MOST_SWEPT_VALUES
        return [*more_figures, *(["sweep"] if few else []), *(["drift"] if drift and few else [])]
    counts: dict[tuple[str, str], set[int]] = {}
    for run in study.runs:
        counts.setdefault((run.settings.game, run.variant), set()).add(run.settings.workers)
    several = any(len(workers) > 1 for workers in counts.values())
    cliff = any(run.settings.game == CLIFF_WORLD for run in study.runs)
    more = {
        "staleness_histograms": any(map(is_stale, study.runs)),
        "drift": drift,
        "throughput": several,
        "prediction": _predicts(study),
        "time_to_score": several,
        "cliff_world_returns": cliff,
        "cliff_world_policy": cliff,
    }
    return [*more_figures, "learning_curves", "comparison", *(name for name, wanted in more.items() if wanted)]


def _predicts(study: Study) -> bool:
    """Only one worker's turns show what a turn takes when nobody is in its way."""
    return study.timing and any(run.settings.workers == 1 and can_predict(run) for run in study.runs)


def is_text(name: str) -> bool:
    """Whether a table is also written as text, to be read beside its CSV."""
    return not VIEW_TABLES[name].csv_only if name in VIEW_TABLES else name not in CSV_ONLY


def table_path(study: Study, results: Path, name: str, ending: str = "csv") -> Path:
    """Where a table stands: `<results>/tables/<scale>/<study>/<name>.<ending>`."""
    return results / "tables" / study.scale / study.name / f"{name}.{ending}"


def figure_path(study: Study, results: Path, name: str, ending: str = "svg") -> Path:
    """Where a figure stands: `<results>/figures/<scale>/<study>/<name>.<ending>`."""
    return results / "figures" / study.scale / study.name / f"{name}.{ending}"


def summarized(studies: Iterable[Study]) -> list[Study]:
    """Those of the studies that the summary has a panel of, in its order: they have its game and the panel's tables."""
    found = {study.name: study for study in studies if any(run.settings.game == SUMMARY_GAME for run in study.runs)}
    wanted = [(found[name], tables) for name, tables in SUMMARY_TABLES.items() if name in found]
    return [study for study, tables in wanted if set(tables) <= set(table_names(study))]


def summary_tables(shown: Iterable[Study], results: Path) -> list[Path]:
    """Every file that the summary of these studies, which are `summarized`, is drawn from."""
    return [table_path(study, results, name) for study in shown for name in SUMMARY_TABLES[study.name]]


def summary_path(scale: str, results: Path, name: str, ending: str = "svg") -> Path:
    """Where the summary of the studies of a report stands: `<results>/figures/<scale>/<name>_summary.<ending>`."""
    return results / "figures" / scale / f"{name}_summary.{ending}"


def summary_files(shown: Sequence[Study], results: Path, name: str) -> list[Path]:
    """Every file that `write_summary` writes of these studies, which are `summarized`; none without a study."""
    return [summary_path(study.scale, results, name, ending) for study in shown[:1] for ending in FIGURE_ENDINGS]


def remake_command(scale: str, studies: Iterable[str] = (), target: str = "") -> str:
    """The command that makes these studies' results, or a target of the Snakefile; of all studies if none is named."""
    names = ",".join(studies)
    words = ["snakemake --cores all", target, f"--config scale={scale}", f"studies={names}" if names else ""]
    return " ".join(word for word in words if word)


def report_path(results: Path, name: str) -> Path:
    """Where a report stands: `<results>/report/<name>.html`, the name being its scale's or its target's."""
    return results / "report" / f"{name}.html"


def table_files(study: Study, results: Path) -> list[Path]:
    """Every file that `write_tables` writes."""
    names = table_names(study)
    texts = [table_path(study, results, name, ending) for name in names if is_text(name) for ending in ("md", "tex")]
    return [table_path(study, results, name) for name in names] + texts


def figure_files(study: Study, results: Path) -> list[Path]:
    """Every file that `write_figures` writes."""
    return [figure_path(study, results, name, ending) for name in figure_names(study) for ending in FIGURE_ENDINGS]
