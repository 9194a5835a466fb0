"""Group B, threads in which nothing is learnt, down to a term of the loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from a3c.asynchrony.behaviors import policy_probabilities
from a3c.learning.actor_critic import ActorCritic
from a3c.learning.flat import FlatNetwork
from a3c.learning.losses import Terms, actor_critic_terms, objective
from a3c.learning.networks import Table
from a3c.learning.policies import Categorical
from a3c.learning.returns import lambda_returns
from a3c.learning.rollouts import Rollout

ACTIONS = 3

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # of log π(a|o), H, V and G, float32 [N] each


def ours(value_weight: float = 0.5, entropy_weight: float = 0.01) -> Loss:
    def loss(log_policy: Tensor, entropy: Tensor, value: Tensor, returns: Tensor) -> Tensor:
        terms = actor_critic_terms(log_policy, entropy, value, returns)
        return objective(terms, value_weight=value_weight, entropy_weight=entropy_weight)

    return loss


def test_coreylynch_async_rl_8_the_critic_is_not_moved_by_the_actors_loss() -> None:
    """coreylynch/async-rl#8, muupan/async-rl#12, ray-project/ray#4867, keras-team/keras-io#194: the advantage is a
    number; if the gradient flows through it, the value learns to please the policy."""

    def check(loss: Loss) -> None:
        value = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
        log_policy, returns = torch.tensor([-1.0, -0.1, -2.0]), torch.tensor([1.0, 1.0, 1.0])
        (gradient,) = torch.autograd.grad(loss(log_policy, torch.zeros(3), value, returns), value)
        assert torch.equal(gradient, -2 * 0.5 * (returns - value)), "the actor moves the critic"

    def as_it_is_copied(log_policy: Tensor, entropy: Tensor, value: Tensor, returns: Tensor) -> Tensor:
        advantage = returns - value
        return -(log_policy * advantage).sum() + 0.5 * advantage.square().sum()

    check(ours())
    with pytest.raises(AssertionError, match="the actor moves the critic"):
        check(as_it_is_copied)


def test_Farama_Foundation_Gymnasium_1494_the_values_target_is_a_number() -> None:
    """Farama-Foundation/Gymnasium#1494: the advantages of an A2C tutorial lead back through the values they bootstrap
    from, and so does the critic's loss."""

    def check(squared_error: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
        value = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
        reward, discount, bootstrap = torch.ones(3), torch.full([3], 0.9), torch.tensor(4.0)
        (gradient,) = torch.autograd.grad(squared_error(reward, discount, value, bootstrap), value)
        target = lambda_returns(reward, discount, value, bootstrap, 0.8)
        assert not target.requires_grad
        assert torch.allclose(gradient, -2 * (target - value)), "the target moves with the value"

    def of_this_project(reward: Tensor, discount: Tensor, value: Tensor, bootstrap: Tensor) -> Tensor:
        returns = lambda_returns(reward, discount, value, bootstrap, 0.8)
        return actor_critic_terms(torch.zeros(3), torch.zeros(3), value, returns).value

    def as_it_is_copied(reward: Tensor, discount: Tensor, value: Tensor, bootstrap: Tensor) -> Tensor:
        following = torch.cat([value[1:], bootstrap.view(1)])
        error, advantage = reward + discount * following - value, torch.zeros(())
        squares = []
        for t in (2, 1, 0):
            advantage = error[t] + discount[t] * 0.8 * advantage
            squares.append(advantage.square())
        return torch.stack(squares).sum()

    check(of_this_project)
    with pytest.raises(AssertionError, match="the target moves with the value"):
        check(as_it_is_copied)


def with_the_wrong_sign(log_policy: Tensor, entropy: Tensor, value: Tensor, returns: Tensor) -> Tensor:
    return ours(entropy_weight=0.0)(log_policy, entropy, value, returns) + 0.01 * entropy.sum()


def without_entropy(log_policy: Tensor, entropy: Tensor, value: Tensor, returns: Tensor) -> Tensor:
    return ours(entropy_weight=0.0)(log_policy, entropy, value, returns)


@pytest.mark.parametrize("as_it_is_copied", [with_the_wrong_sign, without_entropy])
def test_iffiX_machin_27_descending_the_loss_raises_entropy(as_it_is_copied: Loss) -> None:
    """iffiX/machin#27, MrSyee/pg-is-all-you-need#37, muupan/async-rl#22, dennybritz/reinforcement-learning#34: which
    sign has the entropy? The paper's equation is of what is raised; without it (coreylynch/async-rl#8) one action wins.
    """

    def check(loss: Loss) -> None:
        logits = torch.tensor([[1.0, 0.0, -1.0]], requires_grad=True)
        log_policy, entropy = Categorical(ACTIONS).judge(logits, torch.tensor([0]))
        same = torch.tensor([1.0])  # no advantage: the entropy alone moves the policy
        (gradient,) = torch.autograd.grad(loss(log_policy, entropy, same, same), logits)
        _, after = Categorical(ACTIONS).judge(logits - gradient, torch.tensor([0]))
        assert after.item() > entropy.item(), "entropy does not rise"

    check(ours())
    with pytest.raises(AssertionError, match="entropy does not rise"):
        check(as_it_is_copied)


def means(terms: Terms, steps: int) -> Terms:
    return Terms(*(term / steps for term in terms))


def mixed(terms: Terms, steps: int) -> Terms:
    return terms._replace(value=terms.value / steps, entropy=terms.entropy / steps)


@pytest.mark.parametrize("as_it_is_copied", [means, mixed])
def test_ray_project_ray_11449_a_rollouts_gradient_is_the_sum_over_its_steps(
    as_it_is_copied: Callable[[Terms, int], Terms],
) -> None:
    """ray-project/ray#11449, ikostrikov/pytorch-a3c#3, greydanus/baby-a3c#7, deepchem/deepchem#640,
    pathak22/noreward-rl#6: learning rates are tuned for sums; means shorten every step, and a mixture weighs the
    terms by the rollout's length.
    """

    def check(gradient_of: Callable[[int], Tensor]) -> None:
        assert torch.allclose(gradient_of(6), 6 * gradient_of(1)), "a step's weight depends on the rollout's length"

    def of_this_project(steps: int) -> Tensor:
        network = FlatNetwork(Table(1, ACTIONS + 1))
        return ActorCritic(Categorical(ACTIONS), 0.5, 0.01).gradient(network, rollout_of(steps))[0]

    def copied(steps: int) -> Tensor:
        network, rollout = FlatNetwork(Table(1, ACTIONS + 1)), rollout_of(steps)
        output, _ = network.unroll(rollout)
        judged = Categorical(ACTIONS).judge(output[..., :-1].flatten(0, 1), rollout.action.flatten())
        terms = actor_critic_terms(*judged, output[..., -1].flatten(), rollout.reward.flatten())
        loss = objective(as_it_is_copied(terms, steps), value_weight=0.5, entropy_weight=0.01)
        return network.flatten(torch.autograd.grad(loss, network.tensors))

    check(of_this_project)
    with pytest.raises(AssertionError, match="depends on the rollout's length"):
        check(copied)


def rollout_of(steps: int) -> Rollout:
    """The same step again and again: one state, one action, a reward of 1 and no future."""
    column, states = torch.zeros(steps, 1), torch.zeros(steps, 1, dtype=torch.int64)
    return Rollout(states, states, column + 1, column, torch.zeros(1), states[0], state=torch.zeros(1, 0), first=column)


def test_ekapolc_RL_course_2019_6_the_softmax_is_taken_once_and_alike_for_acting_and_learning() -> None:
    """ekapolc/RL_course_2019#6, suragnair/alpha-zero-general#159 and #215, keiohta/tf2rl#140: probabilities are handed
    over as logits; a second softmax keeps every policy of three actions below 0.58."""
    logits = torch.tensor([[4.0, 0.0, -2.0]])

    def check(probability: Callable[[int], float]) -> None:
        odds = [probability(action) / probability(0) for action in range(ACTIONS)]
        assert odds == pytest.approx((logits - logits[0, 0]).exp()[0].tolist(), rel=1e-5), "not the network's policy"

    def in_learning(action: int) -> float:
        return float(Categorical(ACTIONS).judge(logits, torch.tensor([action]))[0].exp())

    def in_acting(action: int) -> float:
        return float(policy_probabilities(logits.numpy())[0, action])

    def as_it_is_copied(action: int) -> float:
        return float(torch.distributions.Categorical(logits=logits.softmax(-1)).probs[0, action])

    check(in_learning)
    check(in_acting)
    with pytest.raises(AssertionError, match="not the network's policy"):
        check(as_it_is_copied)


def test_muupan_async_rl_12_only_the_action_taken_is_made_likelier() -> None:
    """muupan/async-rl#12: should the log-probabilities not be multiplied with a one-hot action?"""

    def check(chosen: Callable[[Tensor, Tensor], Tensor]) -> None:
        logits = torch.tensor([[1.0, 0.0, -1.0]], requires_grad=True)
        (gradient,) = torch.autograd.grad(chosen(logits, torch.tensor([1])).sum(), logits)
        expected = np.eye(ACTIONS)[1] - policy_probabilities(logits.detach().numpy())[0]
        assert gradient[0].tolist() == pytest.approx(expected.tolist(), abs=1e-6), "other actions were moved too"

    check(lambda logits, action: Categorical(ACTIONS).judge(logits, action)[0])
    with pytest.raises(AssertionError, match="other actions were moved too"):
        check(lambda logits, action: logits.log_softmax(-1))
