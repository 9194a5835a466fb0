"""What a run is: validated, frozen, resolved.

No field has a default here: every value stands in `experiments/`, where its source stands beside it. Counts carry
their unit in their name: `frames` are emulator frames, action repeats included; `steps` are decisions of the policy.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from a3c.conflicts import conflicts
from a3c.problems import InvalidInput, Problem, shown
from a3c.settings.domains import CustomNetwork, CustomSettings, Environment, Network
from a3c.settings.learning import (
    ActionValueSettings,
    Algorithm,
    Correction,
    CustomLoss,
    LearningSettings,
    Optimizer,
)
from a3c.settings.numbers import MAX_WORKERS, Positive
from a3c.settings.orders import Order
from a3c.validation import Frozen, field_problems, keys_by_kind


class EvaluationSettings(Frozen):
    """Frozen parameters, full games, unclipped scores: `points` of them evenly over the budget, the last at its end."""

    points: Annotated[int, Field(ge=1, le=1000)]
    episodes: Positive
    policy: Literal["sampled", "greedy"]


class RecordSettings(Frozen):
    """How much a run leaves: rows of interval metrics, and samples of what staleness does.

    Every `sample_interval_turns`-th turn of each worker is sampled; null for none.
    """

    intervals: Annotated[int, Field(ge=1, le=100_000)]
    sample_interval_turns: Positive | None


class Settings(Frozen):
    """Everything that decides what a run computes; two runs with equal settings are one run.

    `repeat` tells runs apart that differ in nothing else, seed included: it names a folder of its own and is read by
    nobody who trains.
    """

    game: str
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    repeat: Annotated[int, Field(ge=0, le=10_000)]
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)]
    schedule: Literal["hogwild", "locked", "synchronous", "drawn"]
    order: Order | None
    pull_interval_rollouts: Annotated[int, Field(ge=1, le=10_000)]
    executor: Literal["processes", "batched"]
    device: Literal["cpu", "cuda"]
    envs_per_worker: Annotated[int, Field(ge=1, le=1024)]
    budget_frames: Positive
    environment: Environment
    network: Network
    algorithm: Algorithm
    learning: LearningSettings
    optimizer: Optimizer
    correction: Correction
    evaluation: EvaluationSettings
    records: RecordSettings

    @property
    def action_repeat(self) -> int:
        """Emulator frames per decision: `frames = steps * action_repeat`."""
        return int(getattr(self.environment, "action_repeat", 1))

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
    def target_interval_frames(self) -> int | None:
        """Frames between two refreshes of the target network; None for an algorithm without one."""
        return self.algorithm.target_interval_frames if isinstance(self.algorithm, ActionValueSettings) else None

    @property
    def annealing_frames(self) -> int:
        """Frames over which a learning rate goes down to 0, if it is annealed."""
        return self.learning.annealing_frames or self.budget_frames

    @property
    def own_functions(self) -> tuple[str, ...]:
        """The user's functions that train it, `package.module:function` each; for most runs there are none."""
        environment, network, algorithm = self.environment, self.network, self.algorithm
        return (
            *([self.game] if isinstance(environment, CustomSettings) else []),
            *([network.factory] if isinstance(network, CustomNetwork) else []),
            *([algorithm.loss] if isinstance(algorithm, CustomLoss) else []),
        )

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
            raw = json.loads(text, object_pairs_hook=_once)
        except RecursionError:
            raise InvalidInput([Problem("settings", "not JSON of settings: nested too deeply")]) from None
        except ValueError as error:
            raise InvalidInput([Problem("settings", f"not JSON: {error}")]) from None
        return resolve(raw)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, which itself would keep the last of equal keys silently.

    Raises:
      ValueError: naming a key that is given twice.
    """
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} is given twice")
    return mapping


def resolve(raw: Any) -> Settings:
    """Validates a plain mapping into settings.

    Raises:
      InvalidInput: with every unknown key, wrong type, value out of range and impossible combination at once.
    """
    if not isinstance(raw, dict):
        raise InvalidInput([Problem("settings", f"a mapping is needed, got {shown(raw)}")])
    found = conflicts(raw)
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        found = field_problems(error, Settings) + found
    if found:
        raise InvalidInput(found)
    return settings


def same_keys(kind: object, other: object) -> bool:
    """Whether two kinds of one setting are equal, or have the same keys."""
    keys = _keys_by_kind()
    return kind == other or (str(kind) in keys and keys[str(kind)] == keys.get(str(other)))


@cache
def _keys_by_kind() -> dict[str, frozenset[str]]:
    return keys_by_kind(Settings)
