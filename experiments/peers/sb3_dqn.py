"""DQN of Stable-Baselines3 on one of our environments: `python experiments/peers/sb3_dqn.py --help`."""

from __future__ import annotations

import sys

from recording import Recording
from running import main
from sb3 import environments, learn, network_arguments, shared
from stable_baselines3 import DQN
from stable_baselines3.dqn.policies import DQNPolicy

from a3c.settings import OneStepQ, Settings, SharedAdam

REPLAY_STEPS = 100_000  # of every game; its default of a million takes 56 GB of Atari
STEPS_PER_UPDATE = 4  # its default

ADAPTED = (
    "environments side by side in one process and one thread (DummyVecEnv)",
    "the network's layers are ours, the output layer its own",
    f"replays the last {REPLAY_STEPS:,} steps; one update of its 32 samples every {STEPS_PER_UPDATE} steps of all "
    "environments together, as its default is for one",
    "discount, exploration and the interval of the target network as in our one-step Q-learning",
    "a lost life ends an episode for the learner and the game goes on",
)


def train(settings: Settings, recording: Recording) -> None:
    """Trains with the settings' discount, rates, exploration, interval and limit, and DQN's defaults for the rest."""
    algorithm, optimizer = settings.algorithm, settings.optimizer
    assert isinstance(algorithm, OneStepQ)
    assert isinstance(optimizer, SharedAdam)
    exploration, limit, envs = algorithm.exploration, settings.learning.gradient_norm_limit, settings.envs_per_turn
    betas = (optimizer.decay_mean, optimizer.decay_square)
    model = DQN(
        DQNPolicy,
        environments(recording),
        buffer_size=REPLAY_STEPS,
        train_freq=max(1, STEPS_PER_UPDATE // envs),
        gradient_steps=max(1, envs // STEPS_PER_UPDATE),
        target_update_interval=max(1, algorithm.target_interval_frames // settings.action_repeat),
        exploration_fraction=min(1.0, exploration.annealing_frames / settings.budget_frames),
        exploration_final_eps=exploration.final_epsilons[0],
        max_grad_norm=float("inf") if limit is None else limit,
        policy_kwargs={
            **network_arguments(settings),
            "optimizer_kwargs": {"betas": betas, "eps": optimizer.epsilon},
        },
        **shared(settings),
    )
    learn(model, model.policy.optimizer, model.q_net, recording)


if __name__ == "__main__":
    sys.exit(main("sb3_dqn", train, ADAPTED))
