"""Where the films of the best runs lie, and the report's section with them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import NamedTuple

from a3c.analysis import page

INTRODUCTION = (
    "Of each game, the run whose final parameters scored highest when they were evaluated, in one more game that no "
    "training played: what it saw, what its value function expected, and how probable it made each action."
)


class FilmRow(NamedTuple):
    """One film.

    Attributes:
      game: that is played.
      run: its folder below `runs/`.
      frames: that the run trained for.
      evaluated_score: mean score of its final parameters when they were evaluated.
      score: of the game, as far as it is shown.
      steps: decisions that are shown.
      ending: how it ended, or that it goes on.
      file: name of the film, beside this list.
      command: that makes the film again.
    """

    game: str
    run: str
    frames: int
    evaluated_score: float
    score: float
    steps: int
    ending: str
    file: str
    command: str


def films_path(results: Path, name: str) -> Path:
    """The list of a report's films."""
    return results / "films" / name / "films.csv"


def film_file(results: Path, name: str, run: str) -> Path:
    """One of a report's films; `run` is the run's folder below `runs/`."""
    return films_path(results, name).with_name(f"{run.split('/')[0]}.mp4")


def films_section(results: Path, name: str) -> list[str]:
    """Markup with the films inside; nothing if none were made. One that is gone is left out, which is said."""
    path = films_path(results, name)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    films = [(path.with_name(row["file"]), _words(row)) for row in rows]
    for film, _ in films:
        if not film.exists():
            print(f"a3c report: {film} is missing and left out; without {path} it is made again", file=sys.stderr)
    there = [page.film(film, words) for film, words in films if film.exists()]
    if not there:
        return []
    parts = [page.element("h2", "The best runs, played"), page.element("p", INTRODUCTION), *there]
    return ['<section id="films">\n' + "\n".join(parts) + "\n</section>"]


def _words(row: dict[str, str]) -> str:
    score, evaluated = float(row["score"]), float(row["evaluated_score"])
    return (
        f"{row['game']}, {row['run']}, after {int(row['frames']):,} frames: {score:,.6g} in "
        f"{int(row['steps']):,} steps ({row['ending']}); mean when evaluated {evaluated:,.4g}. "
        f"Made by: {row['command']}"
    )
