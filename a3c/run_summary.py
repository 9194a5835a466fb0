"""What a finished run came to, in one line for whoever trained it. Read from its files; never imports torch."""

from __future__ import annotations

from pathlib import Path

from a3c.progress import duration
from a3c.records import run_folder
from a3c.records.points import BEST_SCORE, FINAL_SCORE, STALENESS_MEAN, points_of


def run_summary(folder: Path) -> str:
    """`final score 187.4, best score 200, mean staleness 3.01, 1m12s: results/runs/...`; `-` for what there is none of.

    Scores are means over the games of an evaluation point, the last one's and the highest; staleness is of the turns
    after the warm-up; the time is the manifest's `wall_seconds`.

    Args:
      folder: of a finished run.

    Raises:
      FileNotFoundError: if it has no manifest.
    """
    values = {point.metric: point.value for point in points_of(folder, episodes=1, ended=True)}
    names = {"final score": FINAL_SCORE, "best score": BEST_SCORE, "mean staleness": STALENESS_MEAN}
    facts = [f"{name} {values[metric]:,.4g}" if metric in values else f"{name} -" for name, metric in names.items()]
    seconds = duration(run_folder.read_json(folder / run_folder.MANIFEST)["wall_seconds"])
    return f"{', '.join(facts)}, {seconds}: {folder}"
