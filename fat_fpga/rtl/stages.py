"""Layers as modules of ``hw/rtl``: what each needs of its stream, its parameters, and the stream that it makes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fat_fpga.board.stream import StreamLayout
from fat_fpga.checksums import stream_words
from fat_fpga.errors import BoardError
from fat_fpga.faults.place import Place, places
from fat_fpga.faults.register import Register, activation_register, stored_thresholds
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Layer, Shape
from fat_fpga.network.words import counts_bits, unit_weight_type

MOST_BITS = 16
"""Of a weight or an input."""
MOST_SUM_BITS = 32


class Folded(Protocol):
    """How parallel a unit is."""

    @property
    def pe(self) -> int: ...
    @property
    def simd(self) -> int: ...


class Fold(NamedTuple):
    """How parallel a unit is: PEs work on output channels, each takes SIMD inputs a cycle."""

    pe: int
    simd: int = 1


Folds = Mapping[str, Folded]


@singledispatch
def check_layer(layer: Layer, network: Network, shape: Shape) -> None:
    """BoardError for a layer that there is no module for, or not for this stream.

    Args:
        shape: of the stream that it reads.
    """
    raise no_handler("a board of our own RTL", layer, BoardError)


@check_layer.register
def _(layer: MatrixVectorUnit, network: Network, shape: Shape) -> None:
    if not layer.plain:
        raise BoardError(f"{layer.name}: our matrix-vector unit has neither groups nor dilation; take FINN's build")
    if layer.levels is not None and layer.thresholds is None:
        raise BoardError(f"{layer.name}: its accumulators are read by another layer, which our RTL has no module for")
    (read,) = network.inputs[layer.name]
    if any(layer.padding) and network.levels_of[read].stored_as == "BIPOLAR":
        raise BoardError(
            f"{layer.name}: it pads with 0, and the levels -1 and +1 of {read} are streamed as one bit: train without "
            "padding, or with levels that are neighbouring integers"
        )


@check_layer.register
def _(layer: MaxPool, network: Network, shape: Shape) -> None:
    if layer.kernel != layer.stride or any(layer.padding):
        raise BoardError(
            f"{layer.name}: our max-pool takes windows that do not overlap, without padding; got window "
            f"{list(layer.kernel)} at stride {list(layer.stride)}, padding {list(layer.padding)}"
        )


@check_layer.register
def _(layer: MajorityVote, network: Network, shape: Shape) -> None:
    """The voter takes every map."""


def check_folds(network: Network, folds: Folds) -> None:
    """BoardError unless every unit has a fold, and its PEs and SIMD lanes divide."""
    shapes = {layer.name: shape for layer, shape, _ in network.walk()}
    for layer in network.units:
        shape, fold = shapes[layer.name], folds.get(layer.name)
        if fold is None:
            raise BoardError(f"{layer.name}: the folding does not name it")
        inputs = layer.weights[0].size
        whole, what = (shape[0], "channels in front") if windowed(layer, shape) else (inputs, "inputs")
        if fold.pe < 1 or fold.simd < 1 or layer.channels % fold.pe or whole % fold.simd:
            raise BoardError(
                f"{layer.name}: PE {fold.pe} and SIMD {fold.simd} must divide its {layer.channels} channels and "
                f"{whole} {what}"
            )


def cycles(network: Network, folds: Folds) -> dict[str, int]:
    """Cycles that each unit needs for an image, by name: one for PE x SIMD products. Behind the first image a board
    takes as many for each as its slowest unit."""
    found = {}
    for unit in network.units:
        fold, (_, height, width) = folds[unit.name], network.shapes[network.position(unit.name)]
        found[unit.name] = height * width * (unit.weights[0].size // fold.simd) * (unit.channels // fold.pe)
    return found


def windowed(unit: MatrixVectorUnit, shape: Shape) -> bool:
    """Whether a window generator is in front of a unit: its windows are neither single pixels nor the whole frame."""
    return (
        any(unit.padding)
        or (unit.kernel not in ((1, 1), shape[1:]))
        or (unit.kernel == (1, 1) and unit.stride != (1, 1) and shape[1:] != (1, 1))
    )


def sum_bits(inputs: int, weight: int, value: int, counting: bool) -> int:
    """Bits of the sums of a matrix-vector unit and of its thresholds, whatever its weights are.

    Args:
        weight, value: the largest absolute values of a weight and of an input.
        counting: whether sums are counts of agreeing bits, without sign.
    """
    largest = inputs * weight * value
    return max((inputs + 1).bit_length() if counting else (largest + 1).bit_length() + 1, 2)


def check_bits(name: str, weight_bits: int, input_bits: int, sums: int) -> None:
    """BoardError for weights, inputs or sums of more bits than ``fat_mvtu`` takes.

    Args:
        name: of the layer.
    """
    for what, bits, most in (
        ("weights", weight_bits, MOST_BITS), ("inputs", input_bits, MOST_BITS), ("sums", sums, MOST_SUM_BITS),
    ):  # fmt: skip
        if bits > most:
            raise BoardError(f"{name}: our matrix-vector unit takes {what} of {most} bits, got {bits}")


def memory_address_bits(inputs: int, channels: int, pe: int, simd: int, weight_bits: int, count: int) -> int:
    """Bits of the byte addresses of the memories of ``fat_mvtu``: thresholds in the lower half, weights in the
    upper one.

    Args:
        count: thresholds of a channel, at least 1.
    """
    parts = -(-pe * simd * weight_bits // 32)
    folds = channels // pe
    lanes = (pe - 1).bit_length() + (count - 1).bit_length()
    weights = (parts - 1).bit_length() + (inputs // simd * folds - 1).bit_length()
    return 3 + max(weights, (folds - 1).bit_length() + lanes, 1)


@dataclass(frozen=True, eq=False)
class Unit:
    """A matrix-vector-threshold unit.

    Attributes:
        layer: what it computes.
        fold: how parallel it is.
        shape: of the stream in front.
        source: how an activation in front stands in bits.
        counting: whether its sums are counts of agreeing bits.
        weight_bits: 1 for bipolar weights.
        sum_bits: of sums and thresholds.
        output: how an output stands in bits.
        thresholds: as they stand in the memory, int64 [M, T]; None where sums go out.
    """

    layer: MatrixVectorUnit
    fold: Folded
    shape: Shape
    source: Register
    counting: bool
    weight_bits: int
    sum_bits: int
    output: Register
    thresholds: npt.NDArray[np.int64] | None

    @classmethod
    def of(cls, place: Place, layer: MatrixVectorUnit, fold: Folded, shape: Shape, score_bits: int) -> Unit:
        """The unit of a layer.

        Args:
            place: of the layer.
            score_bits: of a sum that goes out.

        Raises:
            BoardError: weights, inputs or sums have more bits than the unit takes.
        """
        source = activation_register(place.source.levels)
        kind, inputs = unit_weight_type(layer), layer.weights[0].size
        weights = Register.of_type(kind)
        weight_bits = weights.bits if kind == "BIPOLAR" or weights.signed else weights.bits + 1
        span = span_of(kind)
        assert span is not None
        counting = counts_bits(layer, place.source)
        sums = sum_bits(inputs, max(map(abs, span)), max(map(abs, source.span)), counting)
        check_bits(layer.name, weight_bits, source.bits, sums)
        if layer.thresholds is None:
            scores = Register(score_bits, False, -inputs, 2) if counting else Register(score_bits, True)
            return cls(layer, fold, shape, source, counting, weight_bits, sums, scores, None)
        assert layer.levels is not None
        output = activation_register(layer.levels)
        thresholds = stored_thresholds(place).astype(np.int64)
        if counting:
            thresholds = (thresholds + inputs) // 2
        else:  # what no sum reaches means the same at the ends
            thresholds = np.clip(thresholds, -(1 << sums - 1), (1 << sums - 1) - 1)
        return cls(layer, fold, shape, source, counting, weight_bits, sums, output, thresholds)

    @property
    def inputs(self) -> int:
        """Values of a vector."""
        return int(self.layer.weights[0].size)

    @property
    def address_bits(self) -> int:
        """Of the byte addresses of its memories: thresholds in the lower half, weights in the upper one."""
        count = 1 if self.thresholds is None else self.thresholds.shape[1]
        fold, channels = self.fold, self.layer.channels
        return memory_address_bits(self.inputs, channels, fold.pe, fold.simd, self.weight_bits, count)

    def parameters(self, weights: str, thresholds: str, address_bits: int) -> dict[str, object]:
        """Of ``fat_mvtu``.

        Args:
            weights, thresholds: names of the files with what the memories hold.
            address_bits: of its page.
        """
        levels = self.layer.levels
        found: dict[str, object] = {
            "INPUTS": self.inputs,
            "CHANNELS": self.layer.channels,
            "PE": self.fold.pe,
            "SIMD": self.fold.simd,
            "WEIGHT_BITS": self.weight_bits,
            "INPUT_BITS": self.source.bits,
            "INPUT_SIGNED": f"1'b{self.source.signed:d}",
            "INPUT_BIPOLAR": f"1'b{self.source.step == 2:d}",
            "SUM_BITS": self.sum_bits,
            "THRESHOLDS": 0 if self.thresholds is None else self.thresholds.shape[1],
            "OUT_BITS": self.output.bits,
            "WEIGHTS_FILE": f'"{weights}"',
            "AXIL_ADDR_W": address_bits,
        }
        if self.thresholds is not None and levels is not None:
            found["OUT_BASE"] = self.output.word_of(levels.min)
            found["OUT_STEP"] = levels.step // self.output.step
            found["THRESHOLDS_FILE"] = f'"{thresholds}"'
        return found

    def window(self) -> dict[str, object] | None:
        """Parameters of the ``fat_window`` in front; None where there is none."""
        if not windowed(self.layer, self.shape):
            return None
        channels, height, width = self.shape
        (kernel_h, kernel_w), (stride_h, stride_w) = self.layer.kernel, self.layer.stride
        _, out_h, out_w = self.layer.output_shape(self.shape)
        return {
            "CHANNELS": channels, "LANES": self.fold.simd, "BITS": self.source.bits, "HEIGHT": height, "WIDTH": width,
            "KERNEL_H": kernel_h, "KERNEL_W": kernel_w, "STRIDE_H": stride_h, "STRIDE_W": stride_w,
            "PAD_TOP": self.layer.padding[0], "PAD_LEFT": self.layer.padding[1], "OUT_H": out_h, "OUT_W": out_w,
            "ROWS": window_rows(kernel_h, stride_h),
        }  # fmt: skip


def window_rows(kernel: int, stride: int) -> int:
    """Row buffers of a ``fat_window``: the next frame's first rows come in while the last windows go out."""
    return max(2 * kernel, kernel + stride)


def unit_at(network: Network, number: int, fold: Folded) -> Unit:
    """The unit that layer ``number`` of a network becomes; BoardError where it is too wide."""
    layer = network.layers[number].unit
    assert layer is not None
    shape = next(shape for other, shape, _ in network.walk() if other.name == layer.name)
    bits = stream_words(network, layer.name, np.zeros((1, *network.shapes[number]), np.int32))[1]
    return Unit.of(places(network)[layer.name], layer, fold, shape, bits)


def pool_parameters(layer: MaxPool, layout: StreamLayout) -> dict[str, object]:
    """Of ``fat_max_pool`` behind a stream."""
    return {
        "CHANNELS": layout.channels, "LANES": layout.lanes, "BITS": layout.register.bits,
        "SIGNED": f"1'b{layout.register.signed:d}", "HEIGHT": layout.height, "WIDTH": layout.width,
        "KERNEL_H": layer.kernel[0], "KERNEL_W": layer.kernel[1],
    }  # fmt: skip


def steps_between(lanes: int, wanted: int) -> list[int]:
    """Numbers of lanes on the way from one to another, where each divides the next, or the other way round."""
    if lanes == wanted:
        return []
    if lanes % wanted == 0 or wanted % lanes == 0:
        return [wanted]
    return [math.gcd(lanes, wanted), wanted]
