"""What a run asks of a batch system such as SLURM: a GPU, and memory and minutes, estimated from what was measured.

The last two are generous and neither is a promise. A run that reaches its time limit is told so, makes a checkpoint
and goes on from it in its next try, so that minutes which are too few cost a wait in the queue and nothing else.
"""

from __future__ import annotations

import math

from a3c.settings import Settings

# Frames a second of one worker with a core of its own, on a server processor of 2024 (AMD EPYC): 1,900 on Pong with the
# network of 2013, 14,000 on CartPole; with half as much for what else the machine does.
FRAMES_PER_SECOND = {"atari": 950.0, "control": 7_000.0, "cliff_world": 7_000.0, "bandit": 7_000.0, "corridor": 7_000.0}
OTHER_FRAMES_PER_SECOND = 500.0
START_MINUTES, MOST_MINUTES = 5, 24 * 60
# Measured: 265 MiB a worker process on Pong, evaluator and supervisor likewise, 7 MiB a game more.
PROCESS_MEGABYTES, GAME_MEGABYTES, SHARED_MEGABYTES = 300, 8, 500


def megabytes(settings: Settings) -> int:
    """Memory of all processes of a run together."""
    games = settings.workers * settings.envs_per_worker
    return SHARED_MEGABYTES + PROCESS_MEGABYTES * (settings.processes + 2) + GAME_MEGABYTES * games


def minutes(settings: Settings) -> int:
    """Wall-clock of a run with a core for each of its processes; at most a day, after which it is tried again."""
    each = FRAMES_PER_SECOND.get(settings.environment.kind, OTHER_FRAMES_PER_SECOND)
    seconds = settings.budget_frames / (each * settings.processes)
    return min(START_MINUTES + math.ceil(seconds / 60), MOST_MINUTES)


def gres(settings: Settings) -> str:
    """Of what SLURM calls generic resources, a GPU where the learner is on one; else nothing."""
    return "gpu:1" if settings.device == "cuda" else ""
