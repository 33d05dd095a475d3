"""An integer network in a NumPy file: what a board's host reads, as it has no ONNX."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.json_file import Entry, object_of
from fat_fpga.network.layers import InputQuantiser, Layer, MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import INPUT, Network
from fat_fpga.npz_file import Array, UnreadableError, read_npz

FORMAT = 1
GRAPH = 2
"""Format of networks with a layer that reads another stream than that of the layer right before it."""
LARGEST_SHAPE = 2**20
"""Channels, or pixels a side."""
_ARRAYS = ("weights", "thresholds", "sources")
_TYPES = ("weight_type", "accumulator_type", "threshold_type")
_LAYERS = tuple(kind.__name__ for kind in (MatrixVectorUnit, MajorityVote, MaxPool))


def write_network(network: Network, path: str | PathLike[str]) -> None:
    """Write ``network`` as ``.npz``, whole or not at all."""
    arrays: dict[str, Any] = {"table": network.input.table}
    layers, format_, before = [], FORMAT, INPUT
    for number, layer in enumerate(network.layers):
        content = {key: value for key, value in vars(layer).items() if key not in (*_ARRAYS, "inputs")}
        if network.inputs[layer.name] != (before,):
            content["inputs"], format_ = network.inputs[layer.name], GRAPH
        before = layer.name
        levels = content.get("levels")
        layers.append({**content, "levels": levels and asdict(levels), "type": type(layer).__name__})
        arrays |= {f"{key}{number}": getattr(layer, key) for key in _ARRAYS if getattr(layer, key, None) is not None}
    head = {
        "format": format_,
        "name": network.name,
        "shape": network.input.shape,
        "scale": network.input.scale,
        "datatype": network.input.datatype,
        "layers": layers,
        "fingerprint": network.fingerprint,
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)


def read_network(path: str | PathLike[str]) -> Network:
    """The network that ``write_network`` wrote; ModelError if it is none, or damaged."""
    path = Path(path)
    try:
        arrays = read_npz(path)
    except (OSError, UnreadableError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ModelError(f"cannot read the network file {path}: {reason}") from error
    for name, array in arrays.items():
        if name != "head" and array.dtype != np.int32:
            raise ModelError(f"cannot read the network file {path}: {name} must be int32, got {array.dtype}")
    if "head" not in arrays or arrays["head"].shape or arrays["head"].dtype.kind != "U":
        raise ModelError(f"cannot read the network file {path}: it has no head, as network files of fat_fpga have")
    head = object_of(str(arrays["head"]), path, "a network file", ModelError)
    if head.get("format", int) not in (FORMAT, GRAPH):
        raise ModelError(f"{path}: expected format {FORMAT} or {GRAPH} of a network file, got {head.value['format']}")
    try:
        network = _network(head, arrays)
    except ModelError as error:
        raise error if str(error).startswith(str(path)) else ModelError(f"{path}: {error}") from error
    if network.fingerprint != head.get("fingerprint", str):
        raise ModelError(f"{path} is damaged: its network is not the one that was written")
    return network


def _network(head: Entry, arrays: dict[str, Array]) -> Network:
    shape = head.items("shape", int, 1, LARGEST_SHAPE)
    if len(shape) != 3:
        raise ModelError(f"{head.path}: shape must be channels, height, width of an image, got {list(shape)}")
    datatype = head.get("datatype", str) if "datatype" in head.value else ""
    source = InputQuantiser(shape, _array(head, arrays, "table"), head.number("scale"), datatype)
    layers = tuple(_layer(entry, number, arrays) for number, entry in enumerate(head.inners("layers")))
    return Network(head.get("name", str), source, layers)


def _array(entry: Entry, arrays: dict[str, Array], name: str) -> Array:
    if name not in arrays:
        raise ModelError(f"{entry.path}: the array '{name}' is missing")
    return arrays[name]


def _layer(entry: Entry, number: int, arrays: dict[str, Array]) -> Layer:
    kind = entry.one_of("type", _LAYERS)
    name, node = entry.get("name", str), entry.get("node", str)
    inputs = entry.items("inputs", str) if "inputs" in entry.value else ()
    if kind == "MaxPool":
        return MaxPool(name, _sizes(entry, "kernel", 2, 1), _sizes(entry, "stride", 2, 1), node, inputs)
    if kind == "MajorityVote":
        return MajorityVote(name, _array(entry, arrays, f"sources{number}"), node, inputs)
    levels = entry.optional("levels")
    types = {key: entry.get(key, str) for key in _TYPES if key in entry.value}
    return MatrixVectorUnit(
        name,
        _array(entry, arrays, f"weights{number}"),
        arrays.get(f"thresholds{number}"),
        None if levels is None else _levels(levels),
        _sizes(entry, "stride", 2, 1),
        _sizes(entry, "padding", 4, 0),
        node=node,
        inputs=inputs,
        **types,
    )


def _sizes(entry: Entry, key: str, count: int, least: int) -> Any:
    """So many sizes, as a tuple."""
    found = entry.items(key, int, least, LARGEST_SHAPE)
    if len(found) != count:
        raise ModelError(f"{entry.path}: {entry.place}{key} must have {count} entries, has {len(found)}")
    return found


def _levels(entry: Entry) -> Levels:
    base, count = entry.get("base", int, -(2**31), 2**31 - 1), entry.get("count", int, 2, 2**16)
    levels = Levels(base, entry.get("step", int, 1), count, entry.get("datatype", str))
    if levels.max >= 2**31:
        raise ModelError(f"{entry.path}: {entry.place}base, step and count reach beyond int32")
    return levels
