"""What stands behind an activation or a pool while a network is trained."""

from __future__ import annotations

import math
from typing import Any

import torch
from brevitas.quant_tensor import QuantTensor
from torch import Tensor, nn

from fat_fpga.errors import TrainingError
from fat_fpga.training.injection.equations import replace
from fat_fpga.training.injection.error_models import ERROR_MODELS, check_error_model
from fat_fpga.training.injection.levels import Levels
from fat_fpga.training.injection.places import Place


def check_percent(p: float) -> float:
    """The probability, if it is one in percent.

    Raises:
        TrainingError: it is outside [0, 100].
    """
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not (math.isfinite(p) and 0 <= p <= 100):
        raise TrainingError(f"p must be a probability in percent, from 0 to 100, got {p}")
    return float(p)


class Injector:
    """A layer that changes activations in training, and in evaluation does nothing.

    It is a forward hook on the module that it stands behind, so it adds no module to the network, nothing to its
    ``state_dict``, and nothing to an exported graph. It works when that module is in training and `enabled` is set.

    Attributes:
        name: of the module that it stands behind, such as ``"conv0_act"`` or ``"conv1_pool"``.
        enabled: the paper's status variable.
    """

    def __init__(self, place: Place, p: float) -> None:
        self.name = place.name
        self.enabled = True
        self.p = p
        self._place = place
        self._awaited: Tensor | None = None
        self._hooks = [place.module.register_forward_hook(self._behind)]
        if place.module is not place.activation:
            self._hooks.append(place.activation.register_forward_hook(self._await))

    @property
    def p(self) -> float:
        """Probability that an activation is changed, in percent."""
        return self._p

    @p.setter
    def p(self, value: float) -> None:
        self._p = check_percent(value)

    def change(self, x: Tensor) -> Tensor:
        """Return the changed activations, a tensor like ``x``; random numbers come from its device's generator."""
        raise NotImplementedError

    def remove(self) -> None:
        """Take it out of the network."""
        for hook in self._hooks:
            hook.remove()

    def _behind(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not (self.enabled and self._p > 0 and module.training):
            return None
        if module is not self._place.activation:
            if self._awaited is None or _value(args[0]) is not self._awaited:
                return None  # the pool serves elsewhere too
            self._awaited = None
        changed = self.change(_value(output))
        return output.set(value=changed) if isinstance(output, QuantTensor) else changed

    def _await(self, module: nn.Module, args: Any, output: Any) -> None:
        """Remember what the activation gave, to know it when it reaches the pool."""
        active = self.enabled and self._p > 0 and module.training
        if active and self._awaited is not None:
            self._awaited = None
            raise TrainingError(
                f"{self.name} was taken for the pool behind {self._place.activation_name}, but what that activation "
                "gives goes elsewhere; insert with behind_pools=False"
            )
        self._awaited = _value(output) if active else None


class ErrorInjector(Injector):
    """The paper's error injection layer (section IV-A).

    Attributes:
        error_model: a name in `ERROR_MODELS`.
        levels: the error values.
    """

    def __init__(self, place: Place, levels: Levels, error_model: str, p: float) -> None:
        self.error_model = check_error_model(error_model)
        self.levels = levels
        super().__init__(place, p)
        levels.attach()

    def change(self, x: Tensor) -> Tensor:
        """Equations 1 to 5; see `replace`."""
        r = torch.rand(ERROR_MODELS[self.error_model](tuple(x.shape)), device=x.device)
        return replace(x, r, self._p, self.levels, in_place=self._place.fresh)

    def remove(self) -> None:
        """Take it out of the network."""
        super().remove()
        self.levels.detach()


def _value(output: Any) -> Tensor:
    value: Tensor = output.value if isinstance(output, QuantTensor) else output
    return value
