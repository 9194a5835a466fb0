"""One seed, many streams, no two of them the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from a3c import seeding

SEEDS, WORKERS = range(5), range(16)


def test_all_streams_of_five_seeds_and_sixteen_workers_are_different() -> None:
    places = list(itertools.product(SEEDS, seeding.USES, WORKERS, range(2)))
    draws = {seeding.generator(*place).bytes(16) for place in places}
    assert len(draws) == len(places) == 5 * 6 * 16 * 2


def test_integers_for_libraries_are_different_too() -> None:
    places = list(itertools.product(SEEDS, seeding.USES, WORKERS))
    # 480 numbers below 2**31: by chance two of them agree with probability 5e-5, and the seeds are fixed.
    assert len({seeding.integer(*place) for place in places}) == len(places)


def test_no_stream_is_a_shifted_copy_of_another() -> None:
    """Seed + worker would give seeds 1 and 2 the same streams but for one."""
    pieces = [
        seeding.generator(seed, use, worker).integers(2**63, size=200)
        for seed, use, worker in itertools.product(SEEDS, seeding.USES, WORKERS)
    ]
    assert len(np.unique(np.concatenate(pieces))) == 5 * 6 * 16 * 200


def test_places_of_unequal_depth_are_different() -> None:
    """`SeedSequence([1])` and `SeedSequence([1, 0])` are the same; places must not be."""
    places: list[tuple[int, ...]] = [(), (0,), (0, 0), (0, 0, 0), (1,), (1, 0), (0, 1)]
    assert len({seeding.generator(0, "policy", *place).bytes(16) for place in places}) == len(places)


@pytest.mark.parametrize("use", seeding.USES)
def test_adding_a_worker_changes_no_other(use: str) -> None:
    def run(workers: int) -> list[bytes]:
        generators = [seeding.generator(3, use, worker) for worker in range(workers)]
        return [generator.bytes(64) for generator in generators]

    assert run(16)[:4] == run(4)


def test_a_stream_is_the_same_each_time_and_leaves_numpys_own_alone() -> None:
    np.random.seed(8131)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    assert seeding.generator(7, "policy", 2).bytes(64) == seeding.generator(7, "policy", 2).bytes(64)
    assert seeding.integer(7, "policy", 2) == seeding.integer(7, "policy", 2)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_integers_fit_every_library() -> None:
    drawn = [seeding.integer(seed, "environment", worker) for seed in range(100) for worker in WORKERS]
    assert min(drawn) >= 0
    assert max(drawn) < 2**31
    assert max(drawn) > 2**30  # the whole range is used


def test_the_greatest_seed_of_the_settings_works() -> None:
    assert seeding.integer(2**63 - 1, "policy", 0) != seeding.integer(0, "policy", 0)


def test_a_use_without_a_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        seeding.generator(0, "misspelled", 0)
