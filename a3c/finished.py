"""Whether a run need not be trained, since it was. Never imports torch.

Snakemake deletes `done.json` before it starts a job, also where the job was over and only Snakemake was killed before
it had noted so. What else the run left says that it is finished, and then nothing is trained again.
"""

from __future__ import annotations

from pathlib import Path

from a3c.records import run_folder
from a3c.records.checkpoints import Checkpoints
from a3c.records.manifest import FINISHED
from a3c.settings import MeasuredHistogram, Settings

# Of the manifest, which is complete before `done.json` is written.
NOTED = (
    "frames", "updates", "train_seconds", "start_seconds", "lost_update_fraction", "peak_memory_bytes", "fingerprint",
    "outcome",
)  # fmt: skip


def restore(folder: Path, settings: Settings, code: str) -> bool:
    """Whether a folder holds this run, finished; if so, `done.json` is put back as it was if it is missing.

    A run is another one if its settings or the meaning of the training code differ, or if the run that it draws its
    staleness from was trained again since. Where it was trained does not matter.

    Args:
      folder: of the run.
      settings: what the run is to be.
      code: the fingerprint of what would train it.
    """
    path, done = folder / run_folder.MANIFEST, folder / run_folder.DONE
    try:
        manifest = run_folder.read_json(path)
        same = run_folder.read_json(folder / run_folder.SETTINGS) == settings.model_dump(mode="json")
    except (FileNotFoundError, ValueError):  # ValueError: cut short by a power failure
        return False
    if not same or manifest.get("outcome") != FINISHED or manifest.get("fingerprint") != code:
        return False
    if not _drew_from(folder, settings):
        return False
    if not done.exists():
        Checkpoints(folder).remove()  # the trainer may have been killed before it did
        run_folder.write_json(done, {name: manifest[name] for name in NOTED if name in manifest})
    return True


def _drew_from(folder: Path, settings: Settings) -> bool:
    """Whether the run whose staleness this one drew from, if there is one, is still as it was.

    What both hold says so, and not when they were written: a copy from another machine may be newer than what was made
    of it, and may have taken the place of a run of the same settings.
    """
    if not isinstance(settings.order, MeasuredHistogram):
        return True
    from a3c.records.schedule_file import staleness_counts

    source = run_folder.find_finished(settings.order.run, beside=folder)
    if source is None:
        return False
    try:
        counts = staleness_counts(source / run_folder.SCHEDULE)
        return bool(run_folder.read_json(folder / run_folder.HISTOGRAM).get("counts") == counts)
    except (FileNotFoundError, ValueError):
        return False
