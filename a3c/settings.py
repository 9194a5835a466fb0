"""What a run is: validated, frozen, resolved.

No field has a default here: every value stands in `experiments/`, where its source stands beside it. Counts carry
their unit in their name: `frames` are emulator frames, action repeats included; `steps` are decisions of the policy.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from a3c.environments.games import CLIFF_WORLD, CONTROL_GAMES, CUSTOM_PATTERN, atari_games, kind_of
from a3c.problems import InvalidInput, Problem, unknown

MAX_WORKERS = 1024
ASYNCHRONOUS = ("hogwild", "locked")

# Frames are counted in 64-bit integers and pass through float64 in figures, which is exact up to 2**53.
Positive = Annotated[int, Field(ge=1, le=2**53)]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class Frozen(BaseModel):
    """A strict, immutable record: unknown keys and silent conversions are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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


Environment = Annotated[AtariSettings | ControlSettings | CliffSettings | CustomSettings, Field(discriminator="kind")]
Network = Annotated[Conv2013Settings | MLPSettings | TableSettings, Field(discriminator="kind")]


class Settings(Frozen):
    """Everything that decides what a run computes; two runs with equal settings are one run."""

    game: str
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)]
    schedule: Literal["hogwild", "locked", "synchronous"]
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
        """Actor-learner processes: one a worker, or one for all of them if batched."""
        return 1 if self.executor == "batched" else self.workers

    @property
    def envs_per_process(self) -> int:
        """Environments that one process steps with batched inference."""
        return self.envs_per_worker * self.workers // self.processes

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
        found = field_problems(error) + found
    if found:
        raise InvalidInput(found)
    return settings


def field_problems(error: ValidationError) -> list[Problem]:
    """Pydantic's findings as problems: key path, offending value, allowed values."""
    return [Problem(_path(e["loc"]), _sentence(e)) for e in error.errors(include_url=False)]


def _path(location: tuple[int | str, ...]) -> str:
    """`('environment', 'atari', 'protocol')` -> `environment.protocol`: the union's tag is no key of the file."""
    tags = {"atari", "control", "cliff_world", "custom", "conv2013", "mlp", "table"}
    kept = [part for i, part in enumerate(location) if not (i == 1 and part in tags)]
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in kept)
    return text.lstrip(".") or "settings"


def _sentence(error: Any) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "missing; it needs a value"
    if kind == "extra_forbidden":
        return unknown(error["loc"][-1], _siblings(error["loc"]))
    if kind == "union_tag_invalid":
        return f"got kind {context['tag']!r}; allowed: {context['expected_tags']}"
    if kind == "union_tag_not_found":
        return "its `kind` is missing"
    if kind == "literal_error":
        return f"got {value!r}; allowed: {context['expected']}"
    hint = ""
    if kind == "float_type" and isinstance(value, str):
        hint = " (YAML reads 7e-4 as text: write 7.0e-4)"
    return f"got {value!r}; {error['msg'][0].lower()}{error['msg'][1:]}{hint}"


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed where an unknown one was found."""
    model: Any = Settings
    for part in location[:-1]:
        model = _step_into(model, part)
    return list(model.model_fields)


def _step_into(model: Any, part: int | str) -> Any:
    if not isinstance(model, list):
        annotation = model.model_fields[str(part)].annotation
        return annotation if isinstance(annotation, type) else list(annotation.__args__)
    return next(m for m in model if m.model_fields["kind"].annotation.__args__[0] == part)


def conflicts(raw: dict[str, Any]) -> list[Problem]:
    """Combinations that cannot be run, each with its reason; fields of a wrong type are left to their own message."""
    found = _game_conflicts(raw)
    schedule, executor = raw.get("schedule"), raw.get("executor")
    if executor == "batched" and schedule in ASYNCHRONOUS:
        found.append(
            Problem("executor", f"batched is one learner in one process, so schedule {schedule!r} is impossible; "
                    "allowed with it: synchronous")
        )  # fmt: skip
    return found + _network_conflicts(raw)


def _game_conflicts(raw: dict[str, Any]) -> list[Problem]:
    game, environment = raw.get("game"), raw.get("environment")
    if not isinstance(game, str):
        return []
    kind = kind_of(game)
    if kind is None:
        known = [*atari_games(), *CONTROL_GAMES, CLIFF_WORLD]
        message = unknown(game, known, "game") + f", or your own as package.module:factory ({CUSTOM_PATTERN})"
        return [Problem("game", message)]
    named = environment.get("kind") if isinstance(environment, dict) else None
    if named in ("atari", "control", "cliff_world", "custom") and named != kind:
        return [Problem("environment.kind", f"got {named!r}, but the game {game!r} needs {kind!r}")]
    return []


def _network_conflicts(raw: dict[str, Any]) -> list[Problem]:
    environment, network = raw.get("environment"), raw.get("network")
    if not isinstance(environment, dict) or not isinstance(network, dict):
        return []
    fits = {"atari": ["conv2013"], "control": ["mlp"], "cliff_world": ["table"], "custom": ["conv2013", "mlp", "table"]}
    allowed, got = fits.get(str(environment.get("kind"))), network.get("kind")
    if allowed and got in ("conv2013", "mlp", "table") and got not in allowed:
        kind = environment["kind"]
        return [Problem("network.kind", f"got {got!r}; a {kind} environment takes {', '.join(allowed)}")]
    return []
