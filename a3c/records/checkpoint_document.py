"""The document of a checkpoint, which says what each of its files was when it was written, and its own hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from a3c.records.states import DamagedCheckpoint, State, parse_state
from a3c.records.storage import write_text

FORMAT_VERSION = 2
DOCUMENT = "checkpoint.json"
MOST_DOCUMENT_BYTES = 16 << 20
LENGTHS = ("run", "lengths")  # where a run's state says how long its growing files are

FILE_NAME = re.compile(r"[a-z][a-z0-9-]*\.npz")


class Checkpoint(NamedTuple):
    """A complete checkpoint.

    Attributes:
      folder: where it is.
      number: counted from 1 over the run's life.
      facts: what was written into its document: what makes it this run's, and where it stands.
      files: size in bytes and SHA-256 of each of its files, by name.
    """

    folder: Path
    number: int
    facts: dict[str, Any]
    files: dict[str, tuple[int, str]]

    def load(self, name: str) -> State:
        """One of its states, made of the very bytes whose hash is checked.

        Raises:
          DamagedCheckpoint: if its file is not the one that was written.
        """
        return parse_state(self._read(f"{name}.npz"), f"{name}.npz")

    def verify(self) -> None:
        """Reads every file.

        Raises:
          DamagedCheckpoint: if one is not what was written, or if a file that the run would go on with is too short.
        """
        for name in self.files:
            if f"{LENGTHS[0]}.npz" != name:
                self._read(name)
        for name, length in self.load(LENGTHS[0]).get(LENGTHS[1], {}).items():
            path = self.folder.parent.parent / name
            found = path.stat().st_size if path.is_file() else 0
            if found < length:
                raise DamagedCheckpoint(f"it goes on with {name}, which has {found} bytes of the {length} it needs")

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        if name not in self.files or not path.is_file():
            raise DamagedCheckpoint(f"{name} is missing")
        length, digest = self.files[name]
        try:
            found = path.stat().st_size
            data = path.read_bytes() if found == length else b""
        except OSError as error:
            raise DamagedCheckpoint(f"{name} cannot be read: {error.strerror}") from error
        if len(data) != length:
            raise DamagedCheckpoint(f"{name} has {found} bytes, not the {length} that were written")
        if hashlib.sha256(data).hexdigest() != digest:
            raise DamagedCheckpoint(f"{name} has changed since it was written")
        return data


def read_document(folder: Path, number: int) -> Checkpoint:
    """The checkpoint that a folder's document describes; its files are not looked at.

    Raises:
      DamagedCheckpoint: if the document is not the one that was written for this folder.
    """
    try:
        content = json.loads(_document_bytes(folder / DOCUMENT))
        version, digest = content["format_version"], content.pop("sha256", None)
        if version != FORMAT_VERSION:
            raise DamagedCheckpoint(f"{DOCUMENT} has format version {version}, not {FORMAT_VERSION}")
        if digest != _digest(content):
            raise DamagedCheckpoint(f"{DOCUMENT} has changed since it was written")
        files = {str(name): (int(length), str(sha256)) for name, (length, sha256) in content["files"].items()}
        facts, written_for = dict(content["facts"]), content["number"]
    except OSError as error:
        raise DamagedCheckpoint(f"{DOCUMENT} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedCheckpoint(f"{DOCUMENT} is not what a checkpoint has there ({error!r})") from error
    if written_for != number:
        raise DamagedCheckpoint(f"{DOCUMENT} is of checkpoint {written_for}, not of this folder")
    wrong = [name for name in files if not FILE_NAME.fullmatch(name)]
    if wrong:
        raise DamagedCheckpoint(f"{DOCUMENT} names {wrong[0]!r}, which is no file of a checkpoint")
    return Checkpoint(folder, number, facts, files)


def _document_bytes(path: Path) -> bytes:
    """Of a regular file that is no longer than a document can be: a link may lead to a device without end."""
    if path.exists() and not path.is_file():
        raise DamagedCheckpoint(f"{DOCUMENT} is no file")
    with path.open("rb") as file:
        data = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(data) > MOST_DOCUMENT_BYTES:
        raise DamagedCheckpoint(f"{DOCUMENT} has more than {MOST_DOCUMENT_BYTES} bytes")
    return data


def write_document(folder: Path, number: int, facts: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Writes the document of a folder that holds every other file of its checkpoint.

    Returns:
      Size in bytes and SHA-256 of each of them, by name.

    Raises:
      OSError: if they cannot be read, or the document cannot be written.
    """
    files = {path.name: _measured(path) for path in sorted(folder.iterdir())}
    content = {"format_version": FORMAT_VERSION, "number": number, "files": files, "facts": facts}
    text = json.dumps(content | {"sha256": _digest(content)}, indent=2, sort_keys=True)
    write_text(folder / DOCUMENT, text + "\n")
    return files


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _measured(path: Path) -> tuple[int, str]:
    """A file's size and hash."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
