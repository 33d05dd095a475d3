"""An integer network in a NumPy file: what a board's host reads, as it has no ONNX."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.json_file import Entry, object_of
from fat_fpga.network.input_file import input_entries, read_input
from fat_fpga.network.layers import (
    Add,
    AffineScores,
    Concat,
    Layer,
    MajorityVote,
    MatrixVectorUnit,
    MaxPool,
    OrderedScores,
    Requantise,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Table,
    Thresholding,
    Upsample,
    ZeroInsertion,
)
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import INPUT, Network
from fat_fpga.network.operators.max_pool import UNPADDED
from fat_fpga.network.outputs import OutputValues
from fat_fpga.npz_file import Array, UnreadableError, read_npz

FORMAT = 1
GRAPH = 2
"""Format of networks with a layer that reads another stream than that of the layer right before it."""
OTHER_INPUT = 3
"""Format of networks that take other data than pixels by a table for each channel, or
have outputs that are no classes."""
FORMATS = (FORMAT, GRAPH, OTHER_INPUT)
LARGEST_SHAPE = 2**20
"""Channels, or pixels a side."""
_ARRAYS = ("weights", "thresholds", "sources", "ranks", "starts", "values", "offsets")
_OF_BUILDS = ("threshold_logic",)
"""What a build says of a layer, in the description beside the network."""
_ONLY_OTHERS: dict[type[Layer], dict[str, Any]] = {
    MatrixVectorUnit: {"groups": 1, "dilation": (1, 1)},
    MaxPool: {"padding": UNPADDED},
    SumPool: {"padding": UNPADDED, "multiple": 0},
}
"""What is written only where it is something else."""
_TYPES = ("weight_type", "accumulator_type", "threshold_type")


def write_network(network: Network, path: str | PathLike[str]) -> None:
    """Write ``network`` as ``.npz``, whole or not at all."""
    source, arrays = input_entries(network.input)
    layers, format_, before = [], OTHER_INPUT if "type" in source else FORMAT, INPUT
    for number, layer in enumerate(network.layers):
        content = {key: value for key, value in vars(layer).items() if key not in (*_ARRAYS, *_OF_BUILDS, "inputs")}
        for key, default in _ONLY_OTHERS.get(type(layer), {}).items():
            if content[key] == default:
                del content[key]
        if network.inputs[layer.name] != (before,):
            content["inputs"], format_ = network.inputs[layer.name], max(format_, GRAPH)
        before = layer.name
        if isinstance(layer, OrderedScores):  # an array of bits, as all arrays are of int32
            arrays[f"numbers{number}"] = content.pop("numbers").view(np.int32)
        if isinstance(layer, AffineScores | Requantise):
            arrays[f"factors{number}"] = content.pop("factors")
        levels = content.get("levels")
        layers.append({**content, "levels": levels and asdict(levels), "type": type(layer).__name__})
        arrays |= {f"{key}{number}": getattr(layer, key) for key in _ARRAYS if getattr(layer, key, None) is not None}
    if network.outputs is not None:
        source["outputs"], format_ = network.outputs.scales, OTHER_INPUT
    head = {
        "format": format_,
        "name": network.name,
        **source,
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
    if head.get("format", int) not in FORMATS:
        known = ", ".join(map(str, FORMATS))
        raise ModelError(f"{path}: expected format {known} of a network file, got {head.value['format']}")
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
    source = read_input(head, shape, arrays, _levels)
    layers = tuple(_layer(entry, number, arrays) for number, entry in enumerate(head.inners("layers")))
    outputs = OutputValues(head.items("outputs", float)) if "outputs" in head.value else None
    return Network(head.get("name", str), source, layers, outputs=outputs)


def _array(entry: Entry, arrays: dict[str, Array], name: str) -> Array:
    if name not in arrays:
        raise ModelError(f"{entry.path}: the array '{name}' is missing")
    return arrays[name]


def _layer(entry: Entry, number: int, arrays: dict[str, Array]) -> Layer:
    read = _READERS[entry.one_of("type", tuple(_READERS))]
    common: dict[str, Any] = {"name": entry.get("name", str), "node": entry.get("node", str)}
    if "inputs" in entry.value:
        common["inputs"] = entry.items("inputs", str)
    return read(entry, number, arrays, common)


def _add(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    factors = _sizes(entry, "factors", 2, -LARGEST_SHAPE)
    return Add(**{"inputs": (), **common}, factors=factors, datatype=entry.get("datatype", str))


def _concat(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    factors = entry.items("factors", int, 1, LARGEST_SHAPE)
    return Concat(**{"inputs": (), **common}, factors=factors, datatype=entry.get("datatype", str))


def _vote(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return MajorityVote(sources=_array(entry, arrays, f"sources{number}"), **common)


def _unit(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    levels = entry.optional("levels")
    types = {key: entry.get(key, str) for key in _TYPES if key in entry.value}
    return MatrixVectorUnit(
        weights=_array(entry, arrays, f"weights{number}"),
        thresholds=arrays.get(f"thresholds{number}"),
        levels=None if levels is None else _levels(levels),
        stride=_sizes(entry, "stride", 2, 1),
        padding=_sizes(entry, "padding", 4, 0),
        groups=entry.get("groups", int, 1, LARGEST_SHAPE) if "groups" in entry.value else 1,
        dilation=_sizes(entry, "dilation", 2, 1) if "dilation" in entry.value else (1, 1),
        **types,
        **common,
    )


def _max_pool(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return MaxPool(**_windows(entry), **common)


def _scores(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return Scores(ranks=_array(entry, arrays, f"ranks{number}"), low=entry.get("low", int, -(2**31), 0), **common)


def _sum_pool(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    multiple = entry.get("multiple", int, 0, LARGEST_SHAPE) if "multiple" in entry.value else 0
    return SumPool(**_windows(entry), multiple=multiple, **common)


def _select(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    channels, rows, columns = (entry.items(key, int, 0, LARGEST_SHAPE) for key in ("channels", "rows", "columns"))
    return Select(channels=channels, rows=rows, columns=columns, **common)


def _shuffle(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    sizes, order = (entry.items(key, int, 0, LARGEST_SHAPE) for key in ("sizes", "order"))
    return Shuffle(sizes=sizes, order=order, shape=_sizes(entry, "shape", 3, 1), **common)


def _zero_insertion(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return ZeroInsertion(stride=_sizes(entry, "stride", 2, 1), **common)


def _upsample(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return Upsample(factors=_sizes(entry, "factors", 2, 1), **common)


def _thresholding(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    return Thresholding(
        thresholds=_array(entry, arrays, f"thresholds{number}"),
        levels=_levels(entry.inner("levels")),
        threshold_type=entry.get("threshold_type", str),
        **common,
    )


def _table(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    starts, values = (_array(entry, arrays, f"{name}{number}") for name in ("starts", "values"))
    return Table(starts=starts, values=values, levels=_levels(entry.inner("levels")), **common)


def _requantise(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    factors, offsets = (_array(entry, arrays, f"{name}{number}") for name in ("factors", "offsets"))
    low, high = (entry.get(key, int, -(2**31), 2**31 - 1) for key in ("low", "high"))
    shift, rounding = entry.get("shift", int, 0, 31), entry.get("rounding", str)
    return Requantise(
        factors=factors, offsets=offsets, shift=shift, low=low, high=high, rounding=rounding, **common
    )  # fmt: skip


def _affine_scores(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    factors, offsets = (_array(entry, arrays, f"{name}{number}") for name in ("factors", "offsets"))
    return AffineScores(factors=factors, offsets=offsets, **common)


def _ordered_scores(entry: Entry, number: int, arrays: dict[str, Array], common: dict[str, Any]) -> Layer:
    numbers = np.ascontiguousarray(_array(entry, arrays, f"numbers{number}")).view(np.float32)
    return OrderedScores(steps=entry.items("steps", str), numbers=numbers, **common)


_READERS: dict[str, Callable[[Entry, int, dict[str, Array], dict[str, Any]], Layer]] = {
    Add.__name__: _add,
    AffineScores.__name__: _affine_scores,
    Concat.__name__: _concat,
    MajorityVote.__name__: _vote,
    MatrixVectorUnit.__name__: _unit,
    MaxPool.__name__: _max_pool,
    OrderedScores.__name__: _ordered_scores,
    Requantise.__name__: _requantise,
    Scores.__name__: _scores,
    Select.__name__: _select,
    Shuffle.__name__: _shuffle,
    SumPool.__name__: _sum_pool,
    Table.__name__: _table,
    Thresholding.__name__: _thresholding,
    Upsample.__name__: _upsample,
    ZeroInsertion.__name__: _zero_insertion,
}


def _windows(entry: Entry) -> dict[str, Any]:
    """Kernel, stride and padding of a pool."""
    padding = _sizes(entry, "padding", 4, 0) if "padding" in entry.value else UNPADDED
    return {"kernel": _sizes(entry, "kernel", 2, 1), "stride": _sizes(entry, "stride", 2, 1), "padding": padding}


def _sizes(entry: Entry, key: str, count: int, least: int) -> Any:
    """So many sizes, as a tuple."""
    found = entry.items(key, int, least, LARGEST_SHAPE)
    if len(found) != count:
        raise ModelError(f"{entry.path}: {entry.place}{key} must have {count} entries, has {len(found)}")
    return found


def _levels(entry: Entry) -> Levels:
    base, count = entry.get("base", int, -(2**31), 2**31 - 1), entry.get("count", int, 2, 2**25)
    levels = Levels(base, entry.get("step", int, 1), count, entry.get("datatype", str))
    if levels.max >= 2**31:
        raise ModelError(f"{entry.path}: {entry.place}base, step and count reach beyond int32")
    return levels
