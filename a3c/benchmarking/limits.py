"""What one core can do at best: dense products, copies, and the operations that a network needs."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

SIDE = 768
COPIED_FLOATS = 8 * 2**20
REPEATS = 12


def peak_flops() -> float:
    """Floating-point operations per second of a dense float32 product on one thread: the best of some."""
    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    out = torch.empty(SIDE, SIDE)
    return 2.0 * SIDE**3 / _best(lambda: torch.mm(a, b, out=out))


def copy_bytes_per_second() -> float:
    """Bytes copied per second from one block of memory, larger than the caches, to another."""
    source, target = torch.rand(COPIED_FLOATS), torch.empty(COPIED_FLOATS)
    return 4.0 * COPIED_FLOATS / _best(lambda: target.copy_(source))


def forward_flops(network: nn.Module, run: Callable[[], object]) -> float:
    """Floating-point operations of its convolutions and full connections while `run` uses the network, 2 a product."""
    counted = [0]

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        weight = layer.get_parameter("weight")
        counted[0] += 2 * output.numel() * weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return float(counted[0])


def _best(function: Callable[[], object]) -> float:
    """Seconds of the fastest call of several: whatever disturbs only adds."""
    function()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
