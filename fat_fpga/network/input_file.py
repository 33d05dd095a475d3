"""The input of a network in a network file: entries of its head, and arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.json_file import Entry
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.layers import FeatureQuantiser, Input, InputQuantiser, IntArray, IntegerInput, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.npz_file import Array


def input_entries(source: Input) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of the head, and int32 arrays. ``type`` is missing where it is pixels by a table for each channel."""
    head: dict[str, Any] = {"shape": source.shape, "scale": source.scale}
    arrays: dict[str, Any] = {} if source.order is None else {"order": source.order}
    if isinstance(source, InputQuantiser):
        kind = {} if len(source.table) == source.shape[0] else {"type": type(source).__name__}
        return {**head, "datatype": source.datatype, **kind}, {"table": source.table, **arrays}
    head |= {"type": type(source).__name__, "levels": asdict(source.levels)}
    if isinstance(source, FeatureQuantiser):
        bits = np.ascontiguousarray(source.thresholds).view(np.int32)
        return {**head, "given": source.given}, {"input_thresholds": bits, "sign": source.sign, **arrays}
    return head, arrays


def read_input(head: Entry, shape: Shape, arrays: dict[str, Array], levels_of: Callable[[Entry], Levels]) -> Input:
    """The input that `input_entries` has written; ModelError where it is none."""
    kind = head.get("type", str) if "type" in head.value else InputQuantiser.__name__
    scale, order = head.number("scale"), arrays.get("order")
    if order is not None and not np.array_equal(np.sort(order[order >= 0]), np.arange(np.prod(shape))):
        raise ModelError(f"{head.path}: the array 'order' is no order of the {int(np.prod(shape))} values of a row")
    if kind == InputQuantiser.__name__:
        datatype = head.get("datatype", str) if "datatype" in head.value else ""
        return InputQuantiser(shape, _array(head, arrays, "table"), scale, datatype, order)
    levels = levels_of(head.inner("levels"))
    if kind == IntegerInput.__name__:
        return IntegerInput(shape, levels, scale, order)
    if kind == FeatureQuantiser.__name__:
        given = head.get("given", str)
        if given and span_of(given) is None:
            raise ModelError(f"{head.path}: 'given' is no datatype of integers: {given!r:.60}")
        thresholds = _array(head, arrays, "input_thresholds").view(np.float32)
        return FeatureQuantiser(shape, thresholds, _array(head, arrays, "sign"), levels, scale, order, given)
    raise ModelError(f"{head.path}: unknown type of input {kind!r:.60}")


def _array(head: Entry, arrays: dict[str, Array], name: str) -> IntArray:
    if name not in arrays:
        raise ModelError(f"{head.path}: the array '{name}' is missing")
    return arrays[name]
