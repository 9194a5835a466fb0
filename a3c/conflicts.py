"""Combinations of settings that cannot be run, found in a plain mapping whose fields may still be wrong themselves."""

from __future__ import annotations

from typing import Any, TypeGuard

from a3c.environments.games import CONTINUOUS_GAMES, CUSTOM_PATTERN, kind_of, known_games
from a3c.problems import Problem, shown, unknown

ASYNCHRONOUS = ("hogwild", "locked")
ACTION_VALUES = ("one_step_q", "one_step_sarsa", "n_step_q")
CONVOLUTIONAL = ("conv2013", "conv2015")
MOST_STEPS = 65_535  # of a turn; see `a3c.records.schedule_file`
ANY_NETWORK = (*CONVOLUTIONAL, "conv_minatar", "mlp", "table")
NETWORKS = {
    "atari": CONVOLUTIONAL,
    "control": ("mlp",),
    "pixels": CONVOLUTIONAL,
    "minatar": ("conv_minatar",),
    "maze": CONVOLUTIONAL,
    "bandit": ("mlp", "table"),
    "corridor": ("mlp", "table"),
    "sparse_grid": ("mlp", "table"),
    "cliff_world": ("table",),
    "custom": ANY_NETWORK,
}
ENVIRONMENTS = tuple(NETWORKS)


def conflicts(raw: dict[str, Any]) -> list[Problem]:
    """Combinations that cannot be run, each with its reason; fields of a wrong type are left to their own message."""
    of_agent = _network_conflicts(raw) + _algorithm_conflicts(raw) + _rollout_conflicts(raw) + _own_conflicts(raw)
    return _game_conflicts(raw) + _maze_conflicts(raw) + _schedule_conflicts(raw) + of_agent


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
    if raw.get("device") == "cuda" and executor != "batched":
        why = "got 'cuda', but only executor 'batched' has one learner to put there; each worker here acts and learns "
        why += "on a core of its own, a few observations at a time; allowed: cpu"
        found.append(Problem("device", why))
    optimizer = raw.get("optimizer")
    annealing = optimizer.get("annealing") if isinstance(optimizer, dict) else None
    if schedule == "synchronous" and annealing == "linear_per_worker":
        why = "got 'linear_per_worker', but a synchronous update is everybody's; allowed: linear, constant"
        found.append(Problem("optimizer.annealing", why))
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
        message = unknown(game, known_games(), "game") + f", or your own as package.module:factory ({CUSTOM_PATTERN})"
        return [Problem("game", message)]
    named = environment.get("kind") if isinstance(environment, dict) else None
    if named in ENVIRONMENTS and named != kind:
        return [Problem("environment.kind", f"got {named!r}, but the game {game!r} needs {kind!r}")]
    return []


def _maze_conflicts(raw: dict[str, Any]) -> list[Problem]:
    environment = raw.get("environment")
    if not isinstance(environment, dict) or environment.get("kind") != "maze":
        return []
    side, apples = environment.get("side_cells"), environment.get("apples")
    if not isinstance(side, int) or not isinstance(apples, int) or apples <= side**2 - 2:
        return []
    room = f"{side} x {side} cells have room for {side**2 - 2}, one a cell, beside the start and the portal"
    return [Problem("environment.apples", f"got {apples}; {room}")]


def _network_conflicts(raw: dict[str, Any]) -> list[Problem]:
    environment, network = raw.get("environment"), raw.get("network")
    if not isinstance(environment, dict) or not isinstance(network, dict):
        return []
    allowed, got = NETWORKS.get(str(environment.get("kind"))), network.get("kind")
    if allowed and got in ANY_NETWORK and got not in allowed:
        kind = environment["kind"]
        return [Problem("network.kind", f"got {got!r}; a {kind} environment takes {', '.join(allowed)}")]
    return _observation_conflicts(environment, network)


def _observation_conflicts(environment: dict[str, Any], network: dict[str, Any]) -> list[Problem]:
    """A state's index is a row of a table, and nothing else is."""
    observed, got = environment.get("observed"), network.get("kind")
    fits = "table" if observed == "index" else "mlp"
    if observed in ("index", "vector", "nothing") and got in ("table", "mlp") and got != fits:
        return [Problem("network.kind", f"got {got!r}; what is observed is {observed!r}: allowed: {fits}")]
    return []


def _algorithm_conflicts(raw: dict[str, Any]) -> list[Problem]:
    algorithm, network = raw.get("algorithm"), raw.get("network")
    if _kind(algorithm) not in ACTION_VALUES:
        return []
    found, name = _exploration_conflicts(algorithm), _kind(algorithm)
    environment = raw.get("environment")
    if raw.get("game") in CONTINUOUS_GAMES or (isinstance(environment, dict) and environment.get("continuous") is True):
        why = (
            f"got {name!r}, which values one action after the other; here actions are continuous; allowed: actor_critic"
        )
        found.append(Problem("algorithm.kind", why))
    if isinstance(network, dict) and network.get("lstm_cells") is not None:
        why = f"{name} has no LSTM: its target network would need a recurrent state of its own; allowed: null"
        found.append(Problem("network.lstm_cells", why))
    if isinstance(network, dict) and network.get("separate") is True:
        found.append(Problem("network.separate", f"{name} has action values and no policy; allowed: false"))
    if _kind(raw.get("correction")) == "vtrace":
        why = f"got 'vtrace', which weighs by the probabilities of a policy; {name} has none; allowed: not vtrace"
        found.append(Problem("correction.kind", why))
    return found


def _exploration_conflicts(algorithm: Any) -> list[Problem]:
    exploration = algorithm.get("exploration")
    if not isinstance(exploration, dict):
        return []
    epsilons, probabilities = exploration.get("final_epsilons"), exploration.get("probabilities")
    if not _are_shares(epsilons) or not _are_shares(probabilities):
        return []
    key = "algorithm.exploration.probabilities"
    if len(epsilons) != len(probabilities):
        return [Problem(key, f"{len(probabilities)} of them for {len(epsilons)} final epsilons; one each is needed")]
    if abs(sum(probabilities) - 1.0) > 1e-9:
        return [Problem(key, f"got {list(probabilities)}, which add up to {sum(probabilities):g}; needed: 1")]
    return []


def _are_shares(values: Any) -> TypeGuard[list[float]]:
    return isinstance(values, list | tuple) and all(isinstance(x, int | float) and 0 <= x <= 1 for x in values)


def _rollout_conflicts(raw: dict[str, Any]) -> list[Problem]:
    """A whole episode as one rollout needs one environment a worker, and episodes that fit into memory."""
    learning, environment = raw.get("learning"), raw.get("environment")
    if not isinstance(learning, dict) or "rollout_steps" not in learning:
        return []
    key, found = "learning.rollout_steps", []
    if learning["rollout_steps"] is not None:
        return _turn_conflicts(raw, key, learning["rollout_steps"])
    if raw.get("envs_per_worker") not in (1, None) or raw.get("executor") == "batched":
        found.append(Problem(key, "null, a whole episode, needs one environment a worker: episodes differ in length"))
    if _kind(environment) == "atari":
        found.append(Problem(key, "null, a whole episode, is up to 27,000 steps of Atari; give a number of steps"))
    return found


def _turn_conflicts(raw: dict[str, Any], key: str, rollout_steps: Any) -> list[Problem]:
    """The steps of a turn, all environments' together, stand in the schedule in two bytes."""
    factors = [rollout_steps, raw.get("envs_per_worker"), raw.get("workers") if raw.get("executor") == "batched" else 1]
    if not all(isinstance(factor, int) and factor > 0 for factor in factors):
        return []
    environments = factors[1] * factors[2]
    if (steps := rollout_steps * environments) <= MOST_STEPS:
        return []
    why = f"got {rollout_steps}, which is {steps:,} steps a turn with {environments:,} environments"
    return [Problem(key, f"{why}; allowed: up to {MOST_STEPS:,} steps a turn")]


def _own_conflicts(raw: dict[str, Any]) -> list[Problem]:
    """A user's own network and loss are named as a user's own environment is."""
    found = []
    for part, key in (("network", "factory"), ("algorithm", "loss")):
        settings = raw.get(part)
        name = settings.get(key) if isinstance(settings, dict) and _kind(settings) == "custom" else None
        if isinstance(name, str) and kind_of(name) != "custom":
            what = f"got {shown(name)}; needed: a function of yours as package.module:function ({CUSTOM_PATTERN})"
            found.append(Problem(f"{part}.{key}", what))
    if _kind(raw.get("algorithm")) == "custom" and _kind(raw.get("correction")) == "vtrace":
        why = "got 'vtrace', which makes returns of its own; a custom loss makes them itself; allowed: not vtrace"
        found.append(Problem("correction.kind", why))
    weight = raw["algorithm"].get("gae_lambda") if isinstance(raw.get("algorithm"), dict) else None
    if isinstance(weight, int | float) and weight < 1 and _kind(raw.get("correction")) == "vtrace":
        why = f"got {weight}, but the returns of correction 'vtrace' are n-step returns; allowed: 1"
        found.append(Problem("algorithm.gae_lambda", why))
    return found
