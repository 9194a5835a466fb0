"""What the Snakefile asks: the studies of a scale, and settings, threads and files of each run. Never imports torch."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a3c import batch_system, lifeline, machine, missing, peers
from a3c.analysis import outputs
from a3c.analysis.claim_file import claims_path, ledger_path, properties_path, read_claims
from a3c.analysis.films import films_path
from a3c.environments.games import folder_name
from a3c.fingerprint import run_fingerprint
from a3c.plan import Run, Study, load_studies, studies
from a3c.problems import InvalidInput, Problem, unknown
from a3c.records.run_folder import write_json
from a3c.settings import MeasuredHistogram, Settings
from a3c.study_file import SCALES
from a3c.targets import Target, find_targets

EXIT_FAILED, EXIT_INVALID = 1, 2
CONFIG_KEYS = ("scale", "studies", "mix_code")
ANSWERS = {"true": True, "false": False}


def _trainable(wanted: list[Study], asked: bool) -> list[Study]:
    """The studies whose peers are installed; that others are left out is said in one line.

    Raises:
      InvalidInput: if studies were asked for by name and some are among the others.
    """
    needed = {study.name: sorted({run.peer for run in study.runs if run.peer}) for study in wanted}
    missing = {name: [peer for peer in found if peers.version_of(peer) is None] for name, found in needed.items()}
    what = {name: f"needs {', '.join(x)}: pip install {peers.EXTRA}" for name, x in missing.items() if x}
    if asked and what:
        raise InvalidInput(Problem(f"study {name}", sentence) for name, sentence in what.items())
    for name, sentence in what.items():
        print(f"a3c: the study {name} is left out; it {sentence}", file=sys.stderr)
    return [study for study in wanted if study.name not in what]


class Workflow:
    """The plan behind the rules, made once when Snakemake reads the Snakefile.

    Attributes:
      scale: one of `study_file.SCALES`.
      studies: those asked for, or else all that have the scale, in alphabetical order.
      targets: what can be made at once, see `a3c.targets`; the first is made if nothing is asked for.
      mixing: the option of tables and reports that puts together what different code has trained, or none.
    """

    def __init__(self, config: Mapping[str, Any], experiments: Path, results: Path) -> None:
        """Reads and checks every study.

        Args:
          config: Snakemake's: `scale`; `studies` as names separated by commas, all of them by default; and `mix_code`,
            whether runs are put together that different code has trained, which is false by default.
          experiments: folder of the YAML files.
          results: folder of everything that is made.

        Raises:
          InvalidInput: with every problem of the configuration and of the studies.
        """
        wrong = [Problem("--config", unknown(key, CONFIG_KEYS)) for key in config if key not in CONFIG_KEYS]
        self.scale = str(config.get("scale", "laptop"))
        if self.scale not in SCALES:
            wrong.append(Problem("--config scale", unknown(self.scale, SCALES, "scale")))
        mix_code = str(config.get("mix_code", False)).lower()
        if mix_code not in ANSWERS:
            wrong.append(Problem("--config mix_code", unknown(mix_code, ANSWERS, "value")))
        present = studies(experiments)
        asked = [name for name in str(config.get("studies", "")).split(",") if name]
        wrong += [Problem("--config studies", unknown(name, present, "study")) for name in asked if name not in present]
        if wrong:
            raise InvalidInput(wrong)
        names = dict.fromkeys([*studies(experiments, self.scale), *asked])  # others may share runs, and time them
        every = load_studies(names, self.scale, experiments)
        outputs.check_views(every)
        read_claims(experiments)  # so that a mistake in them is found before anything is trained
        self.experiments = experiments
        self.results = results
        self.mixing = "--mix-code" if ANSWERS[mix_code] else ""
        self.studies = _trainable([study for study in every if not asked or study.name in asked], bool(asked))
        self.targets = find_targets(self.studies, self.scale, asked=bool(asked))
        self._shown = {target.name: outputs.summarized(target.studies) for target in self.targets}
        self._lifeline: lifeline.Lifeline | None = None
        self._runs = {run.folder: run for study in every for run in study.runs}
        self._timed = {run.folder for study in every if study.timing for run in study.runs}
        self._planned = {
            target.name: {run.folder: None for study in target.studies for run in study.runs} for target in self.targets
        }

    def games(self) -> list[str]:
        """Folder names of the games, for wildcard constraints."""
        return sorted({folder_name(run.settings.game) for run in self._runs.values()})

    def settings(self, wildcards: Mapping[str, str]) -> str:
        """A run's resolved settings as JSON: what decides whether it must be trained again."""
        return self._settings(wildcards).to_json()

    def threads(self, cores: int | None) -> Any:
        """A function from a run to its threads: one a process, or the whole machine for a timing."""

        def threads(wildcards: Mapping[str, str]) -> int:
            processes = self._settings(wildcards).processes
            return max(processes, cores or 1) if self._folder(wildcards) in self._timed else processes

        return threads

    def conditions(self, wildcards: Mapping[str, str]) -> str:
        """The options of `a3c train` that do not change what is learnt."""
        return "--timing" if self._folder(wildcards) in self._timed else "--no-timing"

    def megabytes(self, wildcards: Mapping[str, str]) -> int:
        """Memory that a run asks a batch system for."""
        return batch_system.megabytes(self._settings(wildcards))

    def minutes(self, wildcards: Mapping[str, str]) -> int:
        """Time that a run asks a batch system for."""
        return batch_system.minutes(self._settings(wildcards))

    def gres(self, wildcards: Mapping[str, str]) -> str:
        """What a run on a GPU asks SLURM for; no other batch system reads it."""
        return batch_system.gres(self._settings(wildcards))

    def exclusive(self, wildcards: Mapping[str, str]) -> str:
        """What a timing asks SLURM for beside that: a node to itself."""
        return "--exclusive" if self._folder(wildcards) in self._timed else ""

    def script(self, wildcards: Mapping[str, str]) -> str:
        """The program that trains a peer's run."""
        return str(self.experiments / peers.FOLDER / f"{self._run(wildcards).peer}.py")

    def code(self, wildcards: Mapping[str, str]) -> str:
        """What decides, beside its settings, whether a run must be trained again."""
        return run_fingerprint(self._settings(wildcards).own_functions)

    def peer_code(self, wildcards: Mapping[str, str]) -> str:
        """What decides, beside its settings, whether a peer's run must be trained again."""
        return peers.code(str(self._run(wildcards).peer), self.experiments)

    def plan(self, wildcards: Mapping[str, str]) -> str:
        """The list of the runs among which this one is counted: those of the first target that has it."""
        having = [name for name, folders in self._planned.items() if self._folder(wildcards) in folders]
        return str(self._plan_path(having[0] if having else self.targets[-1].name))

    def begin(self) -> None:
        """What Snakemake does before its first job: nobody else may work here, and its jobs end when it does.

        Ends with exit code 1 and a sentence if another Snakemake works in the results folder or nothing can be written.
        """
        try:
            self._lifeline = lifeline.Lifeline(self.results)
            self._write_plans()
        except (lifeline.WorkflowBusy, OSError) as error:
            print(f"a3c: {error}", file=sys.stderr)
            sys.exit(EXIT_FAILED)
        self._lifeline.let_go_on_signals()

    @property
    def stop_with(self) -> str:
        """The option that ends a job with this Snakemake; none where it is a job itself and did not `begin`."""
        return self._lifeline.option if self._lifeline else ""

    @property
    def a3c(self) -> str:
        """How a job calls our command line: with the Python that runs Snakemake, activated or not."""
        return f"{shlex.quote(sys.executable)} -m a3c {self.stop_with}"

    def last_words(self) -> str:
        """What to do after a workflow that was stopped, or in which a job failed."""
        if self._lifeline and self._lifeline.stopping:
            return "a3c: stopped; the same command goes on from the last checkpoints, and trains no finished run again"
        return (
            "a3c: a job failed, and the messages above say why; the same command tries it again and goes on with the "
            "rest, runs from their last checkpoints"
        )

    def _write_plans(self) -> None:
        """Writes each target's runs with their game and budget, for `a3c progress`."""
        (self.results / "logs").mkdir(parents=True, exist_ok=True)
        for name, folders in self._planned.items():
            runs = {folder: self._runs[folder].settings for folder in folders}
            plan = {f: {"game": s.game, "budget_frames": s.budget_frames} for f, s in runs.items()}
            write_json(self._plan_path(name), plan)

    def _plan_path(self, target: str) -> Path:
        return self.results / "logs" / f"plan_{target}.json"

    def sources(self, wildcards: Mapping[str, str]) -> list[str]:
        """The file that says that the run whose staleness this one draws from is finished; nothing for most runs."""
        order = self._settings(wildcards).order
        return [self._done(order.run)] if isinstance(order, MeasuredHistogram) else []

    def finished(self, study: Study) -> list[str]:
        """The files that say that the study's runs are finished."""
        return [str(path) for path in missing.finished(study, self.results)]

    def made_of(self, study: Study) -> list[str]:
        """What the study's tables are made of: its finished runs, and what its views have made of each of them."""
        return [str(path) for path in missing.made_of(study, self.results)]

    def asked(self, study: Study) -> str:
        """What decides a study's tables beside the files they are made of: variants may change names and no file."""
        runs = [(run.variant, run.point, run.folder) for run in study.runs]
        about = (runs, study.variants, study.sweep, study.views, study.published, study.timing)
        return hashlib.sha256(repr(about).encode()).hexdigest()[:12]

    def agreements(self) -> list[str]:
        """Replays of the first seed of every run that its recorded schedule determines."""
        runs = [run for study in self.studies for run in study.runs]
        ours = [run for run in runs if run.peer is None and run.settings.schedule != "hogwild"]
        chosen = {run.folder for run in ours if run.settings.seed == 0}
        return sorted(str(self.results / "replays" / folder / "agreement.json") for folder in chosen)

    def tables(self, study: Study) -> list[str]:
        """The study's tables."""
        return [str(path) for path in outputs.table_files(study, self.results)]

    def figures(self, study: Study, *endings: str) -> list[str]:
        """The study's figures, with these endings only if any are given."""
        paths = outputs.figure_files(study, self.results)
        return [str(path) for path in paths if not endings or path.suffix[1:] in endings]

    @property
    def summarized(self) -> list[Target]:
        """The targets of which a summary can be drawn."""
        return [target for target in self.targets if self._shown[target.name]]

    def summary_tables(self, target: Target) -> list[str]:
        """What a target's summary is drawn from."""
        return [str(path) for path in outputs.summary_tables(self._shown[target.name], self.results)]

    def summary(self, target: Target, *endings: str) -> list[str]:
        """A target's summary, with these endings only if any are given; nothing if none of its studies is in one."""
        paths = outputs.summary_files(self._shown[target.name], self.results, target.name)
        return [str(path) for path in paths if not endings or path.suffix[1:] in endings]

    def claimed(self, target: Target) -> list[str]:
        """What a target's ledger is made from: the tables of its studies, and the claims if there are any."""
        claims = claims_path(self.experiments)
        tables = [path for study in target.studies for path in self.tables(study)]
        return [*tables, *([str(claims)] if claims.exists() else [])]

    def ledger(self, target: Target) -> list[str]:
        """The ledger of claims on a target's studies."""
        paths = (ledger_path(self.results, target.name, ending) for ending in ("csv", "md"))
        return [*map(str, paths), str(properties_path(self.results, target.name))]

    def films(self, target: Target) -> str:
        """The list of the films that the report on a target shows."""
        return str(films_path(self.results, target.name))

    def report(self, target: Target) -> str:
        """The report on a target's studies."""
        return str(outputs.report_path(self.results, target.name))

    def tracked(self, target: Target) -> str:
        """The file that says that all runs of a target are shown in MLflow."""
        return str(self.results / "mlflow" / f"tracked_{target.name}")

    def products(self, target: Target) -> list[str]:
        """All that a target makes for people: Snakemake makes a file that is gone again only if it is asked for."""
        made = [path for study in target.studies for path in (*self.tables(study), *self.figures(study))]
        of_all = [*self.summary(target), *self.ledger(target), self.films(target), self.report(target)]
        return [*made, *of_all, self.tracked(target)]

    def benchmark(self, ending: str) -> str:
        """The benchmark of the code as it is."""
        return str(self.results / "benchmarks" / f"{machine.code_name()}.{ending}")

    def _done(self, folder: str) -> str:
        return str(self.results / "runs" / folder / "done.json")

    def _settings(self, wildcards: Mapping[str, str]) -> Settings:
        return self._run(wildcards).settings

    def _run(self, wildcards: Mapping[str, str]) -> Run:
        folder = self._folder(wildcards)
        if folder not in self._runs:
            raise KeyError(f"no study at scale {self.scale} asks for the run {folder}")
        return self._runs[folder]

    @staticmethod
    def _folder(wildcards: Mapping[str, str]) -> str:
        return f"{wildcards['game']}/{wildcards['id']}/seed{wildcards['seed']}"


def load_or_exit(config: Mapping[str, Any], experiments: str, results: str) -> Workflow:
    """The workflow; if its input is invalid, every problem on standard error and exit code 2, without a traceback."""
    try:
        return Workflow(config, Path(experiments), Path(results))
    except InvalidInput as error:
        print(f"a3c: {error}", file=sys.stderr)
        sys.exit(EXIT_INVALID)
