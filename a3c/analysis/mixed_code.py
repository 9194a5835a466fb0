"""Whether the runs that a study's tables put together were trained by one code.

Each run's manifest holds the fingerprint of the code that trained it, see `a3c.fingerprint`. When the code changes,
Snakemake trains again what it trained itself; what it did not, such as another machine's runs, it takes for finished.

Like is held against like: the fingerprint of a peer's runs stands for its script and version as well, that of runs with
functions of the user's own for the files of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from a3c.plan import Run, Study
from a3c.records import run_folder


class Kind(NamedTuple):
    """What a run's fingerprint stands for beside the package's code; runs of one kind should have one fingerprint.

    Attributes:
      peer: the other project's program that trains it; None for our trainer.
      own_functions: the user's own, `package.module:function` each.
    """

    peer: str | None
    own_functions: tuple[str, ...]

    def __str__(self) -> str:
        if self.peer:
            return f"runs of the peer {self.peer}"
        return f"runs with {', '.join(self.own_functions)}" if self.own_functions else "runs"


class Mixture(NamedTuple):
    """The runs of one kind in a study, if different code has trained them.

    Attributes:
      kind: of all of them.
      folders: fingerprint -> folders of its runs in the study's order, the fingerprint with most runs first.
    """

    kind: Kind
    folders: dict[str, list[Path]]


def mixtures(study: Study, results: Path) -> list[Mixture]:
    """What different code has trained among a study's runs; nothing if each kind of them has one fingerprint.

    Args:
      study: every run of it finished.
      results: the folder that holds `runs/`.

    Raises:
      FileNotFoundError: if a run has no manifest.
    """
    found: dict[Kind, dict[str, list[Path]]] = {}
    for run in {run.folder: run for run in study.runs}.values():
        folder = results / "runs" / run.folder
        code = str(run_folder.read_json(folder / run_folder.MANIFEST)["fingerprint"])
        found.setdefault(_kind(run), {}).setdefault(code, []).append(folder)
    return [Mixture(kind, _most_first(folders)) for kind, folders in found.items() if len(folders) > 1]


def _kind(run: Run) -> Kind:
    return Kind(run.peer, () if run.peer else tuple(sorted(run.settings.own_functions)))


def _most_first(folders: dict[str, list[Path]]) -> dict[str, list[Path]]:
    return dict(sorted(folders.items(), key=lambda item: (-len(item[1]), item[0])))


def remark(study: Study, results: Path) -> str:
    """A sentence for all that is made of a study's runs where different code has trained them; empty elsewhere.

    Raises:
      FileNotFoundError: if a run has no manifest.
    """
    found = [
        f"of the {kind}, {', '.join(f'{len(of)} trained by {code}' for code, of in folders.items())}"
        for kind, folders in mixtures(study, results)
    ]
    return f"MIXED CODE, which may be why runs differ: {'; '.join(found)}." if found else ""
