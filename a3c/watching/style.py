"""Colors, letters and numbers of the drawings."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import ImageFont

WHITE, INK, PALE, GRID = "#FFFFFF", "#333333", "#757575", "#E6E6E6"
BLUE, LIGHT_BLUE, ORANGE = "#0072B2", "#A8CDE4", "#D55E00"  # after Okabe and Ito (2008)

LEAST_SPAN = 0.1  # of the greatest value

Box = tuple[int, int, int, int]  # left, top, right, bottom


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, so that none has to be installed; it has few signs beyond Latin letters."""
    return ImageFont.load_default(size)


def limits(values: np.ndarray) -> tuple[float, float]:
    """The ends of an axis for these values: their own, but never nearer than a tenth of the greatest."""
    low, high = float(values.min()), float(values.max())
    least = LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    if high - low < least:
        middle = (low + high) / 2
        return middle - least / 2, middle + least / 2
    return low, high


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round numbers between two ends: multiples of 1, 2 or 5 times a power of ten, at most so many."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [i * step for i in range(first, last + 1)]


def fixed(value: float, low: float, high: float) -> str:
    """A number with as many decimals as an axis from `low` to `high` needs: every number beside it has as many."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(high - low)))}f}"


def compact(value: float) -> str:
    """At most four significant digits or whole numbers: `0.02`, `-1.5`, `21`, `12,345`."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return np.format_float_positional(float(f"{value:.4g}"), trim="-").replace("-0", "0", value == 0.0)


def shortened(text: str, letters: int) -> str:
    """A long text with its end left out."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
