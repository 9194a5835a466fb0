"""Films of the best runs, for the report: of each game the run that was best at the end plays once more.

A list in CSV says what they show, so that the report needs neither torch nor the runs' parameters.
"""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from a3c.analysis.films import FilmRow, film_file, films_path
from a3c.analysis.reading import RunFolder, read_run
from a3c.plan import Study
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.records.storage import make_folder

PICTURES_PER_SECOND, MOST_SECONDS = 15.0, 30.0  # an Atari game in real time: four frames a picture
SEED = 0


def best_runs(studies: Iterable[Study], results: Path) -> list[tuple[RunFolder, float]]:
    """Of each game the run of ours whose final parameters scored highest, and that score; the first of equals.

    Args:
      studies: all their runs finished; a run without an evaluation does not count.
      results: the folder that holds `runs/`.
    """
    best: dict[str, tuple[RunFolder, float]] = {}
    runs = {run.folder: run for study in studies for run in study.runs if run.peer is None}
    for _, run in sorted(runs.items()):
        folder = read_run(run, results)
        scores = folder.evaluations[1]
        if len(scores) and (run.settings.game not in best or scores[-1] > best[run.settings.game][1]):
            best[run.settings.game] = folder, float(scores[-1])
    return [best[game] for game in sorted(best)]


def write_films(studies: Iterable[Study], results: Path, name: str, show: Callable[[str], None]) -> None:
    """Writes `<results>/films/<name>/films.csv` and the films that it lists.

    Args:
      studies: all their runs finished.
      results: the folder that holds `runs/`.
      name: of the report that they are for.
      show: called with each game's name before it is played.
    """
    path = films_path(results, name)
    make_folder(path.parent)
    rows = []
    for folder, score in best_runs(studies, results):
        show(folder.run.settings.game)
        into = film_file(results, name, folder.run.folder)
        try:
            rows.append(_film(folder, score, into))
        except InvalidInput as error:  # such as a machine that cannot draw MuJoCo's pictures
            print(f"a3c films: {folder.path} is left out: {error}", file=sys.stderr)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FilmRow._fields)
        writer.writerows(rows)


def _film(folder: RunFolder, evaluated: float, into: Path) -> FilmRow:
    from a3c.frozen import load
    from a3c.watching.drawing import Drawing
    from a3c.watching.recording import record
    from a3c.watching.videos import write_video

    most_steps = int(MOST_SECONDS * PICTURES_PER_SECOND) - 1  # the end is a picture, too
    recording = record(load(folder.path), SEED, most_steps)
    write_video(Drawing(recording), into, PICTURES_PER_SECOND)
    options = ["--seed", str(SEED), "--most-seconds", f"{MOST_SECONDS:g}"]
    command = ["a3c", "watch", str(folder.path), "--into", "game.mp4", *options]
    done = run_folder.read_json(folder.path / run_folder.DONE)
    return FilmRow(
        folder.run.settings.game,
        folder.run.folder,
        int(done["frames"]),
        evaluated,
        recording.score,
        len(recording.moments),
        recording.ending,
        into.name,
        shlex.join(command),
    )
