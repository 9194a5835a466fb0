"""What `a3c bench` does. Imports are inside, as in `commands`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from a3c.problems import InvalidInput, Problem


def bench(options: argparse.Namespace) -> int:
    """Measures how fast the trainer, its parts and its peers are, and writes and draws it; or shows an older one."""
    if options.show is not None:
        _show(_read(options.show), options.show)
        return 0
    from a3c import machine
    from a3c.benchmarking.benchmark import WHAT, benchmark
    from a3c.records.storage import make_folder, write_text
    from a3c.settings_files import load_settings

    document = benchmark(
        load_settings("benchmark", options.experiments),
        options.experiments,
        what=tuple(options.what) or WHAT,
        rounds=options.rounds,
        seconds=options.seconds,
        say=_say,
    )
    path = options.into or options.results / "benchmarks" / f"{machine.code_name()}.json"
    make_folder(path.parent)
    write_text(path, json.dumps(document, indent=2, sort_keys=True) + "\n", durable=False)
    _show(document, path)
    return 0


def _show(document: dict[str, Any], path: Path) -> None:
    from a3c.analysis.benchmark_figure import write_benchmark_figure
    from a3c.benchmarking.text import text

    print(text(document))
    write_benchmark_figure(document, path.with_suffix(".svg"))
    print(f"written to {path}; drawn beside it")


def _read(path: Path) -> dict[str, Any]:
    """A document that `bench` wrote.

    Raises:
      InvalidInput: if it is none.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "steps_per_second" in document:
            return document
        what = "is no benchmark"
    except (OSError, ValueError) as error:
        what = f"cannot be read: {error}"
    raise InvalidInput([Problem(str(path), what)])


def _say(what: str) -> None:
    print(f"a3c bench: {what}", file=sys.stderr, flush=True)
