"""Trainings that begin with a finished network: a checkpoint, or an integer network without its source."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fat_fpga.errors import TrainingError
from fat_fpga.models.activation import OwnActivation
from fat_fpga.models.latent import latent_for, weight_step
from fat_fpga.models.norm import TensorNorm
from fat_fpga.models.weights import OwnLayer, quantised_weight
from fat_fpga.network import Network, load_network
from fat_fpga.network.layers import MatrixVectorUnit
from fat_fpga.training.checkpoint import Checkpoint, read_checkpoint
from fat_fpga.training.norm_fit import lines_through


class Start(ABC):
    """What a training begins with, in place of random weights.

    Attributes:
        name: as the user gave it.
        fingerprint: of the weights; a training is continued with the start that it began with.
    """

    name: str
    fingerprint: str

    @abstractmethod
    def put_into(self, model: nn.Module, images: Tensor) -> None:
        """Give a fresh model of the family the weights and norms.

        Args:
            model: in any mode, which stays.
            images: float32 [B, C, H, W] in [0, 1]: training images, for the statistics of norms.

        Raises:
            TrainingError: they are those of another network.
        """


def start_from(source: str | PathLike[str]) -> Start:
    """The start that ``source`` names.

    Args:
        source: a checkpoint (``trained/last.pt``), a training's folder, a bundled network or an ``.onnx`` file.

    Raises:
        TrainingError: no readable checkpoint.
        ModelError: no readable network.
    """
    path = Path(source)
    if path.is_dir() and (path / "last.pt").exists():
        path /= "last.pt"
    if path.suffix == ".pt":
        return CheckpointStart(str(source), read_checkpoint(path))
    return NetworkStart(str(source), load_network(source))


class CheckpointStart(Start):
    """The weights and norms of another training; its optimiser and its epochs are left."""

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        self.name, self._checkpoint = name, checkpoint
        digest = hashlib.sha256()
        for key, tensor in checkpoint.model.items():
            digest.update(f"{key} {tensor.dtype} {list(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
        self.fingerprint = digest.hexdigest()

    def put_into(self, model: nn.Module, images: Tensor) -> None:
        """Load them."""
        self._checkpoint.load_into(model, None, Path(self.name))


class NetworkStart(Start):
    """The weights of an integer network, and norms that give its thresholds.

    What the file does not tell is how sure a weight was. Weights of one bit become latent ones of ``±0.5``, others
    their own values. A norm gets the mean and the variance of what is in front of it, and the gain and the offset with
    which it crosses each threshold where the integer network does: before its first step the model classifies as the
    file does. Where only one threshold stands behind a norm, its gain is that of a fresh one.
    """

    def __init__(self, name: str, network: Network) -> None:
        self.name, self._network = name, network
        self.fingerprint = network.fingerprint

    @torch.no_grad()
    def put_into(self, model: nn.Module, images: Tensor) -> None:
        """Put weights and norms in, from the first layer to the last."""
        layers = [(name, module) for name, module in model.named_modules() if isinstance(module, OwnLayer)]
        units = self._network.units
        if len(layers) != len(units):
            raise self._other(f"it has {len(units)} layers with weights, not {len(layers)}")
        parts = dict(model.named_modules())
        hooks = []
        for (name, layer), unit in zip(layers, units, strict=True):
            self._set_weights(name, layer, unit)
            norm, activation = parts[f"{name}_norm"], parts.get(f"{name}_act")
            hook = _NormSetter(self, unit, self._unit_scale(layer, unit), activation)
            hooks.append(norm.register_forward_pre_hook(hook))
        with _evaluating(model):
            model(images)
        for hook in hooks:
            hook.remove()

    def _set_weights(self, name: str, layer: Any, unit: MatrixVectorUnit) -> None:
        values = torch.from_numpy(unit.weights.astype(np.float32)).to(layer.weight.device)
        if values.numel() != layer.weight.numel() or values.shape[0] != layer.weight.shape[0]:
            raise self._other(f"{unit.name} has weights {list(values.shape)}, {name} has {list(layer.weight.shape)}")
        values = values.reshape(layer.weight.shape) * weight_step(layer)
        layer.weight.copy_(latent_for(values, layer))
        if not torch.equal(quantised_weight(layer), values):
            raise self._other(f"{unit.name} has weights that {name}, of {layer.bits} bits, cannot have")

    def _unit_scale(self, layer: Any, unit: MatrixVectorUnit) -> float:
        """What one step of the unit's accumulator is in front of the norm. All streams have a largest value of 1, but
        that of the images, whose largest integer stands for 1 less a step."""
        source = self._network.source(self._network.position(unit.name))
        images = self._network.inputs[unit.name] == ("input",)
        return weight_step(layer) / (source.max + (images and source.max == 127))

    def _other(self, difference: str) -> TrainingError:
        return TrainingError(f"{self.name}: it is the network of another model: {difference}; --model says which one")


class _NormSetter:
    """Called in front of a norm, whose statistics and parameters it sets."""

    def __init__(self, start: NetworkStart, unit: MatrixVectorUnit, scale: float, activation: nn.Module | None) -> None:
        self._start, self._unit, self._scale, self._activation = start, unit, scale, activation

    def __call__(self, norm: Any, inputs: tuple[Tensor, ...]) -> None:
        (x,) = inputs
        if isinstance(norm, TensorNorm):
            if self._unit.thresholds is not None:
                raise self._start._other(f"{self._unit.name} is not the last layer")
            variance, mean = torch.var_mean(x, correction=0)
            norm.running_mean.fill_(mean)
            norm.running_var.fill_(variance)
            return
        activation: Any = self._activation
        if not isinstance(activation, OwnActivation) or self._unit.thresholds is None:
            raise self._start._other(f"{self._unit.name} is the last layer")
        levels = np.array(activation.levels)
        if len(levels) != self._unit.thresholds.shape[1] + 1:
            count = self._unit.thresholds.shape[1] + 1
            raise self._start._other(f"{self._unit.name} has {count} levels, not {len(levels)}")
        lines = lines_through(self._unit.thresholds, (levels[1:] + levels[:-1]) / 2)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x.double(), dim=axes, correction=0)
        deviation = torch.sqrt(variance + norm.eps)
        gain, place, at, free = (torch.from_numpy(part).to(x.device) for part in lines.columns)
        gain = torch.where(free, norm.weight.double() / deviation, gain / self._scale)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(gain * deviation)
        norm.bias.copy_(gain * (mean - place * self._scale) + at)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
