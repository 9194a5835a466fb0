"""What Python programs use: settings, training, and a finished run's records as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a3c.problems import InvalidInput, Problem
from a3c.records import run_folder
from a3c.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from a3c.asynchrony.outcomes import Progress


@dataclass(frozen=True)
class FinishedRun:
    """A run that was trained, and its records; each is read when it is first asked for.

    Attributes:
      folder: of the run.
      settings: everything that decided what it computed.
    """

    folder: Path
    settings: Settings

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Where, when and how it was made: command, commit, machine, versions, seconds, frames."""
        return run_folder.read_json(self.folder / run_folder.MANIFEST)

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """Training episodes in the order in which they ended; columns as in `a3c.records.rows.EpisodeRow`."""
        return self._table(run_folder.EPISODES)

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """Metrics over the budget; columns as in `a3c.records.rows.IntervalRow`."""
        return self._table(run_folder.INTERVALS)

    @cached_property
    def evaluations(self) -> pd.DataFrame:
        """Games played with frozen parameters; columns as in `a3c.records.rows.EvaluationRow`."""
        return self._table(run_folder.EVALUATIONS)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Turns that were looked at twice; columns as in `a3c.records.rows.SampleRow`."""
        return self._table(run_folder.SAMPLES)

    @cached_property
    def turns(self) -> pd.DataFrame:
        """The schedule: one row a turn, with worker, version read and applied, staleness, steps and frames."""
        import pandas as pd

        from a3c.records.schedule_file import read_schedule, turn_columns

        return pd.DataFrame(turn_columns(*read_schedule(self.folder / run_folder.SCHEDULE)))

    @property
    def score(self) -> float:
        """The final parameters' mean unclipped score over their evaluation games."""
        last = self.evaluations["point"] == self.evaluations["point"].max()
        return float(self.evaluations.loc[last, "score"].mean())

    def replay(self, into: Path | str | None = None) -> dict[str, Any]:
        """Makes the run again from its schedule; `["equal"]` says whether every byte agrees.

        Args:
          into: a folder for the replayed run; by default `replay` in the run's own.

        Raises:
          InvalidInput: if its schedule does not determine it, as without a lock.
        """
        from a3c.replaying import replay

        return replay(self.folder, Path(into) if into is not None else self.folder / "replay")

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(self.folder / name)


def make_settings(
    file: Path | str, *assignments: str, experiments: Path | str = "experiments", **changes: Any
) -> Settings:
    """Settings from a file, with changes on top.

    Args:
      file: one of `experiments/`, such as `experiments/cartpole.yaml`, or your own on top of one of them.
      assignments: as on the command line: `"optimizer.learning_rate=1e-3"`.
      experiments: folder of the project's files, where a base is looked for that does not stand beside your file.
      changes: values by key, nested as in the file: `workers=4, learning={"gamma": 0.9}`.

    Raises:
      InvalidInput: with every problem, and the file and line where it stands if it stands in one.
    """
    from a3c.places import find_place, layer_of_file, layer_of_values
    from a3c.settings import resolve
    from a3c.settings_files import assignment, merge, read_layers

    path = Path(file)
    layers = read_layers(path.stem, path.parent, Path(experiments))
    given = merge(*map(assignment, assignments), changes)
    raw = merge(*(layer for _, layer in reversed(layers)), given)
    try:
        return resolve(raw)
    except InvalidInput as error:
        above = [layer_of_values(given), *(layer_of_file(file) for file, _ in layers)]
        places = [find_place(problem.where, raw, above) for problem in error.problems]
        found = zip(error.problems, places, strict=True)
        named = [problem.within(f"{place.line_name}: ") if place else problem for problem, place in found]
        raise InvalidInput(named) from None


def train(
    settings: Settings | Mapping[str, Any],
    folder: Path | str,
    *,
    checkpoint_seconds: float | None = 60.0,
    progress: Callable[[Progress], None] | None = None,
) -> FinishedRun:
    """Trains a run, goes on with one that was interrupted, or returns one that is finished.

    Worker processes import the program that calls this, so a script needs its `if __name__ == "__main__":`.

    Args:
      settings: see `make_settings`.
      folder: of the run. One that holds a finished run of these settings and this code is returned as it is.
      checkpoint_seconds: between two checkpoints; None for none.
      progress: called several times a second.

    Raises:
      InvalidInput: if a setting is wrong, the machine has too little of something, or the folder holds another run.
      RuntimeError: if a worker dies or the run is stopped; what it says names the last checkpoint.
    """
    from a3c import finished
    from a3c.fingerprint import run_fingerprint
    from a3c.settings import resolve
    from a3c.training import Conditions
    from a3c.training import train as train_run

    resolved = settings if isinstance(settings, Settings) else resolve(settings)
    path = Path(folder)
    if not finished.restore(path, resolved, run_fingerprint(resolved.own_functions)):
        train_run(resolved, path, Conditions(checkpoint_seconds=checkpoint_seconds), progress)
    return open_run(path)


def open_run(folder: Path | str) -> FinishedRun:
    """A finished run.

    Raises:
      InvalidInput: if there is none.
    """
    path = Path(folder)
    if not (path / run_folder.DONE).exists():
        raise InvalidInput([Problem(str(path), "holds no finished run")])
    return FinishedRun(path, Settings.from_json((path / run_folder.SETTINGS).read_text(encoding="utf-8")))
