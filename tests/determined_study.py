"""A study whose settings say all that its runs compute: wherever it is trained, its results are the same."""

from __future__ import annotations

VARIANTS = {
    "a2c": "{schedule: synchronous}",
    "a3c": "{schedule: drawn, order: {kind: geometric, mean: 3.0, max_lag: 9}}",
}


def determined_study(budget_frames: int, *variants: str) -> str:
    """Its YAML; all variants if none are named."""
    lines = "\n".join(f"  {name}: {VARIANTS[name]}" for name in variants or VARIANTS)
    return f"""
title: One
question: Is it the same elsewhere?
variants:
{lines}
scales:
  smoke:
    - settings: cliff_world
      games: [CliffWorld]
      workers: [2]
      seeds: 1
      override: {{budget_frames: {budget_frames}, evaluation: {{points: 2, episodes: 3}}, records: {{intervals: 4}}}}
"""
