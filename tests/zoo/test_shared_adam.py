"""Group A, an Adam that all workers share: that it runs, that it counts, and that it counts all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.asynchrony.shared import VERSION
from a3c.learning.optimizers import adam_

from .pieces import (
    PLAIN_DESCENT,
    SIZE,
    Make,
    Train,
    Turns,
    empty_copy,
    memory_of,
    push_of,
    steps_of,
    store_of,
    through_the_store,
)

RATE = 0.01
ADAM = {
    "kind": "shared_adam",
    "learning_rate": RATE,
    "annealing": "constant",
    "decay_mean": 0.9,
    "decay_square": 0.999,
    "epsilon": 1e-8,
}


def test_philtabor_Youtube_Code_Repository_62_a_shared_adam_runs_on_the_installed_torch(cliff: Make) -> None:
    """philtabor/Youtube-Code-Repository#60 and #62: "API has changed, `state_steps` argument must contain a list of
    singleton tensors", from an Adam whose state was put into shared memory before its first step."""

    class SharedAdam(torch.optim.Adam):
        def __init__(self, parameters: list[nn.Parameter]) -> None:
            super().__init__(parameters, lr=RATE)
            for parameter in parameters:
                moments = {name: torch.zeros_like(parameter.data) for name in ("exp_avg", "exp_avg_sq")}
                self.state[parameter] = {"step": 0, **moments}

    def as_it_is_copied(turns: Turns) -> list[float]:
        parameter, places = nn.Parameter(torch.zeros(1)), []
        optimizer = SharedAdam([parameter])
        for _, gradient in turns:
            parameter.grad = torch.full([1], gradient)
            optimizer.step()
            places.append(parameter.item())
        return places

    def check(train: Train) -> None:
        assert train([(0, 1.0), (0, 1.0)]) == pytest.approx([-RATE, -2 * RATE])

    check(through_the_store(cliff, ADAM))
    with pytest.raises(RuntimeError, match="state_steps"):
        check(as_it_is_copied)


def test_ikostrikov_pytorch_a3c_12_adams_step_counter_is_shared_as_its_moments_are(cliff: Make) -> None:
    """ikostrikov/pytorch-a3c#12, MorvanZhou/pytorch-A3C#2, mimoralea/gdrl#24: the bias correction is wrong.

    With the right one, every step along a steady gradient is as long as the rate, whoever makes it.
    """

    constants: dict[str, Any] = {key: ADAM[key] for key in ("learning_rate", "decay_mean", "decay_square", "epsilon")}

    def as_it_is_copied(turns: Turns) -> list[float]:
        parameter, mean, square = (torch.zeros(1) for _ in range(3))
        own, places = [0] * 4, []
        for worker, gradient in turns:
            own[worker] += 1
            adam_(parameter, mean, square, torch.full([1], gradient), step=own[worker], **constants)
            places.append(parameter.item())
        return places

    def check(train: Train) -> None:
        steps = steps_of(train([(turn % 4, 1.0) for turn in range(12)]))
        assert steps == pytest.approx([RATE] * 12, rel=1e-4), "the bias correction is that of another step"

    check(through_the_store(cliff, ADAM))
    with pytest.raises(AssertionError, match="that of another step"):
        check(as_it_is_copied)


def test_greydanus_baby_a3c_9_the_step_that_counts_is_the_step_that_is_called(cliff: Make) -> None:
    """greydanus/baby-a3c#9: `step` is indented into `__init__`, so the optimizer's own one runs and nothing counts."""

    class SharedSGD(torch.optim.SGD):
        def __init__(self, parameters: list[nn.Parameter]) -> None:
            super().__init__(parameters, lr=1.0)
            self.shared_steps = torch.zeros(1, dtype=torch.int64)

            def step(self: SharedSGD) -> None:
                self.shared_steps += 1
                torch.optim.SGD.step(self)

    settings = cliff(schedule="locked", optimizer=PLAIN_DESCENT)
    memory = memory_of(settings)
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    copied = SharedSGD([parameter])

    def check(step: Callable[[], object], counter: Tensor) -> None:
        for _ in range(3):
            step()
        assert int(counter) == 3, "the steps were not counted"

    check(lambda: store_of(memory, settings).push(push_of(torch.ones(SIZE)), empty_copy()), memory.counters[VERSION])
    with pytest.raises(AssertionError, match="the steps were not counted"):
        check(copied.step, copied.shared_steps)
