"""Residual blocks as ResNet-8 has them, of any number of channels.

The branches of a block end in two units, or in one and in the stream in front of the block.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.engines.reference import quantise
from fat_fpga.network import InputQuantiser, Layer, Levels, MatrixVectorUnit, Network
from fat_fpga.network.layers import Add, IntArray, SumPool, Thresholding
from tests.designs.random_network import random_images, with_thresholds

SHORT = Levels(0, 1, 4)
LONG = Levels(-7, 1, 15)
"""Levels of the streams between units, and of those that are added."""


def residual_network(
    channels: int,
    weights: tuple[int, ...] = (-1, 0, 1),
    factors: tuple[int, int] = (1, 1),
    size: tuple[int, int] = (7, 9),
) -> Network:
    """Two blocks, the second with a stride of 2 and twice the channels."""
    rng = np.random.default_rng(channels)
    table = np.tile(np.arange(-128, 128, dtype=np.int32), (2, 1))
    image = InputQuantiser((2, *size), table)
    layers: list[Layer] = []
    probe = Network("probe", image, (MatrixVectorUnit("fc0", np.ones((2, 2, *size), np.int32), None, None),))
    streams: dict[str, IntArray] = {"input": quantise(probe, random_images(probe, 12, channels))}

    def add(layer: Layer) -> str:
        layers.append(layer)
        streams[layer.name] = layer.output(*(streams[name] for name in layer.inputs))
        return layer.name

    def unit(name: str, source: str, outputs: int, kernel: int, stride: int, levels: Levels) -> str:
        values = rng.choice(weights, (outputs, streams[source].shape[1], kernel, kernel)).astype(np.int32)
        around = (kernel // 2,) * 4
        bare = MatrixVectorUnit(name, values, None, None, (stride, stride), around, "INT4", inputs=(source,))
        return add(with_thresholds(bare, levels, bare.accumulate(streams[source]), rng))

    def thresholds(source: str) -> str:
        shape = (streams[source].shape[1], 1, 1, 1)
        any_unit = MatrixVectorUnit("any0", np.ones(shape, np.int32), None, None)
        found = with_thresholds(any_unit, SHORT, streams[source], rng).thresholds
        assert found is not None
        return add(Thresholding(f"{source}.thresholding", found, SHORT, inputs=(source,)))

    end = unit("conv0", "input", channels, 3, 1, SHORT)
    main = unit("conv2", unit("conv1", end, channels, 3, 1, SHORT), channels, 3, 1, LONG)
    end = thresholds(add(Add("add0", (main, end), factors)))
    main = unit("conv4", unit("conv3", end, 2 * channels, 3, 2, SHORT), 2 * channels, 3, 1, LONG)
    end = thresholds(add(Add("add1", (main, unit("conv5", end, 2 * channels, 1, 2, LONG)), factors)))
    side = streams[end].shape[2:]
    pool = add(SumPool(f"{end}.sum", side, side, inputs=(end,)))
    many = rng.integers(-7, 8, (500, 2 * channels))
    near = np.argsort(np.abs(many @ streams[pool].mean(axis=(0, 2, 3))))[:5]  # no class wins by its weights alone
    last = many[near].astype(np.int32).reshape(5, -1, 1, 1)
    add(MatrixVectorUnit("fc6", last, None, None, weight_type="INT4", inputs=(pool,)))
    return Network(f"residual{channels}", image, tuple(layers))
