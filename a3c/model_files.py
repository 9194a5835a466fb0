"""Trained parameters on disk: `model.pt` as they were in the end, `best.pt` as they were at the best evaluation point.

Both hold tensors only, by layer. They are zip archives that carry a checksum of every tensor, which torch does not look
at and `read_parameters` does: one flipped bit is found.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a3c.learning.flat import FlatNetwork
from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder
from a3c.records.storage import write_bytes


def write_model(folder: Path, network: FlatNetwork, parameters: Tensor, statistics: list[dict[str, Tensor]]) -> None:
    """Final parameters, and the optimizer's statistics: one entry, or one a worker.

    Args:
      folder: of the run.
      network: whose layers they are.
      parameters: float32 [P].
      statistics: by name, float32 [P] each.
    """
    content = {
        "parameters": network.named(parameters),
        "statistics": [{name: network.named(vector) for name, vector in owner.items()} for owner in statistics],
    }
    _save(content, folder / run_folder.MODEL)


def write_best(folder: Path, network: FlatNetwork, parameters: Tensor, point: int) -> None:
    """The parameters at the best evaluation point, float32 [P], and its number."""
    _save({"parameters": network.named(parameters), "point": torch.tensor(point)}, folder / run_folder.BEST)


def _save(content: dict[str, Any], path: Path) -> None:
    archive = io.BytesIO()
    torch.save(content, archive)
    write_bytes(path, archive.getbuffer())


def read_parameters(folder: Path, network: FlatNetwork, *, best: bool = False) -> None:
    """Gives the network the parameters that a finished run left.

    Args:
      folder: of the run.
      network: of the run's settings; its parameters are replaced.
      best: those of the best evaluation point, not those at the end of training.

    Raises:
      InvalidInput: if the file is missing or damaged, does not fit the network, or holds a number that is not finite.
    """
    path = folder / (run_folder.BEST if best else run_folder.MODEL)
    content = _load(path)
    try:
        layers = content["parameters"]
        found = {name: tuple(layer.shape) for name, layer in layers.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise _invalid(path, f"does not hold what a run leaves there: {error!r}") from None
    needed = {name: tuple(layer.shape) for name, layer in network.named(network.vector).items()}
    if found != needed:
        raise _invalid(path, f"holds layers {found}, but the network of the run's settings has {needed}")
    strange = [name for name, layer in layers.items() if not torch.isfinite(layer).all()]
    if strange:
        raise _invalid(path, f"holds numbers that are not finite, in {', '.join(strange)}")
    network.vector.copy_(network.flatten(layers[name] for name in needed))


def _load(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is None:
            return torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise _invalid(path, "is not there") from None
    except Exception as error:  # whatever zipfile, torch or its unpickler make of damaged bytes
        raise _invalid(path, f"is damaged: {str(error).splitlines()[0] if str(error) else repr(error)}") from None
    raise _invalid(path, f"is damaged: the checksum of {broken} is wrong")


def _invalid(path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), what)])
