"""A finished run's parameters, read back; and whatever can be wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from a3c import frozen as frozen_runs
from a3c.__main__ import main
from a3c.problems import InvalidInput
from a3c.records import run_folder
from a3c.settings import Settings

Make = Callable[..., Settings]
Finished = Callable[..., Path]


@pytest.fixture(scope="module")
def run(cartpole: Make, finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with three evaluation points, the second of them the best."""
    return finished(tmp_path_factory.mktemp("runs") / "run", cartpole())


@pytest.mark.parametrize(
    ("scores", "best"), [((1.0, 3.0, 2.0), "2"), ((5.0, 1.0, 5.0), "1"), ((-3.0, -2.0, -1.0), "3")]
)
def test_the_best_point_is_the_first_of_those_with_the_highest_mean_score(
    cliff: Make, finished: Finished, tmp_path: Path, scores: tuple[float, ...], best: str
) -> None:
    folder = finished(tmp_path / "run", cliff(), scores)
    loaded = frozen_runs.load(folder, "best")
    assert (loaded.point, loaded.frames) == (best, 100 * int(best))
    assert f"best evaluation point ({best} of 3)" in loaded.description


def test_the_best_parameters_are_not_the_final_ones(run: Path) -> None:
    best, final = (frozen_runs.load(run, point) for point in ("best", "final"))
    assert not torch.equal(best.network.vector, final.network.vector)
    assert final.description == "final parameters, 300 frames"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    """In the middle of the largest tensor, which torch alone would not notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def save_pickle(path: Path) -> None:
    torch.save({"parameters": Path("anything")}, path)


def save_nothing(path: Path) -> None:
    torch.save([], path)


def save_nan(path: Path) -> None:
    model = torch.load(path, weights_only=True)
    next(iter(model["parameters"].values()))[0] = float("nan")
    torch.save(model, path)


def save_other_layers(path: Path) -> None:
    model = torch.load(path, weights_only=True)
    name = next(iter(model["parameters"]))
    model["parameters"][name] = torch.zeros(3)
    torch.save(model, path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [(Path.unlink, "is not there"), (truncate, "is damaged"), (flip_a_bit, "the checksum of"),
     (save_pickle, "is damaged"), (save_nothing, "does not hold what a run leaves"), (save_nan, "not finite"),
     (save_other_layers, "the network of the run's settings has")],
)  # fmt: skip
def test_a_damaged_model_is_one_clear_message(
    cartpole: Make, finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], Any], words: str,
) -> None:  # fmt: skip
    folder = finished(tmp_path / "run", cartpole())
    damage(folder / run_folder.MODEL)
    assert main(["evaluate", str(folder)]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert str(folder / run_folder.MODEL) in message
    assert "Traceback" not in message


def test_a_folder_that_holds_no_finished_run_is_refused(cliff: Make, finished: Finished, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no such folder"):
        frozen_runs.load(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"it has no settings\.json"):
        frozen_runs.load(tmp_path)
    folder = finished(tmp_path / "run", cliff())
    (folder / run_folder.DONE).unlink()
    with pytest.raises(InvalidInput, match=r"holds no finished run: it has no done\.json"):
        frozen_runs.load(folder)
    with run_folder.own(folder), pytest.raises(InvalidInput, match="is still being trained"):
        frozen_runs.load(folder)


def test_settings_of_another_format_say_where_and_what(cliff: Make, finished: Finished, tmp_path: Path) -> None:
    path = finished(tmp_path / "run", cliff()) / run_folder.SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | {"t_max": 5}))
    with pytest.raises(InvalidInput, match=r"settings\.json: t_max: unknown key"):
        frozen_runs.load(path.parent)


def test_best_parameters_that_are_not_there_are_refused(cliff: Make, finished: Finished, tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", cliff())
    (folder / run_folder.BEST).unlink()
    frozen_runs.load(folder)
    with pytest.raises(InvalidInput, match=r"best\.pt: is not there"):
        frozen_runs.load(folder, "best")
    (folder / run_folder.EVALUATIONS).write_text("nothing\nof it\n")
    with pytest.raises(InvalidInput, match=r"evaluations\.csv: cannot be read"):
        frozen_runs.load(folder, "best")
