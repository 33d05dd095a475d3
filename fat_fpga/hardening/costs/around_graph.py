"""What FINN builds between the units of a network that branches: window generators and thresholds.

FINN's own estimates as formulas. It counts nothing for additions, concatenations, copies of streams, padding, pools,
sums over windows and upsampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.around import THRESHOLDS, WINDOW, search_luts
from fat_fpga.hardening.costs.model import Between
from fat_fpga.hardening.costs.streams import adds, stream_types
from fat_fpga.hardening.costs.window import Generator
from fat_fpga.hardening.design import bits_of
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.bounds import lattice
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.folding import Fold, divisors
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Add, Concat, Layer, Scores, SumPool, Thresholding, Upsample
from fat_fpga.network.network import INPUT


class _Site(NamedTuple):
    """Where a layer is.

    Attributes:
        position: in the network.
        types: of all streams.
        fold: of a unit.
        cycles: that the layer may take.
    """

    network: Network
    position: int
    types: Mapping[str, str]
    fold: Fold | None
    cycles: int


def between_layers(network: Network, folds: Mapping[str, Fold], cycles: int) -> list[Between]:
    """All of a network without voters, in order, with their LUTs; see `between_units`."""
    types, found = stream_types(network), list[Between]()
    channels, height, width = network.input.shape
    if (quantiser := network.input.as_thresholds) is not None:
        lanes = _lanes(channels, channels * height * width, cycles)
        thresholds, _ = quantiser
        whole = np.issubdtype(thresholds.dtype, np.integer)
        # a level that no pixel has is at 256
        bits = int(np.abs(thresholds).max()).bit_length() if whole else bits_of(network.input.row_type)
        luts = search_luts(channels, lanes, bits, bits_of(types[INPUT]))
        found.append(Between(INPUT, THRESHOLDS, luts, channels * height * width // lanes))
    for position, layer in enumerate(network.layers):
        found += _in_front(layer, _Site(network, position, types, folds.get(layer.name), cycles))
    return found


def _lanes(channels: int, activations: int, cycles: int) -> int:
    """The fewest lanes that take so many activations in time."""
    return next((lanes for lanes in divisors(channels) if activations // lanes <= cycles), channels)


@singledispatch
def _in_front(layer: Layer, site: _Site) -> Iterator[Between]:
    """What stands in front of a unit or pool, or is thresholds of their own."""
    raise no_handler("the cost model finn", layer, PlanError)


@_in_front.register
def _(layer: MatrixVectorUnit, site: _Site) -> Iterator[Between]:
    network = site.network
    (stream,) = network.inputs[layer.name]
    channels, height, width = network.shape_of[stream]
    if network.is_matrix(site.position) or (layer.kernel, layer.stride) == ((1, 1), (1, 1)):
        return
    top, left, bottom, right = layer.padding
    depthwise = layer.groups > 1 and layer.weights.shape[1] == 1
    size = height + top + bottom, width + left + right
    given = layer.channels if depthwise else channels  # each channel as often as it has output channels
    window = Generator(
        given, bits_of(site.types[stream]), size, layer.kernel, layer.stride,
        network.shape_of[layer.name][1:], depthwise, size, layer.dilation,
    )  # fmt: skip
    assert site.fold is not None
    lanes = site.fold.pe if depthwise else site.fold.simd or 1
    yield Between(layer.name, WINDOW, window.lut(lanes), window.cycles(lanes))


@_in_front.register
def _(layer: SumPool, site: _Site) -> Iterator[Between]:
    (stream,) = site.network.inputs[layer.name]
    if layer.kernel != site.network.shape_of[stream][1:]:
        yield from _pool_window(layer, site)


@_in_front.register
def _(layer: MaxPool, site: _Site) -> Iterator[Between]:
    yield from _pool_window(layer, site)


def _pool_window(layer: MaxPool | SumPool, site: _Site) -> Iterator[Between]:
    """The window generator of a pool that is not over the whole image."""
    (stream,) = site.network.inputs[layer.name]
    channels, height, width = site.network.shape_of[stream]
    shape = site.network.shape_of[layer.name][1:]
    bits = bits_of(site.types[stream])
    window = Generator(channels, bits, (height, width), layer.kernel, layer.stride, shape, True, (height, width))
    lanes = next((n for n in divisors(channels) if window.cycles(n) <= site.cycles), channels)
    yield Between(layer.name, WINDOW, window.lut(lanes), window.cycles(lanes))


@_in_front.register
def _(layer: Thresholding, site: _Site) -> Iterator[Between]:
    channels, height, width = site.network.shape_of[layer.name]
    source = site.network.source(site.position)
    values = lattice(layer, source).canonical(layer.thresholds)
    low, high = int(values.min()), int(values.max())
    (stream,) = site.network.inputs[layer.name]
    summed = stream != INPUT and adds(site.network.layers[site.network.position(stream)])
    signed = low < 0 or source.min < 0 or summed  # FINN has sums as signed when it narrows their thresholds
    bits = bits_of(smallest_type(min(low, -high - 1), 0) if signed else smallest_type(0, high))
    lanes = _lanes(channels, channels * height * width, site.cycles)
    luts = search_luts(channels, lanes, bits, bits_of(site.types[layer.name]))
    yield Between(layer.name, THRESHOLDS, luts, channels * height * width // lanes)


@_in_front.register(Add)
@_in_front.register(Upsample)
@_in_front.register(Concat)
@_in_front.register(Scores)
@_in_front.register(MajorityVote)
def _(layer: Layer, site: _Site) -> Iterator[Between]:
    yield from ()
