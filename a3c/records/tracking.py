"""MLflow as a view of the run folders: the one module that imports mlflow.

Files are the truth. A mirror reads them and sends what they hold, with the time stamps that the files hold, so that
sending anything twice changes nothing: a view can be rebuilt at any time, and a store that fails never harms a run.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.environments.games import folder_name
from a3c.records import run_folder
from a3c.records.manifest import FAILED, FINISHED, KILLED
from a3c.settings import Settings

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

STATUS = {FINISHED: "FINISHED", FAILED: "FAILED", KILLED: "KILLED"}

# Prefixes before the slash are the chart sections of the user interface.
INTERVAL_METRICS = {
    "score_mean": "train/score",
    "policy_loss": "loss/policy",
    "value_loss": "loss/value",
    "entropy": "loss/entropy",
    "value": "loss/value_predicted",
    "gradient_norm": "loss/gradient_norm",
    "learning_rate": "train/learning_rate",
    "updates": "train/updates",
    "staleness_mean": "staleness/mean",
    "staleness_p50": "staleness/p50",
    "staleness_p90": "staleness/p90",
    "staleness_p99": "staleness/p99",
    "staleness_max": "staleness/max",
    "frames_per_second": "speed/frames_per_second",
    "seconds": "speed/seconds",
}

SAMPLE_METRICS = {
    "distance": "drift/distance",
    "gradient_cosine": "drift/gradient_cosine",
    "kl": "drift/kl",
    "ratio_max": "drift/ratio_max",
    "lock_wait_seconds": "speed/lock_wait_seconds",
}

ARTIFACTS = (
    run_folder.SETTINGS, run_folder.MANIFEST, run_folder.EPISODES, run_folder.INTERVALS, run_folder.EVALUATIONS,
    run_folder.SAMPLES, run_folder.HISTOGRAM,
    run_folder.SCHEDULE, run_folder.POLICY, run_folder.MODEL, run_folder.DONE,
)  # fmt: skip

BATCH_METRICS = 1000


def connect(uri: str) -> MlflowClient:
    """A client without telemetry, and with few retries: a dead server must not hold anybody up for minutes."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def default_uri(results: Path) -> str:
    """The local SQLite store below a results folder, by its absolute path."""
    return f"sqlite:///{(results / 'mlflow' / 'mlflow.db').resolve()}"


def create_store(uri: str, games: list[str], results: Path) -> None:
    """Creates the store and one experiment per game, before any trainer runs.

    Several first-time writers side by side would each try to create the tables and wreck the store.
    """
    (results / "mlflow").mkdir(parents=True, exist_ok=True)
    client = connect(uri)
    for game in games:
        experiment_of(client, game, results)


def experiment_of(client: MlflowClient, game: str, results: Path) -> str:
    """The id of the game's experiment, created if there is none."""
    from mlflow.exceptions import MlflowException

    name = f"a3c/{game}"
    found = client.get_experiment_by_name(name)
    if found is None:
        location = (results / "mlflow" / "artifacts" / folder_name(game)).resolve().as_uri()
        note = f"{game}: one run per (variant, workers, seed). Metrics are against emulator frames. Group by the tags."
        try:
            return str(client.create_experiment(name, location, tags={"mlflow.note.content": note}))
        except MlflowException:  # somebody else created it in between
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


class Mirror:
    """One run folder's view in MLflow."""

    def __init__(self, folder: Path, results: Path, uri: str, tags: dict[str, str] | None = None) -> None:
        """Connects and finds or creates the run.

        Args:
          folder: of the run; its settings and manifest must be there.
          results: the results folder, for the place of artifacts.
          uri: of the store.
          tags: further tags, such as the studies that asked for the run.
        """
        self._folder = folder
        self._uri = uri
        self._client = connect(uri)
        self._sent: dict[str, int] = {}
        self._settings = Settings.from_json((folder / run_folder.SETTINGS).read_text())
        self._experiment = experiment_of(self._client, self._settings.game, results)
        self._manifest = run_folder.read_json(folder / run_folder.MANIFEST)
        self._run_id = self._find_or_create({**self._tags(), **(tags or {})})

    def send(self) -> None:
        """Sends the rows that the files have gained."""
        metrics = [
            *self._row_metrics(run_folder.INTERVALS, INTERVAL_METRICS),
            *self._row_metrics(run_folder.SAMPLES, SAMPLE_METRICS),
            *self._evaluation_metrics(),
        ]
        for begin in range(0, len(metrics), BATCH_METRICS):
            self._client.log_batch(self._run_id, metrics=metrics[begin : begin + BATCH_METRICS])

    def finish(self, outcome: str) -> None:
        """Sends all there is, the artifacts too, and closes the run."""
        self.send()
        manifest = run_folder.read_json(self._folder / run_folder.MANIFEST)
        for name in ARTIFACTS:
            if (self._folder / name).exists():
                self._client.log_artifact(self._run_id, str(self._folder / name))
        ended = manifest["started_at_ms"] + int(1000 * manifest.get("wall_seconds", 0))
        self._client.set_terminated(self._run_id, STATUS[outcome], end_time=ended)
        tracked = {
            "run_id": self._run_id,
            "uri": self._uri,
            "started_at_ms": manifest["started_at_ms"],
            "complete": True,
        }
        run_folder.write_json(self._folder / run_folder.TRACKED, tracked)

    def _find_or_create(self, tags: dict[str, str]) -> str:
        """The folder's own run if this start of it has one; an earlier start's that never ended is closed."""
        started = str(self._manifest["started_at_ms"])
        found = self._client.search_runs([self._experiment], f"tags.run_folder = '{tags['run_folder']}'")
        run_id = None
        for run in found:
            if run.data.tags.get("started_at_ms") == started:
                run_id = run.info.run_id
            elif run.info.status == "RUNNING":
                self._client.set_terminated(run.info.run_id, "KILLED")
        if run_id is None:
            run_id = self._create(tags | {"started_at_ms": started})
        return run_id

    def _create(self, tags: dict[str, str]) -> str:
        from mlflow.entities import Param

        name = f"{tags.get('variant', self._settings.schedule)}-w{self._settings.workers}-s{self._settings.seed}"
        run = self._client.create_run(
            self._experiment, start_time=self._manifest["started_at_ms"], tags=tags, run_name=name
        )
        params = [Param(key, str(value)) for key, value in _flat(self._settings.model_dump(mode="json")).items()]
        self._client.log_batch(run.info.run_id, params=params)
        return str(run.info.run_id)

    def _tags(self) -> dict[str, str]:
        settings, manifest = self._settings, self._manifest
        facts = ("commit", "dirty", "fingerprint", "command", "cpu", "cores", "oversubscribed", "timing")
        return {
            "game": settings.game,
            "schedule": settings.schedule,
            "workers": str(settings.workers),
            "seed": str(settings.seed),
            "settings_id": settings.id,
            "run_folder": str(self._folder.resolve()),
            **{fact: str(manifest[fact]) for fact in facts},
        }

    def _row_metrics(self, file: str, names: dict[str, str]) -> list[Metric]:
        """The columns of a file's new rows that have a name as a metric, where they are not empty."""
        return [
            self._metric(name, row[column], row)
            for row in self._new_rows(file)
            for column, name in names.items()
            if row[column]
        ]

    def _evaluation_metrics(self) -> list[Metric]:
        """One point per evaluation, at its place on the grid that all seeds share."""
        points: dict[str, list[dict[str, str]]] = {}
        for row in self._new_rows(run_folder.EVALUATIONS):
            points.setdefault(row["target_frames"], []).append(row)
        metrics = []
        for target, rows in points.items():
            scores = [float(row["score"]) for row in rows]
            place = {"frames": target, "seconds": rows[0]["seconds"]}
            metrics.append(self._metric("evaluation/score_mean", str(sum(scores) / len(scores)), place))
            metrics.append(self._metric("evaluation/score_min", str(min(scores)), place))
            metrics.append(self._metric("evaluation/score_max", str(max(scores)), place))
        return metrics

    def _metric(self, name: str, value: str, row: dict[str, str]) -> Metric:
        from mlflow.entities import Metric

        at = self._manifest["started_at_ms"] + int(1000 * float(row["seconds"]))
        return Metric(name, float(value), at, int(row["frames"]))

    def _new_rows(self, name: str) -> list[dict[str, str]]:
        """Whole lines that the file has gained since the last call."""
        path = self._folder / name
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            text = file.read()
        whole = text[: text.rfind("\n") + 1].splitlines()
        rows = list(csv.DictReader(whole))
        new = rows[self._sent.get(name, 0) :]
        self._sent[name] = len(rows)
        return new


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
