"""Films on disk, read back by decoding them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from a3c.__main__ import main
from a3c.records.storage import StorageError
from a3c.watching import drawing, videos
from a3c.watching.drawing import Drawing
from a3c.watching.recording import ACTION_VALUES, PROBABILITIES, Recording

Noise = Callable[..., Recording]


def pixels(image: Any) -> np.ndarray:
    return np.asarray(image).astype(int)


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


def test_a_gif_shows_what_was_drawn(noise: Noise, tmp_path: Path) -> None:
    shown = Drawing(noise(ACTION_VALUES))
    videos.write_video(shown, tmp_path / "film.gif", 10.0)
    with Image.open(tmp_path / "film.gif") as film:
        for index in (0, 5, len(shown) - 1):
            film.seek(index)
            difference = np.abs(pixels(film.convert("RGB")) - pixels(shown.picture(index)))
            assert difference.max() <= 16, "256 colors are enough for it"


def test_what_does_not_change_takes_no_room_in_a_gif(noise: Noise, tmp_path: Path) -> None:
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


def test_an_mp4_shows_what_was_drawn(noise: Noise, tmp_path: Path) -> None:
    shown = Drawing(noise(PROBABILITIES))
    videos.write_video(shown, tmp_path / "film.mp4", 12.5)
    with av.open(str(tmp_path / "film.mp4")) as film:
        decoded = [pixels(frame.to_image()) for frame in film.decode(video=0)]
    assert len(decoded) == len(shown)
    for index in (0, 7, len(shown) - 1):
        assert np.abs(decoded[index] - pixels(shown.picture(index))).mean() < 2.0


@pytest.mark.parametrize("ending", videos.ENDINGS)
def test_a_film_that_fails_leaves_what_was_there(noise: Noise, tmp_path: Path, ending: str) -> None:
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


@pytest.mark.parametrize("ending", videos.ENDINGS)
def test_a_film_that_cannot_be_written_is_said_in_one_sentence(noise: Noise, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "gone" / f"game{ending}"
    with pytest.raises(StorageError, match=f"game{ending} cannot be written"):
        videos.write_video(Drawing(noise(ACTION_VALUES)), path, 10.0)
