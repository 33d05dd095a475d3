"""A network as FINN's transformations take it: which units count bits, and what stands in for a grouped convolution."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, singledispatch

from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Layer
from fat_fpga.network.network import INPUT
from fat_fpga.network.words import counts_bits


def is_depthwise(network: Network, unit: MatrixVectorUnit) -> bool:
    """Whether FINN builds a unit as a VVAU: a convolution whose output channels each see one input channel."""
    matrix = network.is_matrix(network.position(unit.name))
    return not matrix and unit.weights.shape[1] == 1 and (unit.groups > 1 or unit.channels == 1)


def spreads(network: Network, unit: MatrixVectorUnit) -> bool:
    """Whether a depthwise unit has several output channels for each input channel, which FINN has not: each channel is
    given out so many times in front of it."""
    return is_depthwise(network, unit) and unit.channels > unit.groups


def without_groups(network: Network, unit: MatrixVectorUnit) -> MatrixVectorUnit:
    """The unit as it is built: depthwise as it is; any other grouped convolution as one with zeros for the weights that
    it does not have, which FINN has no operator for otherwise."""
    if unit.groups == 1 or is_depthwise(network, unit):
        return unit
    return replace(replace(unit, dilation=(1, 1)).dense(), dilation=unit.dilation)


@lru_cache(maxsize=8)
def counting_units(network: Network) -> frozenset[str]:
    """Units of XNOR and popcount. Their activations -1 and +1 are 0 and 1, so all readers of a stream have to be such
    units, behind pools and votes too."""
    found = {
        layer.name
        for position, layer in enumerate(network.layers)
        if layer.unit is not None
        and layer.unit.groups == 1
        and not is_depthwise(network, layer.unit)
        and counts_bits(layer, network.source(position))
    }
    while True:
        mixed = {name for name in found if not _made_for(network, _root(network, network.inputs[name][0]), found)}
        if not mixed:
            return frozenset(found)
        found -= mixed


def counted(network: Network, stream: str) -> bool:
    """Whether -1 and +1 stand as 0 and 1 in a stream, which units of XNOR and popcount read."""
    return _made_for(network, _root(network, stream), counting_units(network))


def taken(network: Network) -> Network:
    """The same function, as it is written for FINN."""
    counting = counting_units(network)
    layers = []
    for position, layer in enumerate(network.layers):
        unit = layer.unit
        if unit is None:
            layers.append(layer)
            continue
        mixed = unit.name not in counting and counts_bits(unit, network.source(position))
        unit = without_groups(network, replace(unit, weight_type="INT2") if mixed else unit)
        layers.append(unit)
    return replace(network, layers=tuple(layers))


@singledispatch
def _passes(layer: Layer) -> bool:
    """Whether the activations behind a layer are some of those in front, as they are."""
    return False


@_passes.register(MaxPool)
@_passes.register(MajorityVote)
def _(layer: Layer) -> bool:
    return True


def _root(network: Network, stream: str) -> str:
    """The stream that pools and votes in front of a stream get their activations from."""
    while stream != INPUT:
        layer = network.layers[network.position(stream)]
        if not _passes(layer):
            break
        (stream,) = network.inputs[stream]
    return stream


def _made_for(network: Network, stream: str, counting: frozenset[str] | set[str]) -> bool:
    """Whether nothing but counting units reads a stream that thresholds make."""
    if stream != INPUT and network.layers[network.position(stream)].thresholded is None:
        return False
    waiting, readers = [stream], set()
    while waiting:
        for name in network.readers[waiting.pop()]:
            layer = network.layers[network.position(name)]
            if _passes(layer):
                waiting.append(name)
            else:
                readers.add(name)
    return bool(readers) and readers <= counting
