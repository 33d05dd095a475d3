"""Programs: layers in topological order, which streams each of them reads, and what makes a program whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import AffineScores, ClassScores, Layer, MajorityVote, MatrixVectorUnit

INPUT = "input"
"""Name of the stream of integers in front of the first layers."""


def inputs_of(layers: Iterable[Layer]) -> dict[str, tuple[str, ...]]:
    """By the name of each layer, the streams that it reads: where it names none, that of the layer right before it."""
    found, before = {}, INPUT
    for layer in layers:
        found[layer.name] = layer.inputs or (before,)
        before = layer.name
    return found


def check_program(network: str, layers: Sequence[Layer], values: bool = False) -> None:
    """ModelError unless layers make a network, which is called ``network`` in messages.

    Every stream is known before it is read, and every one but the class scores is read; the last layer, and no other,
    is a unit without thresholds, behind which there may be ranks of its sums; or factors and offsets for each class of
    a stream that has levels. Where the outputs are ``values``, no
    classes, the last layer may also be any other one.
    """
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names) or INPUT in names:
        raise ModelError(f"{network}: layer names must differ, also from {INPUT}, got {', '.join(names)}")
    end = layers[:-1] if layers and isinstance(layers[-1], ClassScores) else layers
    scored = bool(layers) and isinstance(layers[-1], AffineScores)
    if not end or not (values or scored or _sums(end[-1])):
        raise ModelError(f"{network}: the last layer must be a matrix-vector unit without thresholds")
    for layer in end[:-1]:
        if _sums(layer) or isinstance(layer, ClassScores):
            raise ModelError(f"{network}: {layer.name} has no levels, and only the last layer may have none")
    inputs, known, read = inputs_of(layers), {INPUT}, set[str]()
    for layer in layers:
        unknown = [stream for stream in inputs[layer.name] if stream not in known]
        if unknown:
            later = "comes after it" if unknown[0] in names else "is none of the network's"
            raise ModelError(f"{network}: {layer.name} reads the stream {unknown[0]}, which {later}")
        if len(inputs[layer.name]) != layer.arity:
            raise ModelError(
                f"{network}: {layer.name} reads {layer.arity} streams, got {', '.join(inputs[layer.name])}"
            )
        known.add(layer.name)
        read.update(inputs[layer.name])
    unread = [name for name in (INPUT, *names[:-1]) if name not in read]
    if unread:
        raise ModelError(f"{network}: nothing reads the stream {unread[0]}")
    _check_votes(network, layers, inputs)


def _sums(layer: Layer) -> bool:
    return isinstance(layer, MatrixVectorUnit) and layer.levels is None


def _check_votes(network: str, layers: Sequence[Layer], inputs: dict[str, tuple[str, ...]]) -> None:
    """Copies are for their vote alone: behind it the network is what it is without them."""
    units = {layer.name for layer in layers if isinstance(layer, MatrixVectorUnit)}
    for layer in layers:
        if isinstance(layer, MajorityVote):
            (before,) = inputs[layer.name]
            others = [name for name, streams in inputs.items() if before in streams and name != layer.name]
            if before not in units:
                raise ModelError(f"{network}: {layer.name} must stand right behind a matrix-vector unit")
            if others:
                raise ModelError(f"{network}: {others[0]} reads {before}, the copies that {layer.name} votes on")


def inserted(layers: Sequence[Layer], layer: Layer) -> tuple[Layer, ...]:
    """``layers`` with one more, right behind the stream that it names as its input: all that read that stream read
    the new layer's instead."""
    (stream,) = layer.inputs
    inputs = inputs_of(layers)
    wanted = {name: tuple(layer.name if s == stream else s for s in streams) for name, streams in inputs.items()}
    at = 0 if stream == INPUT else [old.name for old in layers].index(stream) + 1
    return _wired([*layers[:at], layer, *layers[at:]], {**wanted, layer.name: (stream,)})


def removed(layers: Sequence[Layer], name: str) -> tuple[Layer, ...]:
    """``layers`` without one that reads a single stream: all that read its stream read that one instead."""
    inputs = inputs_of(layers)
    (stream,) = inputs[name]
    wanted = {reader: tuple(stream if s == name else s for s in streams) for reader, streams in inputs.items()}
    return _wired([layer for layer in layers if layer.name != name], wanted)


def _wired(layers: Sequence[Layer], wanted: Mapping[str, tuple[str, ...]]) -> tuple[Layer, ...]:
    """``layers`` that read what is wanted; as they are where they do."""
    given = inputs_of(layers)
    return tuple(layer if given[layer.name] == wanted[layer.name] else _reading(layer, wanted) for layer in layers)


def _reading(layer: Any, wanted: Mapping[str, tuple[str, ...]]) -> Layer:
    changed: Layer = replace(layer, inputs=wanted[layer.name])
    return changed
