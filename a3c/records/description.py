"""What a run says of itself in MLflow, from its files: name, tags, and a description with how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from a3c.records import run_folder
from a3c.records.manifest import FAILED, FINISHED, KILLED, RUNNING
from a3c.records.notes import code_block, plain, table
from a3c.records.points import BEST_SCORE, FINAL_SCORE, STALENESS_MEAN, STALENESS_P99, Point
from a3c.records.schedule_file import why_not_replayable
from a3c.settings import Settings

TAG_CHARACTERS = 8000  # MLflow's limit
MOST_PATH, MOST_TEXT = 1000, 500  # characters of one in a description, which is a tag
VANISHED = "its process ended without a word: killed by SIGKILL or for want of memory, or the machine stopped"
OUTCOMES = {RUNNING: "is being trained", FINISHED: "finished", FAILED: "failed", KILLED: "was ended early"}


def run_name(settings: Settings, variant: str) -> str:
    """`a3c_locked-w4-s0`, by what studies call its variant, the first if they differ; else by its schedule."""
    return f"{variant.partition(',')[0] or settings.schedule}-w{settings.workers}-s{settings.seed}"


def run_tags(folder: Path, settings: Settings, manifest: dict[str, Any]) -> dict[str, str]:
    """What to find and group runs by; with MLflow's own names of what made it, which its columns show."""
    names = ("commit", "dirty", "fingerprint", "command", "cpu", "cores", "oversubscribed", "timing")
    tags = {name: str(manifest[name]) for name in names if name in manifest}
    tags |= {"mlflow.source.name": _program(manifest), "mlflow.source.type": "LOCAL"}
    if (commit := tags.get("commit", "unknown")) != "unknown":
        tags["mlflow.source.git.commit"] = commit
    if len(tags.get("command", "")) > TAG_CHARACTERS:
        tags["command"] = _training(manifest, folder.resolve(), folder.resolve())
    return tags | {
        "game": settings.game,
        "schedule": settings.schedule,
        "workers": str(settings.workers),
        "seed": str(settings.seed),
        "settings_id": settings.id,
        "run_folder": str(folder.resolve()),
        "started_at_ms": str(manifest["started_at_ms"]),
    }


def reason(manifest: dict[str, Any]) -> str:
    """Why a run that did not finish ended."""
    return str(manifest.get("error", VANISHED))


def description(
    folder: Path, settings: Settings, manifest: dict[str, Any], outcome: str, points: Iterable[Point], studies: str
) -> str:
    """Markdown: what the run was, what it came to, and the commands that make it again.

    Args:
      folder: of the run.
      settings: of the run.
      manifest: as it stands in the folder.
      outcome: of the run.
      points: that the files hold; those of the run as a whole are told.
      studies: that asked for the run, with commas; empty if none did.
    """
    names = f"the stud{'ies' if ',' in studies else 'y'} {studies.replace(',', ', ')}" if studies else "no study"
    workers = f"{settings.workers} worker{'s' if settings.workers > 1 else ''}"
    what = f"{settings.game}, schedule {settings.schedule}, {workers}, seed {settings.seed}; asked for by {names}."
    what = what[:MOST_TEXT]
    if outcome in (FAILED, KILLED):
        what += f" It {OUTCOMES[outcome]}: {reason(manifest)[:MOST_TEXT]}."
    figures = {found.metric: found.value for found in points}
    row = {"outcome": OUTCOMES[outcome], **_figures(figures, settings.evaluation.episodes), **_circumstances(manifest)}
    return "\n\n".join([plain(what), table(row), *_again(folder, settings, manifest, outcome)])


def _figures(figures: dict[str, float], games: int) -> dict[str, str]:
    """Of the run as a whole, as far as there are any."""
    scores = {"final score": FINAL_SCORE, "best score": BEST_SCORE}
    told = {name: f"{figures[metric]:,.2f}" for name, metric in scores.items() if metric in figures}
    if told:
        told["games"] = str(games)
    if STALENESS_MEAN in figures:
        told["staleness, mean"] = f"{figures[STALENESS_MEAN]:.2f} updates"
        told["99th percentile"] = f"{figures[STALENESS_P99]:.0f} updates"
    return told


def _circumstances(manifest: dict[str, Any]) -> dict[str, str]:
    """How long it took and which code it was."""
    told = {}
    if "frames" in manifest:
        told["frames"] = f"{manifest['frames']:,}"
    if "wall_seconds" in manifest:
        told["wall time, h"] = str(timedelta(seconds=round(manifest["wall_seconds"])))
    changes = " and uncommitted changes" if manifest.get("dirty") else ""
    return told | {"commit": plain(str(manifest.get("commit", "unknown"))[:10]) + changes}


def _again(folder: Path, settings: Settings, manifest: dict[str, Any], outcome: str) -> list[str]:
    """The commands, in blocks with a sentence before each."""
    place = folder.resolve() if len(shlex.quote(str(folder.resolve()))) <= MOST_PATH else Path("RUN")
    run, parts = shlex.quote(str(place)), []
    if outcome == FINISHED:
        if problem := why_not_replayable(folder, settings):
            parts.append(f"It cannot be replayed: {plain(problem.what)}.")
        else:
            parts += ["Replay it bit for bit from its recorded schedule:", code_block(f"a3c replay {run}")]
    other = place.with_name(f"{place.name}-again")
    parts += ["Train it anew, from the same settings and seed:", code_block(_training(manifest, place, other))]
    if outcome == FINISHED and (folder / run_folder.MODEL).exists():
        parts += ["Watch it play:", code_block(f"a3c watch {run} --into game.gif")]
    return parts


def _training(manifest: dict[str, Any], folder: Path, into: Path) -> str:
    """The command that trains the run in a folder again, with the settings as they stand there."""
    settings = shlex.quote(str(folder / run_folder.SETTINGS))
    return f'{_program(manifest)} --settings "$(cat {settings})" --into {shlex.quote(str(into))}'


def _program(manifest: dict[str, Any]) -> str:
    """`a3c train`, or the script of another project's program: the command up to its options."""
    return str(manifest.get("command", "a3c train")).partition(" --")[0]
