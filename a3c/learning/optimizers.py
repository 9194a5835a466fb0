"""Update rules on flat vectors, in place.

Statistics that start as zeros may be one worker's own or shared by all: the rules do not know, and see whatever
gradients come, in the order in which they come.
"""

from __future__ import annotations

import math

from torch import Tensor


def rmsprop_(
    parameters: Tensor, mean_square: Tensor, gradient: Tensor, *, learning_rate: float, decay: float, epsilon: float
) -> None:
    """RMSProp as in A3C (Mnih et al., 2016, equations S2 and S3), not centered.

        g ← α g + (1 − α) Δθ²        θ ← θ − η Δθ / √(g + ε)

    ε stands inside the root. `torch.optim.RMSprop` has it outside: with ε = 0.1 its steps are about three times as
    long for steady gradients below 0.01, so a learning rate tuned for one form does not carry over to the other.

    Args:
      parameters: θ, float32 [P], changed.
      mean_square: g, float32 [P], changed; shared between the workers, zeros at first.
      gradient: Δθ, float32 [P].
      learning_rate: η.
      decay: α.
      epsilon: ε.
    """
    mean_square.mul_(decay).addcmul_(gradient, gradient, value=1.0 - decay)
    parameters.addcdiv_(gradient, (mean_square + epsilon).sqrt_(), value=-learning_rate)


def momentum_sgd_(
    parameters: Tensor, momentum_vector: Tensor, gradient: Tensor, *, learning_rate: float, momentum: float
) -> None:
    """Gradient descent with momentum (Mnih et al., 2016, section 4).

        m ← α m + (1 − α) Δθ        θ ← θ − η m

    m is a mean of gradients: for a steady gradient the steps tend to η Δθ for every α. `torch.optim.SGD` sums them,
    m ← α m + Δθ, and needs `dampening=α` for this rule; even then its first step is η Δθ, and here η (1 − α) Δθ.

    Args:
      parameters: θ, float32 [P], changed.
      momentum_vector: m, float32 [P], changed; each worker's own in the paper, zeros at first.
      gradient: Δθ, float32 [P].
      learning_rate: η.
      momentum: α, at least 0 and below 1; 0 is plain gradient descent.
    """
    momentum_vector.lerp_(gradient, 1.0 - momentum)
    parameters.add_(momentum_vector, alpha=-learning_rate)


def adam_(
    parameters: Tensor,
    mean: Tensor,
    mean_square: Tensor,
    gradient: Tensor,
    *,
    learning_rate: float,
    decay_mean: float,
    decay_square: float,
    epsilon: float,
    step: int,
) -> None:
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980, algorithm 1).

        m ← β₁ m + (1 − β₁) Δθ      v ← β₂ v + (1 − β₂) Δθ²
        θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    ε stands outside the root, unlike in `rmsprop_`, and beside the corrected v. It is computed as the end of their
    section 2 has it, θ ← θ − ηₜ m / (√v + ε √(1 − β₂ᵗ)) with ηₜ = η √(1 − β₂ᵗ) / (1 − β₁ᵗ), one pass less.

    Args:
      parameters: θ, float32 [P], changed.
      mean: m, float32 [P], changed, zeros at first.
      mean_square: v, float32 [P], changed, zeros at first.
      gradient: Δθ, float32 [P].
      learning_rate: η.
      decay_mean: β₁.
      decay_square: β₂.
      epsilon: ε.
      step: t, this step's number in m and v, from 1: of shared statistics, every worker's steps count.

    Raises:
      ValueError: if `step` is less than 1, for which there is no correction.
    """
    if step < 1:
        raise ValueError(f"Adam's steps count from 1, not from {step}")
    root = math.sqrt(1.0 - decay_square**step)
    mean.lerp_(gradient, 1.0 - decay_mean)
    mean_square.mul_(decay_square).addcmul_(gradient, gradient, value=1.0 - decay_square)
    denominator = mean_square.sqrt().add_(epsilon * root)
    parameters.addcdiv_(mean, denominator, value=-learning_rate * root / (1.0 - decay_mean**step))


def annealed(learning_rate: float, annealing: str, frames: float, annealing_frames: float) -> float:
    """The learning rate at a place of a frame counter.

    `linear` and `linear_per_worker` go from `learning_rate` at 0 to 0 at `annealing_frames` (that it is linear is known
    from the authors' e-mail); `constant` stays. Whose frames they are is the caller's to say.
    """
    if annealing == "constant":
        return learning_rate
    return learning_rate * max(0.0, 1.0 - frames / annealing_frames)
