"""The simulated board: a fully connected network in FINN's own RTL, with our saboteurs and voters, as one library.

FINN generates its MVAU_rtl, weight memories and Thresholding_rtl with writable thresholds; a generated top module puts
a saboteur and a checksum block into every stream, a voter behind every unit with copies, and all their registers on one
AXI-Lite port; Verilator compiles the whole. `fat_fpga.board.simulated` runs it behind the driver that runs a board.

Input quantisation and the choice of the class stay on the host: FINN's Thresholding_rtl for pixels takes one a cycle,
and LabelSelect exists in HLS only.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga.board.description import Description, StreamPlace
from fat_fpga.board.simulated import PAGE
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import FinnError
from fat_fpga.faults.register import Register, activation_register
from fat_fpga.finn import steps
from fat_fpga.finn.board_compile import compile_board
from fat_fpga.finn.board_top import Stage, top_module
from fat_fpga.finn.folding import Fold
from fat_fpga.finn.graph import hardware_graph, nodes_of
from fat_fpga.finn.layers import UNIT
from fat_fpga.finn.placing import ACTIVATION
from fat_fpga.finn.thresholds_built import logic_of
from fat_fpga.finn.writable import threshold_memory
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import Layer
from fat_fpga.network.network_file import write_network

PART, CLOCK_NS = "xc7z020clg400-1", 10.0


@dataclass(frozen=True)
class _Unit:
    """One unit with what stands behind it, and FINN's objects for it."""

    unit: MatrixVectorUnit
    voter: MajorityVote | None
    fold: Fold
    mvau: Any
    thresholding: Any | None


def build_simulated_board(network: Network, folds: dict[str, Fold], folder: str | PathLike[str]) -> Description:
    """Generate and compile the board in ``folder``: ``libboard.so``, ``board.json`` and ``network.npz``.

    Args:
        network: fully connected units, with votes or without.
        folds: of each unit by name. Streams are not converted between widths: a unit's SIMD is the number of channels a
            beat behind the unit, or the voter, in front of it.

    Raises:
        FinnError: FINN is not installed, or the network or the folding cannot be built; it names the layer.
    """
    _check(network, folds)
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    units, model = _generate(network, folds, folder)
    stages, description = _describe(network, units, model)
    (folder / "fat_board.sv").write_text(top_module(stages, description.input, description.output))
    description.write(folder / "board.json")
    write_network(network, folder / "network.npz")
    compile_board(folder, description)
    return description


def _check(network: Network, folds: dict[str, Fold]) -> None:
    lanes = None
    for unit, voter, shape in _chain(network):
        fold = folds.get(unit.name)
        if fold is None:
            raise FinnError(f"{unit.name}: the folding does not name it")
        if unit.output_shape(shape)[1:] != (1, 1):
            raise FinnError(
                f"{unit.name}: the simulated board takes fully connected layers only, FINN has pools in HLS"
            )
        if unit.levels is not None and unit.levels.bipolar:
            raise FinnError(f"{unit.name}: bipolar layers are XNOR units, which FINN has in HLS only")
        if unit.channels % fold.pe or unit.weights[0].size % fold.simd:
            raise FinnError(
                f"{unit.name}: PE {fold.pe} and SIMD {fold.simd} must divide its {unit.channels} channels and "
                f"{unit.weights[0].size} inputs"
            )
        if lanes is not None and fold.simd != lanes:
            raise FinnError(f"{unit.name}: SIMD {fold.simd} must be the {lanes} channels a beat in front of it")
        lanes = fold.pe if voter is None else None  # a voter makes beats of any width


@singledispatch
def _check_simulated(layer: Layer) -> None:
    """FinnError for a layer that there is no RTL of."""
    raise no_handler("the simulated board", layer, FinnError)


@_check_simulated.register(MatrixVectorUnit)
@_check_simulated.register(MajorityVote)
def _(layer: Layer) -> None:
    """FINN's MVAU and thresholds in RTL; our voter."""


@_check_simulated.register
def _(layer: MaxPool) -> None:
    raise FinnError(f"{layer.name}: FINN has pools in HLS only, so there is no RTL of this network to simulate")


def _chain(network: Network) -> list[tuple[MatrixVectorUnit, MajorityVote | None, tuple[int, int, int]]]:
    found = []
    for layer, shape, _ in network.walk():
        _check_simulated(layer)
        if layer.unit is not None:
            found.append((layer.unit, network.vote_behind(layer.name), shape))
    return found


def _generate(network: Network, folds: dict[str, Fold], folder: Path) -> tuple[list[_Unit], Any]:
    """FINN's RTL of every unit in ``folder/finn``, and FINN's objects for them."""
    model = hardware_graph(network, standalone_thresholds=True)
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
    from qonnx.custom_op.registry import getCustomOp

    for node in model.graph.node:
        if node.domain.startswith("finn.custom_op.fpgadataflow"):
            custom = getCustomOp(node)
            if "preferred_impl_style" in custom.get_nodeattr_types():
                custom.set_nodeattr("preferred_impl_style", "rtl")
    model = steps.specialise(model, PART)
    nodes = nodes_of(model, network)
    for node in nodes:
        if node.role == ACTIVATION:  # before widths are made smaller: see FINN's saturation of inputs
            node.custom.set_nodeattr("runtime_writeable_weights", 1)
    model = steps.minimise(model)
    nodes = nodes_of(model, network)
    wanted = [n for n in nodes if n.place in folds and n.role in (UNIT, ACTIVATION)]
    for node in wanted:
        fold = folds[node.place]
        node.custom.set_nodeattr("PE", fold.pe)
        if node.role == UNIT:
            node.custom.set_nodeattr("SIMD", fold.simd)
            node.custom.set_nodeattr("mem_mode", "internal_decoupled")
    kept = {node.proto.name: (node.place, node.role) for node in wanted}
    for proto in [proto for proto in model.graph.node if proto.name not in kept]:
        model.graph.node.remove(proto)
    model = model.transform(PrepareIP(PART, CLOCK_NS))
    generated = folder / "finn"
    shutil.rmtree(generated, ignore_errors=True)
    for node in model.graph.node:
        made = getCustomOp(node).get_nodeattr("code_gen_dir_ipgen")
        shutil.copytree(made, generated / node.name)
        for file in (generated / node.name).glob("*.v"):  # memories are read from where the simulation starts
            file.write_text(file.read_text().replace(made, f"finn/{node.name}"))
    # without what stands between them, FINN may have put the nodes into another order
    by_place = {kept[node.name]: getCustomOp(node) for node in model.graph.node}
    units = []
    for unit, voter, _ in _chain(network):
        thresholding = by_place.get((unit.name, ACTIVATION))
        mvau = by_place[unit.name, UNIT]
        units.append(_Unit(unit, voter, folds[unit.name], mvau, thresholding))
    return units, model


def _describe(network: Network, units: list[_Unit], model: Any) -> tuple[list[Stage], Description]:
    """The stages of the top module, and the host's view of them."""
    stages, streams, page = [], [], 0

    def next_page() -> int:
        nonlocal page
        page += 1
        return (page - 1) * PAGE

    source = network.input.levels
    for number, u in enumerate(units):
        accumulators = model.get_tensor_datatype(u.mvau.onnx_node.output[0])
        name, sums = u.mvau.get_nodeattr("gen_top_module"), accumulators.bitwidth() * u.fold.pe
        if u.thresholding is None or u.unit.levels is None:
            output = StreamLayout(u.unit.channels, 1, 1, u.fold.pe, Register(accumulators.bitwidth(), True))
            scores = StreamPlace(u.unit.name, output, None, checksum=next_page())
            stages.append(Stage(name, u.mvau.get_instream_width(1), sums, None, (scores,)))
            streams.append(scores)
            continue
        register = activation_register(u.unit.levels)
        layout = StreamLayout(u.unit.channels, 1, 1, u.fold.pe, register)
        thresholds = model.get_initializer(u.thresholding.onnx_node.input[1])
        memory = threshold_memory(u.unit.name, u.thresholding, thresholds, next_page())
        made = StreamPlace(u.unit.name, layout, u.unit.levels, next_page(), memory, checksum=next_page())
        behind = [replace(made, threshold_logic=logic_of(u.thresholding.onnx_node.op_type))]
        if u.voter is not None:
            lanes = units[number + 1].fold.simd
            voted = StreamLayout(u.voter.channels, 1, 1, lanes, register)
            voter, saboteur, sources = next_page(), next_page(), u.voter.sources.tolist()
            levels, checksum = u.unit.levels, next_page()
            behind.append(StreamPlace(u.voter.name, voted, levels, saboteur, None, voter, sources, checksum))
        thresholding = u.thresholding.get_nodeattr("gen_top_module")
        stages.append(Stage(name, u.mvau.get_instream_width(1), sums, thresholding, tuple(behind)))
        streams += behind
    first = units[0].fold.simd
    c, h, w = network.input.shape
    entry = StreamLayout(c * h * w, 1, 1, first, activation_register(source))
    table = network.input.code_table
    assert table is not None, "check_mappable refuses other inputs than pixels"
    return stages, Description(
        network.name, network.fingerprint, network.input.shape, table.tolist(), entry, output, tuple(streams)
    )
