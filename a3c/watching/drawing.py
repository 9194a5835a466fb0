"""Draws a recorded game: the picture at the left; at the right score, step, value over time and what the policy says.

    +---------------------+  Game
    |                     |  which parameters, which policy
    |                     |  score   step   value
    |       picture       |  value over the whole recording, up to now
    |                     |
    |                     |  a row an action
    +---------------------+

Every scale is that of the whole recording, so that nothing jumps.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from a3c.watching.actions import ActionRows
from a3c.watching.recording import Picture, Recording
from a3c.watching.style import BLUE, GRID, INK, ORANGE, PALE, WHITE, compact, fixed, font, limits, shortened, ticks

SIZE = WIDTH, HEIGHT = 920, 540  # even, as H.264 wants
SIDE = 500  # of the square that holds the picture
MARGIN = 20
LEFT, RIGHT = 540, 900  # of the panel
CURVE = (LEFT + 44, 168, RIGHT, 268)  # left, top, right, bottom
ROWS = (LEFT, 300, RIGHT, 526)
COLUMNS = (LEFT, LEFT + 130, LEFT + 250)
FINER = 4  # lines are drawn so much larger first, since Pillow does not smooth them


class Drawing:
    """A recording as a sequence of pictures, one a decision and one of the end."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._rows = ActionRows(recording, ROWS)
        self._values = np.array([moment.thought.value for moment in recording.moments])
        self._low, self._high = limits(self._values)
        self._background = self._draw_background()
        self._curve = self._draw_curve()
        self._dot = _dot()

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._recording.moments) + 1

    def picture(self, index: int) -> Image.Image:
        """One of them, RGB, `SIZE`."""
        recording, canvas = self._recording, self._background.copy()
        draw = ImageDraw.Draw(canvas)
        if index < len(recording.moments):
            moment = recording.moments[index]
            _paste_fitting(canvas, moment.picture)
            self._write_numbers(draw, moment.score, index, moment.thought.value)
            self._rows.draw(draw, moment)
        else:
            _paste_fitting(canvas, recording.last_picture)
            self._write_numbers(draw, recording.score, index, None)
            draw.text((RIGHT, 142), recording.ending, ORANGE, font(12), anchor="ra")
        self._reveal_curve(canvas, min(index, len(recording.moments) - 1))
        return canvas

    def _write_numbers(self, draw: ImageDraw.ImageDraw, score: float, step: int, value: float | None) -> None:
        texts = (compact(score), f"{step:,}", "-" if value is None else fixed(value, self._low, self._high))
        for left, text in zip(COLUMNS, texts, strict=True):
            draw.text((left, 98), text, INK, font(24))

    def _draw_background(self) -> Image.Image:
        """All that is the same in every picture."""
        canvas = Image.new("RGB", SIZE, WHITE)
        draw = ImageDraw.Draw(canvas)
        draw.text((LEFT, 16), shortened(self._recording.title, 32), INK, font(20))
        for place, line in enumerate(self._recording.lines):
            draw.text((LEFT, 44 + 16 * place), shortened(line, 64), PALE, font(12))
        for left, name in zip(COLUMNS, ("score", "step", "value"), strict=True):
            draw.text((left, 84), name, PALE, font(12))
        draw.text((LEFT, 142), "value over time", PALE, font(12))
        self._draw_axes(draw)
        self._rows.draw_background(draw)
        return canvas

    def _draw_axes(self, draw: ImageDraw.ImageDraw) -> None:
        left, _, right, bottom = CURVE
        for tick in ticks(self._low, self._high):
            y = self._y(tick)
            draw.line((left, y, right, y), GRID)
            draw.text((left - 6, y), compact(tick), PALE, font(11), anchor="rm")
        draw.text((left, bottom + 6), "0", PALE, font(11))
        draw.text((right, bottom + 6), f"step {len(self._values):,}", PALE, font(11), anchor="ra")

    def _x(self, step: int) -> float:
        left, _, right, _ = CURVE
        return left + (right - left) * step / len(self._values)

    def _y(self, value: float) -> float:
        _, top, _, bottom = CURVE
        return bottom - (bottom - top) * (value - self._low) / (self._high - self._low)

    def _draw_curve(self) -> Image.Image:
        """How much ink the whole curve leaves on each pixel of the canvas's panel, L."""
        left, top, right, bottom = CURVE
        size = (right - left + 1, bottom - top + 1 + 2 * MARGIN)  # a line at the edge is as thick as any
        fine = Image.new("L", (FINER * size[0], FINER * size[1]))
        points = [
            (FINER * (self._x(step) - left), FINER * (self._y(value) - top + MARGIN))
            for step, value in enumerate(self._values)
        ]
        ImageDraw.Draw(fine).line(points, 255, width=FINER * 3 // 2, joint="curve")
        return fine.resize(size, Image.Resampling.BOX)

    def _reveal_curve(self, canvas: Image.Image, step: int) -> None:
        """The curve up to a step, and a dot there."""
        x, y = self._x(step), self._y(self._values[step])
        past = self._curve.crop((0, 0, max(1, round(x) - CURVE[0]), self._curve.height))
        canvas.paste(BLUE, (CURVE[0], CURVE[1] - MARGIN), past)
        canvas.paste(BLUE, (round(x) - self._dot.width // 2, round(y) - self._dot.height // 2), self._dot)


def _dot() -> Image.Image:
    fine = Image.new("L", (9 * FINER, 9 * FINER))
    ImageDraw.Draw(fine).ellipse((0, 0, 9 * FINER - 1, 9 * FINER - 1), 255)
    return fine.resize((9, 9), Image.Resampling.BOX)


def _paste_fitting(canvas: Image.Image, picture: Picture) -> None:
    """As large as it fits: a whole number of times larger with sharp edges, or smoothly smaller."""
    image = Image.fromarray(picture.pixels())
    factor = min(SIDE / image.width, SIDE / image.height)
    if factor >= 1:
        size = (image.width * int(factor), image.height * int(factor))
        image = image.resize(size, Image.Resampling.NEAREST)
    else:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.BOX)
    corner = (MARGIN + (SIDE - image.width) // 2, MARGIN + (SIDE - image.height) // 2)
    canvas.paste(image, corner)
    frame = (corner[0] - 1, corner[1] - 1, corner[0] + image.width, corner[1] + image.height)
    ImageDraw.Draw(canvas).rectangle(frame, outline=GRID)
