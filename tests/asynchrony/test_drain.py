from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest
import torch

from a3c.asynchrony.drain import Drain
from a3c.asynchrony.exchange import LocalCopy, Push
from a3c.asynchrony.shared import allocate
from a3c.asynchrony.store import LockedStore
from a3c.learning.gradients import Diagnostics
from a3c.learning.rollouts import Rollout
from a3c.records.rows import EpisodeRow, IntervalRow
from a3c.settings import Settings

ZEROS = torch.zeros(5, 1)
ROLLOUT = Rollout(ZEROS, ZEROS.long(), ZEROS, ZEROS, torch.zeros(1), torch.zeros(1), torch.zeros(1, 0), ZEROS)


def test_turns_come_in_order_and_intervals_add_up(cliff: Callable[..., Settings]) -> None:
    settings = cliff(schedule="locked", workers=2, budget_frames=100, records={"intervals": 4})
    memory = allocate(settings, torch.zeros(16))
    memory.start_time[0] = 0.0
    store, drain = LockedStore(memory, threading.Lock(), settings), Drain(memory, settings)
    into, turns, rows = LocalCopy(torch.empty(16)), [], list[IntervalRow]()
    for k in range(20):
        numbers = Diagnostics(float(k), 0.0, 1.0, 0.0, 1.0)
        store.push(Push(k % 2, max(0, k - 1), torch.ones(16), ROLLOUT, numbers, into.vector), into)
        if k % 3 == 2:  # the supervisor comes when it comes
            new, finished = drain.take()
            turns += new["worker"].tolist()
            rows += finished
    drain.add_episodes([EpisodeRow(100, 1.0, 0, 0, 7.0, 10, 0)])
    new, finished = drain.take()
    rows += finished + drain.finish()
    assert turns + new["worker"].tolist() == [0, 1] * 10
    assert [row.frames for row in rows] == [25, 50, 75, 100]
    assert [row.policy_loss for row in rows] == pytest.approx([2, 7, 12, 17]), "each turn is in one interval"
    assert [row.staleness_mean for row in rows] == pytest.approx([0.8, 1, 1, 1])
    assert [row.episodes for row in rows] == [0, 0, 0, 1]
    assert rows[-1].score_mean == 7.0
    assert rows[0].score_mean is None
    assert (drain.frames, drain.updates) == (100, 20)


def test_what_an_algorithm_does_not_have_is_left_empty(cliff: Callable[..., Settings]) -> None:
    """Action values have neither policy loss nor entropy."""
    settings = cliff(schedule="locked", budget_frames=10, records={"intervals": 1})
    memory = allocate(settings, torch.zeros(16))
    memory.start_time[0] = 0.0
    store, drain, into = (
        LockedStore(memory, threading.Lock(), settings),
        Drain(memory, settings),
        LocalCopy(torch.empty(16)),
    )
    for value_loss in (2.0, 4.0):
        numbers = Diagnostics(math.nan, value_loss, math.nan, 1.0, 1.0)
        store.push(Push(0, 0, torch.ones(16), ROLLOUT, numbers, into.vector), into)
    _, (row,) = drain.take()
    assert (row.policy_loss, row.value_loss, row.entropy, row.value) == (None, 3.0, None, 1.0)
