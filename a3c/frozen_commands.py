"""The commands that play with the parameters of a finished run. Imports are inside, as in `commands`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from a3c.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from a3c.asynchrony.evaluator import Game
    from a3c.frozen import Frozen
    from a3c.progress import Line

MOST_GIF_RATE = 50
VIDEO_MODULES = ("PIL", "av")  # what the extra `video` brings


def evaluate(options: argparse.Namespace) -> int:
    """Plays games with a finished run's parameters and prints what they score."""
    from a3c.evaluating import evaluate as play
    from a3c.evaluating import write_games
    from a3c.progress import Line, bar

    if options.into:
        _check_file(options.into, (".csv",))
    frozen = _load(options, options.episodes)
    line = Line(quiet=options.quiet)

    def show(over: Collection[Game], steps: int) -> None:
        def text() -> str:
            score = f"mean score {sum(game.score for game in over) / len(over):,.4g}" if over else "no score yet"
            return f"{bar(share)} {len(over)} of {options.episodes} games over, {steps:,} steps, {score}"

        share = len(over) / options.episodes
        line.show(share, text)

    try:
        found = play(frozen, options.seed, show)
    finally:
        line.close()
    print(found.text())
    if options.into:
        write_games(found, options.into)
    return 0


def watch(options: argparse.Namespace) -> int:
    """Makes a film of one game that a finished run's parameters play."""
    from a3c.progress import Line

    _check_file(options.into, (".mp4", ".gif"))
    if options.into.suffix.lower() == ".gif" and options.frames_per_second > MOST_GIF_RATE:
        what = f"got {options.frames_per_second:g}; browsers show at most {MOST_GIF_RATE} pictures of a GIF a second"
        raise InvalidInput([Problem("--frames-per-second", what)])
    check_video_modules()
    frozen = _load(options)
    line = Line(quiet=options.quiet)
    try:
        text = _film(options, frozen, line)
    finally:
        line.close()
    print(text)
    return 0


def check_video_modules() -> None:
    """Refuses to make a film where what the extra `video` brings is not installed.

    Raises:
      InvalidInput: with what to install.
    """
    try:
        importlib.import_module("a3c.watching.videos")
    except ModuleNotFoundError as error:
        if error.name not in VIDEO_MODULES:
            raise
        raise InvalidInput([Problem("film", f"needs the module {error.name}: pip install 'a3c[video]'")]) from None


def _film(options: argparse.Namespace, frozen: Frozen, line: Line) -> str:
    """Records, draws and writes; what was written, in words."""
    from a3c.progress import bar
    from a3c.watching.drawing import Drawing
    from a3c.watching.recording import record
    from a3c.watching.videos import write_video

    rate = options.frames_per_second
    most_steps = max(1, int(options.most_seconds * rate) - 1)  # the end is a picture, too
    recording = record(frozen, options.seed, most_steps, lambda step: line.show(0.0, lambda: f"playing: step {step:,}"))
    drawing = Drawing(recording)
    count = len(drawing)
    write_video(
        drawing,
        options.into,
        rate,
        lambda done: line.show(done / count, lambda: f"{bar(done / count)} {done:,} of {count:,} pictures"),
    )
    steps, seconds = len(recording.moments), count / rate
    return f"{options.into}: {steps:,} steps in {seconds:.1f} seconds, score {recording.score:,.6g}, {recording.ending}"


def _load(options: argparse.Namespace, episodes: int = 1) -> Frozen:
    from a3c.frozen import load

    frozen = load(options.run, options.point, options.policy, episodes)
    for note in frozen.notes:
        print(f"not as recorded: {note}", file=sys.stderr)
    return frozen


def _check_file(path: Path, endings: Collection[str]) -> None:
    """Refuses a file that could not be written, before any work is done.

    Raises:
      InvalidInput: if its name ends otherwise, or its folder is not there.
    """
    if path.suffix.lower() not in endings:
        what = f"got {str(path)!r}; a name that ends in {' or '.join(endings)} is needed"
        raise InvalidInput([Problem("--into", what)])
    if not path.parent.is_dir():
        raise InvalidInput([Problem("--into", f"there is no folder {path.parent}")])
    if not os.access(path.parent, os.W_OK):
        raise InvalidInput([Problem("--into", f"the folder {path.parent} may not be written to")])
