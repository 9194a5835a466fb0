"""A state as one file: a tree of dictionaries, lists, numbers, text, bytes and arrays, and nothing that can run code.

Arrays and bytes lie in an `.npz` archive, the tree beside them as JSON.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from a3c.records.storage import append, storing

TREE = "tree"

State = dict[str, Any]


class DamagedCheckpoint(Exception):
    """A checkpoint that is not what was written: the message says which file, and how."""


def save_state(path: Path, state: State) -> None:
    """Writes a state and waits until it is on the disk.

    Raises:
      StorageError: if it cannot be written.
      TypeError: if it holds something that is none of what a state is made of.
    """
    arrays: list[np.ndarray] = []
    tree = json.dumps(_flattened(state, arrays))
    parts: dict[str, Any] = {str(i): array for i, array in enumerate(arrays)}
    parts[TREE] = np.frombuffer(tree.encode(), np.uint8)
    archive = io.BytesIO()
    np.savez(archive, **parts)
    with storing(path, archive.tell()), path.open("wb", buffering=0) as file:
        append(file, archive.getbuffer())
        os.fsync(file.fileno())


def load_state(path: Path) -> State:
    """The state that `save_state` wrote.

    Raises:
      DamagedCheckpoint: if the file is not such a state.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedCheckpoint(f"{path.name} cannot be read: {error.strerror}") from error
    return parse_state(data, path.name)


def parse_state(data: bytes, name: str) -> State:
    """The state in a file's bytes.

    Args:
      data: all of the file.
      name: of the file, for messages.

    Raises:
      DamagedCheckpoint: if they are not such a state.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            tree = json.loads(file[TREE].tobytes().decode())
            state = _restored(tree, file)
    except Exception as error:  # whatever zipfile, numpy and json make of damaged bytes
        raise DamagedCheckpoint(f"{name}: {error}") from error
    if not isinstance(state, dict):
        raise DamagedCheckpoint(f"{name} holds no state")
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
