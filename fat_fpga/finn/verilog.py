"""The accelerator of a build without Vitis HLS, in Verilog and without Vivado: every layer's files, a top module, and
what a host has to know of it.

The folder is one of a board: Verilator makes its simulation (`compile_accelerator`), which campaigns run on.
``files.txt`` lists the sources in the order in which they are compiled. What is between layers of other
widths is our width converter; FIFOs, the DMA and the clocks are FINN's and Vivado's and are not in it.
"""

from __future__ import annotations

import shutil
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga import hardware
from fat_fpga.board.description import Description
from fat_fpga.board.simulated import PAGE
from fat_fpga.errors import FinnError
from fat_fpga.files import make_folder
from fat_fpga.finn.board_top import finn_clock, finn_ports
from fat_fpga.finn.describe import Part, described
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.placing import Node
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.network.network_file import write_network
from fat_fpga.rtl.stages import steps_between
from fat_fpga.rtl.top import Top
from fat_fpga.rtl.verilated import compile_library

FILES, LAYERS = "files.txt", "layers"
BETWEEN = ("fat_width_converter", "fat_board")
"""Modules of ours beside the layers'."""
_HELD = ("AWVALID", "WVALID", "BREADY", "ARVALID", "RREADY", "AWADDR", "WDATA", "WSTRB", "ARADDR")


def write_accelerator(model: Model, network: Network, folder: str | PathLike[str]) -> Description:
    """Write ``fat_board.sv``, the layers, ``files.txt``, ``board.json`` and ``network.npz`` into a folder.

    Args:
        model: behind FINN's generation of code, every layer in RTL.

    Raises:
        FinnError: the layers are no chain, or one cannot be driven.
    """
    nodes = nodes_of(model, network)
    for front, node in pairwise(nodes):
        if front.proto.output[0] != node.proto.input[0]:
            raise FinnError(f"{node.place}: {node.proto.name} does not read the layer in front of it: this is no chain")
    folder = make_folder(folder).resolve()
    for stale in ("board.json", "libboard.so"):
        (folder / stale).unlink(missing_ok=True)
    addresses = _addresses(nodes)
    parts = [Part(node, addresses.get(node.proto.name, 0), model) for node in nodes]
    description = described(parts, network)
    (folder / "fat_board.sv").write_text(_top(nodes, addresses, description))
    (folder / FILES).write_text("".join(f"{file}\n" for file in _copied(nodes, folder)))
    write_network(network, folder / "network.npz")
    description.write(folder / "board.json")
    return description


def compile_accelerator(folder: str | PathLike[str]) -> None:
    """Compile the simulation of a folder that `write_accelerator` wrote: ``libboard.so``.

    Raises:
        BoardError: Verilator is missing, or refuses.
    """
    folder = Path(folder).resolve()
    files = [folder / name for name in (folder / FILES).read_text().split()]
    compile_library(
        folder, Description.read(folder / "board.json"), [file for file in files if file.name != "fat_board.sv"]
    )


def _addresses(nodes: list[Node]) -> dict[str, int]:
    """A page for each layer that has registers, by the layer's name."""
    named = [node.proto.name for node in nodes if node.custom.get_verilog_top_module_intf_names()["axilite"]]
    return {name: number * PAGE for number, name in enumerate(named)}


def _top(nodes: list[Node], addresses: dict[str, int], description: Description) -> str:
    top, at, width = Top(gated=False), "in", description.input.lanes * description.input.register.bits
    for node in nodes:
        custom, name = node.custom, node.proto.name
        bits = int(custom.get_input_datatype(0).bitwidth())
        wanted = int(custom.get_instream_width(0))
        lanes = width // bits
        for step in steps_between(lanes, wanted // bits):
            converter = {"LANES_IN": lanes, "LANES_OUT": step, "BITS": bits}
            at = top.between("fat_width_converter", converter, at, step * bits, {})
            lanes = step
        width = int(custom.get_outstream_width())
        behind = top.stream(width)
        ports = {**finn_clock("clk"), **_registers(top, custom, addresses.get(name)), **finn_ports("in0", at)}
        top.instance(str(custom.get_nodeattr("gen_top_module")), {}, {**ports, **finn_ports("out0", behind)}, name)
        at = behind
    return top.text(description.input, description.output, at)


def _registers(top: Top, custom: Any, address: int | None) -> dict[str, str]:
    """AXI-Lite ports of a layer: at its page, or held where FINN's module has them and the build does not use them."""
    thresholds = custom.onnx_node.op_type == "Thresholding_rtl"
    found = {"in1_V_TVALID": "1'b0", "in1_V_TDATA": "'0"} if thresholds else {}
    if address is not None:
        return found | top.axilite(address, upper=True)
    return found | ({f"s_axilite_{name}": "'0" for name in _HELD} if thresholds else {})


def _copied(nodes: list[Node], folder: Path) -> list[str]:
    """The sources, relative to the folder, which gets a copy of each."""
    shutil.rmtree(folder / LAYERS, ignore_errors=True)
    common = folder / LAYERS / "common"
    common.mkdir(parents=True)
    found: dict[str, str] = {}
    for file in hardware.sources(BETWEEN):
        found[file.name] = str(shutil.copy(file, common / file.name))
    for node in nodes:
        made = Path(node.custom.get_nodeattr("code_gen_dir_ipgen"))
        own = folder / LAYERS / node.proto.name
        own.mkdir()
        for file in sorted(path for path in made.iterdir() if path.is_file() and path.suffix in (".hex", ".dat")):
            shutil.copy(file, own / file.name)
            if "threshs" in file.name:  # FINN reads them from where the simulation starts
                shutil.copy(file, folder / file.name)
        for file in map(Path, node.custom.get_rtl_file_list(abspath=True)):
            if file.name in found:
                continue
            if file.parent == made and file.name not in {
                source.name for source in hardware.sources(hardware.modules())
            }:
                found[file.name] = str(own / file.name)
                text = file.read_text().replace(str(made), f"{LAYERS}/{node.proto.name}")
                Path(found[file.name]).write_text(text)
            else:
                found[file.name] = str(shutil.copy(file, common / file.name))
    return [str(Path(file).relative_to(folder)) for file in found.values()] + ["fat_board.sv"]
