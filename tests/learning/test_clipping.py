"""Clipping by the global norm: shorter, never turned."""

from __future__ import annotations

import pytest
import torch

from a3c.learning.gradients import clip_


def test_clipping_keeps_the_direction_and_cuts_the_norm_to_the_limit() -> None:
    gradient = torch.tensor([3.0, 0.0, -4.0])
    clip_(gradient, 5.0, 1.0)
    torch.testing.assert_close(gradient, torch.tensor([0.6, 0.0, -0.8]))
    random = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    clipped = random.clone()
    clip_(clipped, float(random.norm()), 2.5)
    assert float(clipped.norm()) == pytest.approx(2.5, rel=1e-6)  # float32
    assert float(torch.cosine_similarity(clipped, random, dim=0)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("limit", [None, 5.0, 5.1, 40.0])
def test_a_gradient_within_the_limit_passes_unchanged(limit: float | None) -> None:
    gradient = torch.tensor([3.0, 0.0, -4.0])
    clip_(gradient, 5.0, limit)
    assert gradient.tolist() == [3.0, 0.0, -4.0]


def test_a_gradient_of_zeros_stays_zeros() -> None:
    gradient = torch.zeros(3)
    clip_(gradient, 0.0, 1.0)
    assert gradient.tolist() == [0.0] * 3
