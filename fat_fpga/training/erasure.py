"""The erasure regulariser: in each step of a training, weights and activations are 0 with a probability.

Source: Boukli Hacene et al., Training Modern Deep Neural Networks for Memory-Fault Robustness, ISCAS 2019, section V.
Detected bit faults under bit masking move values towards zero; an erasure of each value with p_e = 2 p stands for them
in training. Other than dropout, what is left is not scaled: the network is to work without errors, too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.errors import TrainingError
from fat_fpga.ranges.restricted import activations
from fat_fpga.training.callbacks import Callback

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def erased(values: Tensor, probability: float) -> Tensor:
    """Values each of which is 0 with a probability, and else as it is; the gradient passes where they are left."""
    return values * (torch.rand_like(values) >= probability)


class Erasure(Callback):
    """Erases weights and activations of a network of floats while it is in training mode.

    Weights are erased once in each forward pass, for all images of the batch, as faults of a memory are; activations
    of each image by themselves. Parameters and their names stay as they are, and so do checkpoints.

    Args:
        probability: p_e, from 0 to below 1.

    Raises:
        TrainingError: the network has quantised layers, or nothing to erase.
    """

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self._handles: list[Any] = []

    def on_train_start(self, model: nn.Module) -> None:
        """Insert the hooks."""
        weighted = [module for module in model.modules() if isinstance(module, WEIGHTED)]
        if not weighted or any(type(module) not in WEIGHTED for module in weighted):
            raise TrainingError(
                "erasures are for networks of floats, such as lenet-fc; a quantised one takes --method fat1 or fat2"
            )
        for module in weighted:
            self._handles.append(module.register_forward_pre_hook(self._before))
            self._handles.append(module.register_forward_hook(_after, always_call=True))
        for name in activations(model):
            self._handles.append(model.get_submodule(name).register_forward_hook(self._behind))

    def on_train_end(self, model: nn.Module) -> None:
        """Take them out."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _before(self, module: nn.Module, inputs: Any) -> None:
        if module.training:
            weight: Tensor = module._parameters["weight"]  # type: ignore[assignment]
            module.__dict__["weight"] = erased(weight, self.probability)  # found before the parameter of this name

    def _behind(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        return erased(output, self.probability) if module.training else None


def _after(module: nn.Module, inputs: Any, output: Any) -> None:
    """Have the parameter found again, also where the module has raised an error."""
    module.__dict__.pop("weight", None)
