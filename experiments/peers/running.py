"""What the scripts of all peers do alike: read the command line, own the run folder, say what the run was."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from recording import Recording

from a3c import devices, finished, lifeline, peers
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.manifest import FAILED, FINISHED, KILLED, Manifest
from a3c.settings import Settings

EXIT_INVALID = 2
EXPERIMENTS = Path(__file__).resolve().parents[1]

Train = Callable[[Settings, Recording], None]


def main(peer: str, train: Train, adapted: Sequence[str], arguments: Sequence[str] | None = None) -> int:
    """The command line of a peer's script; returns its exit code.

    Args:
      peer: its name in `a3c.peers`.
      train: makes the peer and trains it until the budget is used up; calls `Recording.begin` before.
      adapted: what was done to the peer, or differs in it from ours, a clause each.
      arguments: of the command line.
    """
    parser = argparse.ArgumentParser(peer, description="Trains a peer and leaves a run folder like those of a3c train.")
    parser.add_argument("--settings", required=True, metavar="JSON")
    parser.add_argument("--into", required=True, metavar="FOLDER", type=Path)
    parser.add_argument("--timing", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--stop-with", nargs=2, metavar=("LOCK", "PID"), help="as of a3c")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as our workers have; a peer would take every core for one small network
    try:
        settings = Settings.from_json(options.settings)
        peers.check(peer, settings)
        if options.stop_with:
            lifeline.follow(Path(options.stop_with[0]), int(options.stop_with[1]))
            lifeline.wait_for_an_ending_trainer(options.into)
        if finished.restore(options.into, settings, peers.code(peer, EXPERIMENTS)):
            return 0
        with run_folder.own(options.into):
            _record(peer, train, settings, options.into, adapted=list(adapted), timing=options.timing)
    except InvalidInput as error:
        print(f"{peer}: {error}", file=sys.stderr)
        return EXIT_INVALID
    return 0


def _record(peer: str, train: Train, settings: Settings, folder: Path, *, adapted: list[str], timing: bool) -> None:
    began = time.monotonic()
    run_folder.clear(folder)
    run_folder.write_json(folder / run_folder.SETTINGS, settings.model_dump(mode="json"))
    manifest = Manifest(folder, settings, timing=timing, cpu_capability=devices.cpu_capability())
    manifest.add(**_facts(peer, settings, folder, adapted))
    try:
        recording = Recording(settings, folder)
        train(settings, recording)
        facts = recording.end() | {"start_seconds": recording.started - began}
    except BaseException as error:
        manifest.end(KILLED if isinstance(error, KeyboardInterrupt) else FAILED, error=repr(error))
        raise
    manifest.end(FINISHED, **facts)
    done = {**facts, "fingerprint": manifest.content["fingerprint"], "outcome": FINISHED}
    run_folder.write_json(folder / run_folder.DONE, done)


def _facts(peer: str, settings: Settings, folder: Path, adapted: list[str]) -> dict[str, Any]:
    """What in a manifest is the peer's and not ours."""
    script = f"experiments/peers/{peer}.py"
    return {
        "peer": {"name": peer, "version": peers.version_of(peer), "adapted": adapted},
        "command": shlex.join(["python", script, "--settings", settings.to_json(), "--into", str(folder)]),
        "fingerprint": peers.code(peer, EXPERIMENTS),
    }
