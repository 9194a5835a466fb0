"""Group C, where chance comes from: one seed a run, one stream a use, and nothing beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gymnasium
import numpy as np
import pytest
import torch

from a3c import seeding
from a3c.asynchrony.acting import Actor, make_actor
from a3c.asynchrony.agents import make_learner, make_network
from a3c.asynchrony.behaviors import Softmax
from a3c.environments import make
from a3c.environments.batch import Batch
from a3c.environments.step import Environment
from a3c.settings import Settings

from .pieces import Make, OneNetwork

Streams = Callable[[int, int, int], int]  # of a run's seed, a worker and how many there are: its environment's seed


def one_seed(seed: int, worker: int, workers: int) -> int:
    return seed


def seed_and_rank(seed: int, worker: int, workers: int) -> int:
    return seed + worker


def seed_times_workers_and_rank(seed: int, worker: int, workers: int) -> int:
    return seed * workers + worker


@pytest.mark.parametrize("as_it_is_copied", [one_seed, seed_and_rank, seed_times_workers_and_rank])
def test_IntelLabs_coach_111_no_two_workers_of_any_two_runs_share_a_stream(as_it_is_copied: Streams) -> None:
    """IntelLabs/coach#111, Kaixhin/Atari#14: all workers play the same episodes; vwxyzjn/cleanrl#238: all runs do;
    pytorch/rl#129: seed + rank, by which 16 workers of seeds 1 and 2 have 15 streams in common."""

    def check(stream: Streams) -> None:
        runs = [(seed, worker, workers) for workers in (4, 16) for seed in range(5) for worker in range(workers)]
        users: dict[int, set[tuple[int, int]]] = {}
        for seed, worker, workers in runs:
            users.setdefault(stream(seed, worker, workers), set()).add((seed, worker))
        assert all(len(places) == 1 for places in users.values()), "two workers share a stream"

    check(lambda seed, worker, workers: seeding.integer(seed, "environment", worker, 0))
    with pytest.raises(AssertionError, match="two workers share a stream"):
        check(as_it_is_copied)


def test_PaddlePaddle_PARL_401_processes_that_were_forked_draw_different_numbers() -> None:
    """PaddlePaddle/PARL#401, mokemokechicken/reversi-alpha-zero#47, nottombrown/rl-teacher#21: a fork copies NumPy's
    global stream, so every process goes on with the same numbers."""

    def check(draw: Callable[[int], float]) -> None:
        drawn = {in_a_fork(draw, worker) for worker in range(3)}
        assert len(drawn) == 3, "all workers draw the same"

    check(lambda worker: seeding.generator(0, "policy", worker).random())
    with pytest.raises(AssertionError, match="all workers draw the same"):
        check(lambda worker: np.random.random())  # noqa: NPY002 - the idiom


def in_a_fork(draw: Callable[[int], float], worker: int) -> bytes:
    """What a forked process draws."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, np.float64(draw(worker)).tobytes())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    drawn = os.read(read, 8)
    os.close(read)
    os.close(write)
    return drawn


def from_the_system(settings: Settings) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(os.urandom(4), "little"))


def from_the_clock(settings: Settings) -> np.random.Generator:
    return np.random.default_rng(time.perf_counter_ns())


def from_the_global_stream(settings: Settings) -> np.random.Generator:
    return np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002 - the idiom


@pytest.mark.parametrize("as_it_is_copied", [from_the_system, from_the_clock, from_the_global_stream])
def test_facebookresearch_torchbeast_what_a_worker_plays_follows_from_the_seed_and_from_nothing_else(
    cartpole: Make, as_it_is_copied: Callable[[Settings], np.random.Generator]
) -> None:
    """facebookresearch/torchbeast at 0af07b0 seeds its actors by `os.urandom`, NVlabs/GA3C at c291be5 by the clock,
    openai/universe-starter-agent at 293904f not at all; DLR-RM/stable-baselines3#369 and #557 ask what is repeatable.

    A rollout is played twice, with the global streams of torch and NumPy left somewhere else in between.
    """
    settings = cartpole(learning={"rollout_steps": 50})

    def copied() -> Actor:
        batch = Batch([make(settings, 0, 0)])
        network, learner = make_network(settings, batch.spec), make_learner(settings, batch.spec)
        return Actor(settings, batch, OneNetwork(network), learner, Softmax(), as_it_is_copied(settings))

    def check(build: Callable[[], Actor]) -> None:
        first, second = (build().collect(0).action.clone() for _ in range(2) if disturbed())
        assert torch.equal(first[: len(second)], second[: len(first)]), "chance came from somewhere else"

    check(lambda: make_actor(settings, 0))
    with pytest.raises(AssertionError, match="chance came from somewhere else"):
        check(copied)


def disturbed() -> bool:
    """Draws from the global streams."""
    np.random.random()  # noqa: NPY002 - the stream that nobody should draw from
    torch.rand(1)
    return True


@contextmanager
def opened(environment: Environment) -> Iterator[Environment]:
    yield environment
    environment.close()


def test_openai_gym_194_the_seed_is_set_once_and_not_at_every_episode(cartpole: Make) -> None:
    """openai/gym#194, sail-sg/envpool#432: every episode is the same one, for the seed is set at every reset."""

    def check(reset: Callable[[], np.ndarray]) -> None:
        assert not np.array_equal(reset(), reset()), "the same episode again"

    with opened(make(cartpole(), 0, 0)) as environment:
        check(environment.reset)
    task = gymnasium.make("CartPole-v1")
    with pytest.raises(AssertionError, match="the same episode again"):
        check(lambda: task.reset(seed=7)[0])


@pytest.mark.parametrize("game", ["cliff", "cartpole", "pong"])
def test_sail_sg_envpool_144_the_same_seed_and_actions_give_the_same_bytes(
    request: pytest.FixtureRequest, game: str
) -> None:
    """sail-sg/envpool#144: a seeded environment begins with what the one before it left in memory.

    sail-sg/envpool#434 adds that an environment without any chance passes too; `test_openai_gym_194` sees to that.
    """
    settings = request.getfixturevalue(game)()
    left: list[float] = []

    def of_this_project() -> list[bytes]:
        with opened(make(settings, 0, 0)) as environment:
            generator, seen = np.random.default_rng(0), [environment.reset().tobytes()]
            for action in generator.integers(environment.spec.actions, size=15):
                step = environment.step(int(action))
                seen.append(step.observation.tobytes() + np.array([step.reward, step.discount]).tobytes())
                if step.last:
                    seen.append(environment.reset().tobytes())
        return seen

    def as_it_is_copied() -> list[bytes]:
        left.append(0.5)
        return [np.float64(sum(left)).tobytes(), *of_this_project()]

    def check(play: Callable[[], list[bytes]]) -> None:
        assert play() == play(), "something was left from before"

    check(of_this_project)
    with pytest.raises(AssertionError, match="something was left from before"):
        check(as_it_is_copied)
