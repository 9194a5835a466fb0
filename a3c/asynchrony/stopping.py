"""Signals that stop a run: noted, not died of, so that it can make its last checkpoint."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from a3c.asynchrony.outcomes import StoppedError

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """What signals have asked the run to do.

    Attributes:
      signal_number: of the first that asked it to stop.
      at_once: whether a second one has come.
      stand_still: whether it is to stop for a while (Ctrl-Z).
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.at_once = self.stand_still = False
        self._ending = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Notes the first signal; the second one ends the run at once.

        SIGHUP stays ignored under `nohup`. Outside the main thread Python allows no handlers, and there are none.

        Raises:
          StoppedError: at the second signal.
        """
        before = {}
        try:
            for number in (*STOPPING, signal.SIGTSTP):
                ignored = signal.getsignal(number) == signal.SIG_IGN and number in (signal.SIGHUP, signal.SIGTSTP)
                if not ignored:
                    before[number] = signal.signal(number, self._note)
        except ValueError:
            pass
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def begin_to_end(self) -> None:
        """From now on signals change nothing: the processes are being ended, which takes seconds at most."""
        self._ending = True

    def announce(self, what: str) -> None:
        """Says what a signal has led to, where there is still somebody to read it."""
        assert self.signal_number is not None
        leave_closed_terminal()
        name = signal.Signals(self.signal_number).name
        print(f"\na3c: {name}: {what}; a second signal ends the run at once", file=sys.stderr, flush=True)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTSTP:
            self.stand_still = True
        elif self.signal_number is None:
            self.signal_number = number
        else:
            self.at_once = True
            if not self._ending:
                raise StoppedError(number)


def leave_closed_terminal() -> None:
    """Sends output nowhere if its terminal has been closed: writing there fails, and must not fail the run."""
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream)
            os.close(nowhere)
