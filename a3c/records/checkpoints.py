"""Checkpoints of a run: folders that are complete or absent, and never believed without their hash.

    checkpoints/00000042/   run.npz, worker-0.npz, ..., checkpoint.json

A state is a tree of dictionaries, lists, numbers, text, bytes and arrays. Arrays lie in an `.npz` file beside the tree
as JSON, so nothing that is read can run code. `checkpoint.json` holds the SHA-256 of every file; it is written last,
into a temporary folder that is then renamed. The two newest are kept; where the newest is damaged, the one before is
used, and it is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from a3c.records.run_folder import sync_directory, write_json

FORMAT_VERSION = 1
FOLDER, DOCUMENT, TREE = "checkpoints", "checkpoint.json", "tree"
KEPT = 2

State = dict[str, Any]


class DamagedCheckpoint(Exception):
    """A checkpoint that is not what was written: the message says which file, and how."""


class Checkpoint(NamedTuple):
    """A complete checkpoint.

    Attributes:
      folder: where it is.
      number: counted from 1 over the run's life.
      facts: what was written into its document: what makes it this run's, and where it stands.
    """

    folder: Path
    number: int
    facts: dict[str, Any]

    def load(self, name: str) -> State:
        """One of its states."""
        return load_state(self.folder / f"{name}.npz")


class Checkpoints:
    """The checkpoints of one run folder, whose owner alone may hold this."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / FOLDER

    @property
    def unfinished(self) -> Path:
        """The temporary folder that a checkpoint is written into."""
        return self._folder / "unfinished"

    def begin(self) -> Path:
        """Empties the temporary folder."""
        temporary = self.unfinished
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        return temporary

    def commit(self, temporary: Path, facts: dict[str, Any]) -> Checkpoint:
        """Makes what lies in the temporary folder the newest checkpoint.

        Args:
          temporary: as `begin` returned it, with every state written.
          facts: to be found in `Checkpoint.facts`.
        """
        number = max(self._numbers(), default=0) + 1
        hashes = {path.name: _hash(path) for path in sorted(temporary.iterdir())}
        content = {"format_version": FORMAT_VERSION, "number": number, "sha256": hashes, "facts": facts}
        write_json(temporary / DOCUMENT, content)
        final = self._folder / f"{number:08d}"
        temporary.rename(final)
        sync_directory(self._folder)
        for old in sorted(self._numbers())[:-KEPT]:
            (self._folder / f"{old:08d}").rename(self.unfinished)  # a kill must not leave half of one under its name
            shutil.rmtree(self.unfinished)
        return Checkpoint(final, number, facts)

    def newest(self, facts: dict[str, Any]) -> Checkpoint | None:
        """The newest whole checkpoint with these facts; None if there is none. What is passed over is said.

        Args:
          facts: a checkpoint of other code or settings is not this run's.
        """
        for number in sorted(self._numbers(), reverse=True):
            folder = self._folder / f"{number:08d}"
            try:
                checkpoint = _verified(folder, number)
            except DamagedCheckpoint as error:
                print(f"a3c: {folder} is passed over: {error}", file=sys.stderr)
                continue
            differing = [key for key, value in facts.items() if checkpoint.facts.get(key) != value]
            if not differing:
                return checkpoint
            print(f"a3c: {folder} is passed over: of another {', '.join(differing)}", file=sys.stderr)
        return None

    def remove(self) -> None:
        """Removes them all: the run is finished, or begins anew."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _numbers(self) -> list[int]:
        if not self._folder.is_dir():
            return []
        return [int(path.name) for path in self._folder.iterdir() if path.name.isdecimal()]


def save_state(path: Path, state: State) -> None:
    """Writes a state and waits until it is on the disk.

    Raises:
      TypeError: if it holds something that is none of what a state is made of.
    """
    arrays: list[np.ndarray] = []
    tree = json.dumps(_flattened(state, arrays))
    parts: dict[str, Any] = {str(i): array for i, array in enumerate(arrays)}
    parts[TREE] = np.frombuffer(tree.encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **parts)
        file.flush()
        os.fsync(file.fileno())


def load_state(path: Path) -> State:
    """The state that `save_state` wrote.

    Raises:
      DamagedCheckpoint: if the file is not such a state.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            tree = json.loads(file[TREE].tobytes().decode())
            state: State = _restored(tree, file)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedCheckpoint(f"{path.name}: {error}") from error
    return state


def _flattened(value: Any, arrays: list[np.ndarray]) -> Any:
    """The value with arrays and bytes moved out."""
    if isinstance(value, np.ndarray | bytes | bytearray):
        array = value if isinstance(value, np.ndarray) else np.frombuffer(value, np.uint8)
        if array.dtype.hasobject:
            raise TypeError(f"an array of {array.dtype} cannot be part of a state")
        arrays.append(array)
        return {"$array" if isinstance(value, np.ndarray) else "$bytes": len(arrays) - 1}
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise TypeError(f"a state's keys are text: {list(value)}")
        return {key: _flattened(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_flattened(part, arrays) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} cannot be part of a state")


def _restored(tree: Any, arrays: Any) -> Any:
    if isinstance(tree, dict):
        if tree.keys() == {"$array"}:
            return arrays[str(tree["$array"])]
        if tree.keys() == {"$bytes"}:
            return arrays[str(tree["$bytes"])].tobytes()
        return {key: _restored(part, arrays) for key, part in tree.items()}
    return [_restored(part, arrays) for part in tree] if isinstance(tree, list) else tree


def _verified(folder: Path, number: int) -> Checkpoint:
    """The checkpoint in a folder, if every file is the one that was written.

    Raises:
      DamagedCheckpoint: if not.
    """
    try:
        content = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        version, hashes, facts = content["format_version"], content["sha256"], content["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpoint(f"{DOCUMENT}: {error}") from error
    if version != FORMAT_VERSION:
        raise DamagedCheckpoint(f"{DOCUMENT}: format version {version}, not {FORMAT_VERSION}")
    if content.get("number") != number or not isinstance(hashes, dict) or not isinstance(facts, dict):
        raise DamagedCheckpoint(f"{DOCUMENT}: not of this folder")
    for name, expected in hashes.items():
        path = folder / Path(name).name
        if not path.is_file():
            raise DamagedCheckpoint(f"{name} is missing")
        if _hash(path) != expected:
            raise DamagedCheckpoint(f"{name} has changed since it was written")
    return Checkpoint(folder, number, facts)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
