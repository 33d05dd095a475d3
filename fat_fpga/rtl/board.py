"""A board of our own RTL: a network of convolutions, fully connected layers, max-pools and votes as one top module, and
its simulation.

A saboteur and a checksum block are in every stream; registers and the driver are those of the boards that FINN makes.
Input quantisation and the choice of the class stay on the host.
"""

from __future__ import annotations

import math
import shutil
from functools import singledispatchmethod
from os import PathLike
from pathlib import Path

from fat_fpga import hardware
from fat_fpga.arguments import checked
from fat_fpga.board.description import Description, StreamPlace, ThresholdMemory
from fat_fpga.board.simulated import CYCLES_A_BEAT, PAGE
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.place import places
from fat_fpga.faults.register import activation_register
from fat_fpga.files import make_folder
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Layer, Shape
from fat_fpga.network.network_file import write_network
from fat_fpga.network.operators.threshold_logic import COUNT
from fat_fpga.rtl.memories import threshold_words, weight_words, write_words
from fat_fpga.rtl.stages import Folds, Unit, check_folds, check_layer, cycles, pool_parameters, steps_between, unit_at
from fat_fpga.rtl.top import Top
from fat_fpga.rtl.verilated import compile_library

MODULES = (*hardware.BLOCKS, "fat_mvtu", "fat_window", "fat_max_pool", "fat_width_converter", "fat_fifo", "fat_board")


@checked
def build_board(network: Network, folds: Folds, folder: str | PathLike[str], compiled: bool = True) -> Description:
    """Write a board into ``folder``: ``fat_board.sv`` with what its memories hold, ``board.json``, ``network.npz``, and
    the simulated board ``libboard.so``.

    Args:
        network: a chain of convolutions and fully connected layers, max-pools and votes; its input are pixels.
        folds: PEs and SIMD lanes of each unit by name.
        compiled: False leaves the simulated board out.

    Raises:
        BoardError: the network or the folding cannot be built, with the layer's name; or Verilator is missing.
    """
    check_network(network)
    check_folds(network, folds)
    folder = make_folder(folder).resolve()  # Verilator runs in it
    for stale in ("board.json", "libboard.so"):
        (folder / stale).unlink(missing_ok=True)
    description = _Writer(network, folds, folder).description()
    if compiled:
        _check_time(network, folds, description)
        compile_library(folder, description, hardware.sources(MODULES))
    write_network(network, folder / "network.npz")
    description.write(folder / "board.json")
    return description


def check_network(network: Network) -> None:
    """BoardError, with the layer's name, unless our RTL has modules for all of a network."""
    if network.input.code_table is None:
        raise BoardError(f"{network.name}: it takes {network.input.takes}, a simulated board takes uint8 pixels")
    before = "input"
    for layer, shape, _ in network.walk():
        if network.inputs[layer.name] != (before,):
            raise BoardError(f"{layer.name}: it reads {', '.join(network.inputs[layer.name])}: a board is one chain")
        check_layer(layer, network, shape)
        before = layer.name
    last = network.layers[-1]
    if last is not network.units[-1] or last.name in network.levels_of or network.shapes[-1][1:] != (1, 1):
        raise BoardError(f"{last.name}: a board ends in a fully connected layer that gives class scores")


def _check_time(network: Network, folds: Folds, description: Description) -> None:
    """BoardError for a folding whose first image would take longer than a transfer may."""
    taken = cycles(network, folds)
    most = CYCLES_A_BEAT * (description.input.beats + description.output.beats)
    if sum(taken.values()) > most:
        slowest = max(taken, key=lambda name: taken[name])
        raise BoardError(
            f"{slowest}: this folding needs {sum(taken.values()):,} cycles from an image to its scores, and a transfer "
            f"counts as hung after {most:,}: give it more PEs or SIMD lanes"
        )


class _Writer:
    """Writes the modules of a network along its stream."""

    def __init__(self, network: Network, folds: Folds, folder: Path) -> None:
        self._network, self._folds, self._folder = network, folds, folder
        self._memories = folder / "memories"
        shutil.rmtree(self._memories, ignore_errors=True)
        self._memories.mkdir()
        self._top = Top()
        self._pages = 0
        self._streams: list[StreamPlace] = []
        self._known = places(network)

    def description(self) -> Description:
        """The host's view, after ``fat_board.sv`` was written."""
        network = self._network
        channels, height, width = network.input.shape
        first = self._folds[network.units[0].name].simd
        register = activation_register(network.input.levels)
        layout = StreamLayout(channels, height, width, math.gcd(channels, first), register)
        size = channels * height * width
        whole = size if network.units[0].weights[0].size == size else channels
        entry = StreamLayout(size, 1, 1, math.gcd(whole, first), register)
        at, lanes = "in", entry.lanes
        for number, (layer, shape, _) in enumerate(network.walk()):
            at, front, stream = self._place(layer, number, shape, at, lanes, layout)
            at = self._top.blocks(front, stream, at)
            layout, lanes = stream.layout, stream.layout.lanes
            self._streams.append(stream)
        (self._folder / "fat_board.sv").write_text(self._top.text(entry, layout, at))
        table = network.input.code_table
        assert table is not None
        return Description(
            network.name, network.fingerprint, network.input.shape, table.tolist(), entry, layout, tuple(self._streams)
        )

    @singledispatchmethod
    def _place(
        self, layer: Layer, number: int, shape: Shape, at: str, lanes: int, layout: StreamLayout
    ) -> tuple[str, StreamLayout, StreamPlace]:
        """Layer ``number`` behind a stream of ``shape``: the stream behind its module, how the activations in front of
        its blocks come, and its place."""
        raise AssertionError(f"{layer.name} was checked")

    @_place.register
    def _(
        self, layer: MatrixVectorUnit, number: int, shape: Shape, at: str, lanes: int, layout: StreamLayout
    ) -> tuple[str, StreamLayout, StreamPlace]:
        at, stream = self._unit(unit_at(self._network, number, self._folds[layer.name]), at, lanes)
        return at, stream.layout, stream

    @_place.register
    def _(
        self, layer: MaxPool, number: int, shape: Shape, at: str, lanes: int, layout: StreamLayout
    ) -> tuple[str, StreamLayout, StreamPlace]:
        wanted = math.gcd(shape[0], self._wanted(number, layer.name))
        at = self._convert(at, lanes, wanted, layout.register.bits)
        front = StreamLayout(*shape, wanted, layout.register)
        behind = StreamLayout(*self._network.shapes[number], wanted, layout.register)
        at = self._top.between("fat_max_pool", pool_parameters(layer, front), at, wanted * front.register.bits, {})
        levels = self._known[layer.name].levels
        return at, front, StreamPlace(layer.name, behind, levels, self._page(), checksum=self._page())

    @_place.register
    def _(
        self, layer: MajorityVote, number: int, shape: Shape, at: str, lanes: int, layout: StreamLayout
    ) -> tuple[str, StreamLayout, StreamPlace]:
        front = StreamLayout(*shape, lanes, layout.register)
        wanted = math.gcd(layer.channels, self._wanted(number + 1, ""))
        behind = StreamLayout(layer.channels, *shape[1:], wanted, layout.register)
        voter, saboteur = self._page(), self._page()
        levels, sources = self._known[layer.name].levels, layer.sources.tolist()
        return at, front, StreamPlace(layer.name, behind, levels, saboteur, None, voter, sources, self._page())

    def _wanted(self, number: int, name: str) -> int:
        """Lanes of a stream that goes to layer ``number``: as the folding says of ``name``, else of the unit behind."""
        if name in self._folds:
            return self._folds[name].pe
        units = (unit.name for unit in self._network.units if self._network.position(unit.name) >= number)
        return self._folds[next(units)].simd

    def _page(self, size: int = PAGE) -> int:
        """The address of a new block."""
        self._pages = -(-self._pages // size) * size + size
        return self._pages - size

    def _convert(self, at: str, lanes: int, wanted: int, bits: int) -> str:
        """Width converters to ``wanted`` lanes; the stream behind them."""
        for step in steps_between(lanes, wanted):
            parameters = {"LANES_IN": lanes, "LANES_OUT": step, "BITS": bits}
            at = self._top.between("fat_width_converter", parameters, at, step * bits, {})
            lanes = step
        return at

    def _unit(self, unit: Unit, at: str, lanes: int) -> tuple[str, StreamPlace]:
        """A unit with what is in front of it; the stream behind it, and its place."""
        name, simd, top = unit.layer.name, unit.fold.simd, self._top
        width = simd * unit.source.bits
        at = self._convert(at, lanes, simd, unit.source.bits)
        window = unit.window()
        if window is not None:
            at = top.between("fat_window", window, at, width, {})
        else:
            depth = max(unit.inputs // simd, 2)  # the next vector comes while this one is worked on
            at = top.between("fat_fifo", {"DATA_W": -(-width // 8) * 8, "DEPTH": depth}, at, width, {})
        size = max(PAGE, 1 << unit.address_bits)
        address = self._page(size)
        files = f"memories/{name}.weights.hex", f"memories/{name}.thresholds.hex"
        weights = weight_words(unit.layer.weights, unit.fold.pe, simd, unit.weight_bits)
        write_words(self._folder / files[0], weights)
        memory, levels = None, None
        if unit.thresholds is not None:
            levels, count = unit.layer.levels, unit.thresholds.shape[1]
            write_words(self._folder / files[1], threshold_words(unit.thresholds, unit.fold.pe, unit.sum_bits))
            memory = ThresholdMemory(
                address, unit.sum_bits, not unit.counting, count, unit.fold.pe, unit.thresholds.tolist()
            )
        parameters = unit.parameters(*files, (size - 1).bit_length())
        ports = top.axilite(address, size=size)
        at = top.between("fat_mvtu", parameters, at, unit.fold.pe * unit.output.bits, ports, f"mvtu_{len(top.body)}")
        _, height, across = unit.layer.output_shape(unit.shape)
        layout = StreamLayout(unit.layer.channels, height, across, unit.fold.pe, unit.output)
        if levels is None:
            return at, StreamPlace(name, layout, None, checksum=self._page())
        saboteur = self._page()
        return at, StreamPlace(name, layout, levels, saboteur, memory, checksum=self._page(), threshold_logic=COUNT)
