"""The rows under the curve: one an action, or one a number of a continuous action."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from a3c.watching.recording import ACTION_VALUES, MEANS, PROBABILITIES, Moment, Recording
from a3c.watching.style import BLUE, GRID, INK, LIGHT_BLUE, ORANGE, PALE, WHITE, Box, fixed, font, limits, shortened

MOST_ROWS = 18  # as many as an Atari joystick has positions
NAME_WIDTH, NUMBER_WIDTH = 110, 56
TALLEST = 24
CAPTION_HEIGHT, ENDS_HEIGHT = 20, 14

CAPTIONS = {
    PROBABILITIES: "action probabilities",
    ACTION_VALUES: "action values",
    MEANS: "action means, with standard deviation; black: taken",
}


class ActionRows:
    """What the policy says at one moment: bars, the action taken in a strong color, or orange if it explores."""

    def __init__(self, recording: Recording, box: Box) -> None:
        """Finds the rows and their scale.

        Args:
          recording: whose moments will be drawn.
          box: where to.
        """
        self._recording, self._box = recording, box
        self._shown = most_prominent(recording)
        self._low, self._high = self._scale()
        left, top, right, bottom = box
        self._left, self._right = left + NAME_WIDTH, right - NUMBER_WIDTH
        self._top = top + CAPTION_HEIGHT
        self._height = min(TALLEST, (bottom - self._top - ENDS_HEIGHT) / len(self._shown))
        self._font = font(max(9, min(13, round(self._height - 2))))

    def _scale(self) -> tuple[float, float]:
        """Probabilities stand on 0 to 1, action values on all that occur, means with what was done and their spread."""
        kind, moments = self._recording.kind, self._recording.moments
        if kind == PROBABILITIES:
            return 0.0, 1.0
        every = np.array([moment.thought.actions for moment in moments])[:, self._shown]
        if kind == ACTION_VALUES:
            return limits(every)
        spread = np.array([[moment.thought.spread] for moment in moments])
        done = np.array([moment.action for moment in moments])[:, self._shown]
        return limits(np.stack([every - spread, every + spread, done]))

    def _x(self, value: float) -> float:
        return self._left + (self._right - self._left) * (value - self._low) / (self._high - self._low)

    def _rows(self) -> list[tuple[int, float, float]]:
        """Index of an action, and the upper and lower end of its bar."""
        gap = 1 if self._height < 16 else 3
        tops = [self._top + place * self._height for place in range(len(self._shown))]
        return [(index, y + gap, y + self._height - gap) for index, y in zip(self._shown, tops, strict=True)]

    def draw_background(self, draw: ImageDraw.ImageDraw) -> None:
        """Caption, names, a pale track for each bar, and the ends of the scale."""
        count, (left, top, _, _) = len(self._recording.names), self._box
        some = f" ({len(self._shown)} of {count:,})" if len(self._shown) < count else ""
        draw.text((left, top), CAPTIONS[self._recording.kind] + some, PALE, font(12))
        for index, above, below in self._rows():
            name = shortened(self._recording.names[index], 17)
            draw.text((self._left - 8, (above + below) / 2), name, INK, self._font, anchor="rm")
            draw.rectangle((self._left, above, self._right, below), GRID)
            if self._low < 0.0 < self._high:
                self._mark(draw, 0.0, above, below, WHITE)
        y = self._top + self._height * len(self._shown) + 2
        draw.text((self._left, y), self._text(self._low), PALE, font(11))
        draw.text((self._right, y), self._text(self._high), PALE, font(11), anchor="ra")

    def draw(self, draw: ImageDraw.ImageDraw, moment: Moment) -> None:
        """The bars of one moment."""
        thought = moment.thought
        for index, above, below in self._rows():
            number = float(thought.actions[index])
            if self._recording.kind == MEANS:
                ends = self._x(number - thought.spread), self._x(number + thought.spread)
                draw.rectangle((ends[0], above, ends[1], below), LIGHT_BLUE)
                self._mark(draw, number, above, below, BLUE)
                self._mark(draw, float(moment.action[index]), above, below, INK)
            else:
                strong = ORANGE if moment.explores else BLUE
                draw.rectangle(self._bar(number, above, below), strong if index == moment.action else LIGHT_BLUE)
            draw.text((self._box[2], (above + below) / 2), self._text(number), INK, self._font, anchor="rm")
        if moment.explores:
            draw.text((self._box[2], self._box[1]), "at random", ORANGE, font(12), anchor="ra")

    def _bar(self, number: float, above: float, below: float) -> tuple[float, float, float, float]:
        """From 0, or from the end of the scale that is nearest to it, to the number."""
        start = self._x(min(max(0.0, self._low), self._high))
        ends = sorted((start, self._x(number)))
        return ends[0], above, ends[1], below

    def _mark(self, draw: ImageDraw.ImageDraw, number: float, above: float, below: float, color: str) -> None:
        x = self._x(number)
        draw.line((x, above, x, below), color, width=2)

    def _text(self, number: float) -> str:
        return fixed(number, self._low, self._high)


def most_prominent(recording: Recording) -> list[int]:
    """The actions that have rows: all, or the `MOST_ROWS` with the greatest numbers over the whole recording."""
    count = len(recording.names)
    if count <= MOST_ROWS or recording.kind == MEANS:
        return list(range(min(count, MOST_ROWS)))
    total = np.sum([moment.thought.actions for moment in recording.moments], axis=0)
    return sorted(int(index) for index in np.argsort(-total, kind="stable")[:MOST_ROWS])
