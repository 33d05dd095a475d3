"""What FINN makes of each kind of layer, and what it cannot make; known without FINN."""

from __future__ import annotations

from fat_fpga.errors import FinnError
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Layer, Shape

UNIT, POOL, VOTE = MatrixVectorUnit.type, MaxPool.type, MajorityVote.type
"""Roles of the nodes that layers become: a matrix-vector unit, a pool, a voter."""


@singledispatch
def role_of(layer: Layer) -> str:
    """The role of the node that a layer becomes; FinnError where FINN has none."""
    raise no_handler("FINN", layer, FinnError)


@role_of.register
def _(layer: MatrixVectorUnit) -> str:
    return UNIT


@role_of.register
def _(layer: MaxPool) -> str:
    return POOL


@role_of.register
def _(layer: MajorityVote) -> str:
    return VOTE


@singledispatch
def check_layer(layer: Layer, shape: Shape) -> None:
    """FinnError for what FINN's hardware layers cannot do, behind a stream of ``shape``."""
    raise no_handler("FINN", layer, FinnError)


@check_layer.register
def _(layer: MatrixVectorUnit, shape: Shape) -> None:
    if not layer.plain:
        raise FinnError(f"{layer.name}: grouped and dilated convolutions are not built with FINN yet")
    if layer.levels is not None and not layer.levels.bipolar:
        if layer.levels.step != 1:
            raise FinnError(
                f"{layer.name}: FINN's thresholds step by one, its activation levels are "
                f"{layer.levels}: train with levels -1 and +1, or ones that are neighbouring integers"
            )
        if layer.levels.min > 0 or layer.levels.max <= 0:
            raise FinnError(f"{layer.name}: FINN's activations start at 0 or below and end above, got {layer.levels}")
    top, left, bottom, right = layer.padding
    sizes = shape[1] + top + bottom, shape[2] + left + right
    if any(stride > size for stride, size in zip(layer.stride, sizes, strict=True)):
        raise FinnError(
            f"{layer.name}: FINN's window generator takes strides up to the size of its input, {list(sizes)}, got "
            f"{list(layer.stride)}"
        )


@check_layer.register
def _(layer: MaxPool, shape: Shape) -> None:
    if layer.kernel != layer.stride:
        raise FinnError(
            f"{layer.name}: FINN pools windows that do not overlap, got window {list(layer.kernel)} at stride "
            f"{list(layer.stride)}"
        )


@check_layer.register
def _(layer: MajorityVote, shape: Shape) -> None:
    """Our voter takes every map."""
