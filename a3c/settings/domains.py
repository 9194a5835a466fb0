"""What is played, and the network that plays it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from a3c.settings.named_functions import Options
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
    """A Gymnasium task with a vector observation, classic or MuJoCo; rewards are scaled to learn from."""

    kind: Literal["control"]
    reward_scale: AboveZero


class PixelSettings(Frozen):
    """A Gymnasium task seen as pixels, 84x84: `stacked_frames` pictures, in color or gray, one every few steps.

    Unless `continuous`, an action is one of a few that the task names, such as left, right, gas and brake.
    """

    kind: Literal["pixels"]
    action_repeat: Annotated[int, Field(ge=1, le=16)]
    stacked_frames: Annotated[int, Field(ge=1, le=16)]
    color: bool
    continuous: bool
    reward_scale: AboveZero


class MinAtarSettings(Frozen):
    """A game of MinAtar, 10x10 cells, every step one frame.

    The action before is repeated with `sticky_action_probability`; `difficulty_ramping` makes Asterix, Seaquest and
    Space Invaders harder as a game goes on; `minimal_actions` leaves out actions that do nothing in a game.
    """

    kind: Literal["minatar"]
    sticky_action_probability: Annotated[float, Field(ge=0.0, lt=1.0)]
    difficulty_ramping: bool
    minimal_actions: bool
    frame_limit_frames: Positive
    reward_scale: AboveZero


class MazeSettings(Frozen):
    """A maze of `side_cells` x `side_cells` cells in first person; a new one each episode, with apples and a portal.

    An episode lasts `episode_seconds` of the simulator's 35 frames a second.
    """

    kind: Literal["maze"]
    side_cells: Annotated[int, Field(ge=2, le=32)]
    apples: Annotated[int, Field(ge=0, le=200)]
    episode_seconds: Annotated[int, Field(ge=1, le=3600)]
    action_repeat: Annotated[int, Field(ge=1, le=16)]
    reward_scale: AboveZero


class BanditSettings(Frozen):
    """One step an episode: one of `arms` pays 1; or, if `continuous`, an action pays the more the nearer a number.

    There is one state, observed as its `index`, for tables, or as a `vector`.
    """

    kind: Literal["bandit"]
    arms: Annotated[int, Field(ge=2, le=1000)]
    observed: Literal["index", "vector"]
    continuous: bool


class CorridorSettings(Frozen):
    """A corridor in which one action only leads on from each of `length` places, others end it, and its end alone pays.

    What is observed: the place's `index`, for tables; the place as a `vector`; or `nothing`, so that an agent has to
    remember how far it has come. If `continuous`, the action must be near one number.
    """

    kind: Literal["corridor"]
    length: Annotated[int, Field(ge=1, le=1000)]
    observed: Literal["index", "vector", "nothing"]
    continuous: bool


class SparseGridSettings(Frozen):
    """A grid whose goal takes `decisions` right ones in a row; a wrong one leads back to the start."""

    kind: Literal["sparse_grid"]
    decisions: Annotated[int, Field(ge=1, le=1000)]
    observed: Literal["index", "vector"]
    step_limit_steps: Positive


class CliffSettings(Frozen):
    """The tabular cliff world: `step_limit_steps` ends an episode as a time limit does."""

    kind: Literal["cliff_world"]
    step_limit_steps: Positive
    reward_scale: AboveZero


class CustomSettings(Frozen):
    """A user's own environment, `package.module:factory`; `options` are the factory's keyword arguments."""

    kind: Literal["custom"]
    reward_scale: AboveZero
    options: Options


class _Layers(Frozen):
    """What all but tables share.

    `lstm_cells` come after the last hidden layer, null for none; `separate` gives policy and value networks of their
    own; `initialization` is torch's default, or orthogonal.
    """

    lstm_cells: Positive | None
    separate: bool
    initialization: Literal["torch", "orthogonal"]


class ConvSettings(_Layers):
    """The convolutional networks of Mnih et al. (2013): 16 8x8/4, 32 4x4/2, 256; and (2015): 32, 64, 64, 512.

    `conv_minatar`, 16 3x3, 128, is that of Young and Tian (2019), for 10x10 cells.
    """

    kind: Literal["conv2013", "conv2015", "conv_minatar"]


class MLPSettings(_Layers):
    """Fully connected layers."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
    activation: Literal["relu", "tanh"]


class TableSettings(Frozen):
    """One row of numbers a state: a softmax policy and a value, or action values."""

    kind: Literal["table"]


class CustomNetwork(Frozen):
    """A user's own network without recurrent cells, made by `factory`, `package.module:function`.

    It is called with the environment's spec, the number of output columns and `options` as keyword arguments, and
    returns a torch module. docs/own_parts.md has an example.
    """

    kind: Literal["custom"]
    factory: str
    options: Options


Environment = Annotated[
    AtariSettings
    | ControlSettings
    | PixelSettings
    | MinAtarSettings
    | MazeSettings
    | BanditSettings
    | CorridorSettings
    | SparseGridSettings
    | CliffSettings
    | CustomSettings,
    Field(discriminator="kind"),
]
Network = Annotated[ConvSettings | MLPSettings | TableSettings | CustomNetwork, Field(discriminator="kind")]
