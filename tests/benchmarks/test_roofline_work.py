"""The work behind a fault, counted by windows at once, against a count that walks through every window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.roofline_work import VECTOR, Mask, Streams, Work, planes_of, room_of, whole, word_bits, work
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import FaultError
from fat_fpga.faults import Fault, fault_space, parse_fault
from fat_fpga.network import Network, load_network
from fat_fpga.network.layers import Add, Layer, MatrixVectorUnit, MaxPool, Requantise, SumPool, Table, Thresholding
from fat_fpga.network.program import INPUT
from tests.designs.random_graph import random_graph, random_groups
from tests.designs.random_network import random_images, random_network

IMAGES = 2
KINDS = ("channel", "pixel", "element", "weight", "threshold", "accumulator")


def slow_work(network: Network, fault: Fault, faulty: Streams, fault_free: Streams) -> Work:
    """The definition: each window, each place of its kernel, each channel."""
    found = Work()
    for layer in network.layers:
        streams = network.inputs[layer.name]
        for n in range(len(fault_free[network.scores])):
            before = [
                np.zeros(network.input.shape, bool) if name == INPUT else faulty[name][n] != fault_free[name][n]
                for name in streams
            ]
            if isinstance(layer, MatrixVectorUnit):
                found += slow_unit(layer, before[0], network.shape_of[layer.name])
            elif isinstance(layer, MaxPool | SumPool):
                found += slow_pool(layer, before[0], network.shape_of[layer.name])
            elif isinstance(layer, Add | Requantise | Table | Thresholding):
                for at in np.ndindex(*network.shape_of[layer.name]):
                    if any(mask[at] for mask in before):
                        times = planes_of(layer) if isinstance(layer, Thresholding) else 1
                        found += Work(others=times, bytes=times)
            if layer.name == fault.layer and fault.kind in ("weight", "threshold", "accumulator"):
                found += slow_channel(layer, fault.kind, network.shape_of[layer.name])
    return found


def places(
    layer: MatrixVectorUnit | MaxPool | SumPool, y: int, x: int, shape: tuple[int, ...]
) -> list[tuple[int, int]]:
    """The places of an input that the window of an output pixel has."""
    top, left, _, _ = getattr(layer, "padding", (0, 0, 0, 0))
    down, right = getattr(layer, "dilation", (1, 1))
    found = []
    for ky in range(layer.kernel[0]):
        for kx in range(layer.kernel[1]):
            iy, ix = y * layer.stride[0] + ky * down - top, x * layer.stride[1] + kx * right - left
            if 0 <= iy < shape[1] and 0 <= ix < shape[2]:
                found.append((iy, ix))
    return found


def slow_unit(unit: MatrixVectorUnit, changed: Mask, shape: tuple[int, int, int]) -> Work:
    additions = comparisons = vectors = 0
    inputs, outputs = unit.weights.shape[1], unit.channels // unit.groups
    planes = 1 if unit.thresholds is None else unit.thresholds.shape[1]
    for group in range(unit.groups):
        for y in range(shape[1]):
            for x in range(shape[2]):
                columns = 0
                for iy, ix in places(unit, y, x, changed.shape):
                    columns += sum(bool(changed[group * inputs + c, iy, ix]) for c in range(inputs))
                additions += columns * outputs
                vectors += columns * int(np.ceil(outputs * room_of(unit) / VECTOR))
                comparisons += planes * outputs if columns else 0
    read = additions * word_bits(unit) / 8 + comparisons * (4 if unit.thresholds is None else 1)
    return Work(additions, comparisons, 0, read, vectors)


def slow_pool(pool: MaxPool | SumPool, changed: Mask, shape: tuple[int, int, int]) -> Work:
    others = 0
    for c, y, x in np.ndindex(*shape):
        others += sum(bool(changed[c, iy, ix]) for iy, ix in places(pool, y, x, changed.shape))
    return Work(others=others, bytes=others)


def slow_channel(layer: Layer, kind: str, shape: tuple[int, int, int]) -> Work:
    """One channel of a layer with a changed memory or sum: pixel by pixel."""
    found = Work()
    for _ in range(shape[1] * shape[2]):
        comparisons = 1 if kind == "threshold" else planes_of(layer)
        found += Work(comparisons=comparisons, bytes=comparisons * (1 if layer.thresholded is not None else 4))
        if kind == "weight":
            found += Work(additions=1, bytes=word_bits(layer) / 8)
    if kind == "weight":
        found += Work(vectors=int(np.ceil(shape[1] * shape[2] * room_of(layer) / VECTOR)))
    return found


def sampled(network: Network, kind: str, seed: int) -> list[Fault]:
    try:
        return fault_space(network, kind).sample(3, seed)
    except FaultError:  # the network has no faults of the kind
        return []


@pytest.mark.parametrize("make", [random_network, random_graph, random_groups])
def test_the_count_is_that_of_every_window(make: Callable[[int], Network]) -> None:
    compared, total = 0, Work()
    for seed in range(60):
        network = make(seed)
        if sum(np.prod(shape) for shape in network.shapes) > 3000:
            continue
        images = random_images(network, IMAGES, seed)
        session = ReferenceEngine().open(network)
        fault_free = session.trace(images, None)
        for kind in KINDS:
            for fault in sampled(network, kind, seed):
                faulty = session.trace(images, fault)
                found = work(network, fault, faulty, fault_free)
                assert found == slow_work(network, fault, faulty, fault_free), f"{seed}, {fault}"
                compared, total = compared + 1, total + found
    assert compared >= 100
    assert total.additions > 1000
    assert total.comparisons > 1000


def test_a_fault_that_changes_nothing_needs_nothing_behind_it() -> None:
    network = random_network(3)
    streams = ReferenceEngine().open(network).trace(random_images(network, IMAGES, 0), None)
    fault = fault_space(network, "channel")[0]
    assert work(network, fault, streams, streams) == Work()


def test_what_differs_behind_a_fault_is_decided_again() -> None:
    """No output changes in a window that has no change: so the comparisons bound what can differ."""
    network = load_network("cnv_w1a1")
    images = random_images(network, 1, 0)
    session = ReferenceEngine().open(network)
    fault_free = session.trace(images, None)
    for text in ("conv0/channel[3] = -1", "conv2/pixel[4,5] = +1", "conv4/element[7,0,2] = -1"):
        fault = parse_fault(text)
        assert isinstance(fault, Fault)
        faulty = session.trace(images, fault)
        at = network.position(fault.layer)
        units = [unit.name for unit in network.layers[at + 1 :] if isinstance(unit, MatrixVectorUnit)]
        different = sum(int((faulty[name] != fault_free[name]).sum()) for name in units)
        assert 0 < different <= work(network, fault, faulty, fault_free).comparisons


def test_by_hand() -> None:
    """One changed activation in the corner of conv0's 30x30, read by one 3x3 window of conv1: 64 outputs."""
    network = load_network("cnv_w1a1")
    shapes = network.shape_of
    streams = {name: np.zeros((1, *shape), np.int32) for name, shape in shapes.items() if name != INPUT}
    corner = {**streams, "conv0": streams["conv0"].copy()}
    corner["conv0"][0, 5, 0, 0] = 1
    fault = fault_space(network, "element")[0]
    assert work(network, fault, corner, streams) == Work(64, 64, 0, 64 / 8 + 64, 1)
    middle = {**streams, "conv0": streams["conv0"].copy()}
    middle["conv0"][0, 5, 9, 9] = 1
    assert work(network, fault, middle, streams) == Work(9 * 64, 9 * 64, 0, 9 * 64 / 8 + 9 * 64, 9)


def test_the_whole_network() -> None:
    assert whole(load_network("cnv_w1a1")) == 59_461_376
