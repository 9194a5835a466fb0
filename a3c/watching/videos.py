"""Pictures to files: MP4 (H.264) by PyAV, GIF by Pillow."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from PIL import Image
from PIL.GifImagePlugin import getdata, getheader

from a3c.records.storage import storing

ENDINGS = (".mp4", ".gif")
CRF = "20"  # of x264: 0 is lossless, 23 its default; smaller letters stay clean with this
SAMPLES = 16  # pictures that the GIF's one palette is made from
TRANSPARENT = 255  # a place in the palette; the colors have those below it
GIF_END = b";"
NEARLY_WHITE = 248
TICK_MS = 10  # a GIF's clock

Progress = Callable[[int], None]


class Pictures(Protocol):
    """A sequence of RGB pictures of one size."""

    def __len__(self) -> int:
        """How many."""

    def picture(self, index: int) -> Image.Image:
        """One of them."""


def write_video(pictures: Pictures, path: Path, frames_per_second: float, progress: Progress | None = None) -> None:
    """Writes a film; a file that is there already is replaced when the film is complete.

    Args:
      pictures: what it shows.
      path: its ending, one of `ENDINGS`, says what is written.
      frames_per_second: pictures a second.
      progress: called after each picture with their number.

    Raises:
      StorageError: if it cannot be written.
    """
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storing(path):
        try:
            write(pictures, temporary, frames_per_second, progress or _ignore)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _ignore(number: int) -> None:
    del number


def _write_mp4(pictures: Pictures, path: Path, frames_per_second: float, progress: Progress) -> None:
    rate = Fraction(frames_per_second).limit_denominator(1000)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": CRF, "preset": "veryfast"})
        stream.width, stream.height = pictures.picture(0).size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for index in range(len(pictures)):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.asarray(pictures.picture(index)), format="rgb24"))
            )
            progress(index + 1)
        container.mux(stream.encode(None))


def _write_gif(pictures: Pictures, path: Path, frames_per_second: float, progress: Progress) -> None:
    """Picture by picture, since Pillow's own way keeps them all in memory; what does not change is transparent."""
    palette = common_palette(pictures)
    before = np.full(pictures.picture(0).size[::-1], TRANSPARENT, np.uint8)
    with path.open("wb") as file:
        file.writelines(_gif_header(palette, pictures.picture(0).size))
        for index, duration in enumerate(gif_durations(len(pictures), frames_per_second)):
            colors = np.asarray(pictures.picture(index).quantize(palette=palette, dither=Image.Dither.NONE))
            place = Image.fromarray(colors != before).getbbox() or (0, 0, 1, 1)
            changed = Image.fromarray(np.where(colors == before, np.uint8(TRANSPARENT), colors)).crop(place)
            file.writelines(getdata(changed, place[:2], duration=duration, transparency=TRANSPARENT))
            before = colors
            progress(index + 1)
        file.write(GIF_END)


def _gif_header(palette: Image.Image, size: tuple[int, int]) -> list[bytes]:
    """For a film that begins again when it is over; the color table is full, so that `TRANSPARENT` is in it."""
    first = Image.new("P", size)
    colors = palette.getpalette() or []
    first.putpalette(colors + [0] * (3 * 256 - len(colors)))
    return getheader(first, info={"loop": 0})[0]


def common_palette(pictures: Pictures) -> Image.Image:
    """One palette for all pictures, made from some of them: with one each, colors that stay would flicker."""
    count = len(pictures)
    chosen = sorted({round(i * (count - 1) / (SAMPLES - 1)) for i in range(SAMPLES)})
    samples = [pictures.picture(index) for index in chosen]
    width, height = samples[0].size
    sheet = Image.new("RGB", (width, height * len(samples)))
    for place, sample in enumerate(samples):
        sheet.paste(sample, (0, place * height))
    palette = sheet.quantize(TRANSPARENT, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colors = np.array(palette.getpalette()).reshape(-1, 3)
    colors[(colors >= NEARLY_WHITE).all(axis=1)] = 255  # the mean of white and some letters' edges is white, too
    palette.putpalette(colors.ravel().tolist())
    return palette


def gif_durations(count: int, frames_per_second: float) -> list[int]:
    """Milliseconds of each picture: whole ticks of the GIF's clock whose sum stays right."""
    ends = [round(i * 1000 / (frames_per_second * TICK_MS)) for i in range(count + 1)]
    return [TICK_MS * (after - before) for before, after in itertools.pairwise(ends)]
