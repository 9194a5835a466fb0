"""Checkpoints of a run: folders that are complete or absent, and never believed without their hash.

    checkpoints/00000042/   run.npz, worker-0.npz, ..., checkpoint.json

A state is a tree of dictionaries, lists, numbers, text, bytes and arrays. Arrays lie in an `.npz` file beside the tree
as JSON, so nothing that is read can run code. `checkpoint.json` holds the size and SHA-256 of every file, and its own;
it is written last, into a temporary folder that is then renamed. The two newest are kept. One that is not what was
written is set aside as `00000042.damaged`, which is said, and the one before is used; if no other is left, the run does
not begin: whether the work behind them is to be given up is for a person to say.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from a3c.problems import InvalidInput, Problem
from a3c.records.checkpoint_document import DOCUMENT, Checkpoint, read_document, write_document
from a3c.records.states import DamagedCheckpoint, State, load_state, save_state
from a3c.records.storage import storing, sync_directory

__all__ = ["DOCUMENT", "Checkpoint", "Checkpoints", "DamagedCheckpoint", "State", "load_state", "save_state"]

FOLDER = "checkpoints"
KEPT = 2
ADVICE = (
    "nothing was changed: put checkpoints back as they were, or remove this folder and give the same command to begin "
    "the run anew"
)


class Checkpoints:
    """The checkpoints of one run folder; only its owner may change them."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / FOLDER

    @property
    def unfinished(self) -> Path:
        """The temporary folder that a checkpoint is written into."""
        return self._folder / "unfinished"

    @property
    def any(self) -> bool:
        """Whether something is there that is named like a checkpoint."""
        return bool(self._numbers())

    def begin(self) -> Path:
        """Empties the temporary folder.

        Raises:
          StorageError: if it cannot be made.
        """
        self.abandon()
        with storing(self.unfinished):
            self.unfinished.mkdir(parents=True)
        return self.unfinished

    def abandon(self) -> None:
        """Removes what was being written."""
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def commit(self, temporary: Path, facts: dict[str, Any]) -> Checkpoint:
        """Makes what lies in the temporary folder the newest checkpoint.

        Args:
          temporary: as `begin` returned it, with every state written.
          facts: to be found in `Checkpoint.facts`.

        Raises:
          StorageError: if it cannot be brought onto the disk; the checkpoints before it are as they were.
        """
        number = max(self._numbers(), default=0) + 1
        final = self._folder / f"{number:08d}"
        with storing(final):
            files = write_document(temporary, number, facts)
            temporary.rename(final)
            sync_directory(self._folder)
            sync_directory(self._folder.parent)
        for old in self._numbers()[:-KEPT]:
            self._remove(self._folder / f"{old:08d}")
        return Checkpoint(final, number, facts, files)

    def newest(self, facts: dict[str, Any]) -> Checkpoint | None:
        """The newest whole checkpoint with these facts; None if there is none. What is passed over is said.

        Args:
          facts: a checkpoint of other code or settings is not this run's.

        Raises:
          InvalidInput: if there is none, and a damaged one might have been it.
        """
        damaged: list[tuple[Path, DamagedCheckpoint]] = []
        for folder, found in self.found():
            if isinstance(found, DamagedCheckpoint):
                print(f"a3c: {folder} is passed over: {found}", file=sys.stderr)
                damaged.append((folder, found))
                continue
            differing = [key for key, value in facts.items() if found.facts.get(key) != value]
            if not differing:
                for damaged_folder, _ in damaged:
                    self._set_aside(damaged_folder)
                return found
            print(f"a3c: {folder} is passed over: of another {', '.join(differing)}", file=sys.stderr)
        if damaged:
            why = "; ".join(f"{folder.name}: {error}" for folder, error in damaged)
            raise InvalidInput([Problem(str(self._folder), f"no checkpoint can be gone on from ({why}); {ADVICE}")])
        strangers = [] if self._numbers() else sorted(self._folder.glob(f"*/{DOCUMENT}"))
        names = ", ".join(path.parent.name for path in strangers if path.parent != self.unfinished)
        if names:
            raise InvalidInput(
                [Problem(str(self._folder), f"no checkpoint has its own name ({names} has not); {ADVICE}")]
            )
        return None

    def found(self) -> Iterator[tuple[Path, Checkpoint | DamagedCheckpoint]]:
        """Every checkpoint that is there, newest first, or what is wrong with it; nothing is changed."""
        for number in reversed(self._numbers()):
            folder = self._folder / f"{number:08d}"
            try:
                checkpoint = read_document(folder, number)
                checkpoint.verify()
            except DamagedCheckpoint as error:
                yield folder, error
            else:
                yield folder, checkpoint

    def remove(self) -> None:
        """Removes them all: the run is finished, or begins anew."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _numbers(self) -> list[int]:
        """Of what is named like a checkpoint, ascending."""
        names = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        return sorted(int(name) for name in names if re.fullmatch(r"[0-9]{8,18}", name) and name == f"{int(name):08d}")

    def _remove(self, folder: Path) -> None:
        with storing(folder):
            folder.rename(self.unfinished)  # a kill must not leave half of one under its name
            if self.unfinished.is_dir() and not self.unfinished.is_symlink():
                shutil.rmtree(self.unfinished)
            else:
                self.unfinished.unlink()

    def _set_aside(self, folder: Path) -> None:
        """So that it neither counts as one of those that are kept nor is lost to whoever wants to look at it."""
        aside = folder.with_name(f"{folder.name}.damaged")
        with storing(aside):
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
