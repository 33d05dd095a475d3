"""Networks of many shapes, each with a folding of its own, to hold cost models against FINN's estimates.

Weights are rounded normal variates, as those of trained layers are distributed; thresholds are quantiles of a normal
distribution with the accumulators' deviation. No image is needed: costs do not depend on what a network is good for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fat_fpga.network import InputQuantiser, Layer, Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Shape

BIPOLAR, UNSIGNED, SIGNED = "bipolar", "unsigned", "signed"


@dataclass(frozen=True)
class Conv:
    """A convolution; its activation has so many bits, of one of the three kinds."""

    channels: int
    kernel: int
    weight_bits: int
    bits: int
    kind: str = UNSIGNED
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class Fc:
    """A fully connected layer; no bits of activations for the last one."""

    channels: int
    weight_bits: int
    bits: int = 0
    kind: str = UNSIGNED


@dataclass(frozen=True)
class Pool:
    """Max-pooling without overlap."""

    size: int = 2


@dataclass(frozen=True)
class Design:
    """A network's sizes and its folding.

    Attributes:
        image: channels, height, width.
        input_bits: of the integers that pixels become: 8 raw, fewer by thresholds; 1 for -1 and +1.
        folding: PEs x SIMD lanes of each unit.
    """

    name: str
    image: Shape
    layers: tuple[Conv | Fc | Pool, ...]
    folding: str
    input_bits: int = 8


DESIGNS = (
    Design(
        "mnist_conv_w1a1", (1, 28, 28),
        (Conv(32, 5, 1, 1, BIPOLAR), Pool(), Conv(48, 3, 1, 1, BIPOLAR), Pool(), Fc(160, 1, 1, BIPOLAR), Fc(10, 1)),
        "8x1,6x32,4x12,2x5",
    ),
    Design(
        "cifar_w2a2_padded", (3, 32, 32),
        (Conv(24, 3, 2, 2, padding=1), Conv(40, 3, 2, 2, stride=2, padding=1), Conv(56, 3, 2, 2, padding=1), Pool(),
         Conv(72, 1, 2, 2), Fc(96, 2, 2), Fc(10, 2)),
        "12x3,20x12,14x20,8x28,6x48,5x8",
    ),
    Design(
        "gtsrb_w4a4", (3, 48, 48),
        (Conv(20, 7, 4, 4), Pool(), Conv(36, 5, 4, 4), Pool(), Conv(60, 3, 4, 4), Pool(), Fc(43, 4)),
        "10x3,6x10,12x9,1x12",
    ),
    Design(
        "mlp_w3a3", (1, 20, 30),
        (Fc(200, 3, 3, SIGNED), Fc(120, 3, 3, SIGNED), Fc(80, 3, 3, SIGNED), Fc(12, 3)),
        "20x15,10x20,16x6,4x10", input_bits=3,
    ),
    Design(
        "mixed_w4a2_w1a4", (2, 24, 40),
        (Conv(16, 3, 4, 2), Conv(32, 3, 1, 4), Pool(), Conv(32, 2, 3, 1, BIPOLAR), Pool(), Fc(64, 2, 3), Fc(5, 4)),
        "16x2,8x16,16x8,4x16,5x16",
    ),
    Design(
        "lfc_w1a2", (1, 28, 28), (Fc(384, 1, 2, SIGNED), Fc(384, 1, 2, SIGNED), Fc(384, 1, 2, SIGNED), Fc(10, 1)),
        "32x28,24x32,12x64,10x6", input_bits=1,
    ),
    Design(
        "deep_w1a1", (3, 40, 40),
        (Conv(16, 3, 2, 1, BIPOLAR), *(Conv(c, 3, 1, 1, BIPOLAR) for c in (16, 32, 32)), Pool(),
         *(Conv(c, 3, 1, 1, BIPOLAR) for c in (48, 48, 64)), Pool(), Fc(128, 1, 1, BIPOLAR), Fc(100, 1)),
        "4x3,16x16,8x16,16x32,8x32,12x16,4x24,8x8,4x4",
    ),
    Design(
        "w8a8_small", (1, 16, 16), (Conv(8, 3, 8, 8), Pool(), Conv(16, 3, 8, 8), Fc(32, 8, 8), Fc(4, 8)),
        "4x1,4x4,2x8,1x1",
    ),
)  # fmt: skip


def network_of(design: Design, seed: int = 0) -> Network:
    """The network with weights and thresholds of a seed."""
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    shape, quantiser = design.image, _input(design)
    for number, step in enumerate(design.layers):
        if isinstance(step, Pool):
            layers.append(MaxPool(f"{layers[-1].name}.pool", (step.size,) * 2, (step.size,) * 2))
        elif isinstance(step, Conv):
            name, size = f"conv{_units(layers)}", (step.channels, shape[0], step.kernel, step.kernel)
            unit = _unit(name, size, step.weight_bits, step.bits, step.kind, rng)
            object.__setattr__(unit, "stride", (step.stride,) * 2)
            object.__setattr__(unit, "padding", (step.padding,) * 4)
            layers.append(unit)
        else:
            last = number == len(design.layers) - 1
            size = (step.channels, *shape)
            layers.append(
                _unit(f"fc{_units(layers)}", size, step.weight_bits, 0 if last else step.bits, step.kind, rng)
            )
        shape = layers[-1].output_shape(shape)
    return Network(design.name, quantiser, tuple(layers))


def _units(layers: Sequence[Layer]) -> int:
    return sum(isinstance(layer, MatrixVectorUnit) for layer in layers)


def _input(design: Design) -> InputQuantiser:
    pixels, bits = np.arange(256), design.input_bits
    table = np.where(pixels < 128, -1, 1) if bits == 1 else pixels >> (8 - bits)
    return InputQuantiser(design.image, np.stack([table] * design.image[0]).astype(np.int32))


def _unit(
    name: str, size: tuple[int, ...], weight_bits: int, bits: int, kind: str, rng: np.random.Generator
) -> MatrixVectorUnit:
    if weight_bits == 1:
        weights, weight_type = rng.choice([-1, 1], size), "BIPOLAR"
    else:
        most = 2 ** (weight_bits - 1) - 1
        weights = np.clip(np.rint(rng.normal(0, 0.4 * (most + 0.5), size)), -most, most)
        weight_type = f"INT{weight_bits}"
    weights = weights.astype(np.int32)
    if not bits:
        return MatrixVectorUnit(name, weights, None, None, weight_type=weight_type)
    count = 2**bits
    levels = {
        BIPOLAR: Levels(-1, 2, 2), UNSIGNED: Levels(0, 1, count), SIGNED: Levels(-(count // 2), 1, count)
    }[kind]  # fmt: skip
    spread = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=(1, 2, 3)))
    quantiles = [NormalDist().inv_cdf((i + 1) / levels.count) for i in range(levels.count - 1)]
    thresholds = np.ceil(spread[:, None] * np.array(quantiles)).astype(np.int32)
    return MatrixVectorUnit(name, weights, thresholds, levels, weight_type=weight_type)
