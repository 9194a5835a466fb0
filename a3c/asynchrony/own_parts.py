"""A user's own network and own loss: found, made and tried once, so that a mistake in them is named before a run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from a3c.environments.step import Spec
from a3c.learning.networks import Wrapped
from a3c.learning.own_loss import OwnLoss
from a3c.learning.policies import Policy
from a3c.learning.rollouts import Rollout
from a3c.problems import InvalidInput, Problem
from a3c.settings import CustomLoss, CustomNetwork
from a3c.settings.named_functions import bind

NETWORK, LOSS = "network.factory", "algorithm.loss"
TRIED_STEPS = 2


def own_network(settings: CustomNetwork, spec: Spec, outputs: int, seed: int) -> Wrapped:
    """What `factory(spec, outputs, **options)` returns, if workers can share it and a replay can repeat it.

    Args:
      settings: `factory` and `options`.
      spec: of the environment; the module gets observations of its dtype.
      outputs: columns of the output, K.
      seed: of the initialization; torch's global stream is left as it was.

    Raises:
      InvalidInput: naming what is wrong with the factory or with what it returned.
    """
    factory = bind(settings.factory, (NETWORK, "network.options"), settings.options, spec, outputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = factory(spec, outputs)
        if not isinstance(module, nn.Module):
            raise _wrong(NETWORK, settings.factory, f"returned {_described(module)}; a torch.nn.Module is needed")
        _check_parameters(settings.factory, module)
        _check_output(settings.factory, module, spec, outputs)
    return Wrapped(module)


def own_loss(settings: CustomLoss, policy: Policy) -> OwnLoss:
    """The loss that the settings name, if it makes one number with a gradient of a rollout.

    Raises:
      InvalidInput: naming what is wrong with it.
    """
    columns = [torch.zeros(TRIED_STEPS, 1, requires_grad=True) for _ in range(3)]
    given = (*columns, _rollout())
    loss = bind(settings.loss, (LOSS, "algorithm.options"), settings.options, *given)
    try:
        made = loss(*given)
    except Exception as error:
        raise _failed(LOSS, settings.loss, "a rollout of zeros", error) from error
    if not isinstance(made, Tensor) or made.shape != () or not made.requires_grad:
        needed = "a float32 tensor without axes that depends on log_policy, entropy or value is needed"
        raise _wrong(LOSS, settings.loss, f"returned {_described(made)}; {needed}")
    return OwnLoss(policy, loss)


def _check_parameters(name: str, module: nn.Module) -> None:
    """Whatever else a module holds, such as running means, would be neither shared by workers nor saved."""
    parameters = dict(module.named_parameters())
    if not parameters:
        raise _wrong(NETWORK, name, "returned a module without parameters")
    if further := sorted(set(module.state_dict()) - set(parameters)):
        what = f"returned a module that holds {', '.join(further)} beside its parameters; workers share parameters only"
        raise _wrong(NETWORK, name, what)
    strange = [key for key, value in parameters.items() if value.dtype != torch.float32 or not value.requires_grad]
    if strange:
        what = f"returned a module with parameters that are not float32, or not learnt: {', '.join(strange)}"
        raise _wrong(NETWORK, name, what)


def _check_output(name: str, module: nn.Module, spec: Spec, outputs: int) -> None:
    """Tries two observations of zeros, twice."""
    shape = [TRIED_STEPS, *spec.observation_shape]
    observation = torch.zeros(shape, dtype=getattr(torch, spec.observation_dtype))
    given = f"observations {spec.observation_dtype} {shape}"
    try:
        output, again = module(observation), module(observation)
    except Exception as error:
        raise _failed(NETWORK, name, given, error) from error
    if not isinstance(output, Tensor) or output.shape != (TRIED_STEPS, outputs) or output.dtype != torch.float32:
        needed = f"float32 {[TRIED_STEPS, outputs]} is needed"
        raise _wrong(NETWORK, name, f"returned a module that makes {_described(output)} of {given}; {needed}")
    if not torch.equal(output.nan_to_num(), again.nan_to_num()):
        raise _wrong(NETWORK, name, f"returned a module that makes two outputs of the same {given}: no replay could")
    gradients = torch.autograd.grad(output.sum(), list(module.parameters()), allow_unused=True)
    unused = [key for (key, _), part in zip(module.named_parameters(), gradients, strict=True) if part is None]
    if unused:
        raise _wrong(NETWORK, name, f"returned a module whose output does not depend on {', '.join(unused)}")


def _rollout() -> Rollout:
    zeros, one = torch.zeros(TRIED_STEPS, 1), torch.zeros(1, 1)
    action = torch.zeros(TRIED_STEPS, 1, dtype=torch.int64)
    return Rollout(zeros, action, zeros, zeros, one[0], one[0], one[:, :0], zeros)


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    return "None" if value is None else f"an object of type {type(value).__name__}"


def _failed(key: str, name: str, given: str, error: Exception) -> InvalidInput:
    return _wrong(key, name, f"failed on {given}: {type(error).__name__}: {error}")


def _wrong(key: str, name: str, what: str) -> InvalidInput:
    return InvalidInput([Problem(key, f"{name} {what}")])
