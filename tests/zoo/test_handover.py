"""Group A, how a gradient gets from a worker to the shared parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a3c.learning.flat import FlatNetwork
from a3c.learning.gradients import flat_gradient
from a3c.learning.networks import Table

from .pieces import PLAIN_DESCENT, SIZE, Make, empty_copy, memory_of, push_of, store_of

TRUE = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

HandOver = Callable[[list[float]], list[float]]


def loss_of(weight: Tensor, gradient: float) -> Tensor:
    """A loss whose gradient is that number in every place."""
    return gradient * weight.sum()


def through_the_store(cliff: Make) -> HandOver:
    """What this project's store applies, one update after the other."""

    def hand_over(gradients: list[float]) -> list[float]:
        settings = cliff(schedule="locked", optimizer=PLAIN_DESCENT, workers=1)
        memory, network, applied = memory_of(settings), FlatNetwork(Table(4, 4)), []
        store = store_of(memory, settings)
        for k, true in enumerate(gradients):
            before = memory.parameters.clone()
            gradient, _ = flat_gradient(network, loss_of(network.tensors[0], true))
            store.push(push_of(gradient, read=k), empty_copy())
            applied.append(float((before - memory.parameters)[0]))
        return applied

    return hand_over


def as_copied(tie: Callable[[Any, Any, Any, bool], None], *, set_to_none: bool = True) -> HandOver:
    """What the shared optimizer sees if `tie` ties the two networks' `.grad` together, as code bases do."""

    def hand_over(gradients: list[float]) -> list[float]:
        local, shared = (nn.Parameter(torch.zeros(1)) for _ in range(2))
        optimizer, seen = torch.optim.SGD([shared], lr=1.0), []
        for true in gradients:
            before = shared.detach().clone()
            tie(
                local, shared, lambda local=local, true=true: torch.autograd.backward(loss_of(local, true)), set_to_none
            )
            optimizer.step()
            seen.append(float((before - shared.detach())[0]))
        return seen

    return hand_over


def tie_while_there_is_none(local: Any, shared: Any, backward: Any, set_to_none: bool) -> None:
    """Zeroes the shared `.grad`; ties the local one to it unless it has one: pytorch-a3c and baby-a3c."""
    torch.optim.SGD([shared]).zero_grad(set_to_none=set_to_none)
    backward()
    if shared.grad is None:
        shared.grad = local.grad


def tie_always(local: Any, shared: Any, backward: Any, set_to_none: bool) -> None:
    """Zeroes the shared `.grad`; ties the local one to it: pytorch-A3C."""
    torch.optim.SGD([shared]).zero_grad(set_to_none=set_to_none)
    backward()
    shared.grad = local.grad


def tie_after_zeroing_the_local_one(local: Any, shared: Any, backward: Any, set_to_none: bool) -> None:
    """Zeroes the local `.grad`; ties it to the shared one unless that has one: rl_a3c_pytorch without a GPU."""
    torch.optim.SGD([local]).zero_grad(set_to_none=set_to_none)
    backward()
    if shared.grad is None:
        shared.grad = local.grad


IDIOMS = {
    "ikostrikov_pytorch_a3c_20": (tie_while_there_is_none, [1, 3, 6, 10, 15, 21]),
    "MorvanZhou_pytorch_A3C_21": (tie_always, [1, 3, 6, 10, 15, 21]),
    "dgriff777_rl_a3c_pytorch_17": (tie_after_zeroing_the_local_one, [1, 1, 1, 1, 1, 1]),
}


@pytest.mark.parametrize("thread", IDIOMS)
def test_the_kth_update_applies_the_kth_gradient(cliff: Make, thread: str) -> None:
    """ikostrikov/pytorch-a3c#20, #25, #49, #55, #79, #9; dgriff777/rl_a3c_pytorch#17, #25; MorvanZhou/pytorch-A3C#21;
    mimoralea/gdrl#25; Lightning-AI/pytorch-lightning#16531.

    Is what `ensure_shared_grads` does only done once? It is, and was right while `zero_grad` wrote zeros into the
    `.grad` that both networks share. Since torch 2.0 it drops it, and sums or the first gradient are what is applied.
    """
    tie, seen = IDIOMS[thread]

    def check(hand_over: HandOver) -> None:
        assert hand_over(TRUE) == TRUE, "another gradient was applied"

    check(through_the_store(cliff))
    check(as_copied(tie, set_to_none=False))
    with pytest.raises(AssertionError, match="another gradient was applied"):
        check(as_copied(tie))
    assert as_copied(tie)(TRUE) == seen, "it goes wrong in the way that users describe"


def test_MorvanZhou_pytorch_A3C_21_a_gradient_that_was_left_behind_is_not_added() -> None:
    """MorvanZhou/pytorch-A3C#21: are local gradients accumulated and never reset?"""

    def check(gradient_of: Callable[[FlatNetwork, Tensor], Tensor]) -> None:
        network = FlatNetwork(Table(4, 4))
        network.tensors[0].grad = torch.full([4, 4], 100.0)
        first, second = (gradient_of(network, loss_of(network.tensors[0], 3.0)).clone() for _ in range(2))
        assert first.tolist() == second.tolist() == [3.0] * SIZE, "an older gradient was added"

    def as_it_is_copied(network: FlatNetwork, loss: Tensor) -> Tensor:
        torch.autograd.backward(loss)
        assert network.tensors[0].grad is not None
        return network.tensors[0].grad.flatten()

    check(lambda network, loss: flat_gradient(network, loss)[0])
    with pytest.raises(AssertionError, match="an older gradient was added"):
        check(as_it_is_copied)


def test_pytorch_examples_1172_a_gradient_is_there_although_nobody_zeroed_any() -> None:
    """pytorch/examples#1172: a parameter server that adds to `.grad` finds None there since torch 2.0, and crashes."""

    def check(gradient_of: Callable[[FlatNetwork, Tensor], Tensor]) -> None:
        network = FlatNetwork(Table(4, 4))
        assert gradient_of(network, loss_of(network.tensors[0], 3.0)).tolist() == [3.0] * SIZE

    def as_it_is_copied(network: FlatNetwork, loss: Tensor) -> Tensor:
        parameter: Any = network.tensors[0]
        torch.optim.SGD([parameter]).zero_grad()
        (received,) = torch.autograd.grad(loss, [parameter])
        parameter.grad += received
        return network.flatten([parameter.grad])

    check(lambda network, loss: flat_gradient(network, loss)[0])
    with pytest.raises(TypeError, match="NoneType"):
        check(as_it_is_copied)


def test_ikostrikov_pytorch_a3c_59_a_gradient_of_another_type_is_carried_over() -> None:
    """ikostrikov/pytorch-a3c#59, pytorch/pytorch#2905: a `.grad` that is assigned must have the parameter's type."""

    def check(hand_over: Callable[[FlatNetwork, Tensor], Tensor]) -> None:
        network = FlatNetwork(Table(4, 4))
        gradient = hand_over(network, torch.full([4, 4], 3.0, dtype=torch.float64))
        assert (gradient.dtype, gradient.flatten().tolist()) == (torch.float32, [3.0] * SIZE)

    def as_it_is_copied(network: FlatNetwork, gradient: Tensor) -> Tensor:
        network.tensors[0].grad = gradient
        return network.tensors[0].grad

    check(lambda network, gradient: network.flatten([gradient]))
    with pytest.raises(RuntimeError, match="dtype"):
        check(as_it_is_copied)
