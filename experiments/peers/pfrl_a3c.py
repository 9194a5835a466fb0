"""A3C of PFRL on one of our environments: `python experiments/peers/pfrl_a3c.py --help`."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import warnings
from typing import Any

import torch
from games import Game, GymGame
from pfrl.agents import A3C
from pfrl.experiments import train_agent_async
from pfrl.nn import Branched
from pfrl.optimizers import SharedRMSpropEpsInsideSqrt
from pfrl.policies import SoftmaxCategoricalHead
from pfrl.utils.async_ import AbnormalExitWarning
from recording import Recording
from running import main
from shape import body
from torch import Tensor, nn

from a3c import seeding
from a3c.asynchrony.entry import use_one_thread
from a3c.environments import make
from a3c.learning.optimizers import annealed
from a3c.settings import ActorCriticSettings, Settings, SharedRMSProp

ADAPTED = (
    "a process a worker with one thread each, forked, as it does; our environments by the Gym protocol it expects",
    "the network's layers are ours, output layers its own",
    "its value weight halves the squared error, so it is given twice ours",
    "the learning rate is annealed by a hook at every step, as its examples do",
    "a lost life ends an episode for the learner and the game goes on",
)


class Output(nn.Module):
    """Logits and value of its model, float32 [B, K]."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, observation: Tensor) -> Tensor:
        """The columns that our evaluation acts by."""
        distribution, value = self.model(observation)
        return torch.cat([distribution.logits, value], -1)


def train(settings: Settings, recording: Recording) -> None:
    """Trains with the settings' rollout, discount, rates, weights and limit, and A3C's defaults for the rest."""
    algorithm, optimizer, learning = settings.algorithm, settings.optimizer, settings.learning
    assert isinstance(algorithm, ActorCriticSettings)
    assert isinstance(optimizer, SharedRMSProp)
    multiprocessing.set_start_method("fork", force=True)  # it hands closures to its processes
    torch.manual_seed(seeding.integer(settings.seed, "initialization"))
    model = _model(settings)
    rule = SharedRMSpropEpsInsideSqrt(
        model.parameters(), lr=optimizer.learning_rate, eps=optimizer.epsilon, alpha=optimizer.decay
    )
    rule.register_step_post_hook(recording.updated)
    recording.begin(Output(model))

    def make_agent(worker: int) -> Any:
        return A3C(
            model,
            rule,
            t_max=learning.rollout_steps,
            gamma=learning.gamma,
            beta=algorithm.entropy_weight,
            v_loss_coef=2.0 * algorithm.value_weight,
            max_grad_norm=learning.gradient_norm_limit,
        )

    def make_env(worker: int, test: bool) -> GymGame:
        use_one_thread()  # the first thing that is ours in each of its processes
        return GymGame(Game(recording, worker, 0))

    def after_step(env: Any, agent: Any, step: int) -> None:
        frames = step * settings.action_repeat
        rate = annealed(optimizer.learning_rate, optimizer.annealing, frames, settings.annealing_frames)
        for group in agent.optimizer.param_groups:
            group["lr"] = rate
        recording.keep_if_due()

    _run(settings, make_agent=make_agent, make_env=make_env, global_step_hooks=[after_step])


def _model(settings: Settings) -> nn.Module:
    """Ours below, its heads above."""
    spec = make(settings, 0, 0).spec
    layers = body(settings, spec)
    policy = nn.Sequential(nn.Linear(layers.width, spec.actions), SoftmaxCategoricalHead())
    return nn.Sequential(layers, Branched(policy, nn.Linear(layers.width, 1)))


def _run(settings: Settings, **arguments: Any) -> None:
    """Trains in processes of its own; one that dies ends the run, where PFRL would only warn at the end."""
    seeds = [seeding.integer(settings.seed, "policy", worker) for worker in range(settings.workers)]
    steps = -(-settings.budget_frames // settings.action_repeat)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error", AbnormalExitWarning)
        warnings.filterwarnings("ignore", "This overload of addc")  # its optimizer calls forms that torch will drop
        try:
            train_agent_async(
                folder, settings.workers, steps=steps, eval_interval=None, random_seeds=seeds, **arguments
            )
        finally:
            for child in multiprocessing.active_children():
                child.terminate()


if __name__ == "__main__":
    sys.exit(main("pfrl_a3c", train, ADAPTED))
