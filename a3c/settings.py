"""What a run is: validated, frozen, resolved.

No field has a default here: every value stands in `experiments/`, where its source stands beside it. Counts carry
their unit in their name: `frames` are emulator frames, action repeats included; `steps` are decisions of the policy.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from a3c.conflicts import conflicts
from a3c.problems import InvalidInput, Problem
from a3c.validation import Frozen, field_problems

MAX_WORKERS = 1024

# Frames are counted in 64-bit integers and pass through float64 in figures, which is exact up to 2**53.
Positive = Annotated[int, Field(ge=1, le=2**53)]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Lag = Annotated[int, Field(ge=0, le=65535)]  # what a recorded turn can hold
AboveZero = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


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


class LearningSettings(Frozen):
    """The objective of one rollout (Mnih et al., 2016, Algorithm S3 and section 4)."""

    rollout_steps: Annotated[int, Field(ge=1, le=65535)]
    gamma: Unit
    entropy_weight: NonNegative
    value_weight: NonNegative
    gradient_norm_limit: AboveZero | None


class OptimizerSettings(Frozen):
    """RMSProp with shared statistics and epsilon inside the root (Mnih et al., 2016, equations S2 and S3)."""

    kind: Literal["shared_rmsprop"]
    learning_rate: AboveZero
    annealing: Literal["linear", "constant"]
    decay: Annotated[float, Field(ge=0.0, lt=1.0)]
    epsilon: AboveZero


class EvaluationSettings(Frozen):
    """Frozen parameters, full games, unclipped scores: `points` of them evenly over the budget, the last at its end."""

    points: Annotated[int, Field(ge=1, le=1000)]
    episodes: Positive
    policy: Literal["sampled", "greedy"]


class RecordSettings(Frozen):
    """How many rows of interval metrics a run leaves."""

    intervals: Annotated[int, Field(ge=1, le=100_000)]


class RoundRobin(Frozen):
    """Workers in turn, each pulling right after its push: staleness N - 1."""

    kind: Literal["round_robin"]


class ConstantLag(Frozen):
    """Workers in turn; every gradient is computed with the parameters `lag` updates ago."""

    kind: Literal["constant_lag"]
    lag: Lag


class GeometricLag(Frozen):
    """Workers in turn; staleness drawn from a geometric distribution of this mean, cut at `max_lag`."""

    kind: Literal["geometric"]
    mean: NonNegative
    max_lag: Lag


class HistogramLag(Frozen):
    """Workers in turn; staleness s drawn with probability `counts[s]` / Σ `counts`, as measured in another run."""

    kind: Literal["histogram"]
    counts: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=65536, strict=False)]


class LognormalSpeeds(Frozen):
    """Turns in order of completion; each takes a lognormal time of median 1 and this sigma."""

    kind: Literal["speeds_lognormal"]
    sigma: NonNegative


class HeterogeneousSpeeds(Frozen):
    """Turns in order of completion; workers take from 1 to `slowest` units of time, evenly spread."""

    kind: Literal["speeds_heterogeneous"]
    slowest: Annotated[float, Field(ge=1.0, allow_inf_nan=False)]


class Straggler(Frozen):
    """Turns in order of completion; the last worker is `factor` times slower than the others."""

    kind: Literal["straggler"]
    factor: Annotated[float, Field(ge=1.0, allow_inf_nan=False)]


Order = Annotated[
    RoundRobin | ConstantLag | GeometricLag | HistogramLag | LognormalSpeeds | HeterogeneousSpeeds | Straggler,
    Field(discriminator="kind"),
]
Environment = Annotated[AtariSettings | ControlSettings | CliffSettings | CustomSettings, Field(discriminator="kind")]
Network = Annotated[Conv2013Settings | MLPSettings | TableSettings, Field(discriminator="kind")]


class Settings(Frozen):
    """Everything that decides what a run computes; two runs with equal settings are one run."""

    game: str
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)]
    schedule: Literal["hogwild", "locked", "synchronous", "drawn"]
    order: Order | None
    pull_interval_rollouts: Annotated[int, Field(ge=1, le=10_000)]
    executor: Literal["processes", "batched"]
    envs_per_worker: Annotated[int, Field(ge=1, le=1024)]
    budget_frames: Positive
    environment: Environment
    network: Network
    learning: LearningSettings
    optimizer: OptimizerSettings
    evaluation: EvaluationSettings
    records: RecordSettings

    @property
    def action_repeat(self) -> int:
        """Emulator frames per decision: `frames = steps * action_repeat`."""
        return self.environment.action_repeat if isinstance(self.environment, AtariSettings) else 1

    @property
    def processes(self) -> int:
        """Actor-learner processes: one a worker, or one for all of them if batched or drawn."""
        return 1 if self.executor == "batched" or self.schedule == "drawn" else self.workers

    @property
    def turn_workers(self) -> int:
        """Workers that take turns: all of them, or one if they are one batched learner."""
        return 1 if self.executor == "batched" else self.workers

    @property
    def envs_per_turn(self) -> int:
        """Environments that one worker steps with batched inference."""
        return self.envs_per_worker * self.workers // self.turn_workers

    @property
    def id(self) -> str:
        """A readable prefix and a short hash of everything but game and seed, which have folders of their own."""
        plain = self.model_dump(mode="json", exclude={"seed", "game"})
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:10]
        batched = "-batched" if self.executor == "batched" else ""
        return f"{self.schedule}{batched}-w{self.workers}-{digest}"

    def to_json(self) -> str:
        """One line of JSON with sorted keys; `from_json` reads it back to an equal object."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that `to_json` wrote.

        Raises:
          InvalidInput: with every problem found, if the text is not such a document.
        """
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidInput([Problem("settings", f"not JSON: {error}")]) from None
        return resolve(raw)


def resolve(raw: Any) -> Settings:
    """Validates a plain mapping into settings.

    Raises:
      InvalidInput: with every unknown key, wrong type, value out of range and impossible combination at once.
    """
    if not isinstance(raw, dict):
        raise InvalidInput([Problem("settings", f"a mapping is needed, got {raw!r}")])
    found = conflicts(raw)
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        found = field_problems(error, Settings) + found
    if found:
        raise InvalidInput(found)
    return settings
