"""What a run needs of the machine, held against what is there before any process is started.

Needs are lower bounds: below them a run cannot work; above them it mostly does. Figures that no formula gives were
measured with torch 2.13's CPU build on Linux.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from a3c import machine
from a3c.asynchrony.allocation import memory_error
from a3c.problems import InvalidInput, Problem
from a3c.records.checkpoints import KEPT
from a3c.records.schedule_file import TURN
from a3c.records.storage import free_bytes, size_text
from a3c.settings import Settings

# Measured: 27 + 3 a process in the supervisor, 20 to 35 in the others.
FILES, FILES_PER_PROCESS = 40, 4
# Measured on CartPole: 733 MiB of addresses in a worker; 157 MiB of its own in the supervisor, 12 in the server that
# processes are forked from, 80 that all of them share, 15 to 18 in a worker.
ADDRESS_BYTES = 700 << 20
MEMORY_BYTES, MEMORY_BYTES_PER_PROCESS = 240 << 20, 15 << 20
FLOAT_BYTES = 4

SHARED_REMEDY = f"mount -o remount,size=1G {machine.SHARED_MEMORY}, or docker run --shm-size=1g"
MEMORY_REMEDY = "use fewer workers, end other programs, or raise the limit"


class Need(NamedTuple):
    """Something a run needs.

    Attributes:
      what: its name.
      needed: how much, at least.
      there: how much there is; None for no limit, or if nobody knows.
      remedy: what to do if that is not enough.
      in_bytes: or a plain number.
    """

    what: str
    needed: int
    there: int | None
    remedy: str
    in_bytes: bool = True

    @property
    def missing(self) -> bool:
        """Whether there is too little."""
        return self.there is not None and self.there < self.needed

    def __str__(self) -> str:
        text = size_text if self.in_bytes else str
        there = "no limit" if self.there is None else f"{text(self.there)} there"
        return f"{text(self.needed)} needed, {there}"


def check_limits(settings: Settings) -> None:
    """To be called before torch is imported.

    Raises:
      InvalidInput: if this process's limits are too low for the run.
    """
    _check(limits(settings))


def check_room(settings: Settings, size: int, folder: Path, *, checkpoints: bool) -> None:
    """To be called before anything is allocated or written.

    Args:
      settings: of the run.
      size: of its network: parameters, P.
      folder: of the run.
      checkpoints: whether it makes any.

    Raises:
      InvalidInput: if there is too little shared memory, memory or disk for the run.
    """
    _check(room(settings, size, folder, checkpoints=checkpoints))


@contextmanager
def allocating() -> Iterator[None]:
    """Where memory runs out in spite of all this, whatever torch raises becomes a `MemoryError`."""
    try:
        yield
    except RuntimeError as error:
        if out_of_memory := memory_error(error):
            raise out_of_memory from error
        raise


def limits(settings: Settings) -> Iterator[Need]:
    """What the limits of each process must allow."""
    files = files_needed(settings.processes)
    remedy = f"ulimit -n {2 ** math.ceil(math.log2(files))}"
    yield Need("open files", files, machine.open_files_limit(), remedy, in_bytes=False)
    yield Need("address space", ADDRESS_BYTES, machine.address_space_limit(), "ulimit -v unlimited")


def files_needed(workers: int) -> int:
    """Files that the supervisor of so many worker processes, and of the evaluator, has open at most."""
    return FILES + FILES_PER_PROCESS * (workers + 1)


def room(settings: Settings, size: int, folder: Path, *, checkpoints: bool) -> Iterator[Need]:
    """What must be free of shared memory, memory and disk; see `check_room`."""
    shared, free = shared_memory_bytes(settings, size), machine.memory()
    there = free_bytes(machine.SHARED_MEMORY) if machine.SHARED_MEMORY.is_dir() else None
    yield Need(f"shared memory in {machine.SHARED_MEMORY}", shared, there, SHARED_REMEDY)
    own = MEMORY_BYTES_PER_PROCESS + FLOAT_BYTES * size
    needed = MEMORY_BYTES + shared + (settings.processes + 1) * own
    name = f"memory ({free.limited_by})" if free else "memory"
    yield Need(name, needed, free.available_bytes if free else None, MEMORY_REMEDY)
    disk = disk_bytes(settings, size, checkpoints=checkpoints)
    yield Need(f"disk for {folder}", disk, free_bytes(folder), "make space or choose another folder")


def shared_memory_bytes(settings: Settings, size: int) -> int:
    """What `a3c.asynchrony.shared.allocate` allocates for a network of `size` parameters."""
    from a3c.asynchrony.shared import NUMBERS, PROBE_INTEGERS, RING_TURNS, chunks_of
    from a3c.learning.gradients import Diagnostics

    workers, points = settings.turn_workers, settings.evaluation.points
    slots = workers if settings.schedule == "synchronous" else 0
    writers = workers if settings.schedule == "hogwild" else 0
    floats = size * (1 + _statistics(settings) + _targets(settings) + slots + points) + PROBE_INTEGERS
    ring = RING_TURNS * (TURN.itemsize + 8 * len(NUMBERS))
    numbers = workers + 9 + 2 * chunks_of(size) * writers + slots * (1 + len(Diagnostics._fields)) + 3 * points + 1
    return FLOAT_BYTES * floats + ring + 8 * numbers


def disk_bytes(settings: Settings, size: int, *, checkpoints: bool) -> int:
    """What the run writes at least: its models, its schedule, and the checkpoints that are there at one time."""
    vector, every = FLOAT_BYTES * size, 1 + _statistics(settings)
    models = vector * (every + 1)
    copies = settings.processes if settings.executor == "processes" else 0
    checkpoint = vector * (every + _targets(settings) + copies + 1)
    rollout = settings.learning.rollout_steps
    steps = settings.budget_frames // settings.action_repeat
    turns = 0 if rollout is None else steps // (rollout * settings.envs_per_turn)
    return models + turns * TURN.itemsize + (KEPT + 1) * checkpoint * checkpoints


def _statistics(settings: Settings) -> int:
    """Vectors of the optimizer's statistics."""
    from a3c.asynchrony.rules import is_shared, statistics_names

    once = settings.schedule == "synchronous" or is_shared(settings.optimizer)
    return (1 if once else settings.turn_workers) * len(statistics_names(settings.optimizer))


def _targets(settings: Settings) -> int:
    return 0 if settings.target_interval_frames is None else 1


def _check(needs: Iterator[Need]) -> None:
    wrong = [Problem(need.what, f"{need}; remedy: {need.remedy}") for need in needs if need.missing]
    if wrong:
        raise InvalidInput(wrong)
