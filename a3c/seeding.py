"""One seed, many independent random streams, each with a name.

A stream is found by (run seed, use, worker, environment) through NumPy's `SeedSequence`. Adding a worker or a use
changes no other stream. `seed + worker` would make seeds 1 and 2 share all but one stream of a 16-worker run, and
with it most of the evidence that two seeds are supposed to give.
"""

from __future__ import annotations

import numpy as np

USES = ("initialization", "environment", "policy", "evaluation", "order", "exploration")


def sequence(seed: int, use: str, *place: int) -> np.random.SeedSequence:
    """The seed sequence of one use at one place, such as `(seed, "environment", worker, index)`.

    Args:
      seed: the run's seed, >= 0.
      use: one of `USES`.
      place: further integers that tell streams of the same use apart.
    """
    return np.random.SeedSequence(entropy=seed, spawn_key=(USES.index(use), *place))


def generator(seed: int, use: str, *place: int) -> np.random.Generator:
    """A NumPy generator (PCG64) on that stream."""
    return np.random.Generator(np.random.PCG64(sequence(seed, use, *place)))


def integer(seed: int, use: str, *place: int) -> int:
    """A number below 2**31 drawn from that stream, for libraries that take one integer as their seed."""
    return int(sequence(seed, use, *place).generate_state(1, np.uint32)[0] >> 1)
