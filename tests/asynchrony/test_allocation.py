"""Memory that comes and goes every turn must not be handed back to the system in between."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from a3c.asynchrony.allocation import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()

def turn():
    tensors = [np.ones(1_000_000, np.float32) for _ in range(8)]
    del tensors

turn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    turn()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(what: str) -> int:
    command = [sys.executable, "-c", FAULTS, what]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="nothing is done for other C libraries")
def test_pages_that_were_freed_are_not_faulted_in_again() -> None:
    assert _faults("keep") < 100
    assert _faults("as it is") > 5_000
