"""Update rules on flat vectors, in place."""

from __future__ import annotations

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


def annealed(learning_rate: float, annealing: str, frames: int, budget_frames: int) -> float:
    """The learning rate at a place of the global frame counter.

    `linear` goes from `learning_rate` at 0 to 0 at the budget (that it is linear is known from the authors' e-mail);
    `constant` stays.
    """
    if annealing == "constant":
        return learning_rate
    return learning_rate * max(0.0, 1.0 - frames / budget_frames)
