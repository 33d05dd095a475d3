"""Random configurations of the units, from the layers of random networks: what goes in and must come out by the
reference engine, and one module that holds many of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cases import divisors, to_integers

from fat_fpga.board.stream import StreamLayout
from fat_fpga.engines.reference import execute, quantise
from fat_fpga.errors import BoardError
from fat_fpga.faults.place import places
from fat_fpga.faults.register import Register, activation_register
from fat_fpga.network import MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.operators.max_pool import padded
from fat_fpga.rtl.memories import threshold_words, weight_words, write_words
from fat_fpga.rtl.stages import Fold, Unit, check_layer, pool_parameters, windowed
from tests.designs.random_network import random_images, random_network

FRAMES = 2
MOST = 900
"""Beats of a unit, in, out, or within."""
PRODUCTS = 96
"""Weights of a cycle: what the compiler has to chew on."""


@dataclass(eq=False)
class Tested:
    """A unit under test.

    Attributes:
        module, parameters: what is instantiated.
        sent, wanted: beats in and out.
        files: what memories hold, by file name: words as bits.
        unit: of a matrix-vector-threshold unit; and its vectors int64 [N, inputs].
        beat_cycles: cycles that all beats need at least, without pauses.
    """

    module: str
    parameters: dict[str, object]
    sent: list[int]
    wanted: list[int]
    width_in: int
    width_out: int
    files: dict[str, Any] = field(default_factory=dict)
    unit: Unit | None = None
    vectors: Any = None
    address_bits: int = 0


def matrix_units(seed: int, count: int) -> list[Tested]:
    """Matrix-vector-threshold units in random foldings."""
    found: list[Tested] = []
    for network, images in _networks(seed):
        for number, (layer, shape, _) in enumerate(network.walk()):
            if isinstance(layer, MatrixVectorUnit) and len(found) < count:
                found += _matrix_unit(network, number, layer, shape, images, len(found), seed)
        if len(found) == count:
            return found
    raise AssertionError


def window_units(seed: int, count: int) -> list[Tested]:
    """Window generators with padding and strides, in random foldings and with few and many row buffers."""
    rng, found = np.random.default_rng(seed), []
    for network, images in _networks(seed):
        for layer, shape, _ in network.walk():
            if not isinstance(layer, MatrixVectorUnit) or not windowed(layer, shape) or _refused(network, layer, shape):
                continue
            fold = Fold(1, int(rng.choice(divisors(shape[0]))))
            unit = Unit.of(places(network)[layer.name], layer, fold, shape, 8)
            parameters = unit.window()
            assert parameters is not None
            least = layer.kernel[0] + layer.stride[0] - 1
            parameters["ROWS"] = int(rng.choice([least, least + 1, parameters["ROWS"]]))
            layout = StreamLayout(*shape, fold.simd, unit.source)
            source = _stream(network, images, network.inputs[layer.name][0])
            vectors = windows_of(layer, source)
            out = StreamLayout(vectors.shape[1], vectors.shape[2], 1, fold.simd, unit.source)
            test = _tested("fat_window", parameters, layout, source, out, vectors)
            if test is not None and len(found) < count:
                found.append(test)
        if len(found) == count:
            return found
    raise AssertionError


def other_units(seed: int, count: int) -> list[Tested]:
    """Max-pools, width converters, FIFOs and label selects, as many of each."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Tested]] = {name: [] for name in ("pool", "converter", "fifo", "labels")}
    for network, images in _networks(seed):
        for layer, shape, _ in network.walk():
            place = places(network)[layer.name]
            if place.levels is not None and isinstance(layer, MatrixVectorUnit) and shape[1] * shape[2] > 1:
                found["converter"] += _converter(network, layer.name, images, rng)
                found["fifo"] += _fifo(network, layer.name, images, rng)
            if isinstance(layer, MaxPool):
                found["pool"] += _pool(network, layer, shape, images, rng)
        found["labels"] += _labels(network, images, rng)
        if all(len(tests) >= count for tests in found.values()):
            return [test for tests in found.values() for test in tests[:count]]
    raise AssertionError


def changed(test: Tested, rng: np.random.Generator) -> tuple[Any, Any, list[int]]:
    """Other weights as words of bits, other thresholds in no order, and the beats that a matrix-vector-threshold unit
    gives with them."""
    unit = test.unit
    assert unit is not None
    span = [-1, 1] if unit.weight_bits == 1 else list(range(-(1 << unit.weight_bits - 1), 1 << unit.weight_bits - 1))
    weights = rng.choice(span, unit.layer.weights.shape).astype(np.int32)
    sums = test.vectors @ weights.transpose(0, 2, 3, 1).reshape(len(weights), -1).T.astype(np.int64)
    if unit.counting:
        sums = (sums + unit.inputs) // 2
    words = weight_words(weights, unit.fold.pe, unit.fold.simd, unit.weight_bits)
    if unit.thresholds is None:
        return words, None, _beats(unit, sums)
    thresholds = rng.permuted(rng.choice(sums.ravel(), unit.thresholds.shape) + rng.integers(0, 2), axis=1)
    return words, thresholds, _beats(unit, _levels(unit, sums, thresholds))


def top_of(tests: list[Tested]) -> str:
    """A module ``fat_units`` with these units, each with ports of its own: ``u0_s_axis_tdata``, ..."""
    ports, body = ["input wire clk", "input wire rst"], []
    for n, test in enumerate(tests):
        wires = [
            ("s_axis_tdata", "input", test.width_in), ("s_axis_tvalid", "input", 1), ("s_axis_tready", "output", 1),
            ("m_axis_tdata", "output", test.width_out), ("m_axis_tvalid", "output", 1), ("m_axis_tready", "input", 1),
        ]  # fmt: skip
        if test.address_bits:
            wires += [
                (f"s_axil_{name}", way, test.address_bits if "addr" in name else width) for name, way, width in AXIL
            ]
        ports += [f"{way} wire [{width - 1}:0] u{n}_{name}" for name, way, width in wires]
        settings = ", ".join(f".{name}({value})" for name, value in test.parameters.items())
        inner = ", ".join([".clk(clk)", ".rst(rst)", *(f".{name}(u{n}_{name})" for name, _, _ in wires)])
        body.append(f"{test.module} #({settings}) u{n} ({inner});")
    joined = ",\n    ".join(ports)
    return f"`timescale 1ns / 1ps\nmodule fat_units (\n    {joined}\n);\n" + "\n".join(body) + "\nendmodule\n"


def write_memories(tests: list[Tested], folder: Path) -> None:
    """The files that memories are read from."""
    for test in tests:
        for name, words in test.files.items():
            write_words(folder / name, words)


def units_of(case: Mapping[str, Any]) -> list[Tested]:
    """What a bench holds: ``kind`` of units, ``seed`` and ``count``."""
    return {"matrix": matrix_units, "window": window_units, "other": other_units}[case["kind"]](
        case["seed"], case["count"]
    )


AXIL = (
    ("awaddr", "input", 0), ("awvalid", "input", 1), ("awready", "output", 1), ("wdata", "input", 32),
    ("wstrb", "input", 4), ("wvalid", "input", 1), ("wready", "output", 1), ("bresp", "output", 2),
    ("bvalid", "output", 1), ("bready", "input", 1), ("araddr", "input", 0), ("arvalid", "input", 1),
    ("arready", "output", 1), ("rdata", "output", 32), ("rresp", "output", 2), ("rvalid", "output", 1),
    ("rready", "input", 1),
)  # fmt: skip


def _networks(seed: int) -> Iterator[tuple[Network, Any]]:
    for number in range(seed * 1000, seed * 1000 + 1000):
        network = random_network(number)
        yield network, random_images(network, FRAMES, number)


def _stream(network: Network, images: Any, place: str) -> IntArray:
    return quantise(network, images) if place == "input" else execute(network, images, [])[place]


def _refused(network: Network, layer: Any, shape: Any) -> bool:
    try:
        check_layer(layer, network, shape)
    except BoardError:
        return True
    return False


def windows_of(layer: MatrixVectorUnit, source: IntArray) -> IntArray:
    """The windows of a unit, int32 [N, inputs, windows, 1], each by kernel row, kernel column, channel."""
    (down, across), (kernel_h, kernel_w) = layer.stride, layer.kernel
    whole = padded(source, layer.padding, 0)
    rows = range(0, whole.shape[2] - kernel_h + 1, down)
    columns = range(0, whole.shape[3] - kernel_w + 1, across)
    found = [whole[:, :, y : y + kernel_h, x : x + kernel_w] for y in rows for x in columns]
    flat = [window.transpose(0, 2, 3, 1).reshape(len(source), -1) for window in found]
    return np.stack(flat, axis=2)[..., None]


def _tested(
    module: str,
    parameters: dict[str, object],
    layout: StreamLayout,
    source: IntArray,
    out: StreamLayout,
    wanted: IntArray,
) -> Tested | None:
    """A unit with integers in and out; None where they are too many."""
    if max(layout.beats, out.beats) * FRAMES > MOST:
        return None
    beats = to_integers(layout, source), to_integers(out, wanted)
    return Tested(module, parameters, *beats, layout.beat_bytes * 8, out.beat_bytes * 8)


def _matrix_unit(
    network: Network, number: int, layer: MatrixVectorUnit, shape: Any, images: Any, index: int, seed: int
) -> list[Tested]:
    if _refused(network, layer, shape):
        return []
    rng = np.random.default_rng([seed, index, number])
    fold = Fold(int(rng.choice(divisors(layer.channels))), int(rng.choice(divisors(int(layer.weights[0].size)))))
    known = places(network)[layer.name]
    unit = Unit.of(known, layer, fold, shape, 32)
    vectors = windows_of(layer, _stream(network, images, network.inputs[layer.name][0]))
    cycles = FRAMES * vectors.shape[2] * (unit.inputs // fold.simd) * (layer.channels // fold.pe)
    products = fold.pe * max(fold.simd, 0 if unit.thresholds is None else unit.thresholds.shape[1])
    if cycles > 3 * MOST or products > PRODUCTS or unit.inputs * layer.channels > 4000:
        return []
    outputs = execute(network, images, [])[layer.name]
    layout = StreamLayout(unit.inputs, vectors.shape[2], 1, fold.simd, unit.source)
    out = StreamLayout(layer.channels, *outputs.shape[2:], fold.pe, unit.output)
    address_bits = unit.address_bits + int(rng.integers(2))
    files = [f"{network.name}_{seed}_{index}.{kind}.hex" for kind in ("weights", "thresholds")]
    test = _tested("fat_mvtu", unit.parameters(*files, address_bits), layout, vectors, out, outputs)
    if test is None:
        return []
    test.files[files[0]] = weight_words(layer.weights, fold.pe, fold.simd, unit.weight_bits)
    if unit.thresholds is not None:
        test.files[files[1]] = threshold_words(unit.thresholds, fold.pe, unit.sum_bits)
    test.unit, test.address_bits = unit, address_bits
    test.vectors = vectors[..., 0].transpose(0, 2, 1).reshape(-1, unit.inputs).astype(np.int64)
    return [test]


def _levels(unit: Unit, sums: Any, thresholds: Any) -> Any:
    levels = unit.layer.levels
    assert levels is not None
    return levels.base + levels.step * (sums[:, :, None] >= thresholds).sum(axis=2)


def _beats(unit: Unit, values: Any) -> list[int]:
    """Beats of outputs [vectors, channels]; sums as they are, in the unit's domain."""
    if unit.thresholds is None and unit.counting:
        values = 2 * values - unit.inputs
    layout = StreamLayout(unit.layer.channels, 1, 1, unit.fold.pe, unit.output)
    return to_integers(layout, np.asarray(values)[:, :, None, None])


def _pool(network: Network, layer: MaxPool, shape: Any, images: Any, rng: np.random.Generator) -> list[Tested]:
    if _refused(network, layer, shape):
        return []
    front = network.inputs[layer.name][0]
    levels = network.levels_of[front]

    lanes = int(rng.choice(divisors(shape[0])))
    layout = StreamLayout(*shape, lanes, activation_register(levels))
    outputs = execute(network, images, [])[layer.name]
    out = StreamLayout(*outputs.shape[1:], lanes, layout.register)
    source = _stream(network, images, front)
    test = _tested("fat_max_pool", pool_parameters(layer, layout), layout, source, out, outputs)
    return [] if test is None else [test]


def _converter(network: Network, place: str, images: Any, rng: np.random.Generator) -> list[Tested]:

    stream = _stream(network, images, place)
    lanes = sorted(int(d) for d in rng.choice(divisors(stream.shape[1]), 2))
    if lanes[1] % lanes[0]:
        lanes[0] = 1
    if rng.random() < 0.5:
        lanes.reverse()
    register = activation_register(network.levels_of[place])
    layouts = [StreamLayout(*stream.shape[1:], count, register) for count in lanes]
    parameters: dict[str, object] = {"LANES_IN": lanes[0], "LANES_OUT": lanes[1], "BITS": register.bits}
    test = _tested("fat_width_converter", parameters, layouts[0], stream, layouts[1], stream)
    return [] if test is None else [test]


def _fifo(network: Network, place: str, images: Any, rng: np.random.Generator) -> list[Tested]:

    stream = _stream(network, images, place)
    layout = StreamLayout(
        *stream.shape[1:], int(rng.choice(divisors(stream.shape[1]))), activation_register(network.levels_of[place])
    )
    parameters: dict[str, object] = {"DATA_W": layout.beat_bytes * 8, "DEPTH": int(rng.integers(2, 40))}
    test = _tested("fat_fifo", parameters, layout, stream, layout, stream)
    return [] if test is None else [test]


def _labels(network: Network, images: Any, rng: np.random.Generator) -> list[Tested]:

    many = random_images(network, 40, int(rng.integers(1000)))
    scores = execute(network, many, [])[network.scores]
    lanes = int(rng.choice(divisors(network.classes)))
    register = Register(int(np.abs(scores).max()).bit_length() + 1, True)
    bits = max((network.classes - 1).bit_length(), 1)
    layout, out = StreamLayout(network.classes, 1, 1, lanes, register), StreamLayout(1, 1, 1, 1, Register(bits, False))
    classes = scores.reshape(len(scores), -1).argmax(axis=1)[:, None, None, None]
    parameters: dict[str, object] = {
        "CLASSES": network.classes, "LANES": lanes, "BITS": register.bits, "SIGNED": "1'b1",
    }  # fmt: skip
    test = _tested("fat_label_select", parameters, layout, scores, out, classes)
    return [] if test is None else [test]
