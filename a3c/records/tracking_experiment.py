"""One experiment a game: what its page in MLflow says to somebody who has never seen it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.environments.games import folder_name
from a3c.records.notes import NOTE, is_ours, plain, signed
from a3c.records.points import BEST_SCORE, FINAL_SCORE, SPEED, STALENESS_MEAN, STALENESS_P99
from a3c.records.tracking_store import StoreUnusable, file_of

if TYPE_CHECKING:
    from a3c.records.tracking import Experiment, MlflowClient

# The table of runs as MLflow's "Save view" keeps it, in a tag of the experiment, and its columns.
VIEW, VIEW_NAME = "best_runs", "Best runs"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
COLUMNS = (
    *(f"metrics.`{metric}`" for metric in (FINAL_SCORE, STALENESS_MEAN, STALENESS_P99, BEST_SCORE, SPEED)),
    *("tags.`schedule`", "tags.`workers`", "tags.`studies`"),
)
COLUMN_PIXELS = 170


def experiment_of(client: MlflowClient, game: str, results: Path, uri: str) -> tuple[str, int]:
    """The game's experiment, created if there is none: its id, and when it was created, which tells stores apart.

    Raises:
      StoreUnusable: if somebody deleted it.
    """
    name = f"a3c/{game}"
    found = client.get_experiment_by_name(name) or _create(client, name, game, results, uri)
    if found.lifecycle_stage != "active":
        raise StoreUnusable(
            f"the experiment {name} was deleted in MLflow: restore it with"
            f" `mlflow experiments restore --experiment-id {found.experiment_id}`, then run `a3c track`"
        )
    _describe(client, found, game)
    return str(found.experiment_id), int(found.creation_time or 0)


def _create(client: MlflowClient, name: str, game: str, results: Path, uri: str) -> Experiment:
    # A server has a place of its own for artifacts.
    place = (results / "mlflow" / "artifacts" / folder_name(game)).resolve().as_uri() if file_of(uri) else None
    try:
        return client.get_experiment(client.create_experiment(name, place))
    except Exception:  # another machine may have been a moment faster
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found


def _describe(client: MlflowClient, found: Experiment, game: str) -> None:
    """Brings the note up to date, unless somebody has written another, and adds the ranking if it is missing."""
    note, old = signed(_note(game, found.experiment_id)), found.tags.get(NOTE, "")
    if old != note and (is_ours(old) or old == _first_note(game)):
        client.set_experiment_tag(found.experiment_id, NOTE, note)
    if VIEW_TAG not in found.tags:
        client.set_experiment_tag(found.experiment_id, VIEW_TAG, _view(found.creation_time or 0))


def _view(created_at_ms: int) -> str:
    """Runs by final score, with what is to be known of each as a whole."""
    state = {
        "orderByKey": f"metrics.`{FINAL_SCORE}`",
        "orderByAsc": False,
        "selectedColumns": COLUMNS,
        "columnOrder": COLUMNS,
        "columnWidths": dict.fromkeys(COLUMNS, COLUMN_PIXELS),
    }
    times = dict.fromkeys(("createdAt", "updatedAt"), created_at_ms)
    return json.dumps({"name": VIEW_NAME, **times, "state": json.dumps(state)})


def _note(game: str, experiment: str) -> str:
    """Its first line is all that is seen before it is unfolded."""
    ranking = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"
    return "\n".join(
        [
            f"[**{VIEW_NAME}**]({ranking}) ranks the runs of {plain(game)} by score and says how stale their gradients"
            " were; a run's description says how to make it again.",
            "",
            f"- `{FINAL_SCORE}` is the mean score of the final parameters, `{BEST_SCORE}` that of the best evaluation"
            " point. Every `run/...` is of a finished run as a whole.",
            f"- `{STALENESS_MEAN}` and `{STALENESS_P99}` are in updates, over all turns once every worker had pushed."
            " `staleness/...` are curves: their last value is that of the last interval.",
            "- Curves, in the chart view, are against emulator frames; group them by `variant`, `workers` or `seed`.",
            "- A run with the tag `studies` was asked for by these, under the name `variant`; one without was trained"
            " by hand, and is called by its `schedule`. `run_folder` holds its files, which are the truth.",
            "- The tables, the figures and the report of a study are in `results/`, where Snakemake ran.",
        ]
    )


def _first_note(game: str) -> str:
    """As an older version wrote it, without a mark."""
    return f"{game}: one run per (variant, workers, seed). Metrics are against emulator frames. Group by the tags."
