"""MLflow as a view of the run folders: the one module that imports mlflow.

Files are the truth. A mirror makes a run in MLflow hold what the files of its folder hold: it asks MLflow what is there
and sends what is missing, so that it may be cut off at any place, and sending anything twice changes nothing. A point's
time is the run's start there plus the training that the file counts, which stays when a run goes on from a checkpoint.

MLflow takes no point back. Where a run holds one that the files do not (any more), because the run was cut back to its
checkpoint or began anew, it is deleted there, with a tag that says so, and another is made from the files: deleted runs
are hidden, and can be looked at and restored until `mlflow gc`.

Many machines may share a server, with run folders of the same paths and settings. A run is a folder's if it was made
from the same results folder, which has a random name for this, or if it began in the same millisecond, though it was
copied to another results folder since.
"""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.records import run_folder
from a3c.records.description import TAG_CHARACTERS, description, reason, run_name, run_tags
from a3c.records.manifest import FAILED, FINISHED, KILLED, RUNNING
from a3c.records.notes import NOTE, is_ours, signed
from a3c.records.points import FILES, Point, point, points_of
from a3c.records.tracking_store import StoreUnusable, check, file_of, is_missing
from a3c.settings import Settings

if TYPE_CHECKING:
    from mlflow.entities import Experiment as Experiment
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient as MlflowClient

STATUS = {RUNNING: "RUNNING", FINISHED: "FINISHED", FAILED: "FAILED", KILLED: "KILLED"}
REASON, REPLACED, RESULTS_ID = "reason", "replaced", "results_id"
TAKEN_BACK = "the run folder no longer holds every point of this run; another run shows what it holds"

ARTIFACTS = (
    run_folder.SETTINGS, run_folder.MANIFEST, run_folder.EPISODES, run_folder.INTERVALS, run_folder.EVALUATIONS,
    run_folder.SAMPLES, run_folder.HISTOGRAM,
    run_folder.SCHEDULE, run_folder.POLICY, run_folder.MODEL, run_folder.DONE,
)  # fmt: skip

# MLflow's limits, as `TAG_CHARACTERS`; below the last two it would cut values itself and not say where the rest is.
BATCH_METRICS, BATCH_PARAMETERS = 1000, 100
KEY_CHARACTERS, PARAMETER_CHARACTERS = 250, 6000
CUT = " ... (all of it is in settings.json)"

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a dead server must not hold anybody up for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # a store that was replaced is found by the next call
}


def prepare() -> None:
    """Loads MLflow, which takes seconds, so that it is silent, sends no telemetry and soon gives up.

    Raises:
      StoreUnusable: if it is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow.tracking
    except ModuleNotFoundError as error:
        raise StoreUnusable(f"MLflow cannot be loaded ({error}): install a3c[pipeline]") from None
    for name in (mlflow.__name__, "alembic"):  # they write errors with tracebacks that are raised as well
        logging.getLogger(name).setLevel(logging.CRITICAL)


def connect(uri: str) -> MlflowClient:
    """A client of a store."""
    prepare()
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def open_store(uri: str) -> None:
    """Makes sure that there is a whole store, in the caller's own turn.

    A new SQLite store is made under another name: one that is killed half-way, or two at once, would wreck it.

    Raises:
      StoreUnusable: if nothing can be shown there.
    """
    check(uri)
    path = file_of(uri)
    if path is None or not is_missing(path):
        return
    new = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns()}")
    try:
        connect(f"sqlite:///{new}")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


class Mirror:
    """One run folder's view in MLflow."""

    def __init__(self, folder: Path, experiment: str, client: MlflowClient, tags: dict[str, str]) -> None:
        """Finds or creates the run.

        Args:
          folder: of the run; its settings and manifest must be there.
          experiment: id of the game's.
          client: of the store.
          tags: further tags, such as the studies that asked for the run; RESULTS_ID names the results folder.
        """
        self._folder, self._experiment, self._client = folder, experiment, client
        self._settings = Settings.from_json((folder / run_folder.SETTINGS).read_text())
        self._manifest = run_folder.read_json(folder / run_folder.MANIFEST)
        self._tags = run_tags(folder, self._settings, self._manifest) | tags
        self._shown: set[tuple[Point, int]] = set()
        found = self._find()
        for run in found[:-1]:  # an older version made one for each start
            self._retire(run.info.run_id)
        self._open(found[-1]) if found else self._create()

    def show(self, outcome: str) -> str:
        """Makes the run hold what the files hold, and be what the outcome says; returns its id."""
        held = points_of(self._folder, self._settings.evaluation.episodes, ended=outcome != RUNNING)
        if not self._shown <= self._timed(held):
            self._retire(self._run_id)
            self._create()
        self._send(self._timed(held) - self._shown)
        if outcome != RUNNING:
            self._close(outcome, held)
        return self._run_id

    def _timed(self, points: set[Point]) -> set[tuple[Point, int]]:
        """The points, each with its time in MLflow."""
        return {(found, self._origin + found.milliseconds) for found in points}

    def _send(self, missing: set[tuple[Point, int]]) -> None:
        from mlflow.entities import Metric

        ordered = sorted(missing, key=lambda pair: (pair[1], pair[0].metric, pair[0].frames))
        for begin in range(0, len(ordered), BATCH_METRICS):
            batch = ordered[begin : begin + BATCH_METRICS]
            metrics = [Metric(found.metric, found.value, at, found.frames) for found, at in batch]
            self._client.log_batch(self._run_id, metrics=metrics)
            self._shown.update(batch)

    def _close(self, outcome: str, held: set[Point]) -> None:
        """Sends what the run left, and says how and when it ended."""
        manifest = run_folder.read_json(self._folder / run_folder.MANIFEST)
        for name in ARTIFACTS:
            if (self._folder / name).exists():
                self._client.log_artifact(self._run_id, str(self._folder / name))
        if outcome != FINISHED:
            self._client.set_tag(self._run_id, REASON, reason(manifest)[:TAG_CHARACTERS])
        self._explain(outcome, manifest, held)
        if "wall_seconds" in manifest:
            seconds = manifest["wall_seconds"] - manifest.get("earlier_seconds", 0.0)  # of the last start
            ended = manifest["started_at_ms"] + int(1000 * seconds)
        else:  # nobody wrote when it ended: its last sign of life
            written = [self._folder / name for name in (run_folder.MANIFEST, *FILES)]
            ended = max(int(1000 * path.stat().st_mtime) for path in written if path.exists())
        self._client.set_terminated(self._run_id, STATUS[outcome], end_time=ended)
        for run in self._find():  # a request for a run that is tried again, since no answer came, makes two
            if run.info.run_id != self._run_id:
                self._retire(run.info.run_id)

    def _find(self) -> list[Run]:
        """The runs that show this folder, the last to start at the end; more than one is too many."""
        wanted = f"tags.settings_id = '{self._settings.id}' and tags.seed = '{self._settings.seed}'"
        token, found = None, []
        while True:
            page = self._client.search_runs([self._experiment], wanted, page_token=token)
            found += [run for run in page if self._is_ours(run)]
            token = page.token
            if not token:
                return sorted(found, key=lambda run: int(run.info.start_time))

    def _is_ours(self, run: Run) -> bool:
        """Whether a run of these settings and this seed shows this folder; older versions named no results folder."""
        tags, results = run.data.tags, self._tags.get(RESULTS_ID)
        there, here = Path(tags.get("run_folder", "")), Path(self._tags["run_folder"])
        if run.info.start_time == self._manifest["started_at_ms"]:
            return there.parts[-3:] == here.parts[-3:]  # it may have been copied from another results folder
        return there == here and tags.get(RESULTS_ID, results) == results

    def _open(self, run: Run) -> None:
        """Goes on with a run, knowing what it holds."""
        self._run_id, self._origin = str(run.info.run_id), int(run.info.start_time)
        self._describe()
        if REASON in run.data.tags:
            self._client.delete_tag(self._run_id, REASON)
        if run.info.status != STATUS[RUNNING]:
            self._client.update_run(self._run_id, status=STATUS[RUNNING])
        self._shown = {
            (point(key, held.value, held.step, held.timestamp - self._origin), held.timestamp)
            for key in run.data.metrics
            for held in self._client.get_metric_history(self._run_id, key)
        }

    def _create(self) -> None:
        name = run_name(self._settings, self._tags.get("variant", ""))
        self._origin = int(self._manifest["started_at_ms"])
        # Without these nobody would find the run again, if the rest did not get there.
        names = ("run_folder", "settings_id", "seed", RESULTS_ID)
        found_by = {name: self._tags[name] for name in names if name in self._tags}
        run = self._client.create_run(self._experiment, start_time=self._origin, tags=found_by, run_name=name)
        self._run_id, self._shown = str(run.info.run_id), set()
        self._describe()

    def _describe(self) -> None:
        """Settings and tags, as far as MLflow takes them; saying them again changes nothing."""
        from mlflow.entities import Param, RunTag

        settings = _flat(self._settings.model_dump(mode="json"))
        texts = {_key(key): _cut(str(value), PARAMETER_CHARACTERS) for key, value in settings.items()}
        parameters = [Param(key, text) for key, text in texts.items()]
        for begin in range(0, len(parameters), BATCH_PARAMETERS):
            self._client.log_batch(self._run_id, params=parameters[begin : begin + BATCH_PARAMETERS])
        tags = [RunTag(_key(key), text[:TAG_CHARACTERS]) for key, text in self._tags.items()]
        self._client.log_batch(self._run_id, tags=tags)
        self._explain(RUNNING, self._manifest, set())

    def _explain(self, outcome: str, manifest: dict[str, Any], held: set[Point]) -> None:
        """Brings the description up to date, unless somebody has written another."""
        if not is_ours(self._client.get_run(self._run_id).data.tags.get(NOTE, "")):
            return
        studies = self._tags.get("studies", "")
        text = description(self._folder, self._settings, manifest, outcome, held, studies)
        self._client.set_tag(self._run_id, NOTE, signed(text))

    def _retire(self, run_id: str) -> None:
        self._client.set_tag(run_id, REPLACED, TAKEN_BACK)
        self._client.set_terminated(run_id, STATUS[KILLED])
        self._client.delete_run(run_id)


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _key(name: str) -> str:
    """A name that MLflow takes: letters and digits of any script, and some signs."""
    return re.sub(r"[^\w.\- :]", "_", name)[:KEY_CHARACTERS]


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - len(CUT)] + CUT
