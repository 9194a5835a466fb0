"""SIGINT and SIGTERM: noted, not died of, so that a run can make its last checkpoint."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from a3c.asynchrony.outcomes import StoppedError


class Stop:
    """Whether the run has been asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Notes the first signal; the second one ends the run at once.

        Outside the main thread Python allows no handlers, and there are none.

        Raises:
          StoppedError: at the second signal.
        """

        def note(number: int, frame: FrameType | None) -> None:
            if self.signal_number is not None:
                raise StoppedError(number)
            self.signal_number = number

        try:
            before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
