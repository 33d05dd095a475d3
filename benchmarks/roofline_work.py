"""What a fault has to cost at least, counted: additions, comparisons and bytes of the incremental algorithm.

Faulty streams are compared with fault-free ones, activation by activation; nothing is estimated. What is counted:

* **additions**: a changed activation in front of a unit adds its column of weights, times what it changed by, to every
  output pixel that has it in its window: one addition for each output (of its group). A changed weight adds to its own
  output channel in every output pixel.
* **comparisons**: an output pixel whose window has a change is decided again, each output (of the groups with a
  change) with each of its thresholds; scores of classes once. So is the one channel of a changed weight, threshold or
  accumulator in every output pixel, with the one threshold where a threshold is what changed.
* **others**: operators without weights. In a pool each changed activation once for each window that has it; in
  additions, thresholds and tables each value that has a changed input, times its thresholds.
* **vectors**: of 512 bits, that the columns take where each begins a vector of its own. A weight takes a bit of it
  (two where it has two), or a byte.
* **bytes**: the weights of all these columns as the memory of the network holds them (a bit for -1 and +1), a byte for
  each comparison, four for a score, and a byte for each of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fat_fpga.faults import Fault
from fat_fpga.network import Network
from fat_fpga.network.datatypes import bits_of
from fat_fpga.network.layers import (
    Add,
    IntArray,
    Layer,
    MatrixVectorUnit,
    MaxPool,
    Requantise,
    SumPool,
    Table,
    Thresholding,
)
from fat_fpga.network.program import INPUT

VECTOR = 512
"""Bits."""
Mask = npt.NDArray[np.bool_]
Streams = dict[str, IntArray]


@dataclass(frozen=True)
class Work:
    """Of some images under a fault. All numbers are sums over the images."""

    additions: float = 0
    comparisons: float = 0
    others: float = 0
    bytes: float = 0
    vectors: float = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, factor: float) -> Work:
        return Work(*(getattr(self, f.name) * factor for f in fields(self)))

    @property
    def operations(self) -> float:
        return self.additions + self.comparisons + self.others


def work(network: Network, fault: Fault, faulty: Streams, fault_free: Streams) -> Work:
    """What must be computed behind a fault at a stream, or in the memories and sums, of a layer.

    Args:
        faulty, fault_free: streams int32 [N, C, H, W] by layer, of the same images, as `Session.trace` gives them.
    """
    images = len(fault_free[network.scores])
    changed: dict[str, Mask] = {name: faulty[name] != fault_free[name] for name in fault_free}
    changed[INPUT] = np.zeros((images, *network.input.shape), bool)
    found = at_the_fault(network, fault) * images
    for layer in network.layers:
        before = [changed[stream] for stream in network.inputs[layer.name]]
        if any(mask.any() for mask in before):
            found += behind(layer, before, network.shape_of[layer.name])
    return found


def at_the_fault(network: Network, fault: Fault) -> Work:
    """What one image needs at the layer of a changed weight, threshold or accumulator; a held stream needs nothing."""
    if fault.kind not in ("weight", "threshold", "accumulator"):
        return Work()
    layer = network.layers[network.position(fault.layer)]
    _, height, width = network.shape_of[fault.layer]
    pixels, planes = height * width, 1 if fault.kind == "threshold" else planes_of(layer)
    each = byte_of(layer)
    if fault.kind != "weight":
        return Work(0, pixels * planes, 0, pixels * planes * each)
    bits = word_bits(layer)
    vectors = -(-pixels * room_of(layer) // VECTOR)  # of one channel, pixel beside pixel
    return Work(pixels, pixels * planes, 0, pixels * planes * each + pixels * bits / 8, vectors)


def behind(layer: Layer, before: list[Mask], shape: tuple[int, int, int]) -> Work:
    """What a layer has to compute where its inputs changed.

    Args:
        before: bool [N, C, H, W] for each stream that it reads.
        shape: of its own stream.
    """
    if isinstance(layer, MatrixVectorUnit):
        groups, outputs = layer.groups, layer.channels // layer.groups
        rows, columns = axes(layer, before[0].shape[2:], shape[1:])
        used = uses(before[0], rows, columns)
        additions = used * outputs
        pixels = 0
        for part in np.split(before[0], groups, axis=1):
            pixels += touched(np.logical_or.reduce(part, axis=1), rows, columns)
        comparisons = pixels * outputs * planes_of(layer)
        read = additions * word_bits(layer) / 8 + comparisons * byte_of(layer)
        return Work(additions, comparisons, 0, read, used * -(-outputs * room_of(layer) // VECTOR))
    if isinstance(layer, MaxPool | SumPool):
        rows, columns = axes(layer, before[0].shape[2:], shape[1:])
        others = uses(before[0], rows, columns)
        return Work(0, 0, others, others)
    if not isinstance(layer, Add | Requantise | Table | Thresholding):  # values are put elsewhere, or it is the classes
        return Work()
    others = int(np.logical_or.reduce(before).sum()) * (planes_of(layer) if isinstance(layer, Thresholding) else 1)
    return Work(0, 0, others, others)


def planes_of(layer: Layer) -> int:
    """Thresholds of each output; 1 where there are none."""
    found = layer.thresholded
    return 1 if found is None or found.thresholds is None else int(found.thresholds.shape[1])


def byte_of(layer: Layer) -> int:
    """Bytes that are read for a comparison: the distance of a sum from a threshold, or a score."""
    return 1 if layer.thresholded is not None else 4


def word_bits(layer: Layer) -> int:
    """Bits of a weight."""
    assert isinstance(layer, MatrixVectorUnit)
    bits = bits_of(layer.weight_type)
    assert bits is not None
    return bits


def room_of(layer: Layer) -> int:
    """Bits that a weight takes in a vector of a column: 1 or 2 where it has no more, else a byte."""
    bits = word_bits(layer)
    return bits if bits <= 2 else 8


def axes(
    layer: MatrixVectorUnit | MaxPool | SumPool, before: tuple[int, ...], behind: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For rows and for columns, int64 [windows, places]: how often a window has a place, 0 or 1."""
    padding = getattr(layer, "padding", (0, 0, 0, 0))
    dilation = getattr(layer, "dilation", (1, 1))
    vertical, horizontal = (
        _axis(before[i], behind[i], layer.kernel[i], layer.stride[i], dilation[i], padding[i]) for i in (0, 1)
    )
    return vertical, horizontal


@lru_cache(maxsize=256)
def _axis(places: int, windows: int, kernel: int, stride: int, dilation: int, padding: int) -> npt.NDArray[np.int64]:
    found = np.zeros((windows, places), np.int64)
    for window in range(windows):
        for tap in range(kernel):
            place = window * stride + tap * dilation - padding
            if 0 <= place < places:
                found[window, place] = 1
    return found


def uses(changed: Mask, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> int:
    """Pairs of a changed activation and a window that has it; ``changed`` is bool [N, C, H, W]."""
    at = changed.sum(axis=(0, 1))
    return int(rows.sum(axis=0) @ at @ columns.sum(axis=0))


def touched(changed: Mask, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> int:
    """Windows that have a change; ``changed`` is bool [N, H, W]."""
    return int(((rows @ changed @ columns.T) > 0).sum())


def whole(network: Network) -> int:
    """Multiply-accumulates of an image that is computed from the beginning."""
    return sum(layer.macs(before) for layer, before, _ in network.walk() if isinstance(layer, MatrixVectorUnit))
