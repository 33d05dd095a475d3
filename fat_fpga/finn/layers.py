"""What FINN makes of each kind of layer, and what it cannot make; known without FINN."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fat_fpga.errors import FinnError
from fat_fpga.finn.form import counted, is_depthwise
from fat_fpga.finn.operators import VOTER
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Add, Concat, Layer, Scores, Shape, SumPool, Thresholded, Thresholding, Upsample
from fat_fpga.network.levels import Levels

UNIT, POOL, VOTE = MatrixVectorUnit.type, MaxPool.type, MajorityVote.type
SUM, JOIN, CONCAT, THRESHOLDS = SumPool.type, Add.type, Concat.type, Thresholding.type
UPSAMPLE = Upsample.type
"""Roles of the nodes that layers become."""

KINDS = {
    UNIT: ("MVAU", "VVAU"),
    POOL: ("Pool",),
    VOTE: (VOTER.removesuffix("_rtl"),),
    SUM: ("GlobalAccPool", "Pool"),
    JOIN: ("ElementwiseAdd", "ElementwiseSub"),
    CONCAT: ("StreamingConcat",),
    THRESHOLDS: ("Thresholding",),
    UPSAMPLE: ("UpsampleNearestNeighbour",),
}
"""FINN's operators of each role."""


@singledispatch
def role_of(layer: Layer) -> str:
    """The role of the node that a layer becomes; FinnError where FINN has none."""
    raise no_handler("FINN", layer, FinnError)


@role_of.register(MatrixVectorUnit)
@role_of.register(MaxPool)
@role_of.register(MajorityVote)
@role_of.register(SumPool)
@role_of.register(Upsample)
@role_of.register(Add)
@role_of.register(Concat)
@role_of.register(Thresholding)
def _(layer: Layer) -> str:
    return layer.type


@role_of.register
def _(layer: Scores) -> str:
    raise _no_ranks(layer)


@singledispatch
def check_layer(layer: Layer, network: Network, shape: Shape) -> None:
    """FinnError for what FINN's hardware layers cannot do, behind a stream of ``shape``."""
    raise no_handler("FINN", layer, FinnError)


@check_layer.register
def _(layer: MatrixVectorUnit, network: Network, shape: Shape) -> None:
    if layer.levels is not None:
        _check_levels(layer, layer.levels)
        if layer.levels.bipolar and is_depthwise(network, layer) and not counted(network, layer.name):
            raise FinnError(
                f"{layer.name}: FINN's depthwise units give -1 and +1 only where all layers behind have bipolar "
                "weights and no padding: train with levels that are neighbouring integers"
            )
    (read,) = network.inputs[layer.name]
    if any(layer.padding) and network.levels_of[read].stored_as == "BIPOLAR":
        raise FinnError(
            f"{layer.name}: it pads with 0, and FINN streams the levels -1 and +1 of {read} as one bit: train without "
            "padding, or with levels that are neighbouring integers"
        )
    top, left, bottom, right = layer.padding
    sizes = shape[1] + top + bottom, shape[2] + left + right
    if any(stride > size for stride, size in zip(layer.stride, sizes, strict=True)):
        raise FinnError(
            f"{layer.name}: FINN's window generator takes strides up to the size of its input, {list(sizes)}, got "
            f"{list(layer.stride)}"
        )


@check_layer.register
def _(layer: Thresholding, network: Network, shape: Shape) -> None:
    _check_levels(layer, layer.levels)
    if layer.levels.bipolar and not counted(network, layer.name):
        raise FinnError(
            f"{layer.name}: FINN's thresholds of their own give -1 and +1 only where all layers behind have bipolar "
            "weights and no padding: train with levels that are neighbouring integers"
        )


@check_layer.register
def _(layer: MaxPool, network: Network, shape: Shape) -> None:
    if layer.kernel != layer.stride:
        raise FinnError(
            f"{layer.name}: FINN pools windows that do not overlap, got window {list(layer.kernel)} at stride "
            f"{list(layer.stride)}"
        )


@check_layer.register
def _(layer: Upsample, network: Network, shape: Shape) -> None:
    """FINN repeats any stream."""


@check_layer.register(Add)
@check_layer.register(Concat)
@check_layer.register(SumPool)
def _(layer: Layer, network: Network, shape: Shape) -> None:
    for stream in network.inputs[layer.name]:
        if network.levels_of[stream].stored_as == "BIPOLAR":
            raise FinnError(
                f"{layer.name}: it reads {stream}, whose levels are -1 and +1, which FINN streams as one bit; it "
                "adds and joins integers: train with levels that are neighbouring integers"
            )


@check_layer.register
def _(layer: Scores, network: Network, shape: Shape) -> None:
    raise _no_ranks(layer)


@check_layer.register
def _(layer: MajorityVote, network: Network, shape: Shape) -> None:
    """Our voter takes every map."""


def _check_levels(layer: Thresholded, levels: Levels) -> None:
    if levels.bipolar:
        return
    if levels.step != 1:
        raise FinnError(
            f"{layer.name}: FINN's thresholds step by one, its activation levels are "
            f"{levels}: train with levels -1 and +1, or ones that are neighbouring integers"
        )
    if levels.min > 0 or levels.max <= 0:
        raise FinnError(f"{layer.name}: FINN's activations start at 0 or below and end above, got {levels}")


def _no_ranks(layer: Scores) -> FinnError:
    return FinnError(
        f"{layer.name}: FINN's label select compares the sums of the last layer; this network's class scores have a "
        "bias, scale or function of their own for each class"
    )


@singledispatch
def lanes_within(layer: Layer, channels: Sequence[int]) -> int:
    """What the lanes of a layer must divide.

    Args:
        channels: of its own stream, then of each stream that it reads.
    """
    return channels[0]


@lanes_within.register
def _(layer: Concat, channels: Sequence[int]) -> int:
    """A beat holds channels of one stream."""
    return math.gcd(*channels[1:])
