"""A network in the terms of the native engine's kernels: numbered streams, and nodes that make one each.

Streams of few levels are held as indices of levels (see ``native/model.hpp``), so that behind them
``acc = base * sum(w) + step * acc'`` with ``acc' = sum(w * index)``, and thresholds move accordingly. All others are
held as the integers that they are.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.native_streams import INTEGERS, native_streams
from fat_fpga.errors import EngineError
from fat_fpga.network import Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Add, AffineScores, Concat, Layer, Scores, SumPool, Thresholding
from fat_fpga.network.operators.input import CODES

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native


MOST_LEVELS = 2**16
"""Of a stream."""


class NotHeldError(EngineError):
    """The kernels cannot hold a network."""


class Program:
    """The C++ model of a network in the making, node by node.

    Attributes:
        network, module: the network, and the kernels as compiled for an instruction set.
        streams: the C++ form of each stream but the class scores, by name.
        number: of each stream, by name.
        indices: by the name of each stream, the levels that its indices stand for.
    """

    def __init__(self, network: Network, module: ModuleType) -> None:
        self.network, self.module = network, module
        self.streams, self.indices = native_streams(network, module)
        self.number = {name: n for n, name in enumerate(self.streams)}
        image = self.streams["input"]
        table = network.input.code_table
        if table is None:
            raise NotHeldError(f"the native engine takes inputs of at most {CODES} different integers")
        self.model: native.Model = module.Model(image, np.ascontiguousarray(table))

    def read(self, layer: Layer) -> list[int]:
        """Numbers of the streams that a layer reads."""
        return [self.number[stream] for stream in self.network.inputs[layer.name]]


def translate(network: Network, module: ModuleType) -> native.Model:
    """The C++ model of a network; NotHeldError where the kernels cannot hold it."""
    if network.outputs is not None:
        raise NotHeldError("the native engine compares classes, and the outputs are values")
    if network.shapes[-1][0] == 1:
        raise NotHeldError("the native engine takes the largest of two or more scores, and there is one")
    for layer in network.layers:
        _adder(layer)
        levels = network.levels_of.get(layer.name)
        if levels is not None and levels.count > MOST_LEVELS:
            raise NotHeldError(f"{layer.name}: the native engine takes streams of at most {MOST_LEVELS:,} levels")
    program = Program(network, module)
    for layer in network.layers:
        try:
            _adder(layer)(program)
        except ValueError as error:
            raise NotHeldError(f"{layer.name}: {error}") from None
    return program.model


@singledispatch
def _adder(layer: Layer) -> Callable[[Program], None]:
    """What adds a layer to a program; NotHeldError for a kind that the kernels do not know. Votes are gone before."""
    raise no_handler("the native engine", layer, NotHeldError)


@_adder.register
def _(layer: MatrixVectorUnit) -> Callable[[Program], None]:
    if layer.thresholds is None and layer.levels is not None:
        raise NotHeldError(f"{layer.name}: the native engine has no units without thresholds but the last one")
    return lambda program: _add_unit(program, layer)


@_adder.register
def _(layer: MaxPool) -> Callable[[Program], None]:
    _check_unpadded(layer)
    return lambda program: _add_windows(program, layer, program.module.Kind.pool)


@_adder.register
def _(layer: SumPool) -> Callable[[Program], None]:
    _check_unpadded(layer)
    if layer.multiple not in (0, layer.kernel[0] * layer.kernel[1]):
        raise NotHeldError(f"{layer.name}: the native engine takes each sum once")
    return lambda program: _add_windows(program, layer, program.module.Kind.sum)


@_adder.register
def _(layer: Add) -> Callable[[Program], None]:
    return lambda program: program.model.add_join(
        program.module.Kind.add, program.read(layer), program.streams[layer.name], layer.factors
    )


@_adder.register
def _(layer: Concat) -> Callable[[Program], None]:
    return lambda program: program.model.add_join(
        program.module.Kind.concat, program.read(layer), program.streams[layer.name], layer.factors
    )


@_adder.register
def _(layer: Thresholding) -> Callable[[Program], None]:
    return lambda program: _add_thresholding(program, layer)


@_adder.register
def _(layer: Scores) -> Callable[[Program], None]:
    return lambda program: program.model.set_ranks(np.ascontiguousarray(layer.ranks), layer.low)


@_adder.register
def _(layer: AffineScores) -> Callable[[Program], None]:
    def add(program: Program) -> None:
        if any(stream in program.network.levels_of for stream in program.network.inputs[layer.name]):
            raise NotHeldError("the native engine takes sums of a product as class scores, and they have levels")
        program.model.set_affine(np.ascontiguousarray(layer.factors), np.ascontiguousarray(layer.offsets))

    return add


def _check_unpadded(layer: MaxPool | SumPool) -> None:
    if any(layer.padding):
        raise NotHeldError(f"{layer.name}: the native engine has no padded pools")


def _add_windows(program: Program, layer: MaxPool | SumPool, kind: native.Kind) -> None:
    (source,) = program.read(layer)
    program.model.add_windows(kind, source, program.streams[layer.name], layer.kernel, layer.stride)


def _add_thresholding(program: Program, layer: Thresholding) -> None:
    (source,) = program.read(layer)
    thresholds = np.ascontiguousarray(layer.thresholds, np.int32)
    levels = (layer.levels.base, layer.levels.step)
    program.model.add_thresholding(source, program.streams[layer.name], thresholds, levels)


def _add_unit(program: Program, layer: MatrixVectorUnit) -> None:
    if np.abs(layer.weights).max(initial=0) > 127:
        raise NotHeldError(f"{layer.name}: the native engine takes weights of -127..127")
    unit = layer.dense() if layer.groups == 1 else layer
    (stream,) = program.network.inputs[layer.name]
    source = program.indices[stream]
    offset = source.base * unit.weights.sum(axis=(1, 2, 3), dtype=np.int64)
    thresholds = integer_thresholds = None
    if unit.thresholds is not None:
        thresholds = _index_thresholds(_bounded(program, layer, source), source, offset)
        integer_thresholds = np.ascontiguousarray(unit.thresholds, np.int32)
    levels = unit.levels or INTEGERS
    program.model.add_unit(
        program.number[stream],
        program.streams[layer.name],
        np.ascontiguousarray(unit.weights.transpose(0, 2, 3, 1), np.int8),
        unit.groups,
        unit.stride,
        unit.dilation,
        unit.padding,
        thresholds,
        integer_thresholds,
        np.ascontiguousarray(offset, np.int32),
        (source.base, source.step),
        (levels.base, levels.step),
    )


def _bounded(program: Program, layer: MatrixVectorUnit, source: Levels) -> npt.NDArray[np.int32]:
    """Thresholds of a unit where all activations in front are levels: planes hold nothing else, so what they give is
    reachable. Integers a flipped bit can take anywhere."""
    unit = layer
    if source is not INTEGERS:
        canonical = program.network.canonical
        unit = canonical.units[program.network.units.index(layer)]
    assert unit.thresholds is not None
    return unit.thresholds


def _index_thresholds(
    thresholds: npt.NDArray[np.int32], source: Levels, offset: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Smallest ``acc'`` that meets each threshold, kept within the bounds of int32."""
    moved = -((offset[:, None] - thresholds) // source.step)
    return np.ascontiguousarray(np.clip(moved, -(2**30), 2**30), np.int32)
