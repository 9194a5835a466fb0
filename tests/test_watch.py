"""A film of one game: recorded, drawn, written and read back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a3c import frozen as frozen_runs
from a3c.__main__ import main
from a3c.evaluating import evaluate
from a3c.problems import InvalidInput
from a3c.settings import Settings

Image = pytest.importorskip("PIL.Image")
av = pytest.importorskip("av")

from a3c.watching import actions, drawing, recording, style, videos  # noqa: E402
from a3c.watching.drawing import Drawing  # noqa: E402
from a3c.watching.recording import (  # noqa: E402
    ACTION_VALUES,
    MEANS,
    PROBABILITIES,
    Moment,
    Picture,
    Recording,
    Thought,
    record,
    think,
)

Make = Callable[..., Settings]
Finished = Callable[..., Path]
KINDS = (PROBABILITIES, ACTION_VALUES, MEANS)


@pytest.fixture(scope="module")
def run(cliff: Make, finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in the cliff world, whose untrained policy walks at random."""
    return finished(tmp_path_factory.mktemp("runs") / "run", cliff(evaluation={"policy": "sampled"}))


def noise(kind: str, steps: int = 12, count: int = 4) -> Recording:
    """A recording of nothing in particular."""
    random = np.random.default_rng(0)
    moments = []
    for step in range(steps):
        numbers = random.dirichlet(np.ones(count)) if kind == PROBABILITIES else random.normal(size=count)
        done = numbers.astype(np.float32) + 0.1 if kind == MEANS else int(numbers.argmin())
        thought = Thought(float(random.normal()), numbers, 0.3 if kind == MEANS else 0.0)
        picture = np.full((210, 160, 3), 20 * step % 256, np.uint8)
        moments.append(Moment(Picture.of(picture), 10.0 * step, thought, done, kind == ACTION_VALUES))
    names = [f"action {index}" for index in range(count)]
    end = Picture.of(np.full((210, 160, 3), [0, 255, 0], np.uint8))
    return Recording("Game", ["one", "two"], kind, names, moments, end, 1234.0, "game over")


def pixels(image: Any) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.mark.parametrize(("make", "cells"), [("cliff", None), ("cartpole", None), ("cartpole", 4)])
def test_a_film_shows_the_game_that_evaluate_plays(
    request: pytest.FixtureRequest, finished: Finished, tmp_path: Path, make: str, cells: int | None
) -> None:
    network = {"lstm_cells": cells} if make == "cartpole" else {}
    settings = request.getfixturevalue(make)(network=network, evaluation={"policy": "sampled"})
    loaded = frozen_runs.load(finished(tmp_path / "run", settings), episodes=1)
    for seed in (0, 1):
        (game,) = evaluate(loaded, seed).games
        film = record(loaded, seed, most_steps=10_000)
        assert (film.score, len(film.moments)) == (game.score, game.steps)
        assert film.ending == ("frame limit" if game.truncated else "game over")


def test_every_decision_is_recorded_with_what_was_there_before_it(run: Path) -> None:
    film = record(frozen_runs.load(run), 0, most_steps=30)
    assert len(film.moments) == 30
    assert film.ending == recording.GOES_ON
    assert [moment.score for moment in film.moments[:2]] == [0.0, film.moments[1].score]
    assert film.names == ["up", "right", "down", "left"]
    for moment in film.moments:
        assert moment.thought.actions.sum() == pytest.approx(1.0)
        assert not moment.explores
        assert moment.picture.pixels().dtype == np.uint8
    shown = {moment.picture.content for moment in film.moments}
    assert len(shown) > 2, "the picture changes with the state"


@pytest.mark.parametrize(("policy", "epsilon"), [("sampled", 1.0), ("sampled", 0.0), ("greedy", 1.0)])
def test_what_epsilon_chose_is_marked(
    cartpole: Make, finished: Finished, tmp_path: Path, policy: str, epsilon: float
) -> None:
    exploration = {
        "final_epsilons": [0.1], "probabilities": [1.0], "annealing_frames": 100, "evaluation_epsilon": epsilon,
    }  # fmt: skip
    algorithm = {"kind": "one_step_q", "target_interval_frames": 100, "exploration": exploration}
    folder = finished(tmp_path / "run", cartpole(algorithm=algorithm))
    film = record(frozen_runs.load(folder, policy=policy), 0, most_steps=40)
    assert film.kind == ACTION_VALUES
    differs = [moment.action != moment.thought.actions.argmax() for moment in film.moments]
    assert [moment.explores for moment in film.moments] == differs
    assert any(differs) == (policy == "sampled" and epsilon == 1.0)
    assert all(moment.thought.value == moment.thought.actions.max() for moment in film.moments)
    assert film.lines[1].startswith(
        f"{policy} policy" if policy == "greedy" else f"epsilon-greedy ({epsilon:g}) policy"
    )


def test_an_output_is_read_as_its_algorithm_reads_it() -> None:
    output = np.array([0.0, np.log(3.0), -7.0], np.float32)
    probabilities = think(output, PROBABILITIES)
    assert probabilities.value == -7.0
    assert probabilities.actions == pytest.approx([0.25, 0.75])
    assert think(output, ACTION_VALUES).value == pytest.approx(np.log(3.0))
    means = think(output, MEANS)  # one mean, the variance before softplus, the value
    assert (means.value, means.actions.tolist()) == (-7.0, [0.0])
    assert means.spread == pytest.approx(np.sqrt(np.log(1.0 + 3.0)), rel=1e-5)


def test_actions_without_names_are_numbered() -> None:
    from types import SimpleNamespace

    environment: Any = SimpleNamespace(spec=SimpleNamespace(actions=2))
    assert recording.action_names(environment) == ["action 0", "action 1"]
    environment.action_names = ("left", "right")
    assert recording.action_names(environment) == ["left", "right"]


def test_atari_names_the_actions_of_its_protocol(pong: Make) -> None:
    from a3c.environments import make

    assert recording.action_names(make(pong(), 0)) == ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]


def test_an_environment_that_cannot_be_drawn_is_refused(
    cliff: Make, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from a3c.environments.cliff_world import CliffWorld

    loaded = frozen_runs.load(finished(tmp_path / "run", cliff()))
    monkeypatch.delattr(CliffWorld, "render")
    with pytest.raises(InvalidInput, match=r"CliffWorld has no render\(\)"):
        record(loaded, 0, most_steps=3)


@pytest.mark.parametrize("kind", KINDS)
def test_scales_and_labels_stay_where_they_are(kind: str) -> None:
    """All that lies outside the places of numbers, curve and bars is equal in every picture."""
    shown = Drawing(noise(kind))
    pictures = np.stack([pixels(shown.picture(index)) for index in range(len(shown) - 1)])
    changing = (pictures != pictures[0]).any(axis=(0, 3))
    left, top, right, bottom = drawing.CURVE
    for rows, columns in (
        (slice(0, 96), slice(drawing.LEFT, None)),  # title and what the numbers are
        (slice(126, 142), slice(drawing.LEFT, None)),
        (slice(top, bottom + 20), slice(drawing.LEFT, left - 6)),  # the curve's labels
        (slice(drawing.ROWS[1] + 20, None), slice(drawing.LEFT, drawing.LEFT + actions.NAME_WIDTH - 4)),  # names
    ):
        assert not changing[rows, columns].any()
    assert changing[98:122, drawing.COLUMNS[1] : drawing.COLUMNS[1] + 30].any(), "the step does change"
    assert changing[top - 5 : bottom + 5, left:right].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 40])
def test_recordings_of_any_length_can_be_drawn(kind: str, steps: int) -> None:
    shown = Drawing(noise(kind, steps))
    assert len(shown) == steps + 1
    for index in (0, steps - 1, steps):
        assert shown.picture(index).size == drawing.SIZE
    middle = drawing.MARGIN + drawing.SIDE // 2
    assert shown.picture(0).getpixel((middle, middle)) == (0, 0, 0)
    assert shown.picture(steps).getpixel((middle, middle)) == (0, 255, 0)


def test_the_curve_shows_the_past_and_not_the_future() -> None:
    shown = Drawing(noise(PROBABILITIES, 40))
    left, top, right, bottom = drawing.CURVE
    blue = np.array([0, 0x72, 0xB2])
    ends = []
    for index in (0, 10, 20, 39):
        area = pixels(shown.picture(index))[top - 8 : bottom + 8, left : right + 8]
        ends.append(int(np.flatnonzero((area == blue).all(-1).any(0)).max()))
    expected = [(right - left) * index / 40 for index in (0, 10, 20, 39)]
    assert ends == pytest.approx(expected, abs=6)  # the dot's radius


def test_the_action_taken_has_the_strong_color_and_orange_if_it_explores() -> None:
    strong = {PROBABILITIES: (0, 0x72, 0xB2), ACTION_VALUES: (0xD5, 0x5E, 0)}
    for kind, color in strong.items():
        film = noise(kind)
        area = pixels(Drawing(film).picture(3))[drawing.ROWS[1] + 20 : drawing.ROWS[3], drawing.LEFT + 120 :]
        rows = np.flatnonzero((area == color).all(-1).any(1))
        assert rows.max() - rows.min() < actions.TALLEST
        assert rows.mean() // actions.TALLEST == film.moments[3].action


def test_of_very_many_actions_the_most_prominent_have_rows() -> None:
    film = noise(PROBABILITIES, count=200)
    chosen = actions.most_prominent(film)
    total = sum(moment.thought.actions for moment in film.moments)
    assert len(chosen) == actions.MOST_ROWS
    assert chosen == sorted(chosen)
    assert total[chosen].min() > np.delete(total, chosen).max()
    Drawing(film).picture(0)


def test_a_small_picture_grows_by_a_whole_number_and_a_large_one_shrinks_to_fit() -> None:
    sizes = {(210, 160): (420, 320), (400, 600): (333, 500), (400, 400): (400, 400), (1, 9000): (1, 500)}
    for shape, size in sizes.items():
        canvas = Image.new("RGB", drawing.SIZE, "white")
        drawing._paste_fitting(canvas, Picture.of(np.zeros((*shape, 3), np.uint8)))
        black = (pixels(canvas) == 0).all(-1)
        assert (black.any(1).sum(), black.any(0).sum()) == size


def test_a_gif_is_read_back_with_every_picture_and_its_time(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "game.gif"
    assert main(["watch", str(run), "--into", str(path), "--most-seconds", "2", "--frames-per-second", "15"]) == 0
    assert "29 steps in 2.0 seconds, score " in capsys.readouterr().out
    with Image.open(path) as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (30, drawing.SIZE, 0)
        milliseconds = 0
        for index in range(film.n_frames):
            film.seek(index)
            milliseconds += film.info["duration"]
            picture = pixels(film.convert("RGB"))
            assert (picture[:10, :10] == 255).all(), "white stays white"
    assert milliseconds == 2_000


def test_a_gif_shows_what_was_drawn(tmp_path: Path) -> None:
    shown = Drawing(noise(ACTION_VALUES))
    videos.write_video(shown, tmp_path / "film.gif", 10.0)
    with Image.open(tmp_path / "film.gif") as film:
        for index in (0, 5, len(shown) - 1):
            film.seek(index)
            difference = np.abs(pixels(film.convert("RGB")) - pixels(shown.picture(index)))
            assert difference.max() <= 16, "256 colors are enough for it"


def test_what_does_not_change_takes_no_room_in_a_gif(tmp_path: Path) -> None:
    class Still:
        def __init__(self, count: int) -> None:
            self._count = count
            self._image = Drawing(noise(PROBABILITIES)).picture(0)

        def __len__(self) -> int:
            return self._count

        def picture(self, index: int) -> Any:
            return self._image

    for count in (1, 11):
        videos.write_video(Still(count), tmp_path / f"{count}.gif", 10.0)
    one, eleven = ((tmp_path / f"{count}.gif").stat().st_size for count in (1, 11))
    assert eleven < 2 * one


def test_an_mp4_is_decoded_with_every_picture_and_its_rate(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "game.mp4"
    options = ["--most-seconds", "1.5", "--frames-per-second", "20", "--quiet"]
    assert main(["watch", str(run), "--into", str(path), *options]) == 0
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate) == ("h264", 20)
        assert (stream.width, stream.height) == drawing.SIZE
        assert len(list(film.decode(video=0))) == 30


def test_an_mp4_shows_what_was_drawn(tmp_path: Path) -> None:
    shown = Drawing(noise(PROBABILITIES))
    videos.write_video(shown, tmp_path / "film.mp4", 12.5)
    with av.open(str(tmp_path / "film.mp4")) as film:
        decoded = [pixels(frame.to_image()) for frame in film.decode(video=0)]
    assert len(decoded) == len(shown)
    for index in (0, 7, len(shown) - 1):
        assert np.abs(decoded[index] - pixels(shown.picture(index))).mean() < 2.0


@pytest.mark.parametrize("ending", videos.ENDINGS)
def test_a_film_that_fails_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    class Failing(Drawing):
        def picture(self, index: int) -> Any:
            if index == 38:  # late enough for something to have been written, and no sample of the palette
                raise RuntimeError("no such picture")
            return super().picture(index)

    path = tmp_path / f"film{ending}"
    path.write_text("an older film")
    with pytest.raises(RuntimeError, match="no such picture"):
        videos.write_video(Failing(noise(PROBABILITIES, 40)), path, 15.0)
    assert path.read_text() == "an older film"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("rate", [1.0, 15.0, 24.0, 30.0, 60.0])
def test_a_gifs_ticks_add_up(rate: float) -> None:
    durations = videos.gif_durations(100, rate)
    assert sum(durations) == pytest.approx(100_000 / rate, abs=5)
    assert {duration % 10 for duration in durations} == {0}
    assert max(durations) - min(durations) <= 10


@pytest.mark.parametrize("module", ["PIL", "av"])
def test_a_missing_package_is_one_line_that_says_what_to_install(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("a3c.watching.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["watch", str(run), "--into", str(tmp_path / "game.gif")]) == 2
    assert f"needs the module {module}: pip install 'a3c[video]'" in capsys.readouterr().err


def test_a_gif_is_not_faster_than_browsers_show_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(run), "--into", str(tmp_path / "game.gif"), "--frames-per-second", "60"]) == 2
    assert "at most 50 pictures" in capsys.readouterr().err


@pytest.mark.parametrize(("into", "words"), [("game.avi", "ends in .mp4 or .gif"), ("nowhere/game.gif", "no folder")])
def test_a_film_that_could_not_be_written_is_refused_before_anything_is_played(
    run: Path, capsys: pytest.CaptureFixture[str], into: str, words: str
) -> None:
    assert main(["watch", str(run), "--into", into]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "ends"), [([1.0, 3.0], (1.0, 3.0)), ([0.0, 0.0], (-0.5, 0.5)), ([10.0, 10.0], (9.5, 10.5))]
)
def test_an_axis_has_two_ends_that_do_not_magnify_noise(values: list[float], ends: tuple[float, float]) -> None:
    assert style.limits(np.array(values)) == ends


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.5, 1.0]), (-4.2, 6.1, [0.0, 5.0]), (0.9, 4.1, [1.0, 2.0, 3.0, 4.0]),
     (99.98, 100.01, [99.98, 99.99, 100.0, 100.01]), (-50_000.0, 120_000.0, [-50_000.0, 0.0, 50_000.0, 100_000.0])],
)  # fmt: skip
def test_ticks_are_few_round_and_within_the_ends(low: float, high: float, expected: list[float]) -> None:
    assert style.ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (-0.0, "0"), (-1.5, "-1.5"), (12345.6, "12,346"), (0.02, "0.02"), (21.0, "21")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert style.compact(number) == text


def test_numbers_beside_an_axis_have_the_decimals_that_it_needs() -> None:
    assert [style.fixed(x, 0.0, 2.0) for x in (0.0, 1.0, 1.234)] == ["0.00", "1.00", "1.23"]
    assert [style.fixed(x, 0.0, 0.02) for x in (0.0, 0.012345)] == ["0.0000", "0.0123"]
    assert style.fixed(-1234.5, -2000.0, 5000.0) == "-1,234"
