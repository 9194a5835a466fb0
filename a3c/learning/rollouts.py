"""What one worker saw between a pull and a push."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rollout:
    """T steps of B environments, and what is needed to value what follows them.

    Attributes:
      observation: [T, B, *shape], what was acted on.
      action: int64 [T, B], or float32 [T, B, D] where actions are continuous.
      reward: float32 [T, B], what is learnt from. Where a time limit ended an episode inside the rollout, γ times the
        value of its final observation is added, which is what bootstrapping there means.
      discount: float32 [T, B], γ, or 0 where nothing later counts.
      bootstrap_value: float32 [B], the value of what follows the last step.
      final_observation: [B, *shape], the observation whose value that is; any finite one where the last discount is 0.
      state: float32 [B, S], the recurrent state before the first step; S is 0 without recurrent cells.
      first: float32 [T, B], 1 where an episode began with that observation, so that the state before it counts for
        nothing.
      following_value: float32 [T, B], the value of what follows each step, for one-step methods only.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    discount: Tensor
    bootstrap_value: Tensor
    final_observation: Tensor
    state: Tensor
    first: Tensor
    following_value: Tensor | None = None

    @property
    def steps(self) -> int:
        """Decisions in it, T x B."""
        return self.reward.numel()
