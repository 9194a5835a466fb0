"""What a run leaves when it is finished: its models, its policy where states can be listed, and that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.records import manifest as manifests
from a3c.records import run_folder
from a3c.records.manifest import Manifest
from a3c.records.storage import write_text
from a3c.settings import ActionValueSettings, Settings

if TYPE_CHECKING:
    from a3c.asynchrony.outcomes import Result
    from a3c.learning.flat import FlatNetwork


def write_models(folder: Path, network: FlatNetwork, settings: Settings, result: Result) -> None:
    """Final parameters with the optimizer's statistics, and those of the best evaluation point."""
    from a3c.asynchrony.rules import statistics_names
    from a3c.model_files import write_best, write_model

    names = statistics_names(settings.optimizer)
    statistics = [dict(zip(names, owner, strict=True)) for owner in result.statistics]
    write_model(folder, network, result.parameters, statistics)
    if result.best.point:  # 0 where no evaluation came to a score
        write_best(folder, network, result.best.parameters, result.best.point)
    network.vector.copy_(result.parameters)


def write_policy(folder: Path, network: FlatNetwork, settings: Settings) -> None:
    """Where states can be listed, the final policy's probabilities, for analysis without torch; greedy if values.

    Continuous actions have densities, and no such table.
    """
    import numpy as np
    import torch

    from a3c.asynchrony.behaviors import policy_probabilities

    if settings.network.kind != "table" or getattr(settings.environment, "continuous", False):
        return
    states = network.tensors[0].shape[0]
    with torch.no_grad():
        output = network.act(torch.arange(states), network.initial_state(states))[0].numpy()
    if isinstance(settings.algorithm, ActionValueSettings):
        probabilities = np.eye(output.shape[1])[output.argmax(-1)]
    else:
        probabilities = policy_probabilities(output[:, :-1])
    lines = ["state,action,probability"]
    for state, row in enumerate(probabilities):
        lines += [f"{state},{action},{float(p)!r}" for action, p in enumerate(row)]
    write_text(folder / run_folder.POLICY, "".join(f"{line}\n" for line in lines))


def finish(folder: Path, manifest: Manifest, result: Result) -> dict[str, Any]:
    """Says in the manifest and, last of all, in `done.json` that the run is finished; returns the latter's content."""
    facts = {
        "frames": result.frames,
        "updates": result.updates,
        "train_seconds": result.train_seconds,
        "start_seconds": result.start_seconds,
        "lost_update_fraction": result.lost_update_fraction,
        "peak_memory_bytes": result.peak_memory_bytes,
    }
    manifest.end(manifests.FINISHED, **facts)
    done = {**facts, "fingerprint": manifest.content["fingerprint"], "outcome": manifests.FINISHED}
    run_folder.write_json(folder / run_folder.DONE, done)
    return done
