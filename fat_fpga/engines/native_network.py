"""A network in the terms of the native engine's kernels.

They work in the index domain (see ``native/model.hpp``): an activation becomes the index of its level, so that
``acc = base * sum(w) + step * acc'`` with ``acc' = sum(w * index)``, and thresholds move accordingly.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import EngineError
from fat_fpga.network import Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Layer

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

_INPUT = Levels(0, 1, 2)  # the first unit takes plain integers: base 0, step 1


class NotHeldError(EngineError):
    """The kernels cannot hold a network."""


def translate(network: Network, module: ModuleType) -> native.Model:
    """The C++ model of a network; NotHeldError where the kernels cannot hold it."""
    _, height, width = network.input.shape
    model: native.Model = module.Model(np.ascontiguousarray(network.input.table), height, width)
    source = _INPUT
    for layer in network.layers:
        _check_held(layer)
    for unit, canonical in zip(network.units, network.canonical.units, strict=True):
        pools = [(*pool.kernel, *pool.stride) for pool in network.pools_behind(unit.name)]
        # Planes hold levels only, so what they give is reachable. The image is in plain integers, which a flipped
        # bit can take anywhere.
        bounded = unit if source is _INPUT else canonical
        _add_unit(model, unit.dense(), source, pools, bounded.thresholds)
        source = unit.levels or source
    return model


@singledispatch
def _check_held(layer: Layer) -> None:
    """NotHeldError for a kind of layer that the kernels do not know; votes are gone before."""
    raise no_handler("the native engine", layer, NotHeldError)


@_check_held.register
def _(layer: MatrixVectorUnit) -> None:
    """A unit of the kernels."""


@_check_held.register
def _(layer: MaxPool) -> None:
    """Part of the unit in front."""
    if any(layer.padding):
        raise NotHeldError(f"{layer.name}: the native engine has no padded max-pools yet")


def _add_unit(
    model: native.Model,
    unit: MatrixVectorUnit,
    source: Levels,
    pools: Sequence[tuple[int, int, int, int]],
    bounded: npt.NDArray[np.int32] | None,
) -> None:
    """Add a unit to the C++ model; ``bounded`` are its thresholds where all activations in front are levels."""
    if np.abs(unit.weights).max(initial=0) > 127:
        raise NotHeldError(f"{unit.name}: the native engine takes weights of -127..127")
    try:
        pad_index = source.index(0) if any(unit.padding) and source is not _INPUT else 0
    except ValueError:
        raise NotHeldError(
            f"{unit.name}: the native engine pads with 0, which must be one of the input levels {source}"
        ) from None
    offset = source.base * unit.weights.sum(axis=(1, 2, 3), dtype=np.int64)
    thresholds = integer_thresholds = None
    if unit.thresholds is not None and bounded is not None:
        thresholds = _index_thresholds(unit, source, bounded, offset)
        integer_thresholds = np.ascontiguousarray(unit.thresholds, np.int32)
    levels = unit.levels or _INPUT
    try:
        model.add_unit(
            np.ascontiguousarray(unit.weights.transpose(0, 2, 3, 1), np.int8),
            unit.stride,
            unit.padding,
            pad_index,
            thresholds,
            integer_thresholds,
            np.ascontiguousarray(offset, np.int32),
            (source.base, source.step),
            (levels.base, levels.step),
            pools,
        )
    except ValueError as error:
        raise NotHeldError(f"{unit.name}: {error}") from None


def _index_thresholds(
    unit: MatrixVectorUnit, source: Levels, thresholds: npt.NDArray[np.int32], offset: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Smallest ``acc'`` that meets each threshold, kept within the bounds of int32."""
    moved = -((offset[:, None] - thresholds) // source.step)
    return np.ascontiguousarray(np.clip(moved, -(2**30), 2**30), np.int32)
