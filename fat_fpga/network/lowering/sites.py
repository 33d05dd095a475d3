"""Where the parts of a lowered network are in the graph of its file: tensors, scales, signs and orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.network.layers import Data, MatrixVectorUnit
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.entry import Entry
from fat_fpga.network.lowering.graph import Node, attributes
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Index, Layout
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.transposed import TRANSPOSED, transposed_places


@dataclass(frozen=True, eq=False)
class ImageSite:
    """The input of the file.

    Attributes:
        tensor: its name.
        index: of its shape without the batch; position in the flattened [C, H, W] of each element, -1 for those that
            the file leaves out.
        batch: how many images it takes at once.
        entry: what it takes.
        dtype: of its elements.
    """

    tensor: str
    index: Index
    batch: int
    entry: Entry
    dtype: npt.DTypeLike

    def values(self, images: Data) -> npt.NDArray[Any]:
        """What the file takes for at most ``batch`` images [N, C, H, W]; the last one fills the batch up.

        Elements that the file leaves out hold 0.
        """
        numbers = np.minimum(np.arange(self.batch), len(images) - 1)
        real = self.entry.real(images).reshape(len(images), -1)
        return np.where(self.index < 0, 0, real[numbers][:, self.index]).astype(self.dtype)


@dataclass(frozen=True, eq=False)
class StreamSite:
    """A tensor of the file that holds a stream of activations: ``real = scale * (integer + shift)``.

    Attributes:
        tensor: its name.
        index: of the tensor's shape without the batch; position in the flattened [C, H, W] of each element.
    """

    tensor: str
    index: Index
    scale: float
    shift: int = 0


@dataclass(frozen=True, eq=False)
class UnitSite:
    """A matrix product of the file: ``real = sign * sum * source_scale * scale + bias`` for each output channel.

    Attributes:
        tensor: name of its output.
        index: of that tensor, as in `StreamSite`.
        sign: int64 [M], -1 where the rows of the unit are the file's, negated.
        places: of the shape of the file's weight tensor; position of each element in the unit's flattened weights.
        values: the file's weight tensor, float32.
        thresholds: output and constant, float32 [M or 1, T], of the MultiThreshold that holds the unit's thresholds;
            None where a chain of floats decides.
    """

    tensor: str
    index: Index
    source_scale: float
    scale: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32] | None
    sign: npt.NDArray[np.int64]
    places: Index
    values: npt.NDArray[np.float32]
    thresholds: tuple[str, npt.NDArray[np.float32]] | None

    @property
    def channels(self) -> Index:
        """Output channel of each element of the tensor."""
        return self.index // (self.index.size // len(self.scale))

    def affine(self, channel: int) -> tuple[float, float]:
        """Bias and scale, so that the real value of a sum is ``scale * sum + bias``."""
        scale = float(self.sign[channel]) * float(self.source_scale) * float(self.scale[channel])
        return (0.0 if self.bias is None else float(self.bias[channel])), scale


@dataclass
class Sites:
    """Where everything of a network is in its file.

    Attributes:
        model: the file's, its functions inlined.
        image: its input.
        streams: by place; what the file does not show is missing.
        units: by name; also thresholds on a stream, whose sums are the integers of that stream.
        scores: the tensor of the class scores, as the file gives them.
        choice: the tensor of the predicted class, where the file has one.
        middle: where there is one score only, what it has to exceed for class 1.
    """

    model: onnx.ModelProto
    image: ImageSite
    streams: dict[str, StreamSite] = field(default_factory=dict)
    units: dict[str, UnitSite] = field(default_factory=dict)
    scores: str = ""
    choice: str | None = None
    middle: float = 0.0

    def rename(self, names: Mapping[str, str]) -> None:
        """Give streams and units other names."""
        self.streams = {names[place]: site for place, site in self.streams.items()}
        self.units = {names[place]: site for place, site in self.units.items()}


def unit_site(
    unit: MatrixVectorUnit, product: Product, source_scale: float, chain: Chain, values: npt.NDArray[np.float32],
    before: Layout, behind: Layout,
) -> UnitSite:  # fmt: skip
    """The site of a unit made of ``product``, with layouts of the tensors in front of it and behind it."""
    bias = None if product.bias is None else product.bias.astype(np.float32)
    holder = stored_thresholds(product, source_scale, chain) if unit.thresholds is not None else None
    thresholds = None if holder is None else (holder.output[0], chain.graph.constants[holder.input[1]].values)
    return UnitSite(
        product.node.output[0], behind.index, source_scale, product.scale, bias,
        _signs(unit, product, chain), _places(product, values.shape, before), values,
        thresholds,
    )  # fmt: skip


def threshold_site(
    tensor: str, layout: Layout, scale: float, thresholds: tuple[str, npt.NDArray[np.float32]] | None
) -> UnitSite:
    """The site of thresholds on a stream, which ``tensor`` holds with the real value ``scale`` of a step."""
    channels, nothing = layout.shape[0], np.empty(0)
    return UnitSite(
        tensor, layout.index, scale, np.ones(channels, np.float32), None, np.ones(channels, np.int64),
        nothing.astype(np.intp), nothing.astype(np.float32), thresholds,
    )  # fmt: skip


def stored_thresholds(product: Product, source_scale: float, chain: Chain) -> Node | None:
    """The node that holds the thresholds of a unit: a MultiThreshold right behind integer sums; else None."""
    integers = source_scale == 1 and bool(np.all(product.scale == 1)) and product.bias is None
    if len(chain.nodes) != 1 or chain.nodes[0].op_type != "MultiThreshold" or not integers:
        return None
    rows = len(chain.graph.constants[chain.nodes[0].input[1]].values)
    return chain.nodes[0] if rows in (1, len(product.weights)) else None


def stream_site(tensor: str, layout: Layout, grid: Grid, levels: Levels | None) -> StreamSite:
    """The site of a stream on ``grid``, whose integers the network counts in ``levels``."""
    shift = 0 if grid.levels is None or levels is None else grid.levels.base - levels.base
    return StreamSite(tensor, layout.index, grid.scale, shift)


def _signs(unit: MatrixVectorUnit, product: Product, chain: Chain) -> npt.NDArray[np.int64]:
    if unit.thresholds is not None:
        return chain.direction()
    return np.full(unit.channels, 1 if np.array_equal(unit.weights, product.weights) else -1, np.int64)


def _places(product: Product, shape: tuple[int, ...], before: Layout) -> Index:
    size = product.weights.size
    if product.node.op_type == TRANSPOSED:
        return transposed_places(shape, product.groups)
    if product.node.op_type == "Conv":
        return np.arange(size).reshape(shape)
    if product.kind == "conv":  # a matrix, over the channels of each pixel
        return np.arange(size).reshape(shape[::-1]).T
    places = np.arange(size).reshape(len(product.weights), -1)[:, before.index.ravel()]  # [M, row of the matrix]
    return places if attributes(product.node).get("transB") else places.T
