"""Random float networks, and what they are in fixed point: an evaluation of its own, in numpy's integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.fixed_point import Formats, LayerFormats, QFormat
from tests.designs.float_graph import GraphBuilder

Ints = npt.NDArray[np.int64]
Real = tuple[Ints, Fraction]
"""Integers, and the real value of their step."""
Stage = Callable[[Real], Real]


def rounded(values: Ints, step: Fraction, form: QFormat) -> Real:
    """Words nearest to ``values * step``, halves to the even one, no further than the ends; in exact arithmetic."""
    ratio = step * 2**form.fraction_bits
    times, by = ratio.numerator, ratio.denominator
    down, rest = np.divmod(values * times, by)
    up = (2 * rest > by) | ((2 * rest == by) & (down % 2 == 1))
    low, high = -(2 ** (form.bits - 1)), 2 ** (form.bits - 1) - 1
    return np.clip(down + up, low, high), Fraction(1, 2**form.fraction_bits)


def words_of(floats: npt.NDArray[Any], form: QFormat) -> Ints:
    """Words of floats, one by one, as exact fractions."""
    low, high = -(2 ** (form.bits - 1)), 2 ** (form.bits - 1) - 1
    found = [round(Fraction(float(value)) * 2**form.fraction_bits) for value in floats.ravel()]  # halves to even
    return np.array([min(max(value, low), high) for value in found], np.int64).reshape(floats.shape)


@dataclass
class FloatNetwork:
    """A float network as ONNX, and its stages in fixed point for formats that are known beforehand."""

    formats: Formats
    builder: GraphBuilder
    stages: list[Stage] = field(default_factory=list)

    @property
    def model(self) -> onnx.ModelProto:
        return self.builder.model()

    def sums(self, images: npt.NDArray[np.uint8]) -> tuple[Ints, npt.NDArray[np.float64]]:
        """The last product's sums without its biases, and the scores, of images."""
        unit = images.astype(np.float32) / np.float32(255)
        form = self.formats.activations_of("input")
        real: Real = words_of(unit, form), Fraction(1, 2**form.fraction_bits)
        for stage in self.stages[:-1]:
            real = stage(real)
        sums, step = self.stages[-1](real)
        return sums, sums.astype(np.float64) * float(step) + self.last_bias(float(step))

    last_bias: Callable[[float], Any] = lambda step: 0.0


class Maker:
    """Draws a network layer by layer."""

    def __init__(self, seed: int, most_bits: int = 10) -> None:
        self.rng = np.random.default_rng(seed)
        self.most_bits = most_bits
        layers = {f"conv{i}": LayerFormats(self.form(), self.form()) for i in range(4) if self.chance()}
        self.channels, self.side = int(self.rng.integers(1, 4)), int(self.rng.choice([5, 6, 8]))
        formats = Formats(self.form(), self.form(), {})
        self.own, self.made = layers, 0
        self.found = FloatNetwork(formats, GraphBuilder([1, self.channels, self.side, self.side]))

    def chance(self) -> bool:
        return bool(self.rng.integers(2))

    def form(self) -> QFormat:
        before = int(self.rng.integers(1, 4))
        return QFormat(before, int(self.rng.integers(2, self.most_bits - before + 1)))

    def formats_of(self, name: str) -> LayerFormats:
        """Formats of a new layer, noted where they are its own."""
        self.made += 1
        own = LayerFormats()
        if self.chance():
            own = LayerFormats(self.form(), self.form())
            formats = self.found.formats
            self.found.formats = Formats(formats.weights, formats.activations, {**formats.layers, name: own})
        return own

    def product(self, name: str, weights: npt.NDArray[Any], bias: npt.NDArray[Any], last: bool, run: Any) -> None:
        """Add a stage: a product, its activation and the words behind it."""

    def convolution(self, outputs: int, activation: bool = True) -> Stage:
        """Add a convolution, with a bias or a batch norm, a ReLU or none; what it is in fixed point."""
        name, rng, builder = f"conv{self.made}", self.rng, self.found.builder
        self.formats_of(name)
        kernel, padding = int(rng.choice([1, 3])), int(rng.integers(2))
        weights = rng.normal(0, 0.5, (outputs, self.channels, kernel, kernel)).astype(np.float32)
        bias = rng.normal(0, 0.3, outputs).astype(np.float32)
        builder.node("Conv", weights, bias, pads=[padding] * 4, kernel_shape=[kernel] * 2, name=name)
        folded, offset = weights.astype(np.float64), bias.astype(np.float64)
        if self.chance():
            gain, shift, mean = (rng.normal(0, 1, outputs).astype(np.float32) for _ in range(3))
            variance = rng.uniform(0.5, 2, outputs).astype(np.float32)
            builder.node("BatchNormalization", gain, shift, mean, variance, epsilon=1e-3)
            factor = gain.astype(np.float64) / np.sqrt(variance.astype(np.float64) + np.float32(1e-3))
            folded, offset = folded * factor[:, None, None, None], (offset - mean) * factor + shift
        if activation:
            builder.node("Relu")
        self.channels, self.side = outputs, self.side + 2 * padding - kernel + 1

        def stage(real: Real) -> Real:
            values, step = real
            form = self.found.formats.weights_of(name)
            integers = words_of(folded, form)
            padded = np.pad(values, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
            windows = sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
            step = step / 2**form.fraction_bits
            biases = np.array([round(Fraction(float(b)) / step) for b in offset], np.int64)
            sums = np.einsum("nchwij,mcij->nmhw", windows, integers) + biases[:, None, None]
            sums = np.maximum(sums, 0) if activation else sums
            return rounded(sums, step, self.found.formats.activations_of(name))

        return stage

    def chain(self) -> None:
        """Add a convolution."""
        self.found.stages.append(self.convolution(int(self.rng.choice([2, 5]))))

    def residual(self) -> None:
        """Add a block: two 1x1 or 3x3 convolutions of the same size, and the input added to their result."""
        builder, start, name = self.found.builder, self.found.builder.tensor, f"add{self.made}"
        self.made += 1
        side, channels, made = self.side, self.channels, self.found.stages
        first = self.convolution(channels, activation=False)
        if self.side != side:
            made.append(first)
            return
        branch = builder.tensor
        builder.tensor = start
        other = builder.node("Relu", first=start)
        form = self.form()
        formats = self.found.formats
        own = {**formats.layers, name: LayerFormats(None, form)}
        self.found.formats = Formats(formats.weights, formats.activations, own)
        builder.tensor = branch
        builder.node("Add", other, name=name)
        builder.node("Relu")

        def stage(real: Real) -> Real:
            values, step = first(real)
            kept, unit = np.maximum(real[0], 0), real[1]
            common = min(step, unit)
            sums = values * int(step / common) + kept * int(unit / common)
            return rounded(np.maximum(sums, 0), common, form)

        made.append(stage)

    def max_pool(self) -> None:
        """Add a max-pool of 2x2."""
        self.found.builder.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        self.side //= 2

        def stage(real: Real) -> Real:
            windows = sliding_window_view(real[0], (2, 2), axis=(2, 3))[:, :, ::2, ::2]
            return windows.max(axis=(4, 5)), real[1]

        self.found.stages.append(stage)

    def average(self) -> None:
        """Add an average over everything, or over windows of 2x2."""
        size = self.side if self.chance() else 2
        name = f"average{self.made}"
        self.made += 1
        self.formats_of(name)
        own = self.found.formats.layers.get(name)
        if own is not None:  # it has no weights
            layers = {**self.found.formats.layers, name: LayerFormats(None, own.activations)}
            self.found.formats = Formats(self.found.formats.weights, self.found.formats.activations, layers)
        self.found.builder.node("AveragePool", kernel_shape=[size] * 2, strides=[size] * 2, name=name)
        self.side //= size

        def stage(real: Real) -> Real:
            windows = sliding_window_view(real[0], (size, size), axis=(2, 3))[:, :, ::size, ::size]
            sums = windows.sum(axis=(4, 5))
            return rounded(sums, real[1] / size**2, self.found.formats.activations_of(name))

        self.found.stages.append(stage)

    def dense(self, outputs: int, last: bool) -> None:
        """Add a fully connected layer, as Gemm or as MatMul and Add."""
        name, rng, builder = f"fc{self.made}", self.rng, self.found.builder
        self.formats_of(name)
        if last and name in self.found.formats.layers:
            layers = {**self.found.formats.layers, name: LayerFormats(self.form())}
            self.found.formats = Formats(self.found.formats.weights, self.found.formats.activations, layers)
        inputs = self.channels * self.side**2
        weights = rng.normal(0, 0.4, (inputs, outputs)).astype(np.float32)
        bias = rng.normal(0, 0.3, outputs).astype(np.float32)
        if self.side > 1 or name == "fc0" or builder.nodes[-1].op_type != "Relu":
            builder.node("Flatten", axis=1)
        if self.chance():
            builder.node("MatMul", weights, name=name)
            builder.node("Add", bias)
        elif self.chance():
            builder.node("Gemm", weights, bias, name=name)
        else:
            builder.node("Gemm", np.ascontiguousarray(weights.T), bias, transB=1, name=name)
        if not last:
            builder.node("Relu")
        self.channels, self.side = outputs, 1

        def offsets(step: Fraction) -> Ints:
            return np.array([round(Fraction(float(b)) / step) for b in bias], np.int64)

        def stage(real: Real) -> Real:
            values, step = real
            form = self.found.formats.weights_of(name)
            step = step / 2**form.fraction_bits
            sums = values.reshape(len(values), -1) @ words_of(weights, form)
            if last:
                return sums, step
            return rounded(np.maximum(sums + offsets(step), 0), step, self.found.formats.activations_of(name))

        if last:
            self.found.last_bias = lambda step: offsets(Fraction(step)) * step
        self.found.stages.append(stage)


def random_float_network(seed: int, most_bits: int = 10) -> FloatNetwork:
    """A random network of convolutions, residual blocks and pools, and random formats of its layers."""
    maker = Maker(seed, most_bits)
    for _ in range(int(maker.rng.integers(1, 4))):
        part = maker.rng.choice(["chain", "residual", "max_pool", "average"])
        if part != "chain" and (maker.side < 4 or not maker.found.stages):  # lowering reads a chain there alone
            part = "chain"
        getattr(maker, str(part))() if maker.side > 3 else None
    if not maker.found.stages or maker.chance():
        maker.dense(6, last=False)
    maker.dense(4, last=True)
    return maker.found
