"""The error values: every level of the activation quantiser, as exact values of the tensor that it gives."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant, TernaryQuant
from brevitas.function.ops import max_int, min_int
from brevitas.nn.quant_layer import QuantNonLinearActLayer
from brevitas.quant_tensor import IntQuantTensor
from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.models.activation import OwnActivation


class Levels:
    """The M levels of one activation quantiser, ascending (by integer, where it has integers)."""

    def attach(self) -> None:
        """Begin to follow the quantiser, where its scale can change."""

    def detach(self) -> None:
        """Leave the quantiser as it was before `attach`."""

    def count(self) -> Tensor | int:
        """M."""
        raise NotImplementedError

    def values(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        """Levels number ``index`` (float32, whole numbers in [0, M), any shape) as values of type ``dtype``.

        A quantiser with one scale per channel gives a tensor of the broadcast shape.
        """
        raise NotImplementedError


class ConstantLevels(Levels):
    """The levels of an activation of our own networks: computed by itself, once for each device and type."""

    def __init__(self, activation: OwnActivation) -> None:
        self._activation = activation
        self._tables: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def count(self) -> int:
        """M."""
        return len(self._activation.levels)

    def values(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        """Levels number ``index``, looked up."""
        key = (index.device, dtype)
        if key not in self._tables:
            # no addition here: behind the activation, 3/7 may be another float than 3 * (1/7)
            levels = torch.tensor(self._activation.levels, device=index.device, dtype=dtype)
            self._tables[key] = type(self._activation).forward(self._activation, levels)
        return self._tables[key][index.long()]


class BrevitasLevels(Levels):
    """The levels of a Brevitas activation: (integer - zero point) * scale, with what its last forward pass used.

    Scale, zero point and bit width may be constant, learned, or taken from the batch.
    """

    def __init__(self, activation: QuantNonLinearActLayer, name: str) -> None:
        self._proxy: nn.Module = activation.act_quant
        self._name = name
        self._quantiser = _integer_quantiser(activation, name)
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        self._hook: Any = None

    def attach(self) -> None:
        """Begin to follow the quantiser."""
        self._hook = self._proxy.register_forward_hook(self._follow)

    def detach(self) -> None:
        """Leave the quantiser as it was."""
        self._hook.remove()

    def _follow(self, module: nn.Module, args: Any, output: Any) -> None:
        integers = isinstance(output, IntQuantTensor)
        self._last = tuple(part.detach() for part in output[1:4]) if integers else None

    def count(self) -> Tensor | int:
        """M."""
        if isinstance(self._quantiser, (BinaryQuant, ClampedBinaryQuant)):
            return 2
        if isinstance(self._quantiser, TernaryQuant):
            return 3
        lowest, highest = self._range()
        return highest - lowest + 1

    def values(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        """Levels number ``index``, by the arithmetic of the quantiser."""
        scale, zero_point, _ = self._seen()
        if isinstance(self._quantiser, (BinaryQuant, ClampedBinaryQuant)):
            integers = 2 * index - 1
        elif isinstance(self._quantiser, TernaryQuant):
            integers = index - 1
        else:
            integers = self._range()[0] + index
        return ((integers.to(dtype) - zero_point) * scale).to(dtype)

    def _range(self) -> tuple[Tensor, Tensor]:
        _, _, bits = self._seen()
        ends = [f(self._quantiser.signed, self._quantiser.narrow_range, bits) for f in (min_int, max_int)]
        return ends[0], ends[1]

    def _seen(self) -> tuple[Tensor, Tensor, Tensor]:
        """Scale, zero point and bit width of the last pass."""
        if self._last is None:
            raise ModelError(f"activation {self._name!r} was not quantised in this pass; error values need its levels")
        return self._last


def levels_of(activation: nn.Module, name: str) -> Levels:
    """The levels of an activation, which is called ``name`` in error messages.

    Raises:
        ModelError: its quantiser has no integers behind it, such as one to minifloats.
    """
    if isinstance(activation, OwnActivation):
        return ConstantLevels(activation)
    return BrevitasLevels(activation, name)


def is_quantised_activation(module: nn.Module) -> bool:
    """Whether a module is an activation layer (ours or Brevitas's) whose quantiser is switched on."""
    return isinstance(module, QuantNonLinearActLayer) and bool(module.act_quant.is_quant_enabled)


def may_quantise_input(activation: nn.Module) -> bool:
    """Whether an activation, standing in front of every weight, is the quantiser of the images."""
    return isinstance(activation, qnn.QuantIdentity)


def _integer_quantiser(activation: QuantNonLinearActLayer, name: str) -> Any:
    """What holds ``signed`` and ``narrow_range``, or is binary or ternary."""
    tensor_quant = activation.act_quant.fused_activation_quant_proxy.tensor_quant
    if isinstance(tensor_quant, (BinaryQuant, ClampedBinaryQuant, TernaryQuant)):
        return tensor_quant
    for holder in ("int_quant", "decoupled_int_quant"):
        quantiser = getattr(tensor_quant, holder, None)
        if hasattr(quantiser, "signed") and hasattr(quantiser, "narrow_range"):
            return quantiser
    kind = type(tensor_quant).__name__
    raise ModelError(f"activation {name!r}: its quantiser, {kind}, is none to integers, so error values are unknown")
