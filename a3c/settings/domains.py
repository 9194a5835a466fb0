"""What is played, and the network that plays it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from a3c.settings.numbers import AboveZero, Positive
from a3c.validation import Frozen


class AtariSettings(Frozen):
    """An Atari 2600 game; `protocol` names a whole set of choices that are never mixed in a table."""

    kind: Literal["atari"]
    protocol: Literal["paper", "sticky"]
    action_repeat: Annotated[int, Field(ge=2, le=16)]
    stacked_frames: Annotated[int, Field(ge=1, le=16)]
    frame_limit_frames: Positive
    clip_rewards: bool


class ControlSettings(Frozen):
    """A Gymnasium task with a vector observation and discrete actions; rewards are scaled to learn from."""

    kind: Literal["control"]
    reward_scale: AboveZero


class CliffSettings(Frozen):
    """The tabular cliff world: `step_limit_steps` ends an episode as a frame limit does."""

    kind: Literal["cliff_world"]
    step_limit_steps: Positive
    reward_scale: AboveZero


class CustomSettings(Frozen):
    """A user's own environment, `package.module:factory`; `options` are the factory's keyword arguments."""

    kind: Literal["custom"]
    reward_scale: AboveZero
    options: dict[str, Any]


class Conv2013Settings(Frozen):
    """The network of Mnih et al. (2013): conv 16 8x8/4, conv 32 4x4/2, fully connected 256."""

    kind: Literal["conv2013"]


class MLPSettings(Frozen):
    """Fully connected layers with tanh; policy and value share all but their output layers."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]


class TableSettings(Frozen):
    """A softmax actor table and a critic table, one row per state."""

    kind: Literal["table"]


Environment = Annotated[AtariSettings | ControlSettings | CliffSettings | CustomSettings, Field(discriminator="kind")]
Network = Annotated[Conv2013Settings | MLPSettings | TableSettings, Field(discriminator="kind")]
