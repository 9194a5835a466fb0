"""Pictures of polygons, without jagged edges: drawn twice as large and averaged down.

Tasks that are learned from pixels are drawn here and not by Gymnasium, whose pictures take 3.6 ms (Pendulum, 500x500)
and 6.4 ms (CarRacing, 1000x800, in every frame), where a step of physics takes 0.01 and 0.06 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_TIMES = 2  # canvas pixels to a picture's pixel, each way
_SHIFT = 4  # bits of a pixel's fraction that OpenCV draws with

Color = Sequence[float]


class Canvas:
    """A picture in the making; coordinates are in its pixels, x to the right and y down from its top left corner."""

    def __init__(self, width: int, height: int, background: int) -> None:
        """A picture of that size in pixels, in one gray from 0, black, to 255, white."""
        self._size = (width, height)
        self._pixels = np.full((_TIMES * height, _TIMES * width, 3), background, dtype=np.uint8)

    def polygon(self, vertices: np.ndarray, color: Color) -> None:
        """Fills a convex polygon, float [V, 2]."""
        cv2.fillConvexPoly(self._pixels, _fixed_point(vertices), color, shift=_SHIFT)

    def polygons(self, vertices: np.ndarray, color: Color) -> None:
        """Fills many polygons that do not overlap, float [N, V, 2], at once."""
        cv2.fillPoly(self._pixels, list(_fixed_point(vertices)), color, shift=_SHIFT)

    def disk(self, center: np.ndarray, radius: float, color: Color) -> None:
        """Fills a circle around a float [2]."""
        x, y = _fixed_point(center).tolist()
        cv2.circle(self._pixels, (x, y), round(radius * _TIMES * 2**_SHIFT), color, cv2.FILLED, shift=_SHIFT)

    def picture(self) -> np.ndarray:
        """What was drawn, uint8 [height, width, 3]."""
        return np.asarray(cv2.resize(self._pixels, self._size, interpolation=cv2.INTER_AREA))


def _fixed_point(points: np.ndarray) -> np.ndarray:
    """OpenCV's coordinates: whole numbers of 1/16 of a canvas pixel, counted from the middle of the first one."""
    return np.asarray(np.rint((points * _TIMES - 0.5) * 2**_SHIFT), dtype=np.int32)
