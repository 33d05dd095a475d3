"""Datatypes of FINN's streams: behind additions and concatenations they are wider than the levels need.

FINN derives them from the datatypes in front, not from values: of a sum by the rules of AMD's UG1399 for arbitrary
precision integers, of a product as wide as both factors together, of a sum over windows from the extreme of one value.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import PlanError
from fat_fpga.hardening.design import bits_of, datatype_of
from fat_fpga.network import MajorityVote, MaxPool, Network
from fat_fpga.network.datatypes import smallest_type, span_of
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Add, Concat, Layer, Scores, SumPool, Thresholding, Upsample
from fat_fpga.network.network import INPUT
from fat_fpga.network.operators.matrix_vector_unit import MatrixVectorUnit


def undecided(network: Network) -> set[str]:
    """Streams of sums and products whose datatypes FINN has not narrowed yet where it chooses between LUTs and DSPs."""
    found = set[str]()
    for layer in network.layers:
        passed = layer.thresholded is None and any(stream in found for stream in network.inputs[layer.name])
        if passed or adds(layer) or _scales(layer):
            found.add(layer.name)
    return found


@singledispatch
def adds(layer: Layer) -> bool:
    """Whether FINN adds streams for a layer."""
    return False


@adds.register
def _(layer: Add) -> bool:
    return True


@singledispatch
def _scales(layer: Layer) -> bool:
    """Whether FINN multiplies streams for a layer that does not add them."""
    return False


@_scales.register
def _(layer: Concat) -> bool:
    return any(factor > 1 for factor in layer.factors)


def stream_types(network: Network) -> dict[str, str]:
    """QONNX datatype of each stream by name; those of units and thresholds are as narrow as their levels."""
    found = {INPUT: datatype_of(network.input.levels)}
    for layer in network.layers:
        levels = network.levels_of.get(layer.name)
        if levels is not None:
            own = datatype_of(levels)
            found[layer.name] = _type(layer, own, [found[stream] for stream in network.inputs[layer.name]])
    return found


@singledispatch
def _type(layer: Layer, own: str, fronts: Sequence[str]) -> str:
    """Datatype of a layer's stream; ``own`` is what its levels need, ``fronts`` are those of what it reads."""
    raise no_handler("the cost model finn", layer, PlanError)


@_type.register(MatrixVectorUnit)
@_type.register(Thresholding)
@_type.register(Scores)
def _(layer: Layer, own: str, fronts: Sequence[str]) -> str:
    return own


@_type.register(MaxPool)
@_type.register(Upsample)
@_type.register(MajorityVote)
def _(layer: Layer, own: str, fronts: Sequence[str]) -> str:
    return fronts[0]


@_type.register
def _(layer: SumPool, own: str, fronts: Sequence[str]) -> str:
    low, high = span_of(fronts[0]) or (0, 0)
    return smallest_type(low * layer.size, 0) if low < 0 else smallest_type(0, high * layer.size)


@_type.register
def _(layer: Add, own: str, fronts: Sequence[str]) -> str:
    first, second = (_times(front, abs(factor)) for front, factor in zip(fronts, layer.factors, strict=True))
    wider, narrower = (second, first) if bits_of(second) > bits_of(first) else (first, second)
    signed = _signed(first) or _signed(second)
    bits = bits_of(wider) + (2 if signed and not _signed(wider) and _signed(narrower) else 1)
    return f"INT{bits}" if signed or layer.factors[1] < 0 else f"UINT{bits}"


@_type.register
def _(layer: Concat, own: str, fronts: Sequence[str]) -> str:
    types = [_times(front, factor) for front, factor in zip(fronts, layer.factors, strict=True)]
    spans = [span_of(datatype) or (0, 0) for datatype in types]
    return smallest_type(min(0, *(low for low, _ in spans)), max(high for _, high in spans))


def _signed(datatype: str) -> bool:
    return (span_of(datatype) or (0, 0))[0] < 0


def _times(front: str, factor: int) -> str:
    """Datatype of a stream times an integer above 0."""
    if factor == 1:
        return front
    return f"{'INT' if _signed(front) else 'UINT'}{bits_of(front) + bits_of(smallest_type(0, factor))}"
