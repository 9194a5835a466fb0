"""Machines with too little of something: said with the numbers and the remedy before anything starts."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from a3c import machine, preflight
from a3c.problems import InvalidInput
from a3c.settings import Settings

Make = Callable[..., Settings]
MIB = 1 << 20


@pytest.mark.parametrize("schedule", ["hogwild", "locked", "synchronous"])
@pytest.mark.parametrize("optimizer", ["shared_rmsprop", "rmsprop"])
def test_the_shared_memory_that_is_asked_for_is_what_is_allocated(cliff: Make, schedule: str, optimizer: str) -> None:
    from a3c.asynchrony.shared import allocate
    from a3c.training import _network

    below = cliff().optimizer.model_dump()
    settings = cliff(schedule=schedule, workers=3, optimizer=below | {"kind": optimizer}, evaluation={"points": 4})
    network = _network(settings)
    memory = allocate(settings, network.vector)
    tensors = [getattr(memory, field.name) for field in dataclasses.fields(memory)]
    found = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    assert preflight.shared_memory_bytes(settings, len(network.vector)) == found


def test_too_few_open_files_are_refused_with_the_number_to_set(cliff: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "open_files_limit", lambda: 64)
    preflight.check_limits(cliff(workers=2, schedule="locked"))
    with pytest.raises(InvalidInput, match=r"open files: 108 needed, 64 there; remedy: ulimit -n 128"):
        preflight.check_limits(cliff(workers=16, schedule="locked"))


def test_all_that_is_missing_is_said_at_once(pong: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = pong(workers=16, schedule="synchronous", evaluation={"points": 50})
    monkeypatch.setattr(preflight, "free_bytes", lambda path: 64 * MIB if str(path) == "/dev/shm" else MIB)
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(200 * MIB, "the control group"))
    with pytest.raises(InvalidInput) as caught:
        preflight.check_room(settings, 670_000, tmp_path, checkpoints=True)
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 problems found:"
    assert "shared memory in /dev/shm: 175.6 MiB needed, 64.0 MiB there; remedy: mount -o remount" in lines[1]
    assert "memory (the control group): 7" in lines[2]
    assert "200.0 MiB there" in lines[2]
    assert f"disk for {tmp_path}: " in lines[3]


def test_enough_of_everything_is_no_problem(pong: Make, tmp_path: Path) -> None:
    preflight.check_limits(pong(workers=4))
    preflight.check_room(pong(workers=4), 670_000, tmp_path, checkpoints=True)


def test_no_limit_is_never_too_little(cliff: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("open_files_limit", "address_space_limit", "memory"):
        monkeypatch.setattr(machine, name, lambda: None)
    monkeypatch.setattr(preflight, "free_bytes", lambda path: None)
    preflight.check_limits(cliff(workers=1000))
    preflight.check_room(cliff(workers=1000), 10**6, tmp_path, checkpoints=True)


@pytest.mark.parametrize(
    "words",
    [
        "unable to mmap 2711808 bytes from file </torch_1_2_0>: Cannot allocate memory (12)",
        "unable to allocate shared memory(shm) for file </torch_1_2_1>: No space left on device (28)",
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes",
    ],
)
def test_what_torch_says_where_memory_runs_out_is_understood(words: str) -> None:
    with pytest.raises(MemoryError), preflight.allocating():
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="size mismatch"), preflight.allocating():
        raise RuntimeError("size mismatch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "causes"),
    [
        ("ulimit -v 850000", ("Cannot allocate memory", "failed to map segment")),  # by the versions of libraries
        ("mount -t tmpfs -o size=5m tmpfs /dev/shm", ("No space left on device",)),
    ],
    ids=["address space", "shared memory"],
)
def test_memory_that_runs_out_in_spite_of_the_preflight_ends_the_run_in_one_sentence(
    pong: Make, tmp_path: Path, before: str, causes: tuple[str, ...]
) -> None:
    """Others may take it between the look and the grasp: here the look is left out."""
    if "mount" in before and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting a small /dev/shm takes the right to make a mount namespace")
    without_looking = (
        "import sys, a3c.preflight as p; p.check_room = lambda *a, **k: None; "
        "from a3c.__main__ import main; sys.exit(main())"
    )
    code, said = train(pong(), tmp_path / "run", before, [sys.executable, "-c", without_looking])
    assert code == 1
    assert said.startswith("a3c train: out of memory: ")
    assert any(cause in said for cause in causes)
    assert len(said.strip().splitlines()) == 1


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, dict[str, str]], None]:
    """`groups("0::/a/b", {"a/memory.max": "1000"})`: control groups as a system would show them."""

    def make(lines: str, files: dict[str, str]) -> None:
        (tmp_path / "cgroup").write_text(lines)
        (tmp_path / "meminfo").write_text("MemTotal: 4096 kB\nMemAvailable: 2048 kB\n")
        for name, text in files.items():
            (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "fs" / name).write_text(text)
        monkeypatch.setattr(machine, "PROCESS_GROUPS", tmp_path / "cgroup")
        monkeypatch.setattr(machine, "MEMORY_FACTS", tmp_path / "meminfo")
        monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path / "fs")

    return make


def test_the_tightest_of_the_control_groups_above_a_process_counts(groups: Callable[..., None]) -> None:
    stat = "anon 1\ninactive_file 300\n"
    groups(
        "0::/job/step\n",
        {
            "job/step/memory.max": "max", "job/step/memory.current": "1", "job/step/memory.stat": stat,
            "job/memory.max": "5000\n", "job/memory.current": "4000\n", "job/memory.stat": stat,
            "job/cpu.max": "150000 100000\n", "job/step/cpu.max": "max 100000\n",
        },
    )  # fmt: skip
    assert machine.memory() == machine.Memory(1300, "the control group")
    assert machine.cpu_quota() == 1.5


def test_control_groups_of_version_1_count_too(groups: Callable[..., None]) -> None:
    groups(
        "4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n0::/\n",
        {
            "memory/memory.limit_in_bytes": "9000", "memory/memory.usage_in_bytes": "1000",
            "memory/memory.stat": "total_inactive_file 500",
            "cpu/docker/x/cpu.cfs_quota_us": "300000", "cpu/docker/x/cpu.cfs_period_us": "100000",
            "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
        },
    )  # fmt: skip
    assert machine.memory() == machine.Memory(8500, "the control group")
    assert machine.cpu_quota() == 3.0


def test_without_control_groups_the_machine_is_the_limit(groups: Callable[..., None]) -> None:
    groups("0::/\n", {})
    assert machine.memory() == machine.Memory(2048 * 1024, "the machine")
    assert machine.cpu_quota() is None


def train(
    settings: Settings, folder: Path, before: str, program: Sequence[str] = (sys.executable, "-m", "a3c")
) -> tuple[int, str]:
    """Exit code and words of `a3c train` where a shell has run `before`."""
    command = [*program, "train", "--settings", settings.to_json(), "--into", str(folder)]
    shell = ["unshare", "-m"] if "mount" in before else []
    shell += ["bash", "-c", f'{before} && exec "$@"', "train", *command, "--no-track", "--quiet"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=300)
    print(done.returncode, done.stderr)
    return done.returncode, done.stderr


LIMITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "open files": ({"workers": 16}, "ulimit -n 40", "open files: 108 needed, 40 there; remedy: ulimit -n 128"),
    "address space": ({}, "ulimit -v 600000", "address space: 700.0 MiB needed, 585.9 MiB there; remedy: ulimit -v"),
    "shared memory": (
        {"evaluation": {"points": 50}},
        "mount -t tmpfs -o size=64m tmpfs /dev/shm",
        "needed, 64.0 MiB there; remedy: mount -o remount,size=1G /dev/shm",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_a_run_that_cannot_work_here_ends_before_it_begins(pong: Make, tmp_path: Path, limit: str) -> None:
    if limit == "shared memory" and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting a small /dev/shm takes the right to make a mount namespace")
    changes, before, sentence = LIMITS[limit]
    code, said = train(pong(**changes), tmp_path / "run", before)
    assert code == 2
    assert sentence in said
    assert said.startswith("a3c train: 1 problem found:")
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
