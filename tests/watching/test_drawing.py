"""Pictures on scales that hold for a whole recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from a3c.watching import actions, drawing
from a3c.watching.drawing import Drawing
from a3c.watching.recording import ACTION_VALUES, MEANS, PROBABILITIES, Picture, Recording

Noise = Callable[..., Recording]
KINDS = (PROBABILITIES, ACTION_VALUES, MEANS)


def pixels(image: Any) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("kind", KINDS)
def test_scales_and_labels_stay_where_they_are(noise: Noise, kind: str) -> None:
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
def test_recordings_of_any_length_can_be_drawn(noise: Noise, kind: str, steps: int) -> None:
    shown = Drawing(noise(kind, steps))
    assert len(shown) == steps + 1
    for index in (0, steps - 1, steps):
        assert shown.picture(index).size == drawing.SIZE
    middle = drawing.MARGIN + drawing.SIDE // 2
    assert shown.picture(0).getpixel((middle, middle)) == (0, 0, 0)
    assert shown.picture(steps).getpixel((middle, middle)) == (0, 255, 0)


def test_the_curve_shows_the_past_and_not_the_future(noise: Noise) -> None:
    shown = Drawing(noise(PROBABILITIES, 40))
    left, top, right, bottom = drawing.CURVE
    blue = np.array([0, 0x72, 0xB2])
    ends = []
    for index in (0, 10, 20, 39):
        area = pixels(shown.picture(index))[top - 8 : bottom + 8, left : right + 8]
        ends.append(int(np.flatnonzero((area == blue).all(-1).any(0)).max()))
    expected = [(right - left) * index / 40 for index in (0, 10, 20, 39)]
    assert ends == pytest.approx(expected, abs=6)  # the dot's radius


def test_the_action_taken_has_the_strong_color_and_orange_if_it_explores(noise: Noise) -> None:
    strong = {PROBABILITIES: (0, 0x72, 0xB2), ACTION_VALUES: (0xD5, 0x5E, 0)}
    for kind, color in strong.items():
        film = noise(kind)
        area = pixels(Drawing(film).picture(3))[drawing.ROWS[1] + 20 : drawing.ROWS[3], drawing.LEFT + 120 :]
        rows = np.flatnonzero((area == color).all(-1).any(1))
        assert rows.max() - rows.min() < actions.TALLEST
        assert rows.mean() // actions.TALLEST == film.moments[3].action


def test_of_very_many_actions_the_most_prominent_have_rows(noise: Noise) -> None:
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
