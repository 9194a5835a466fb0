"""Other projects' programs that studies hold ours against: which there are, and what of our settings they can be given.

A peer trains on our environments with our settings where it has them, and leaves a run folder of ours; the script is
`experiments/peers/<name>.py`. What a peer needs is no dependency of the trainer. Never imports torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from a3c.fingerprint import fingerprint, meaning
from a3c.problems import InvalidInput, Problem
from a3c.settings import Settings

EXTRA = "'a3c[baselines]'"  # what a user tells pip to install
FOLDER = "peers"  # below the experiments


class Peer(NamedTuple):
    """A peer.

    Attributes:
      package: the distribution it comes in.
      needs: key path -> the only value that it can be given; by these settings a run says what the peer is.
    """

    package: str
    needs: dict[str, Any]


IN_ONE_PROCESS = {"schedule": "synchronous", "executor": "batched"}
ANY_PEER = {"order": None, "pull_interval_rollouts": 1, "device": "cpu", "correction.kind": "none"}

PEERS = {
    "sb3_a2c": Peer(
        "stable-baselines3",
        {**IN_ONE_PROCESS, "algorithm.kind": "actor_critic", "optimizer.kind": "shared_rmsprop"},
    ),
    "sb3_dqn": Peer(
        "stable-baselines3",
        {**IN_ONE_PROCESS, "algorithm.kind": "one_step_q", "optimizer.kind": "shared_adam"},
    ),
    "pfrl_a3c": Peer(
        "pfrl",
        {
            "schedule": "hogwild",
            "executor": "processes",
            "envs_per_worker": 1,
            "algorithm.kind": "actor_critic",
            "algorithm.gae_lambda": 1.0,
            "optimizer.kind": "shared_rmsprop",
        },
    ),
}


# Between game and seed in a run folder's path: no id of ours looks like one, nor the other way round.
PEER_ID = rf"({'|'.join(PEERS).replace('_', '-')})-w\d+-[0-9a-f]{{10}}"


def folder_id(peer: str, settings: Settings) -> str:
    """The name of a run's folder between game and seed: `sb3-a2c-w4-0123456789`."""
    return f"{peer.replace('_', '-')}-w{settings.workers}-{settings.id.rpartition('-')[2]}"


def check(peer: str, settings: Settings) -> None:
    """Makes sure that a peer can be given these settings: what it would ignore must not be asked for.

    Raises:
      InvalidInput: with everything that it cannot do.
    """
    plain = settings.model_dump(mode="json")
    wrong = [
        Problem(path, f"got {found!r}; the peer {peer} can only be given {value!r}")
        for path, value in (ANY_PEER | PEERS[peer].needs).items()
        if (found := _at(plain, path)) != value
    ]
    if wrong := [*wrong, *_other_limits(peer, plain)]:
        raise InvalidInput(wrong)


def _other_limits(peer: str, plain: dict[str, Any]) -> Iterable[Problem]:
    network, environment = plain["network"], plain["environment"]
    if network["kind"] in ("table", "custom") or network["lstm_cells"] or network["separate"]:
        what = f"the peer {peer} has one feed-forward network of ours, without LSTM cells, and no table"
        yield Problem("network", what)
    if environment.get("continuous"):
        yield Problem("environment.continuous", f"the peer {peer} is given discrete actions only")
    if plain["learning"]["rollout_steps"] is None:
        yield Problem("learning.rollout_steps", f"the peer {peer} needs a number of steps")
    if plain["optimizer"]["annealing"] == "linear_per_worker":
        yield Problem("optimizer.annealing", f"the peer {peer} has one learning rate; allowed: linear, constant")
    epsilons = plain["algorithm"].get("exploration", {}).get("final_epsilons", [0.0])
    if len(epsilons) > 1:
        yield Problem("algorithm.exploration.final_epsilons", f"the peer {peer} has one final epsilon")


def _at(plain: Any, path: str) -> Any:
    for key in path.split("."):
        plain = plain.get(key) if isinstance(plain, dict) else None
    return plain


def version_of(peer: str) -> str | None:
    """The package it comes in and the version that is installed, `pfrl 0.4.0`; None if none is."""
    package = PEERS[peer].package
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return None


def code(peer: str, experiments: Path) -> str:
    """What decides what a peer learns, beside its settings: our environments, the scripts, the version installed."""
    scripts = sorted((experiments / FOLDER).glob("*.py"))
    used = [path for path in scripts if path.stem == peer or path.stem not in PEERS]
    digest = hashlib.sha256(fingerprint().encode())
    for path in used:
        digest.update(meaning(path.read_text(encoding="utf-8")).encode())
    return f"{digest.hexdigest()[:12]} {version_of(peer)}"
