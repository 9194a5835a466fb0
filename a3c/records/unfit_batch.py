"""What a turn was made of whose numbers are not finite: `not_finite.npz`, which `numpy.load` reads without pickles.

worker               int64 [], whose turn it was
read                 int64 [], the version of the parameters
frames               int64 [], the global frame counter at their pull
what                 str, what is not finite
parameters           float32 [P], of that version
observation          [T, B, *shape], what was acted on; [B, *shape] if the network's output for it is not finite
action, reward, discount, bootstrap_value, ...       of the rollout, as in `a3c.learning.rollouts.Rollout`
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from a3c.records.run_folder import NOT_FINITE
from a3c.records.storage import write_bytes

LOOKED_AT = ("parameters", "observation", "state", "reward", "bootstrap_value", "following_value", "final_observation")


class UnfitBatch(NamedTuple):
    """One turn that was not applied.

    Attributes:
      worker: whose turn it was.
      read: the version of the parameters.
      frames: the global frame counter at their pull.
      what: what is not finite, in words.
      arrays: by name, see the module.
    """

    worker: int
    read: int
    frames: int
    what: str
    arrays: Mapping[str, np.ndarray]

    def sentence(self) -> str:
        """Who met it and when."""
        where = f"worker {self.worker}, in the turn that read version {self.read:,} (frame {self.frames:,})"
        return f"{where}, met a number that is not finite: {self.what}"


def first_not_finite(arrays: Mapping[str, np.ndarray]) -> str | None:
    """The first array, in the order in which a turn comes to them, that has a NaN or an infinity; None if none has."""
    for name in LOOKED_AT:
        array = arrays.get(name)
        if array is None or array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        wrong = np.argwhere(~np.isfinite(array))
        place = wrong[0].tolist()
        return f"{name.replace('_', ' ')} {array[tuple(place)]} at {place} ({len(wrong):,} of {array.size:,} numbers)"
    return None


def write_unfit_batch(folder: Path, batch: UnfitBatch) -> Path:
    """Writes the file, whole or not at all.

    Args:
      folder: of the run.
      batch: the turn.

    Raises:
      StorageError: if it cannot be written.
    """
    facts = {"worker": batch.worker, "read": batch.read, "frames": batch.frames, "what": batch.what}
    file, path = io.BytesIO(), folder / NOT_FINITE
    np.savez_compressed(file, allow_pickle=False, **{k: np.asarray(v) for k, v in facts.items()}, **batch.arrays)
    write_bytes(path, file.getvalue())
    return path
