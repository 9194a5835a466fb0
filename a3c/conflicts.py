"""Combinations of settings that cannot be run, found in a plain mapping whose fields may still be wrong themselves."""

from __future__ import annotations

from typing import Any

from a3c.environments.games import CLIFF_WORLD, CONTROL_GAMES, CUSTOM_PATTERN, atari_games, kind_of
from a3c.problems import Problem, unknown

ASYNCHRONOUS = ("hogwild", "locked")


def conflicts(raw: dict[str, Any]) -> list[Problem]:
    """Combinations that cannot be run, each with its reason; fields of a wrong type are left to their own message."""
    return _game_conflicts(raw) + _schedule_conflicts(raw) + _network_conflicts(raw)


def _schedule_conflicts(raw: dict[str, Any]) -> list[Problem]:
    schedule, executor, interval = raw.get("schedule"), raw.get("executor"), raw.get("pull_interval_rollouts")
    found = []
    if executor == "batched" and schedule in (*ASYNCHRONOUS, "drawn"):
        why = f"batched is one learner in one process, so schedule {schedule!r} is impossible; allowed: synchronous"
        found.append(Problem("executor", why))
    if schedule == "drawn" and raw.get("order") is None:
        found.append(Problem("order", "missing; a drawn schedule needs an order, such as {kind: constant_lag, lag: 4}"))
    if schedule in (*ASYNCHRONOUS, "synchronous") and raw.get("order") is not None:
        found.append(Problem("order", f"got an order, but schedule {schedule!r} makes its own; allowed: null"))
    if schedule in ("synchronous", "drawn") and isinstance(interval, int) and interval > 1:
        why = f"got {interval}; schedule {schedule!r} says itself when workers pull; allowed: 1"
        found.append(Problem("pull_interval_rollouts", why))
    if schedule == "synchronous" and _kind(raw.get("correction")) in ("scaled_rate", "delay_compensation", "vtrace"):
        why = f"got {_kind(raw['correction'])!r}, but synchronous gradients are never stale; allowed: none"
        found.append(Problem("correction.kind", why))
    found += _order_conflicts(raw.get("order"))
    return found


def _order_conflicts(order: Any) -> list[Problem]:
    counts = order.get("counts") if isinstance(order, dict) else None
    if isinstance(counts, list | tuple) and counts and all(count == 0 for count in counts):
        return [Problem("order.counts", "all are 0, so there is no staleness to draw; one must be above 0")]
    return []


def _kind(part: Any) -> str:
    return str(part.get("kind")) if isinstance(part, dict) else ""


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
