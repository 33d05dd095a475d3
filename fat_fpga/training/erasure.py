"""The erasure regulariser: in each step of a training, weights and activations are 0 with a probability.

Source: Boukli Hacene et al., Training Modern Deep Neural Networks for Memory-Fault Robustness, ISCAS 2019, section V.
Detected bit faults under bit masking move values towards zero; an erasure of each value with p_e = 2 p stands for them
in training. Other than dropout, what is left is not scaled: the network is to work without errors, too.

In a quantised network it is the word in the memory that is erased: the quantised weight, and the quantised activation
where the errors of FAT are injected, which is behind the pool if there is one. So 0 must be one of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.errors import TrainingError
from fat_fpga.models.activation import OwnActivation
from fat_fpga.models.weights import READ, OwnLayer
from fat_fpga.ranges.restricted import activations
from fat_fpga.training.callbacks import Callback
from fat_fpga.training.injection.places import find_places

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def erased(values: Tensor, probability: float) -> Tensor:
    """Values each of which is 0 with a probability, and else as it is; the gradient passes where they are left."""
    return values * (torch.rand_like(values) >= probability)


class Erasure(Callback):
    """Erases weights and activations of a network while it is in training mode.

    Weights are erased once in each forward pass, for all images of the batch, as faults of a memory are; activations
    of each image by themselves. Parameters and their names stay as they are, and so do checkpoints.

    Args:
        probability: p_e, from 0 to below 1.

    Raises:
        TrainingError: there is nothing to erase, or words that cannot be 0, as those of one bit.
    """

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self._handles: list[Any] = []
        self._read: list[nn.Module] = []

    def on_train_start(self, model: nn.Module) -> None:
        """Insert the hooks."""
        weighted = [(name, module) for name, module in model.named_modules() if isinstance(module, WEIGHTED)]
        if not weighted:
            raise TrainingError("erasures are of weights and activations, and the network has no layers with weights")
        if any(type(module) not in WEIGHTED for _, module in weighted):
            self._start_quantised(model, weighted)
            return
        for _, module in weighted:
            self._handles.append(module.register_forward_pre_hook(self._before))
            self._handles.append(module.register_forward_hook(_after, always_call=True))
        for name in activations(model):
            self._handles.append(model.get_submodule(name).register_forward_hook(self._behind))

    def on_train_end(self, model: nn.Module) -> None:
        """Take them out."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        for module in self._read:
            module.__dict__.pop(READ, None)
        self._read.clear()

    def _start_quantised(self, model: nn.Module, weighted: Sequence[tuple[str, nn.Module]]) -> None:
        places = find_places(model)
        for name, module in weighted:
            if not isinstance(module, OwnLayer):
                raise TrainingError(
                    f"{name} is a {type(module).__name__}: erasures are for networks of floats, such as lenet-fc, and "
                    "for the quantised networks of fat_fpga"
                )
            if module.bits == 1:
                raise TrainingError(f"{name} has weights of one bit, -1 and +1: there is no 0 to which one is erased")
        for place in places:
            levels = place.activation.levels if isinstance(place.activation, OwnActivation) else ()
            if 0 not in levels:
                raise TrainingError(f"{place.activation_name} has no level 0 to which an activation is erased")
        for _, module in weighted:
            module.__dict__[READ] = partial(self._words, module)
            self._read.append(module)
        for place in places:
            self._handles.append(place.module.register_forward_hook(self._behind))

    def _words(self, module: nn.Module, weight: Tensor) -> Tensor:
        return erased(weight, self.probability) if module.training else weight

    def _before(self, module: nn.Module, inputs: Any) -> None:
        if module.training:
            weight: Tensor = module._parameters["weight"]  # type: ignore[assignment]
            module.__dict__["weight"] = erased(weight, self.probability)  # found before the parameter of this name

    def _behind(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        return erased(output, self.probability) if module.training else None


def _after(module: nn.Module, inputs: Any, output: Any) -> None:
    """Have the parameter found again, also where the module has raised an error."""
    module.__dict__.pop("weight", None)
