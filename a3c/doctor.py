"""What may be wrong with the machine, the installation and the results, each with its remedy. Imports no torch."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from a3c import machine, preflight
from a3c.plan import load_studies, studies
from a3c.problems import InvalidInput
from a3c.records.storage import free_bytes, size_text
from a3c.records.tracking_store import StoreUnusable, check
from a3c.run_states import DAMAGED, TRAINING, UNFINISHED, RunState, run_states

OK, WARNING, PROBLEM = "ok", "warning", "problem"

NEEDED = ("torch", "numpy", "gymnasium", "ale-py", "pydantic", "pyyaml")
PIPELINE = ("snakemake", "mlflow", "pandas", "seaborn", "matplotlib", "scipy")
CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"

SHARED_BYTES = (16 << 20, 256 << 20)  # below the first no real game fits, above the second all studies do
DISK_BYTES = (100 << 20, 5 << 30)
ENOUGH_MEMORY_BYTES, ENOUGH_FILES = 1 << 30, 1024
MOST_NAMED = 10


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
      what: its name.
      state: `ok`, `warning` or `problem`.
      found: in words, with numbers.
      remedy: what to do about it; empty if nothing need be done.
    """

    what: str
    state: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.state:8} {self.what}: {self.found}" + (f"\n{'':9}remedy: {self.remedy}" if self.remedy else "")


def examine(results: Path, experiments: Path, scale: str, uri: str) -> Iterator[Finding]:
    """Looks at everything; nothing is changed.

    Args:
      results: folder of everything that is made.
      experiments: folder of the YAML files.
      scale: of the studies whose workers are held against the cores.
      uri: of the MLflow store.
    """
    yield from _processors()
    yield from _memory()
    yield _disk(results)
    yield from _packages()
    yield _roms()
    yield _studies(experiments, scale)
    yield _store(uri)
    yield from _runs(list(run_states(results)))


def _graded(what: str, there: int, least: int, enough: int, found: str, remedy: str) -> Finding:
    state = PROBLEM if there < least else WARNING if there < enough else OK
    return Finding(what, state, found, "" if state == OK else remedy)


def _processors() -> Iterator[Finding]:
    quota = machine.cpu_quota()
    limit = "no quota" if quota is None else f"a quota of {quota:g}"
    found = f"{machine.cores()} to use (affinity {machine.affinity()}, {limit}), {machine.cpu()}"
    yield Finding("cores", OK, found)
    exported = [f"{name}={os.environ[name]}" for name in machine.THREAD_VARIABLES if name in os.environ]
    yield Finding("threads", OK, f"1 a worker, whatever is exported ({', '.join(exported) or 'nothing is'})")


def _memory() -> Iterator[Finding]:
    shared = free_bytes(machine.SHARED_MEMORY) if machine.SHARED_MEMORY.is_dir() else None
    if shared is not None:
        found = f"{size_text(shared)} free in {machine.SHARED_MEMORY}"
        yield _graded("shared memory", shared, *SHARED_BYTES, found, preflight.SHARED_REMEDY)
    memory, least = machine.memory(), preflight.MEMORY_BYTES + 2 * preflight.MEMORY_BYTES_PER_PROCESS
    if memory is not None:
        found = f"{size_text(memory.available_bytes)} available, limited by {memory.limited_by}"
        remedy = preflight.MEMORY_REMEDY
        yield _graded("memory", memory.available_bytes, least, ENOUGH_MEMORY_BYTES, found, remedy)
    files, least = machine.open_files_limit(), preflight.files_needed(1)
    found = "no limit" if files is None else f"{files} for one process"
    yield _graded("open files", files or ENOUGH_FILES, least, ENOUGH_FILES, found, f"ulimit -n {ENOUGH_FILES}")
    addresses, least = machine.address_space_limit(), preflight.ADDRESS_BYTES
    if addresses is not None:
        found = f"limited to {size_text(addresses)} for one process"
        yield _graded("address space", addresses, least, 4 * least, found, "ulimit -v unlimited")


def _disk(results: Path) -> Finding:
    place = next(path for path in (results, *results.absolute().parents) if path.exists())
    if not place.is_dir():
        return Finding("disk", PROBLEM, f"{place} is a file, not a folder", "move it or choose another --results")
    if not os.access(place, os.W_OK):
        return Finding("disk", PROBLEM, f"{place} cannot be written to", "change its permissions or how it is mounted")
    free = free_bytes(place) or 0
    return _graded("disk", free, *DISK_BYTES, f"{size_text(free)} free for {results}", "make space there")


def _packages() -> Iterator[Finding]:
    tested = dict(_constraints())
    for what, names, state, extra in (
        ("packages", NEEDED, PROBLEM, "a3c"),
        ("pipeline packages", PIPELINE, WARNING, "a3c[pipeline]"),
    ):
        there = {name: _version(name) for name in names}
        missing = [name for name, found in there.items() if found is None]
        other = [f"{n} {v} (tested: {tested[n]})" for n, v in there.items() if v and tested.get(n, v) != v]
        install = f"pip install -c constraints.txt '{extra}'"
        if missing:
            yield Finding(what, state, f"{', '.join(missing)} not installed", install)
        elif other:
            yield Finding(what, WARNING, f"not the versions that were tested: {', '.join(other)}", install)
        else:
            yield Finding(what, OK, ", ".join(f"{name} {found}" for name, found in there.items()))


def _constraints() -> Iterator[tuple[str, str]]:
    """Tested versions by package; none where the package lies outside a checkout."""
    if CONSTRAINTS.exists():
        for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
            name, equals, number = line.partition("==")
            if equals:
                yield name.strip().lower(), number.strip()


def _version(package: str) -> str | None:
    """Without the tag of a local build, such as `+cpu`."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return None


def _roms() -> Finding:
    spec = importlib.util.find_spec("ale_py")
    places = spec.submodule_search_locations if spec else None
    count = sum(len(list(Path(place).glob("roms/*.bin"))) for place in places or ())
    found = f"{count} Atari games" if count else "no Atari game found"
    return Finding("ROMs", OK if count else WARNING, found, "" if count else "pip install --force-reinstall ale-py")


def _studies(experiments: Path, scale: str) -> Finding:
    try:
        found = load_studies(studies(experiments, scale), scale, experiments)
    except InvalidInput as error:
        return Finding("studies", PROBLEM, str(error).replace("\n", " "), "correct the files named")
    processes = max((run.settings.processes for study in found for run in study.runs), default=0)
    runs, cores = len({run.folder for study in found for run in study.runs}), machine.cores()
    text = f"{runs} runs at {scale} scale, up to {processes} workers in one, {cores} cores"
    if processes <= cores:
        return Finding("studies", OK, text)
    remedy = f"for speeds that mean something, {processes} cores; scores are as good on fewer, and runs say on which"
    return Finding("studies", WARNING, text, remedy)


def _store(uri: str) -> Finding:
    try:
        check(uri)
    except StoreUnusable as error:
        return Finding("MLflow store", WARNING, str(error), "as said; training is not affected")
    return Finding("MLflow store", OK, uri)


def _runs(states: Sequence[RunState]) -> Iterator[Finding]:
    count = {state: sum(run.state == state for run in states) for state in dict.fromkeys(run.state for run in states)}
    yield Finding("runs", OK, ", ".join(f"{number} {state}" for state, number in count.items()) or "none yet")
    busy = sum(run.processes for run in states)
    if busy > machine.cores():
        found = f"{busy} workers on {machine.cores()} cores"
        yield Finding("runs being trained", WARNING, found, "stop some of them, or do not compare their speeds")
    for state, grade, remedy in (
        (DAMAGED, PROBLEM, "put its files back from a copy, or remove the folder and train it again"),
        (UNFINISHED, OK, ""),
        (TRAINING, OK, ""),
    ):
        named = [run for run in states if run.state == state]
        for run in named if grade == PROBLEM else named[:MOST_NAMED]:
            damaged = grade == OK and DAMAGED in run.found
            advice = "nothing need be done: the one before is used" if damaged else remedy
            yield Finding(f"run {run.folder}", WARNING if damaged else grade, f"{run.state}, {run.found}", advice)
