"""Residual blocks as ResNet-8 has them, of any number of channels.

The branches of a block end in two units, or in one and in the stream in front of the block.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.engines.reference import quantise
from fat_fpga.network import InputQuantiser, Layer, Levels, MatrixVectorUnit, Network
from fat_fpga.network.layers import Add, IntArray, SumPool, Thresholding
from tests.designs.random_network import random_images, with_thresholds

SIGNS = Levels(-1, 2, 2)
SHORT = Levels(0, 1, 4)
SIGNED = Levels(-2, 1, 4)
LONG = Levels(-7, 1, 15)
"""Levels of the streams between units (of which the signed ones are not padded with the lowest), and of those that are
added."""


class Blocks:
    """A network in the making, and its streams on some random images, so that thresholds lie where sums are."""

    def __init__(self, channels: int, image: InputQuantiser) -> None:
        self.rng, self.image = np.random.default_rng(channels), image
        self.layers: list[Layer] = []
        whole = np.ones((2, *image.shape), np.int32)
        probe = Network("probe", image, (MatrixVectorUnit("fc0", whole, None, None),))
        self.streams: dict[str, IntArray] = {"input": quantise(probe, random_images(probe, 12, channels))}

    def add(self, layer: Layer) -> str:
        self.layers.append(layer)
        self.streams[layer.name] = layer.output(*(self.streams[name] for name in layer.inputs))
        return layer.name

    def unit(
        self, name: str, source: str, outputs: int, kernel: int, levels: Levels, weights: tuple[int, ...],
        stride: int = 1, datatype: str = "INT4",
    ) -> str:  # fmt: skip
        values = self.rng.choice(weights, (outputs, self.streams[source].shape[1], kernel, kernel)).astype(np.int32)
        around = (kernel // 2,) * 4
        bare = MatrixVectorUnit(name, values, None, None, (stride, stride), around, datatype, inputs=(source,))
        return self.add(with_thresholds(bare, levels, bare.accumulate(self.streams[source]), self.rng))

    def pool(self, source: str) -> str:
        side = self.streams[source].shape[2:]
        return self.add(SumPool(f"{source}.sum", side, side, inputs=(source,)))

    def network(self, name: str) -> Network:
        return Network(name, self.image, tuple(self.layers))


def residual_network(
    channels: int,
    weights: tuple[int, ...] = (-1, 0, 1),
    factors: tuple[int, int] = (1, 1),
    size: tuple[int, int] = (7, 9),
) -> Network:
    """Two blocks, the second with a stride of 2 and twice the channels."""
    table = np.tile(np.arange(-128, 128, dtype=np.int32), (2, 1))
    made = Blocks(channels, InputQuantiser((2, *size), table))
    rng, streams, add, unit = made.rng, made.streams, made.add, made.unit

    def thresholds(source: str) -> str:
        shape = (streams[source].shape[1], 1, 1, 1)
        any_unit = MatrixVectorUnit("any0", np.ones(shape, np.int32), None, None)
        found = with_thresholds(any_unit, SHORT, streams[source], rng).thresholds
        assert found is not None
        return add(Thresholding(f"{source}.thresholding", found, SHORT, inputs=(source,)))

    end = unit("conv0", "input", channels, 3, SHORT, weights)
    main = unit("conv2", unit("conv1", end, channels, 3, SHORT, weights), channels, 3, LONG, weights)
    end = thresholds(add(Add("add0", (main, end), factors)))
    main = unit("conv4", unit("conv3", end, 2 * channels, 3, SHORT, weights, 2), 2 * channels, 3, LONG, weights)
    end = thresholds(add(Add("add1", (main, unit("conv5", end, 2 * channels, 1, LONG, weights, 2)), factors)))
    pool = made.pool(end)
    many = rng.integers(-7, 8, (500, 2 * channels))
    near = np.argsort(np.abs(many @ streams[pool].mean(axis=(0, 2, 3))))[:5]  # no class wins by its weights alone
    last = many[near].astype(np.int32).reshape(5, -1, 1, 1)
    add(MatrixVectorUnit("fc6", last, None, None, weight_type="INT4", inputs=(pool,)))
    return made.network(f"residual{channels}")


def signed_chain(channels: int, size: int = 4, strides: tuple[int, ...] = (1, 1, 1, 1)) -> Network:
    """Units one behind the other, with small frames: padding, not their lowest level, is half of what they see."""
    made = Blocks(channels, InputQuantiser((1, size, size), np.arange(-128, 128, dtype=np.int32)[None]))
    end = "input"
    for number, stride in enumerate(strides):
        end = made.unit(f"conv{number}", end, channels, 3, SIGNED, (-1, 1), stride, "BIPOLAR")
    last = made.rng.choice((-1, 1), (4, *made.streams[end].shape[1:])).astype(np.int32)
    made.add(MatrixVectorUnit(f"fc{len(strides)}", last, None, None, weight_type="BIPOLAR", inputs=(end,)))
    return made.network(f"chain{channels}")


def signs_network(channels: int) -> Network:
    """A block whose shorter branch begins at signs. The longer one pads them with 0, so they are kept as integers."""
    made = Blocks(channels, InputQuantiser((1, 5, 5), np.arange(-128, 128, dtype=np.int32)[None]))
    both, bipolar = (-1, 1), "BIPOLAR"
    first = made.unit("conv0", "input", 3, 3, SIGNS, both, datatype=bipolar)
    middle = made.unit("conv1", first, channels, 3, SIGNS, both, datatype=bipolar)
    long = made.unit("conv2", middle, channels, 1, SIGNS, (-1, 0, 1), datatype="TERNARY")
    short = made.unit("conv3", first, channels, 1, SIGNS, both, datatype=bipolar)
    sums = made.add(Add("add0", (long, short), (1, 1)))
    met = made.rng.choice([-1, 0, 1, 2], (channels, 1)).astype(np.int32)
    pool = made.pool(made.add(Thresholding("add0.thresholding", met, SIGNS, inputs=(sums,))))
    last = made.rng.choice(both, (3, channels, 1, 1)).astype(np.int32)
    made.add(MatrixVectorUnit("fc4", last, None, None, weight_type=bipolar, inputs=(pool,)))
    return made.network(f"signs{channels}")
