"""FINN's own estimates of what a build costs and how fast it is, before any synthesis.

The models are FINN's (`node_res_estimation`, `get_exp_cycles`); pools and the label select have none, and count 0.
Voters, saboteurs and checksum hooks are estimated by our operators. FIFOs, width converters and the shell around the
accelerator are not in it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from fat_fpga.boards import Board
from fat_fpga.errors import FinnError
from fat_fpga.faults.place import INPUT
from fat_fpga.finn import steps
from fat_fpga.finn.folding import Folding, check_folding
from fat_fpga.finn.graph import MAKERS, hardware_graph, nodes_of
from fat_fpga.finn.inject import add_checksums, insert_saboteur
from fat_fpga.finn.parallel import apply_folding
from fat_fpga.finn.placing import ACTIVATION, LABELS, Node
from fat_fpga.finn.rtl_only import to_rtl
from fat_fpga.finn.setup import finn_errors
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network

THRESHOLDS, STREAM = "thresholds", "stream"
INJECTIONS = (THRESHOLDS, STREAM)
"""Ways to inject faults on the board: writable thresholds, or a saboteur in every stream."""


@dataclass(frozen=True)
class LayerEstimate:
    """Of one hardware layer.

    Attributes:
        place: of the network.
        node: FINN's name for the layer.
        pe, simd: its folding, 0 where it has none.
        lut, bram_18k, dsp: resources.
        cycles: for one image.
    """

    place: str
    node: str
    pe: int
    simd: int
    lut: int
    bram_18k: int
    dsp: int
    cycles: int


@dataclass(frozen=True)
class Estimates:
    """Of a whole accelerator.

    Attributes:
        layers: in the order of the stream.
        clock: MHz.
    """

    layers: tuple[LayerEstimate, ...]
    clock: float = 100.0

    @property
    def lut(self) -> int:
        return sum(layer.lut for layer in self.layers)

    @property
    def bram_18k(self) -> int:
        return sum(layer.bram_18k for layer in self.layers)

    @property
    def dsp(self) -> int:
        return sum(layer.dsp for layer in self.layers)

    @property
    def cycles(self) -> int:
        """Of the slowest layer: between one image and the next."""
        return max(layer.cycles for layer in self.layers)

    @property
    def rate(self) -> float:
        """Images a second."""
        return self.clock * 1e6 / self.cycles

    def cost(self, board: Board) -> float:
        """Share of the part: LUTs, BRAMs and DSPs, each as a fraction of what there is, added up."""
        return self.lut / board.lut + self.bram_18k / board.bram_18k + self.dsp / board.dsp

    def to_json(self) -> str:
        """Layers and totals."""
        total = {"lut": self.lut, "bram_18k": self.bram_18k, "dsp": self.dsp, "cycles": self.cycles}
        content = {
            "clock_mhz": self.clock,
            "frames_per_second": round(self.rate, 3),
            "total": total,
            "layers": [asdict(layer) for layer in self.layers],
        }
        return json.dumps(content, indent=2) + "\n"


def estimate(
    network: Network,
    folding: Folding,
    board: Board,
    clock: float = 100.0,
    inject: str | None = None,
    checksums: bool = False,
    rtl_only: bool = False,
) -> Estimates:
    """Estimates of a network under a folding.

    Args:
        clock: MHz.
        inject: one of `INJECTIONS`, or None.
        checksums: a checksum hook behind every stream.
        rtl_only: our units in the place of what FINN has in HLS only.

    Raises:
        FinnError: FINN is not installed, cannot build the network, or the folding does not fit.
    """
    check_folding(folding, network)
    model = unfolded(network, part_of(board), inject, rtl_only)
    apply_folding(model, network, folding)
    if checksums:
        model = deepcopy(model)  # the other one is kept for the next folding
        add_checksums(model, network)
    return estimates_of(model, network, board, clock)


def estimates_of(model: Model, network: Network, board: Board, clock: float) -> Estimates:
    """Of a specialised graph as it is folded."""
    part = part_of(board)
    with finn_errors(f"estimates of {network.name}"):
        return Estimates(tuple(_layer(node, part) for node in nodes_of(model, network)), clock)


def check_fits(estimates: Estimates, board: Board) -> None:
    """FinnError, with how much is missing, unless the part is large enough."""
    pairs = (("LUT", estimates.lut, board.lut), ("BRAM_18K", estimates.bram_18k, board.bram_18k))
    short = [(what, need, has) for what, need, has in (*pairs, ("DSP", estimates.dsp, board.dsp)) if need > has]
    if short:
        text = ", ".join(
            f"{need:,} {what} where there are {has:,} ({need - has:,} too many)" for what, need, has in short
        )
        raise FinnError(f"{board.name} is too small: the build needs {text}; fold it further, or take a larger board")


def part_of(board: Board) -> str:
    """FINN's name of a board's part."""
    from fat_fpga.finn.setup import prepare

    prepare()
    from finn.util.basic import part_map

    return str(part_map[board.name])


@lru_cache(maxsize=4)
def unfolded(network: Network, part: str, inject: str | None = None, rtl_only: bool = False) -> Model:
    """The specialised graph with minimal widths, to be folded by whoever takes it."""
    model = hardware_graph(network, standalone_thresholds=inject == THRESHOLDS)
    if model.graph.node[0].op_type == "Transpose":
        del model.graph.node[0]  # in front of the accelerator; as in FINN's partition
    with finn_errors(f"{network.name} for {part}"):
        model = steps.specialise(model, part)
        add_injectors(model, network, inject)
        model = steps.minimise(model)
        if rtl_only:
            to_rtl(model, network)
        return model


def add_injectors(model: Model, network: Network, inject: str | None) -> None:
    """Make thresholds writable, or put a saboteur behind every layer, in place.

    Thresholds have to be writable before widths are minimised, else the memory is too narrow for a channel stuck at its
    lowest level.
    """
    if inject == THRESHOLDS:
        for node in nodes_of(model, network):
            if node.role == ACTIVATION and node.place != INPUT:
                node.custom.set_nodeattr("runtime_writeable_weights", 1)
    if inject == STREAM:
        unheld = (network.scores, LABELS, INPUT)
        streams = [n for n in nodes_of(model, network) if n.role in MAKERS and n.place not in unheld]
        for node in streams:
            insert_saboteur(model, node.proto.output[0], f"FatSaboteur_rtl_{node.place.replace('.', '_')}")


def _layer(node: Node, part: str) -> LayerEstimate:
    custom = node.custom
    attributes = custom.get_nodeattr_types()

    def number(name: str) -> int:
        return int(custom.get_nodeattr(name)) if name in attributes else 0

    needs: dict[str, Any] = custom.node_res_estimation(part)
    return LayerEstimate(
        node.place, node.proto.name, number("PE"), number("SIMD"), round(needs["LUT"]), round(needs["BRAM_18K"]),
        round(needs["DSP"]), int(custom.get_exp_cycles()),
    )  # fmt: skip
