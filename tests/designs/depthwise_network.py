"""A network of depthwise and 1x1 layers, some with more channels than fit in a vector, with a pool and a sum."""

from __future__ import annotations

import numpy as np

from fat_fpga.engines.reference import quantise
from fat_fpga.network import InputQuantiser, Layer, Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import IntArray, SumPool
from tests.designs.random_network import random_images, with_thresholds

LEVELS = Levels(0, 1, 16)


def depthwise_network(channels: int, size: tuple[int, int], levels: Levels = LEVELS) -> Network:
    """Two depthwise-separable blocks, the second with a stride of 2 and twice the channels."""
    rng = np.random.default_rng(channels)
    image = InputQuantiser((2, *size), np.tile(np.arange(-128, 128, dtype=np.int32), (2, 1)))
    probe = Network("probe", image, (MatrixVectorUnit("fc0", np.ones((2, 2, *size), np.int32), None, None),))
    stream: IntArray = quantise(probe, random_images(probe, 12, channels))
    layers: list[Layer] = []

    def add(layer: Layer) -> None:
        nonlocal stream
        layers.append(layer)
        stream = layer.output(stream)

    def unit(outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        values = rng.integers(-7, 8, (outputs, stream.shape[1] // groups, kernel, kernel)).astype(np.int32)
        around = (kernel // 2,) * 4
        name = f"conv{len(layers)}"
        bare = MatrixVectorUnit(name, values, None, None, (stride, stride), around, "INT4", groups=groups)
        add(with_thresholds(bare, levels, bare.accumulate(stream), rng))

    unit(channels, 3)
    unit(channels, 3, 1, channels)
    unit(2 * channels, 1)
    unit(2 * channels, 3, 2 if channels > 16 else 1, 2 * channels)
    unit(channels, 1)
    add(MaxPool(f"conv{len(layers) - 1}.pool", (2, 2), (2, 2)))
    unit(channels, 3)
    side: tuple[int, int] = stream.shape[2:]
    add(SumPool(f"{layers[-1].name}.sum", side, side))
    many = rng.integers(-7, 8, (500, channels))
    near = np.argsort(np.abs(many @ stream.mean(axis=(0, 2, 3))))[:5]  # no class wins by its weights alone
    last = many[near].astype(np.int32).reshape(5, -1, 1, 1)
    add(MatrixVectorUnit(f"fc{len(layers)}", last, None, None, weight_type="INT4"))
    return Network(f"depthwise{channels}", image, tuple(layers))
