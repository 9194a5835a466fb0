# PYTHON_ARGCOMPLETE_OK
"""The command line: `a3c` or `python -m a3c`. Every command imports what it needs when it is called."""

from __future__ import annotations

import argparse
import errno
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from a3c import __version__, completion
from a3c.analysis.method import PARTS
from a3c.asynchrony.watchdog import STALL_SECONDS
from a3c.problems import InvalidInput
from a3c.records.storage import StorageError

EXIT_FAILED, EXIT_INVALID, EXIT_SIGNAL = 1, 2, 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 failed, 2 invalid input, 128 + n stopped by signal n."""
    try:
        return _run(parse(arguments))
    except KeyboardInterrupt:
        return EXIT_SIGNAL + 2
    except BrokenPipeError:
        return EXIT_FAILED


def _run(options: argparse.Namespace) -> int:
    from a3c import commands, lifeline

    if options.stop_with:
        lifeline.follow(Path(options.stop_with[0]), int(options.stop_with[1]))
    try:
        return int(getattr(commands, options.command)(options) or 0)
    except InvalidInput as error:
        print(f"a3c {options.command}: {error}", file=sys.stderr)
        return EXIT_INVALID
    except StorageError as error:
        print(f"a3c {options.command}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        print(f"a3c {options.command}: a path is too long for the file system: {error.filename}", file=sys.stderr)
        return EXIT_INVALID


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options of the command line; `key=value` may stand before, between and after options."""
    root = parser()
    completion.answer(root)
    options, rest = root.parse_known_args(arguments)
    stray = [word for word in rest if word.startswith("-") or "=" not in word or options.command != "train"]
    if stray:
        root.error(f"unrecognized arguments: {' '.join(stray)}")
    if rest:
        options.assignments += rest
    return options


def parser() -> argparse.ArgumentParser:
    """The commands, their options and examples."""
    root = argparse.ArgumentParser("a3c", description="Reproducible experiments with asynchronous deep RL.")
    root.add_argument("--version", action="version", version=f"a3c {__version__}")
    # Stop when process PID no longer holds the file LOCK: the workflow says so to its jobs, and nobody else needs it.
    root.add_argument("--stop-with", nargs=2, metavar=("LOCK", "PID"), help=argparse.SUPPRESS)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_replay(commands)
    _add_measure(commands)
    _add_evaluate(commands)
    _add_watch(commands)
    _add_track(commands)
    for name, text, example in (
        ("plan", "list the runs of studies and check every setting", "a3c plan staleness --scale paper"),
        ("tables", "finished runs -> tables", "a3c tables a3c_vs_a2c"),
        ("figures", "tables -> figures", "a3c figures a3c_vs_a2c"),
        ("summary", "tables of three studies -> one figure of their answers", "a3c summary"),
        ("claims", "tables -> the sources' claims, each with a verdict", "a3c claims --part questions"),
        ("films", "finished runs -> a film of the best run of each game", "a3c films a3c_vs_a2c"),
        ("report", "tables, figures and claims -> one HTML file", "a3c report --part questions"),
        (
            "showcase",
            "a report and what it is made of -> a folder that a repository can hold",
            "a3c showcase --part questions",
        ),
    ):
        command = _command(commands, name, text, [example])
        command.add_argument("studies", nargs="*", help="names of studies in the experiments folder; all if none")
        command.add_argument("--scale", default="laptop", help="smoke, laptop (default), overnight or paper")
        command.add_argument("--part", choices=PARTS, help="only studies of this part")
        _add_folders(command)
        if name in ("summary", "claims", "films", "report", "showcase"):
            command.add_argument("--name", help="of the report that it is or belongs to; by default the scale")
        if name in ("tables", "report", "showcase"):
            text = "put a study's runs together though different code has trained them; what is made says so"
            command.add_argument("--mix-code", action="store_true", help=text)
    _add_bench(commands)
    _add_doctor(commands)
    examples = ["a3c settings", "a3c settings | grep learning_rate"]
    _add_folders(_command(commands, "settings", "what can be set, to what, and what the paper's values are", examples))
    progress = _command(commands, "progress", "how many planned runs are finished", ["a3c progress PLAN"])
    progress.add_argument("plan", type=Path, metavar="PLAN", help="a file RESULTS/logs/plan_*.json of the workflow")
    _add_folders(progress)
    return root


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = ["a3c bench", "a3c bench components --rounds 3", "a3c bench --show results/benchmarks/0123456789.json"]
    command = _command(commands, "bench", "how fast the trainer, its parts and its peers are on this machine", examples)
    command.add_argument("what", nargs="*", metavar="WHAT", help="components, trainers, start; all if none")
    command.add_argument("--rounds", type=int, default=5, help="how often everything is measured in turn (5)")
    command.add_argument("--seconds", type=float, default=10.0, help="that one run of a trainer should take (10)")
    command.add_argument("--into", type=Path, metavar="FILE.json", help="by default RESULTS/benchmarks/COMMIT.json")
    command.add_argument("--show", type=Path, metavar="FILE.json", help="measure nothing, print and draw an older one")
    _add_folders(command)


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(
        commands,
        "train",
        "train one run",
        [
            "a3c train experiments/cartpole.yaml schedule=locked workers=4 seed=1",
            "a3c train experiments/paper.yaml game=Breakout budget_frames=200000 \\\n    --into results/runs/try",
            "a3c train experiments/paper.yaml workers=4 budget_frames=50000 \\\n    --into /tmp/profiled --profile",
        ],
    )
    text = "settings file to start from; experiments/paper.yaml by default"
    file = command.add_argument("file", nargs="?", help=text)
    text = "settings that replace the file's"
    assignments = command.add_argument("assignments", nargs="*", metavar="key.path=value", help=text)
    file.completer = completion.offered_files  # type: ignore[attr-defined]
    assignments.completer = completion.offered_settings  # type: ignore[attr-defined]
    command.add_argument("--settings", metavar="JSON", help="complete settings, instead of a file")
    command.add_argument("--into", type=Path, metavar="FOLDER", help="run folder; by default below RESULTS/runs")
    command.add_argument(
        "--timing",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="nothing else may run meanwhile: evaluate and track afterwards",
    )
    command.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="make a checkpoint every S seconds, and when interrupted; the same command goes on from it; 0 for none",
    )
    command.add_argument(
        "--stall-seconds",
        type=float,
        default=STALL_SECONDS,
        metavar="S",
        help="end the run if a worker makes no turn for S seconds and ten times as long as its slowest; 0 for never",
    )
    text = "also write where the workers' time goes: profile.csv, and trace.json for a viewer such as ui.perfetto.dev"
    command.add_argument("--profile", action="store_true", help=text)
    command.add_argument("--no-track", action="store_true", help="do not show the run in MLflow")
    command.add_argument("--quiet", action="store_true", help="no progress")
    _add_folders(command)
    _add_tracking_uri(command)


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = ["a3c replay results/runs/Pong/locked-w4-0123456789/seed0", "a3c replay RUN --until 1200"]
    command = _command(commands, "replay", "make a recorded run again and compare bit for bit", examples)
    command.add_argument("run", type=Path, metavar="RUN", help="run folder of a locked, synchronous or drawn run")
    command.add_argument("--into", type=Path, metavar="FOLDER", help="where to; by default RUN/replay")
    command.add_argument("--until", type=int, metavar="N", help="stop at turn N and save what it was made of")
    command.add_argument("--processes", action="store_true", help="with worker processes behind a turnstile")
    command.add_argument("--quiet", action="store_true", help="no progress")


def _add_measure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = ["a3c measure results/runs/Pong/locked-w4-0123456789/seed0", "a3c measure RUN --into correlations.csv"]
    text = "how alike consecutive updates of a recorded run are, in gradient and in data"
    command = _command(commands, "measure", text, examples)
    command.add_argument("run", type=Path, metavar="RUN", help="run folder of a locked, synchronous or drawn run")
    text = "a line a block of turns; by default RUN/correlations.csv"
    command.add_argument("--into", type=Path, metavar="FILE.csv", help=text)


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = [
        "a3c evaluate results/runs/Pong/hogwild-w4-0123456789/seed0",
        "a3c evaluate RUN --episodes 100 --policy greedy --point best --into games.csv",
    ]
    command = _command(
        commands, "evaluate", "play whole games with a finished run's parameters and score them", examples
    )
    _add_frozen(command)
    command.add_argument("--episodes", type=_number(int, 1), default=30, metavar="N", help="games; 30 by default")
    command.add_argument("--into", type=Path, metavar="FILE.csv", help="a line a game")
    command.add_argument("--quiet", action="store_true", help="no progress")


def _add_watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = [
        "a3c watch results/runs/Pong/hogwild-w4-0123456789/seed0 --into game.mp4",
        "a3c watch RUN --into game.gif --policy greedy --seed 3 \\\n    --frames-per-second 30 --most-seconds 20",
    ]
    command = _command(commands, "watch", "make a film of one game that a finished run's parameters play", examples)
    _add_frozen(command)
    command.add_argument("--into", type=Path, required=True, metavar="FILE", help="what to write: .mp4 or .gif")
    command.add_argument(
        "--frames-per-second",
        type=_number(float, 1),
        default=15.0,
        metavar="N",
        help="pictures, one a step; 15 by default",
    )
    command.add_argument(
        "--most-seconds",
        type=_number(float, 1),
        default=60.0,
        metavar="N",
        help="of film, if the game lasts longer; 60",
    )
    command.add_argument("--quiet", action="store_true", help="no progress")


def _add_frozen(command: argparse.ArgumentParser) -> None:
    """What says which parameters play, how, and which games."""
    command.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    text = "parameters: final (default), or best (highest mean score of all evaluation points)"
    command.add_argument("--point", default="final", choices=["final", "best"], help=text)
    text = "how actions are chosen; by default as when the run was evaluated"
    command.add_argument("--policy", choices=("greedy", "sampled"), help=text)
    text = "of the games, which no training ever played; 0 by default"
    command.add_argument("--seed", type=_number(int, 0), default=0, metavar="K", help=text)


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], int | float]:
    """Reads a number that must not be below `least`."""

    def number(text: str) -> int | float:
        value = kind(text)
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is below {least} or infinite")
        return value

    return number


def _add_track(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(
        commands,
        "track",
        "bring MLflow up to date with run folders",
        [
            "a3c track",
            "a3c track results/runs/Pong/*/seed*",
            "a3c track --rebuild",
            "a3c track --tracking-uri http://127.0.0.1:5000",
        ],
    )
    command.add_argument("runs", nargs="*", type=Path, metavar="FOLDER", help="run folders; all below RESULTS if none")
    command.add_argument("--watch", type=int, metavar="PID", help="go on while this process lives, then once more")
    text = "set the SQLite store aside, whatever it is, and make a new one"
    command.add_argument("--rebuild", action="store_true", help=text)
    _add_folders(command)
    _add_tracking_uri(command)


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "look for what may be wrong with the machine, the installation and the results"
    command = _command(commands, "doctor", text, ["a3c doctor", "a3c doctor --scale paper --json"])
    command.add_argument("--scale", default="laptop", help="of the studies whose workers are counted; laptop")
    command.add_argument("--json", action="store_true", help="a list of objects, instead of text for people")
    _add_folders(command)
    _add_tracking_uri(command)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, examples: list[str]
) -> argparse.ArgumentParser:
    epilog = "examples:\n" + "\n".join(f"  {example}" for example in examples)
    formatter = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=text, description=text, epilog=epilog, formatter_class=formatter)


def _add_folders(command: argparse.ArgumentParser) -> None:
    command.add_argument("--experiments", type=Path, default=Path("experiments"), help="folder of the YAML files")
    command.add_argument("--results", type=Path, default=Path("results"), help="folder of everything that is made")


def _add_tracking_uri(command: argparse.ArgumentParser) -> None:
    text = "MLflow store; by default $MLFLOW_TRACKING_URI, else an SQLite file below RESULTS"
    command.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"), help=text)


if __name__ == "__main__":
    sys.exit(main())
